"""`manage.py verify`: the audit chain and every invariant are checked; exit code 1 on a breach."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from winddown.evidence import audit, invariants, leaks
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Check the audit chain, every invariant, and that no card number and nobody's address is"
        " where it may not be. Exit code 1 on a breach."
    )
    examples = (
        "verify",
        "verify --export-head head.json",
        "verify --logs /var/log/winddown --exports out",
    )
    exits: ClassVar[dict[int, str]] = {0: "everything holds", 1: "a breach"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object instead of sentences"
        )
        parser.add_argument(
            "--head", metavar="FILE", help="an exported head that the chain must still contain"
        )
        parser.add_argument(
            "--logs",
            metavar="PATH",
            action="append",
            default=[],
            help="a file or directory of logs in which nobody may be named; repeatable",
        )
        parser.add_argument(
            "--exports",
            metavar="PATH",
            action="append",
            default=[],
            help="a file or directory that we wrote, without card numbers; repeatable",
        )
        parser.add_argument(
            "--export-head", metavar="FILE", help="write the chain's present head to this file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = {each.code: self._told(each, options) for each in invariants.known()}
        found |= self._leaks(options)
        if options["head"]:
            found["head"] = self._missing_head(options)
        breached = {code: sentences for code, sentences in found.items() if sentences}
        if options["export_head"]:
            Path(options["export_head"]).write_text(json.dumps(audit.head(), indent=1) + "\n")
        if options["json"]:
            facts = {
                "checked": len(invariants.known()),
                "breached": breached,
                "unread": [] if "broker" in found else ["broker"],
                "head": audit.head(),
            }
            self.stdout.write(json.dumps(facts))
        if breached:
            raise SystemExit(1)

    def _told(self, invariant: invariants.Invariant, options: dict[str, Any]) -> list[str]:
        breaches = invariant.breaches()
        if not options["json"]:
            said = "BREACH" if breaches else "ok    "
            self.stdout.write(f"{said} {invariant.code:5} {invariant.statement}")
            for sentence in breaches:
                self.stdout.write(f"             {sentence}")
        return breaches

    def _leaks(self, options: dict[str, Any]) -> dict[str, list[str]]:
        """Returns what the broker, the logs and the exports tell of people, by place."""
        found = {}
        if (in_broker := leaks.in_broker()) is not None:
            found["broker"] = in_broker
        elif not options["json"]:
            self.stdout.write("unread broker  It cannot be reached: verify again when it runs.")
        if options["logs"]:
            found["logs"] = leaks.in_files(options["logs"], leaks.NOBODY)
        if options["exports"]:
            found["exports"] = leaks.in_files(options["exports"], leaks.NO_CARD)
        if not options["json"]:
            for place, sentences in found.items():
                said = "BREACH" if sentences else "ok    "
                self.stdout.write(f"{said} {place:7} I22 and I23: what it may not tell of people")
                for sentence in sentences:
                    self.stdout.write(f"             {sentence}")
        return found

    def _missing_head(self, options: dict[str, Any]) -> list[str]:
        missing = audit.verify_against(json.loads(Path(options["head"]).read_text()))
        if missing and not options["json"]:
            self.stdout.write(f"BREACH head  {missing}")
        return [missing] if missing else []
