"""Workflows by name: what each plans, does at once, sweeps in batches, and verifies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

from django.db import models

from winddown.actors import Actor
from winddown.errors import GuardNotMet, UnknownWorkflow
from winddown.models import Run
from winddown.registries import Registry
from winddown.workflows import NAMES, of_home


@dataclass(frozen=True, slots=True)
class Moved:
    """What one batch did: rows changed, and the money it moved if it moved any."""

    rows: int
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One sweep of a workflow.

    `rows` gives every row in scope when the step begins; `apply` changes those of one batch inside
    the batch's transaction and must be repeatable. `batch_rows` bounds how long a customer's
    payment can wait for a batch.

    An `outward` step does what no transaction can hold or take back. Its `apply` runs outside any,
    is given the batch's `Lease` in place of the batch, and returns nothing: it commits row by row
    in the turns of the lease, which count what moved and what failed.
    """

    name: str
    rows: Callable[[Run], models.QuerySet[Any]]
    apply: Callable[[Run, Any, models.QuerySet[Any]], Moved | None]
    batch_rows: int = 1_000
    outward: bool = False


@dataclass(frozen=True, slots=True)
class PlanContent:
    """What a plan says: counts and sums per line, who is left out and why, who is locked out, what
    else matters.

    All of it is what the second person approves, except `estimates`: figures that customers go on
    changing until the run starts, shown and stored beside the approval and not part of its digest.
    """

    counts: dict[str, int] = field(default_factory=dict)
    sums_minor: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    locked_out: dict[str, int] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    estimates: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "counts": self.counts,
            "sums_minor": self.sums_minor,
            "excluded": self.excluded,
            "locked_out": self.locked_out,
            "terms": self.terms,
        }


class Workflow:
    """One procedure over every account or wallet, under one name everywhere.

    A subclass declares `steps`; `plan` counts without changing anything; `at_once` takes effect in
    the transaction that starts the run; `verify` returns one sentence per gap between plan and
    world; `at_end` runs in the transaction that ends the run without gaps.
    """

    name: ClassVar[str]

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters of a run, complete and understood; raises `GuardNotMet` on what is not."""
        if params:
            raise GuardNotMet(
                action=f"plan {self.name}", why=f"it takes no parameters, got {sorted(params)}"
            )
        return params

    def plan(self, run: Run) -> PlanContent:
        raise NotImplementedError

    def approval_valid_for(self, run: Run) -> dt.timedelta:
        """How long an approval of the plan holds; a run that a deadline starts needs until then."""
        return dt.timedelta(hours=24)

    def at_once(self, run: Run, *, actor: Actor) -> None:
        """Nothing, unless the workflow flips something."""

    def steps(self, run: Run) -> list[Step]:
        raise NotImplementedError

    def reason_to_wait(self, run: Run, step: Step) -> str:
        """What the step relies on is there when it opens, in the transaction that opens it; returns
        why the run must pause instead, or nothing.
        """
        return ""

    def reason_to_pause(self, run: Run) -> str:
        """Why the run must pause now, or nothing; asked after every batch of an outward step and
        before the next step opens.
        """
        return ""

    def verify(self, run: Run) -> list[str]:
        raise NotImplementedError

    def at_end(self, run: Run) -> None:
        """Nothing, unless the workflow's end is a state of the programme."""

    def step(self, run: Run, name: str) -> Step:
        return next(step for step in self.steps(run) if step.name == name)


WORKFLOWS: Registry[Workflow] = Registry(
    "workflows", entries_are="what each plans, does at once, sweeps and verifies", owner=__name__
)


def workflow(kind: type[Workflow]) -> type[Workflow]:
    """The class is registered under its name, in the order of the list of workflows."""
    place = NAMES.index(kind.name) if kind.name in NAMES else len(NAMES)
    WORKFLOWS.add(kind.name, kind(), place=place)
    return kind


def load(home: str) -> None:
    """The listed workflows of the app `home` are registered; each app calls it when it is ready."""
    for listed in of_home(home):
        import_module(listed.module)


def get(name: str) -> Workflow:
    """Returns the workflow; raises `UnknownWorkflow`."""
    found = WORKFLOWS.get(name)
    if found is None:
        raise UnknownWorkflow(name=name, known=", ".join(WORKFLOWS))
    return found


def names() -> list[str]:
    """Returns the names of the workflows in the order in which a wind-down needs them."""
    return WORKFLOWS.names()
