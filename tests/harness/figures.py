"""Every total that must be the same with and without disturbance: of each table, each state and
each sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import BigIntegerField, Count, Sum

from winddown.evidence import invariants
from winddown.machines.declare import Stateful
from winddown.models import Run, Worker
from winddown.runs.registry import Step

APPS = ("accounts", "wallets", "refunds", "winddown")


def totals() -> dict[str, Any]:
    """Table -> rows, rows in each state, and the sum of each amount; and the invariants that do not
    hold.
    """
    found: dict[str, Any] = {
        model._meta.label: _of_table(model)
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        # One row per process that ever worked, which is no result of the work.
        if model is not Worker
    }
    return found | {"breached": invariants.breached()}


def totals_of_steps(steps: Iterable[Step], run: Run) -> dict[str, Any]:
    """Returns the totals of the tables of the steps, and the sums of all others."""
    tables = {step.rows(run).model._meta.label for step in steps}
    return {
        label: found
        if label in tables or label == "breached"
        else {name: value for name, value in found.items() if name.startswith("sum_")}
        for label, found in totals().items()
        if label != "winddown.Batch"
    }


def _of_table(model: Any) -> dict[str, Any]:
    rows = model._default_manager.order_by()
    amounts = [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, BigIntegerField) and field.name.endswith("_minor")
    ]
    found = rows.aggregate(rows=Count("pk"), **{f"sum_{name}": Sum(name) for name in amounts})
    if issubclass(model, Stateful):
        found["states"] = dict(rows.values_list("state").annotate(n=Count("pk")))
    return dict(found)


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Returns the totals that differ, for a message that names them."""
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}
