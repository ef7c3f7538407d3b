"""`manage.py reseal`: after a new field key, nothing is sealed with the old ones any more."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import CommandError

from winddown import resealing
from winddown.encryption import SealBroken
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Seal what older field keys sealed with WINDDOWN_FIELD_KEY, in batches. Run it as the owner"
        " of the tables, while web and workers are stopped."
    )
    examples = ("reseal",)
    exits: ClassVar[dict[int, str]] = {
        0: "nothing is left under an older key",
        1: "a value does not open; name its key in WINDDOWN_FIELD_KEY_FALLBACKS",
    }

    def handle(self, *args: Any, **options: Any) -> None:
        for name, sealed in resealing.SEALED.items():
            try:
                self.stdout.write(f"{name}: {resealing.reseal(sealed)} sealed anew")
            except SealBroken as broken:
                raise CommandError(str(broken)) from broken
