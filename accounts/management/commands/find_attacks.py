"""`manage.py find_attacks`: attempts to sign in are counted, and the attacks in them are told."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

from accounts.attacks import attack_windows, counting
from accounts.attacks.attack_windows import Finding
from accounts.models import SuspiciousSource
from winddown import clock
from winddown.authority.staff_command import StaffCommand, shown

SOURCES_SHOWN = 20


class Command(StaffCommand):
    help = "Read the attempts to sign in and tell the waves, their order and suspicious sources."
    examples = ('find_attacks --as-of 2019-07-04T12:00 --by hana --reason "strange charges"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--as-of", metavar="TIME", help="tell what began by then (default now)")

    def act(self, options: dict[str, Any]) -> None:
        as_of = parse_datetime(options["as_of"]) if options["as_of"] else clock.now()
        if as_of is None or as_of.tzinfo is None:
            raise CommandError("--as-of needs a time with its offset", returncode=2)
        attempts = counting.count_attempts().attempts
        found = attack_windows.finding(as_of=as_of)
        order = " in the order of a list-type attack" if found.in_order else ""
        summary = (
            f"{attempts:,} attempts read; {len(found.windows)} windows{order},"
            f" {sum(found.sources.values()):,} suspicious sources."
        )
        told = summary if self.as_json else "\n".join([*_lines(found, as_of=as_of), summary])
        self.say(told, **_facts(found))


def _lines(found: Finding, *, as_of: dt.datetime) -> list[str]:
    """Returns a line for each window, and for the first sources."""
    sources = SuspiciousSource.objects.filter(since__lte=as_of).order_by("since", "source")
    return [
        *(
            f"{row.wave:<18} {shown(row.started_at)} to"
            f" {shown(row.ended_at) if row.ended_at else 'now':<20}"
            f" {row.evidence['matching']:>10,} of {row.evidence['attempts']:>10,}  {row.rule}"
            for row in found.windows
        ),
        *(
            f"{row.kind:<18} {shown(row.since)} {row.source}  {row.rule}"
            for row in sources.select_related("rule")[:SOURCES_SHOWN]
        ),
    ]


def _facts(found: Finding) -> dict[str, object]:
    return {
        "read_until": found.read_until,
        "in_order": found.in_order,
        "sources": found.sources,
        "baseline": found.baseline,
        "windows": [
            {
                "wave": row.wave,
                "started_at": row.started_at,
                "ended_at": row.ended_at,
                "rule": str(row.rule),
                "evidence": row.evidence,
            }
            for row in found.windows
        ],
    }
