"""`manage.py witness_rows`: rows from before the witnesses get digests, as two people signed them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from winddown.authority.staff_command import StaffCommand
from winddown.evidence import witnessing


class Command(StaffCommand):
    help = """
    Ask a second person to approve what rows say that are older than the witness of their table.
    With --apply, as the owner of the tables, write the digests that were approved.
    """
    examples = (
        'witness_rows --by hana --reason "rows from before the guard"',
        'witness_rows --apply --by ken --reason "approved"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--apply", action="store_true", help="write the digests of the approved rows"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor, reason = self.proven_actor(options), options["reason"]
        if options["apply"]:
            for table, rows in witnessing.witness(actor=actor, reason=reason).items():
                self.say(f"{table}: {rows} rows are witnessed", table=table, rows=rows)
            return
        request = witnessing.ask(actor=actor, reason=reason)
        for table, (rows, _) in request.summary["tables"].items():
            self.say(f"{table}: {rows} rows without a digest", table=table, rows=rows)
        self.say_awaited("Nothing has changed yet.", request)
