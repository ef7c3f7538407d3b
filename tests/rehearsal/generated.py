"""The files of a generated case as its tests read them."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

Row = dict[str, str]


@dataclass(eq=False)
class Generated:
    accounts: int
    seed: int
    out: Path
    manifest: dict[str, Any]

    def rows(self, *names: str) -> Iterator[Row]:
        for name in names:
            with (self.out / name).open(encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file)

    @cached_property
    def sign_ins(self) -> list[tuple[datetime, Row]]:
        names = sorted(path.name for path in self.out.glob("auth_events_*.csv"))
        rows = self.rows(*names)
        return [(at(row["occurred_at"]), row) for row in rows]

    @cached_property
    def movements(self) -> dict[str, list[tuple[datetime, str, Row]]]:
        """Posted and authorised movements of every wallet in time order."""
        found: dict[str, list[tuple[datetime, str, Row]]] = defaultdict(list)
        for kind, pattern in (("top_up", "top_ups_*.csv"), ("payment", "payments_*.csv")):
            for path in sorted(self.out.glob(pattern)):
                for row in self.rows(path.name):
                    found[row["wallet_ref"]].append((at(row["occurred_at"]), kind, row))
        for rows in found.values():
            rows.sort(key=lambda item: item[0])
        return found

    def hits(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows("truth/victims.csv"):
            found[row["wallet_ref"]].append(row)
        return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass
class Balance:
    """A wallet as the ledger would keep it: bonus value is spent before paid value."""

    paid_minor: int = 0
    bonus_minor: int = 0

    def apply(self, kind: str, row: Row) -> None:
        amount = int(row["amount_minor"])
        if kind == "top_up":
            if row["state"] == "authorised":
                return
            if row["source"] == "bonus":
                self.bonus_minor += amount
            else:
                self.paid_minor += amount
            return
        from_bonus = min(amount, self.bonus_minor)
        self.bonus_minor -= from_bonus
        self.paid_minor -= amount - from_bonus


def closing_balances(generated: Generated) -> dict[str, Balance]:
    """Every wallet after its last movement and after the clawback of what the thief left."""
    balances: dict[str, Balance] = defaultdict(Balance)
    for wallet, movements in generated.movements.items():
        for _, kind, row in movements:
            balances[wallet].apply(kind, row)
            assert balances[wallet].paid_minor >= 0, (wallet, row)
    for row in generated.rows("truth/clawbacks.csv"):
        balances[row["wallet_ref"]].paid_minor -= int(row["unspent_minor"])
        assert balances[row["wallet_ref"]].paid_minor >= 0, row
    return balances
