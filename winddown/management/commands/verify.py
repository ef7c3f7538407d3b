"""`manage.py verify`: the audit chain and every invariant are checked; exit code 1 on a breach."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from winddown.evidence import audit, invariants


class Command(BaseCommand):
    help = "Check the audit chain and every invariant. Exit code 1 on a breach."
    exits: ClassVar[dict[int, str]] = {0: "everything holds", 1: "a breach"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object instead of sentences"
        )
        parser.add_argument(
            "--head", metavar="FILE", help="an exported head that the chain must still contain"
        )
        parser.add_argument(
            "--export-head", metavar="FILE", help="write the chain's present head to this file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        breaches: dict[str, list[str]] = {}
        for each in invariants.known():
            found = each.breaches()
            if found:
                breaches[each.code] = found
            if not options["json"]:
                self.stdout.write(
                    f"{'ok    ' if not found else 'BREACH'} {each.code:5} {each.statement}"
                )
                for sentence in found:
                    self.stdout.write(f"             {sentence}")
        if options["head"]:
            missing = audit.verify_against(json.loads(Path(options["head"]).read_text()))
            if missing:
                breaches["head"] = [missing]
                if not options["json"]:
                    self.stdout.write(f"BREACH head  {missing}")
        if options["export_head"]:
            Path(options["export_head"]).write_text(json.dumps(audit.head(), indent=1) + "\n")
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {"checked": len(invariants.known()), "breached": breaches, "head": audit.head()}
                )
            )
        if breaches:
            raise SystemExit(1)
