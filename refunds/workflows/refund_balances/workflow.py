"""The workflow refund-balances, in three parts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from refunds.models import PayoutBatch
from refunds.workflows.refund_balances import outline
from refunds.workflows.refund_balances.entitle import Entitle
from refunds.workflows.refund_balances.exclude import Exclude
from refunds.workflows.refund_balances.outline import Part
from refunds.workflows.refund_balances.pay import Pay
from winddown.actors import Actor
from winddown.errors import says
from winddown.models import Capability, Run
from winddown.programme import capabilities
from winddown.runs.params_form import ParamsForm
from winddown.runs.registry import PlanContent, Step, Workflow, workflow


class RefundForm(ParamsForm):
    part = forms.ChoiceField(
        label=_("Part of the refund"),
        choices=[
            ("entitle", _("Owe the balances as refunds")),
            ("pay", _("Pay what was approved")),
            ("exclude", _("Exclude what nobody claimed")),
        ],
    )
    value_date = forms.DateField(
        label=_("Value date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Needed to pay: the day on which the bank pays."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("part") == "pay" and not given.get("value_date"):
            self.add_error("value_date", _("Give the day on which the bank pays."))
        return given


@workflow
class RefundBalances(Workflow):
    """One workflow in three parts, each a run of its own, by the parameter `part`:

    `entitle`: every closed wallet's paid value, as sealed in the snapshot, is owed as a refund and
        no longer in the wallet; bonus value expires. Opens the refunds.
    `pay`: what was approved before the run was planned, and losses to be compensated, get their
        payout, and the payouts their sealed bank files for `value_date`; each file then takes
        approvals of its own.
    `exclude`: after the end of the window, what nobody applied for is no longer owed.
    """

    name = "refund-balances"
    form = RefundForm

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        return _part(params).check(params)

    def plan(self, run: Run) -> PlanContent:
        return _part(run.params).plan(run)

    def at_once(self, run: Run, *, actor: Actor) -> None:
        _part(run.params).at_once(run)

    def steps(self, run: Run) -> list[Step]:
        return _part(run.params).steps()

    def verify(self, run: Run) -> list[str]:
        return _part(run.params).verify(run)

    def at_end(self, run: Run) -> None:
        _part(run.params).at_end(run)


_PARTS: dict[str, Part] = {part.name: part for part in (Entitle(), Pay(), Exclude())}


def _part(params: dict[str, Any]) -> Part:
    part = _PARTS.get(str(params.get("part", "")))
    if part is None:
        raise outline.refused(says("part is one of {names}", names=", ".join(_PARTS)))
    return part


def _leaks(switch: Capability) -> int:
    """Returns how many files were exported after payouts were stopped. The number must be 0."""
    return PayoutBatch.objects.filter(exported_at__gte=switch.since).count()


capabilities.LEAKS.add("payout", _leaks)
