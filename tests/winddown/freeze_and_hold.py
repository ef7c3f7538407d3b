"""A workflow for tests: it freezes wallets, and misbehaves on the wallets it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wallets.models import Wallet
from winddown.errors import WalletNotUsable
from winddown.machines.move import transition_set
from winddown.runs import registry
from winddown.runs.registry import Moved, PlanContent, Step, Workflow


class FreezeAndHold(Workflow):
    """Freezes every active wallet, then holds it, in batches of ten."""

    name = "test-freeze-and-hold"

    def __init__(self) -> None:
        self.refuses: set[int] = set()
        self.before: Callable[[Any, Any], None] = lambda batch, rows: None
        self.gaps: list[str] = []
        self.batch_rows = 10
        self.applied = 0

    def plan(self, run: Any) -> PlanContent:
        active = Wallet.objects.filter(state="active").count()
        return PlanContent(
            counts={"wallets": active}, estimates=lambda: {"seen": Wallet.objects.count()}
        )

    def steps(self, run: Any) -> list[Step]:
        return [
            Step("freeze", self._rows("active"), self._apply("freeze_charges"), self.batch_rows),
            Step("hold", self._rows("charge_frozen"), self._apply("hold"), self.batch_rows),
        ]

    def _rows(self, state: str) -> Callable[[Any], Any]:
        return lambda run: Wallet.objects.filter(state=state)

    def _apply(self, name: str) -> Callable[..., Moved]:
        def apply(run: Any, batch: Any, rows: Any) -> Moved:
            self.applied += 1
            self.before(batch, rows)
            for pk in rows.filter(pk__in=self.refuses).values_list("pk", flat=True):
                if name == "freeze_charges":
                    raise WalletNotUsable(wallet=pk, state="poisoned", movement="freeze_charges")
            moved = transition_set(rows, name, run=run)
            return Moved(rows=moved, amount_minor=moved * 7)

        return apply

    def verify(self, run: Any) -> list[str]:
        return list(self.gaps)


@contextmanager
def registered() -> Iterator[FreezeAndHold]:
    """Inside, the workflow `test-freeze-and-hold` exists."""
    workflow = FreezeAndHold()
    registry.WORKFLOWS.add(workflow.name, workflow)
    try:
        yield workflow
    finally:
        del registry.WORKFLOWS.entries[workflow.name]
