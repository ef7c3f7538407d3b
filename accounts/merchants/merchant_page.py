"""The list of merchants: who was told, who has confirmed it, over which channel, and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.merchants import letters, notices
from accounts.merchants.merchant_acts import CHANNELS, MERCHANTS
from accounts.models import MerchantNotice, MerchantReceipt, Message
from winddown import clock, words
from winddown.actors import Actor
from winddown.errors import NotPermitted
from winddown.models import Announcement, Merchant
from winddown.programme import evidence_files
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import StateWord, Text

PAGE_ROWS = 50
PAGES_MAX = 100_000
SEEN_BY = (notices.PERMISSION, evidence_files.READ)
RECEIPTS: dict[str, Text] = {
    "": _("All"),
    "without": _("Without a receipt"),
    "with": _("With a receipt"),
    "not_told": _("Not told yet"),
}


class FilterForm(forms.Form):
    receipt = forms.ChoiceField(label=_("Receipt"), required=False, choices=list(RECEIPTS.items()))
    channel = forms.ChoiceField(
        label=_("How it confirmed"),
        required=False,
        choices=[("", _("All")), *((code.value, word) for code, word in CHANNELS.items())],
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One merchant: how the version in force went to it, and its receipt."""

    merchant: Merchant
    notice: MerchantNotice | None
    receipt: MerchantReceipt | None

    @property
    def standing(self) -> str:
        """Returns how its newest notice stands, as a state of `merchant_notice`."""
        if self.notice is None:
            return "not_told"
        message: Message | None = self.notice.message
        if message is None:
            return "printed" if self.notice.letter_file else "to_print"
        if message.given_up_at or message.bounced_at:
            return "failed"
        return "sent" if message.sent_at else "waiting"

    @property
    def receipt_channel(self) -> Text:
        return CHANNELS[MerchantReceipt.Channel(self.receipt.channel)] if self.receipt else ""

    @property
    def query(self) -> str:
        """Fills the form of its receipt in."""
        return f"?{urlencode({'merchant': self.merchant.merchant_ref})}"


@dataclass(frozen=True, slots=True)
class Figures:
    """How many merchants there are, and how many of them the version in force has reached."""

    merchants: int
    told: int
    confirmed: int
    letters_waiting: int
    by_channel: list[tuple[Text, int]]

    @property
    def without_receipt(self) -> int:
        return self.merchants - self.confirmed

    @property
    def not_told(self) -> int:
        return self.merchants - self.told


@dataclass(frozen=True, slots=True)
class MerchantsPage:
    """The list as its filters choose it, and what can be done."""

    at: dt.datetime
    text: Announcement | None
    figures: Figures
    form: FilterForm
    rows: list[Row]
    total: int
    number: int
    filters: str
    may_read_evidence: bool
    decisions: list[Decision]

    @property
    def earlier(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def later(self) -> int | None:
        return self.number + 1 if self.number * PAGE_ROWS < self.total else None


def require_sight(actor: Actor) -> None:
    """Raises `NotPermitted` unless `actor` may see the list."""
    if not any(map(actor.has_perm, SEEN_BY)):
        raise NotPermitted(
            actor=actor.pk, action="see the merchants", permission=notices.PERMISSION
        )


def figures(text: Announcement | None) -> Figures:
    """Returns the counts now."""
    merchants = Merchant.objects.count()
    confirmed = MerchantReceipt.objects.filter(announcement=text)
    counted = dict(
        confirmed.values_list("channel").annotate(number=Count("pk")).order_by("channel")
    )
    return Figures(
        merchants=merchants,
        told=merchants - notices.not_told(text).count() if text else 0,
        confirmed=sum(counted.values()),
        letters_waiting=letters.waiting(),
        by_channel=[(word, counted.get(code.value, 0)) for code, word in CHANNELS.items()],
    )


def chosen(text: Announcement | None, *, receipt: str = "", channel: str = "") -> QuerySet[Any]:
    """Returns the merchants of the filters by their reference, with the numbers of their newest
    notice and of their receipt.
    """
    told = MerchantNotice.objects.filter(mailing__announcement=text, merchant=OuterRef("pk"))
    confirmed = MerchantReceipt.objects.filter(announcement=text, merchant=OuterRef("pk"))
    found = Merchant.objects.annotate(
        notice_pk=Subquery(told.order_by("-pk").values("pk")[:1]),
        receipt_pk=Subquery(confirmed.values("pk")),
        receipt_channel=Subquery(confirmed.values("channel")),
    ).order_by("merchant_ref")
    if receipt == "not_told":
        found = found.filter(notice_pk=None)
    elif receipt:
        found = found.filter(receipt_pk__isnull=receipt == "without")
    return found.filter(receipt_channel=channel) if channel else found


def rows(merchants: list[Any]) -> list[Row]:
    """Returns the lines of these merchants, which `chosen` returned."""
    sent = MerchantNotice.objects.select_related("message").in_bulk(
        [each.notice_pk for each in merchants if each.notice_pk]
    )
    confirmed = MerchantReceipt.objects.select_related("recorded_by").in_bulk(
        [each.receipt_pk for each in merchants if each.receipt_pk]
    )
    return [
        Row(each, sent.get(each.notice_pk), confirmed.get(each.receipt_pk)) for each in merchants
    ]


def look(given: QueryDict, *, actor: Actor) -> MerchantsPage:
    """Returns the page as `actor` sees it. Filters that are not understood count as absent."""
    text, form = notices.in_force(), FilterForm(given or None)
    filters = {name: value for name, value in _cleaned(form).items() if value}
    found, asked = chosen(text, **filters), given.get("page", "")
    number = max(1, min(int(asked), PAGES_MAX)) if asked.isdecimal() and len(asked) < 9 else 1
    first = (number - 1) * PAGE_ROWS
    return MerchantsPage(
        at=clock.now(),
        text=text,
        figures=figures(text),
        form=form,
        rows=rows(list(found[first : first + PAGE_ROWS])),
        total=found.count(),
        number=number,
        filters=urlencode(filters),
        may_read_evidence=actor.has_perm(evidence_files.READ),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in MERCHANTS.items()],
    )


def _cleaned(form: FilterForm) -> dict[str, str]:
    return dict(form.cleaned_data) if form.is_valid() else {}


words.STATES.add(
    "merchant_notice",
    {
        "not_told": StateWord(_("Not told yet"), "wait"),
        "waiting": StateWord(_("Mail is waiting"), "run"),
        "sent": StateWord(_("Mail handed over"), "idle"),
        "failed": StateWord(_("Mail did not arrive"), "bad"),
        "to_print": StateWord(_("Letter to be printed"), "wait"),
        "printed": StateWord(_("Letter printed"), "idle"),
    },
)
