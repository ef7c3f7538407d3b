"""Fraud claims and requests to issuers: the attack page, and the pages of what is to be approved."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.claims import holding
from refunds.models import FraudClaim, RuleHit
from refunds.remedies.desk_acts import ANSWERS
from refunds.remedies.quarantine import WHY
from winddown import words
from winddown.actors import Actor
from winddown.site import panels
from winddown.site.panels import Change, Panel
from winddown.words import StateWord

words.REFUSALS.add_all(
    {
        "CardNumberSaid": _("The text shows a card number. Take it out and send it again."),
        "ClaimFileRefused": _("The file cannot be taken: {why}."),
        "NoRoute": _("No route to the money is left for this loss."),
        "WrongRoute": _("Such a loss cannot be made good in this way."),
        "RemedyTaken": _("The loss is being made good already: nothing is made good twice."),
    }
)

for _prefix, _title in (
    ("claim", _("Fraud claim")),
    ("claim_decision", _("Decision about fraud claims")),
    ("claim_reserve", _("Release of the reserve for claims")),
    ("log_export", _("Export of logs under pseudonyms")),
    ("ask_list", _("List of requests to a card issuer")),
    ("issuer_action", _("Request to a card issuer")),
    ("chargeback", _("Chargeback")),
    ("quarantined", _("Lines in quarantine")),
    ("answer_by_hand", _("Answer of a card issuer, request")),
):
    panels.name_subjects(_prefix, _title)


words.STATES.add_all(
    {
        "fraud_claim": {
            "candidate": StateWord(pgettext_lazy("claim", "Found by a rule"), "wait"),
            "reported": StateWord(pgettext_lazy("claim", "Reported"), "wait"),
            "triage": StateWord(pgettext_lazy("claim", "Taken up"), "wait"),
            "investigating": StateWord(pgettext_lazy("claim", "Under investigation"), "wait"),
            "awaiting_customer": StateWord(pgettext_lazy("claim", "Holder is asked"), "wait"),
            "proposed_confirm": StateWord(pgettext_lazy("claim", "Fraud, to be decided"), "wait"),
            "proposed_reject": StateWord(pgettext_lazy("claim", "No fraud, to be decided"), "wait"),
            "confirmed": StateWord(pgettext_lazy("claim", "Confirmed"), "on"),
            "rejected": StateWord(pgettext_lazy("claim", "Rejected"), "off"),
            "appealed": StateWord(pgettext_lazy("claim", "Appealed"), "wait"),
            "remedying": StateWord(pgettext_lazy("claim", "Being made good"), "wait"),
            "remedied": StateWord(pgettext_lazy("claim", "Made good"), "on"),
            "reopened": StateWord(pgettext_lazy("claim", "Opened again"), "wait"),
            "closed": StateWord(pgettext_lazy("claim", "Closed"), "idle"),
            "expired": StateWord(pgettext_lazy("claim", "Suspicion dropped"), "idle"),
        },
        "remedy": {
            "proposed": StateWord(pgettext_lazy("remedy", "Proposed"), "wait"),
            "asked": StateWord(pgettext_lazy("remedy", "Under way"), "wait"),
            "remedied": StateWord(pgettext_lazy("remedy", "Made good"), "on"),
            "failed": StateWord(pgettext_lazy("remedy", "Given up"), "off"),
            "contested": StateWord(pgettext_lazy("remedy", "Contested"), "bad"),
        },
        "hold": {
            "active": StateWord(pgettext_lazy("hold", "Held"), "wait"),
            "released": StateWord(pgettext_lazy("hold", "Released"), "idle"),
            "taken": StateWord(pgettext_lazy("hold", "Clawed back"), "off"),
        },
        "issuer_action": {
            "draft": StateWord(pgettext_lazy("request", "Draft"), "idle"),
            "pending_approval": StateWord(pgettext_lazy("request", "To be approved"), "wait"),
            "approved": StateWord(pgettext_lazy("request", "To be sent"), "wait"),
            "sent": StateWord(pgettext_lazy("request", "Sent"), "wait"),
            "acknowledged": StateWord(pgettext_lazy("request", "Received by the issuer"), "wait"),
            "overdue": StateWord(pgettext_lazy("request", "Answer overdue"), "bad"),
            "escalated": StateWord(pgettext_lazy("request", "Escalated"), "bad"),
            "debit_stopped": StateWord(pgettext_lazy("request", "Debit stopped"), "on"),
            "refunded": StateWord(pgettext_lazy("request", "Refunded"), "on"),
            "charged_back": StateWord(pgettext_lazy("request", "Charged back"), "idle"),
            "too_late": StateWord(pgettext_lazy("request", "Too late"), "off"),
            "declined": StateWord(pgettext_lazy("request", "Declined"), "off"),
            "need_info": StateWord(pgettext_lazy("request", "More is needed"), "wait"),
            "verified": StateWord(pgettext_lazy("request", "Shown by a statement"), "on"),
            "fallback_opened": StateWord(pgettext_lazy("request", "Next route opened"), "idle"),
            "closed": StateWord(pgettext_lazy("request", "Closed"), "idle"),
        },
        "chargeback": {
            "notified": StateWord(pgettext_lazy("chargeback", "Announced"), "wait"),
            "received": StateWord(pgettext_lazy("chargeback", "Received"), "wait"),
            "accepting": StateWord(pgettext_lazy("chargeback", "To be accepted"), "wait"),
            "representing": StateWord(pgettext_lazy("chargeback", "To be represented"), "wait"),
            "accepted": StateWord(pgettext_lazy("chargeback", "Accepted"), "idle"),
            "represented": StateWord(pgettext_lazy("chargeback", "Represented"), "wait"),
            "prearb": StateWord(pgettext_lazy("chargeback", "Before arbitration"), "wait"),
            "arbitration": StateWord(pgettext_lazy("chargeback", "Arbitration"), "wait"),
            "won": StateWord(pgettext_lazy("chargeback", "Won"), "on"),
            "lost": StateWord(pgettext_lazy("chargeback", "Lost"), "off"),
            "lapsed": StateWord(pgettext_lazy("chargeback", "Time is over"), "bad"),
            "closed": StateWord(pgettext_lazy("chargeback", "Closed"), "idle"),
        },
    }
)

CANDIDATES_SHOWN = 20


@panels.PAGE_PANELS.entry("attack/candidate_claims", place=10)
def candidate_claims(reader: Actor) -> Panel:
    """Returns the claims that wait for an analyst, each with the rules that hit, and how many
    wallets are only suspected."""
    rows = holding.candidates()
    by_rule = FraudClaim.objects.filter(channel=FraudClaim.Channel.RULE)
    return Panel(
        "refunds/_candidates.html",
        {
            "claims": list(rows.prefetch_related("hits__rule")[:CANDIDATES_SHOWN]),
            "total": rows.count(),
            "suspicions": RuleHit.objects.filter(claim=None).values("wallet").distinct().count(),
            "confirmed": by_rule.filter(confirmed_at__isnull=False).count(),
            "rejected": by_rule.filter(rejected_at__isnull=False).count(),
            "may_hold": reader.has_perm("wallets.hold_wallet"),
        },
    )


@panels.CONTENTS.entry("claim_decision")
def _claims_content(listed: dict[str, Any]) -> list[Change]:
    losses = listed["claims"].values()
    return [
        Change(_("Losses of the claims"), sum(losses), is_amount=True),
        Change(_("Claims"), len(losses)),
        Change(_("Claims of the sample, reviewed twice"), len(listed.get("sample", ()))),
    ]


@panels.CONTENTS.entry("claim_reserve")
def _reserve_content(listed: dict[str, Any]) -> list[Change]:
    amounts = listed["claims"].values()
    return [
        Change(_("Reserve that is released"), sum(amounts), is_amount=True),
        Change(_("Claims"), len(amounts)),
    ]


@panels.CONTENTS.entry("log_export")
def _logs_content(listed: dict[str, Any]) -> list[Change]:
    since, until = (
        f"{timezone.localtime(dt.datetime.fromisoformat(listed[name])):%Y-%m-%d %H:%M %Z}"
        for name in ("since", "until")
    )
    return [
        Change(_("Recipient"), text=listed["recipient"]),
        Change(_("Since"), text=since),
        Change(_("Until"), text=until),
        Change(_("Events"), listed["events"]),
    ]


@panels.CONTENTS.entry("chargeback")
def _chargeback_content(listed: dict[str, Any]) -> list[Change]:
    figures = [Change(_("Amount of the chargeback"), listed["amount_minor"], is_amount=True)]
    if listed["charged_minor"] is not None:
        figures += [
            Change(_("Amount of the charge"), listed["charged_minor"], is_amount=True),
            Change(_("Less than the charge"), listed["difference_minor"], is_amount=True),
            Change(_("Number of the charge"), listed["top_up"]),
        ]
    if listed["beyond_minor"]:
        figures.append(Change(_("Kept beyond the losses"), listed["beyond_minor"], is_amount=True))
    if listed["refund_arn"]:
        figures.append(Change(_("Reference of the credit"), text=listed["refund_arn"]))
    return [
        *figures,
        *([Change(_("What the scheme is told"), text=listed["note"])] if listed["note"] else []),
    ]


@panels.CONTENTS.entry("ask_list")
def _requests_content(listed: dict[str, Any]) -> list[Change]:
    asked = listed["actions"].values()
    return [
        Change(
            _("Sum of the requests"), sum(int(amount) for _kind, amount in asked), is_amount=True
        ),
        Change(_("Requests to issuers"), len(asked)),
    ]


@panels.CONTENTS.entry("quarantined")
def _lines_content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(WHY[why], number)
        for why, number in sorted(Counter(listed["lines"].values()).items())
    ]


@panels.CONTENTS.entry("answer_by_hand")
def _answer_content(listed: dict[str, Any]) -> list[Change]:
    cells = listed["cells"]
    return [
        Change(_("Amount"), int(cells["amount_minor"]), is_amount=True),
        Change(_("Answer"), text=ANSWERS[cells["answer_code"]]),
        Change(_("Answered at"), text=cells["answered_at"]),
        Change(_("Evidence"), text=cells["note"]),
    ]
