"""What the three parts of the workflow share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet, Sum

from refunds.models import Entitlement
from winddown.errors import GuardNotMet, says
from winddown.models import Run
from winddown.runs.registry import PlanContent, Step

BATCH_ROWS = 10_000


class Part:
    """One part of the workflow, under its name."""

    name: ClassVar[str]

    def check(self, params: dict[str, Any]) -> dict[str, Any]:
        if strange := set(params) - {"part"}:
            raise refused(says("{names} not understood", names=", ".join(sorted(strange))))
        return {"part": self.name}

    def plan(self, run: Run) -> PlanContent:
        raise NotImplementedError

    def at_once(self, run: Run) -> None:
        """Changes nothing, unless the part begins with a state of the programme."""

    def steps(self) -> list[Step]:
        raise NotImplementedError

    def verify(self, run: Run) -> list[str]:
        raise NotImplementedError

    def at_end(self, run: Run) -> None:
        """Changes nothing, unless the part ends with a state of the programme."""


def refused(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("refund-balances"), why=why)


def amount(rows: QuerySet[Entitlement]) -> int:
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)
