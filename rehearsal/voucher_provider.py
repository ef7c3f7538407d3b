"""The simulated provider of postal orders and claim codes: it reads lists and tells what was cashed."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from refunds.bankfiles.csv_results import COLUMNS
from refunds.models import Voucher
from refunds.payouts.methods.vouchers import SUFFIX

# The provider writes the words that the service reads.
CASHED, EXPIRED = Voucher.State.CASHED.value, Voucher.State.EXPIRED.value


class _Out(NamedTuple):
    """One voucher that is not cashed yet: on which day the provider tells what became of it."""

    told_on: dt.date
    reference: str
    status: str


@dataclass(slots=True)
class VoucherProvider:
    """A provider with two directories, as the bank has them. It answers once a week.

    `cashed_after` returns, for a reference, after how many days the voucher is cashed; None: never.
    """

    inbox: Path
    outbox: Path
    cashed_after: Callable[[str], int | None]
    taken: set[str] = field(default_factory=set)
    out: dict[str, list[_Out]] = field(default_factory=dict)

    def work(self, *, today: dt.date) -> list[Path]:
        """Every new list is taken, and what became of vouchers by today is told, in a file for each
        list.
        """
        for path in sorted(self.inbox.glob(f"*.{SUFFIX}")):
            if path.name not in self.taken:
                self.taken.add(path.name)
                self.out[path.stem] = [self._issued(row, today) for row in _vouchers(path)]
        answers = []
        for name, waiting in self.out.items():
            due = [each for each in waiting if each.told_on <= today]
            if due:
                self.out[name] = [each for each in waiting if each.told_on > today]
                answers.append(self._answer(f"told-{name}-{today}.{SUFFIX}", name, due))
        return answers

    def tells(self, today: dt.date) -> bool:
        """Returns whether `work` would tell something today."""
        return any(each.told_on <= today for waiting in self.out.values() for each in waiting)

    def _issued(self, row: dict[str, str], today: dt.date) -> _Out:
        expires_on = dt.date.fromisoformat(row["expires_on"])
        days = self.cashed_after(row["reference"])
        cashed_on = None if days is None else today + dt.timedelta(days=days)
        if cashed_on is None or cashed_on > expires_on:
            return _Out(_monday(expires_on + dt.timedelta(days=1)), row["reference"], EXPIRED)
        return _Out(_monday(cashed_on), row["reference"], CASHED)

    def _answer(self, file_name: str, reference: str, told: Iterable[_Out]) -> Path:
        rows = [
            ["transfer", each.reference, each.status, each.status if each.status == EXPIRED else ""]
            for each in told
        ]
        self.outbox.mkdir(parents=True, exist_ok=True)
        path = self.outbox / file_name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for row in [["file", reference, "accepted"], *rows, ["end", f"{len(rows)}"]]:
                writer.writerow([*row, *[""] * (len(COLUMNS) - len(row))])
        return path


def _vouchers(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["row"] == "voucher"]


def _monday(day: dt.date) -> dt.date:
    """Returns the day, or the Monday after it."""
    return day + dt.timedelta(days=-day.weekday() % 7)
