"""Workflows by name: what each plans, does at once, does in batches, and verifies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

from django.db import models

from winddown import texts
from winddown.actors import Actor
from winddown.errors import GuardNotMet, UnknownWorkflow, says
from winddown.models import Programme, Run
from winddown.registries import Registry
from winddown.runs.params_form import ParamsForm
from winddown.workflows import NAMES, of_home


@dataclass(frozen=True, slots=True)
class Moved:
    """What one batch did: the rows changed, and the money moved, if any."""

    rows: int
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One pass of a workflow over its rows.

    `rows` returns every row in scope when the step begins. `apply` changes the rows of one batch
    inside the batch's transaction and must be idempotent. `batch_rows` limits how long a customer's
    payment can wait for a batch.

    An `outward` step has effects that no transaction can roll back. Its `apply` runs outside any
    transaction, gets the batch's `Lease` instead of the batch, and returns nothing. It commits row
    by row in the turns of the lease, which count moved and failed rows.
    """

    name: str
    rows: Callable[[Run], models.QuerySet[Any]]
    apply: Callable[[Run, Any, models.QuerySet[Any]], Moved | None]
    batch_rows: int = 1_000
    outward: bool = False


@dataclass(frozen=True, slots=True)
class PlanContent:
    """The content of a plan: counts and sums per line, who is excluded and why, who loses access,
    and other facts.

    The second person approves all of it except `estimates`. These are figures that customers still
    change until the run starts. They are shown and stored, but are not part of the digest: they are
    counted only when a plan is written, and not when it is compared.
    """

    counts: dict[str, int] = field(default_factory=dict)
    sums_minor: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    locked_out: dict[str, int] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    estimates: Callable[[], dict[str, int]] = dict

    def as_dict(self) -> dict[str, Any]:
        return {
            "counts": self.counts,
            "sums_minor": self.sums_minor,
            "excluded": self.excluded,
            "locked_out": self.locked_out,
            "terms": self.terms,
        }


class Workflow:
    """One procedure over every account or wallet, with the same name everywhere.

    A subclass declares `steps`. `plan` counts and changes nothing. `at_once` takes effect in the
    transaction that starts the run. `verify` returns one sentence per gap between plan and data.
    `at_end` runs in the transaction that ends a run without gaps.
    """

    name: ClassVar[str]
    form: ClassVar[type[ParamsForm]] = ParamsForm
    """In which a person chooses the parameters on a page."""
    stages: ClassVar[tuple[str, ...]] = (
        *Programme.IN_SERVICE,
        *Programme.CLOSING_DOWN,
        *Programme.REPAYING,
    )
    """In which states of the programme a run may be planned and started."""
    urgent: ClassVar[bool] = False
    """The instant effect comes first, and can be taken back: the plan is counted again after it,
    before the first step.
    """

    def refuse_out_of_stage(self) -> None:
        """Raises `GuardNotMet` in a state of the programme in which the workflow has no place."""
        stage = Programme.objects.filter(pk=1).values_list("state", flat=True).first()
        if stage is not None and stage not in self.stages:
            raise GuardNotMet(
                action=says("run {workflow}", workflow=self.name),
                why=says("the programme is {stage}", stage=stage),
            )

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Returns the complete parameters of a run; raises `GuardNotMet` for parameters it does not
        understand.
        """
        if params:
            raise GuardNotMet(
                action=says("plan {workflow}", workflow=self.name),
                why=says("it takes no parameters, got {names}", names=sorted(params)),
            )
        return params

    def plan(self, run: Run) -> PlanContent:
        raise NotImplementedError

    def approval_valid_for(self, run: Run) -> dt.timedelta:
        """Returns how long an approval of the plan is valid. A run that a deadline starts needs a
        validity up to the deadline.
        """
        return dt.timedelta(hours=24)

    def at_once(self, run: Run, *, actor: Actor) -> None:
        """Does nothing by default. A workflow with an instant effect overrides this."""

    def steps(self, run: Run) -> list[Step]:
        raise NotImplementedError

    def reason_to_wait(self, run: Run, step: Step) -> str:
        """Returns why the run must pause instead of opening the step, or an empty text. Runs in the
        transaction that opens the step.
        """
        return ""

    def reason_to_pause(self, run: Run) -> str:
        """Returns why the run must pause now, or an empty text. Called after every batch of an
        outward step, and before the next step opens.
        """
        return ""

    def verify(self, run: Run) -> list[str]:
        raise NotImplementedError

    def at_end(self, run: Run) -> None:
        """Does nothing by default. A workflow whose end changes the programme's state overrides
        this.
        """

    def left(self, run: Run) -> list[str]:
        """Returns one sentence for each thing that the run has left behind it; none by default."""
        return []

    def step(self, run: Run, name: str) -> Step:
        return next(step for step in self.steps(run) if step.name == name)


WORKFLOWS: Registry[Workflow] = Registry(
    "workflows",
    entries_are="what each plans, does at once and in batches, and verifies",
    owner=__name__,
)


def workflow(kind: type[Workflow]) -> type[Workflow]:
    """Registers the class under its name, in the order of the list of workflows."""
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
        raise UnknownWorkflow(name=name, hint=texts.did_you_mean(name, WORKFLOWS))
    return found


def names() -> list[str]:
    """Returns the names of the workflows in the order in which a wind-down needs them."""
    return WORKFLOWS.names()
