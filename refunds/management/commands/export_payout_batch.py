"""`manage.py export_payout_batch ID DIRECTORY`: the file of an approved batch is in the
directory."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from refunds.models import PayoutBatch
from refunds.payouts import payout_batches
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the file of an approved payout batch; the same bytes however often."
    examples = ('export_payout_batch 3 bank --by hana --reason "transfers of Friday"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("batch", type=int, metavar="ID", help="number of the batch")
        parser.add_argument("directory", type=Path, help="where the file is written")

    def act(self, options: dict[str, Any]) -> None:
        batch = PayoutBatch.objects.filter(pk=options["batch"]).first()
        if batch is None:
            raise CommandError(f"there is no payout batch {options['batch']}", returncode=2)
        path = payout_batches.export_batch(
            batch,
            directory=options["directory"],
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        self.say(f"{path} holds batch {batch.pk}", path=str(path), sha256=batch.sha256)
