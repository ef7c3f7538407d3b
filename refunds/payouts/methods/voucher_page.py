"""The console's list of postal orders and claim codes: filters, reminders, and lost ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import Voucher
from refunds.payouts import payout_batches
from refunds.payouts.methods import notices, vouchers
from refunds.payouts.methods.registry import METHODS
from winddown import clock, words
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.forms import ReasonForm, RowField
from winddown.words import Text

SHOWN_MAX = 200
OUT, LOST = "out", "lost"


class VoucherForm(ReasonForm):
    number = RowField(
        Voucher,
        label=_("Number of the postal order or code"),
        missing=_("There is no postal order and no code of this number."),
    )


VOUCHERS: dict[str, Act] = {
    "lost": Act(
        title=pgettext_lazy("verb", "Report a code or postal order lost"),
        effect=_(
            "Its code is never shown again, and its provider is on the list of recalls. Another one"
            " follows by itself once the provider's answer says that this one is cancelled."
        ),
        permission=vouchers.WORK,
        form=VoucherForm,
        do=lambda actor, given: vouchers.report_lost(
            given["number"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
}


class FilterForm(forms.Form):
    state = forms.ChoiceField(label=_("State"), required=False)
    method = forms.ChoiceField(label=_("Payout method"), required=False)

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        states = [(code, words.state_word("voucher", code).word) for code in Voucher.State.values]
        self.fields["state"].choices = [  # type: ignore[attr-defined]
            ("", _("All")),
            (OUT, _("Can be cashed")),
            (LOST, _("Reported lost")),
            *states,
        ]
        self.fields["method"].choices = [  # type: ignore[attr-defined]
            ("", _("All")),
            *((code, each.label) for code, each in METHODS.items() if each.is_voucher),
        ]


@dataclass(frozen=True, slots=True)
class Row:
    """One postal order or code; when its holder is reminded next, None for never."""

    voucher: Voucher
    method: Text
    expires_in: int
    remind_on: dt.date | None
    is_out: bool
    may_be_lost: bool


@dataclass(frozen=True, slots=True)
class VouchersPage:
    """The list as it was asked for."""

    at: dt.datetime
    form: FilterForm
    rows: list[Row]
    total: int
    decisions: list[Decision]


def look(given: Mapping[str, str], *, actor: Actor) -> VouchersPage:
    """Returns the page as `actor` sees it, those that expire first before the others."""
    form = FilterForm(given)
    found = _chosen(form).select_related("payout")
    today, reports = payout_batches.today(), actor.has_perm(vouchers.WORK)
    return VouchersPage(
        at=clock.now(),
        form=form,
        rows=[
            Row(
                voucher=each,
                method=METHODS[each.payout.method].label,
                expires_in=(each.expires_on - today).days,
                remind_on=notices.next_reminder(each),
                is_out=each.state in Voucher.OUT,
                may_be_lost=reports and each.state in Voucher.OUT and each.lost_at is None,
            )
            for each in found.order_by("expires_on", "pk")[:SHOWN_MAX]
        ],
        total=found.count(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in VOUCHERS.items()],
    )


def _chosen(form: FilterForm) -> QuerySet[Voucher]:
    rows = Voucher.objects.all()
    if not form.is_valid():
        return rows
    state, method = form.cleaned_data["state"], form.cleaned_data["method"]
    if state == OUT:
        rows = rows.filter(state__in=Voucher.OUT)
    elif state == LOST:
        rows = rows.filter(lost_at__isnull=False)
    elif state:
        rows = rows.filter(state=state)
    return rows.filter(payout__method=method) if method else rows
