"""`manage.py compare_plans`: two replayed plans beside each other, and what each measure adds."""

from __future__ import annotations

import datetime as dt
import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from rehearsal.case import load_case
from rehearsal.outlook import Outlook, Truth, compute, variants
from rehearsal.plans import PLANS, Behaviour, Plan, load_behaviour, load_plan
from winddown.terminal import RecordedCommand

PAGE = Path("docs/plans-compared.md")
COUNTED_ON = dt.date(2020, 1, 9)
PUBLISHED_PEOPLE, PUBLISHED_AMOUNT = 120 / 370, 120 / 190


class Command(RecordedCommand):
    help = (
        "Write docs/plans-compared.md from the reports of two replays: replay, and replay --plan"
        " rehearsal/case/plans/early.toml, at the same accounts and seed. The table of measures one by"
        " one is computed from the same people."
    )
    examples = ("compare_plans",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, default=PAGE, help="default %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        directory = Path(settings.LOCAL_DIR) / "replay"
        try:
            first, second = (
                json.loads((directory / name).read_text())
                for name in ("report.json", "report-early.json")
            )
            truth = Truth.read(directory / "case" / "truth")
        except OSError as error:
            raise CommandError(f"{error.filename}: replay both plans first") from error
        same = ("accounts", "seed")
        if [first[each] for each in same] != [second[each] for each in same]:
            raise CommandError("the two reports are about different cases: replay both plans alike")
        options["out"].write_text("\n".join([*_page(first, second, truth), ""]), encoding="utf-8")
        self.stdout.write(f"{options['out']} says how the two plans came out.")


def _page(first: dict[str, Any], second: dict[str, Any], truth: Truth) -> Iterator[str]:
    case, behaviour = load_case(), load_behaviour()
    published, early = load_plan(), load_plan(PLANS / "early.toml")
    yield from _ABOUT
    yield (
        f"Replayed with {first['accounts']:,} accounts and seed {first['seed']}:"
        f" {len(truth.behaviour):,} holders,"
        f" JPY {sum(truth.owed_minor.values()):,}."
    )
    yield from ("", "## Paid by day", "")
    opens = case.programme.refund_window_first_on
    yield from _table(
        ("day", "date", "7pay: people", "7pay: yen", "early: people", "early: yen"),
        _by_day(first, second, opens=opens),
    )
    yield ""
    yield (
        f"Published for 7pay at day 101 (9 January 2020): {PUBLISHED_PEOPLE:.1%} of the people,"
        f" {PUBLISHED_AMOUNT:.1%} of the yen."
    )
    yield from ("", "## What happened on the way", "")
    yield from _table(
        ("", "7pay", "early"),
        (
            (name, f"{first[key]:,}", f"{second[key]:,}")
            for name, key in (
                ("returned after paid", "returned_after_paid"),
                ("payouts made again", "reissued"),
                ("amounts that no door moves", "stuck"),
                ("reminders", "reminders"),
                ("statements of the bank, each overlapping", "statements"),
            )
        ),
    )
    yield from ("", "## Kinds of people", "")
    yield from _table(
        ("kind", "people, 7pay", "people, early"),
        (
            (
                kind.replace("_", " "),
                *(f"{sum(report['kinds'].get(kind, {}).values()):,}" for report in (first, second)),
            )
            for kind in _kinds(first, second)
        ),
    )
    yield from ("", "## Each measure", "", *_ONE_BY_ONE, "")
    outlooks = [
        (name, compute(truth, case=case, plan=plan, behaviour=behaviour))
        for name, plan in variants(published, early)
    ]
    yield from _table(
        (
            "measures",
            "people at day 101",
            "yen at day 101",
            "people at the end",
            "yen at the end",
            "half of the paid by",
            "cost, JPY",
            "cost for each person paid",
        ),
        (_computed(name, each, early.until, behaviour) for name, each in outlooks),
    )
    yield ""
    yield from _table(
        (
            "measure",
            "adds alone, people",
            "costs alone, JPY",
            "adds last, people",
            "costs last, JPY",
        ),
        _added(dict(outlooks), early, behaviour),
    )
    yield ""
    for code, report, name in (("7pay", first, "no measure"), ("early", second, "all")):
        counted = dict(outlooks)[name].shares(COUNTED_ON)
        said = _share(report, COUNTED_ON)
        yield (
            f"The replay of {code} paid {said[0]:.1%} of the people by day 101,"
            f" and the computation says {counted[0]:.1%}."
        )
    yield from ("", "## Assumptions", "")
    yield from assumptions(behaviour)


def assumptions(behaviour: Behaviour) -> Iterator[str]:
    """Yields the tables of kinds and figures, each with its source."""
    yield from _table(
        ("kind", "of", "share", "at least", "what they do", "source"),
        (
            (
                each.code,
                each.of,
                f"{each.share:g}",
                str(each.at_least),
                each.what,
                each.source,
            )
            for each in behaviour.kinds
        ),
    )
    yield ""
    yield from _table(
        ("figure", "value", "what it is", "source"),
        (
            (each.code, f"{each.value:g}", each.what, each.source)
            for each in behaviour.assumptions.values()
        ),
    )


def _kinds(*reports: Mapping[str, Any]) -> list[str]:
    return sorted({kind for report in reports for kind in report["kinds"]})


def _share(report: Mapping[str, Any], until: dt.date) -> tuple[float, float]:
    days = [day for day in report["paid_by_day"] if day["day"] <= until.isoformat()]
    return (days[-1]["people"], days[-1]["amount"]) if days else (0.0, 0.0)


def _by_day(
    first: Mapping[str, Any], second: Mapping[str, Any], *, opens: dt.date
) -> Iterator[tuple[str, ...]]:
    days = {
        *(day["day"] for report in (first, second) for day in report["paid_by_day"]),
        COUNTED_ON.isoformat(),
    }
    for each in sorted(days):
        day = dt.date.fromisoformat(each)
        shares = (*_share(first, day), *_share(second, day))
        # The first day of the window is day 1.
        yield (
            f"{(day - opens).days + 1}",
            f"{day:%Y-%m-%d}",
            *(f"{share:.1%}" for share in shares),
        )


def _computed(name: str, outlook: Outlook, until: dt.date, behaviour: Behaviour) -> tuple[str, ...]:
    cost = outlook.cost_minor(behaviour)
    shares = (*outlook.shares(COUNTED_ON), *outlook.shares(until))
    people = sum(outlook.paid.values())
    return (
        name.replace("_", " "),
        *(f"{share:.1%}" for share in shares),
        f"{outlook.half_by():%Y-%m-%d}",
        f"{cost:,}",
        f"{cost / people:,.0f}" if people else "",
    )


def _added(
    outlooks: Mapping[str, Outlook], plan: Plan, behaviour: Behaviour
) -> Iterator[tuple[str, ...]]:
    """Yields what each measure adds by the end to no measure, and to all others."""
    for measure in sorted(plan.measures):
        pairs = (
            (outlooks["no measure"], outlooks[f"only {measure}"]),
            (outlooks[f"all but {measure}"], outlooks["all"]),
        )
        told = [measure.replace("_", " ")]
        for without, having in pairs:
            people = having.shares(plan.until)[0] - without.shares(plan.until)[0]
            cost = having.cost_minor(behaviour) - without.cost_minor(behaviour)
            told += [f"{people:+.1%}", f"{cost:+,}"]
        yield tuple(told)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


_ABOUT = (
    "# Two plans compared",
    "",
    "Written by `manage.py compare_plans` from two replays:",
    "",
    "    manage.py replay",
    "    manage.py replay --plan rehearsal/case/plans/early.toml",
    "    manage.py compare_plans",
    "",
    "The first plan is what 7pay did, and its published figures are reproduced. Nobody carried out the",
    "second one: what people would have done is guessed, in the tables at the end. An operator replaces",
    "them in `rehearsal/case/behaviour.toml` and `rehearsal/case/plans/`. The guesses decide the second",
    "plan's figures, so these compare measures with each other and promise nothing.",
    "",
)
_ONE_BY_ONE = (
    "Computed from the same people by `rehearsal/outlook.py`, not replayed. Early data collection",
    "includes payouts from the second week of the window, because without it nobody is ready for them.",
    "Costs are those of the payouts, of corrections by hand and of messages.",
)
