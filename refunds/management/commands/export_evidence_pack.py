"""`manage.py export_evidence_pack`: the evidence of one claim is in a directory, as one file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from refunds.claims import evidence_pack
from refunds.claims.desk_fields import ClaimField
from winddown.authority.staff_command import StaffCommand
from winddown.files import write_once


class Command(StaffCommand):
    help = "Write the evidence of a claim as a zip file with a list of digests."
    examples = (
        'export_evidence_pack FC00000001 --out packs --by mika --reason "asked by the issuer"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("claim", metavar="CLAIM", help="its reference or number")
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        actor = self.proven_actor(options)
        try:
            claim = ClaimField().clean(options["claim"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        with transaction.atomic():
            pack = evidence_pack.take(claim, actor=actor, reason=options["reason"])
            path = write_once(options["out"], pack.name, [pack.content])
        self.say(f"{path} holds the evidence.", path=str(path), sha256=pack.sha256)
