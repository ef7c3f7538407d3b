"""Fraud claims and requests to issuers: the attack page, and the pages of what is to be approved."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds.claims import holding
from refunds.models import FraudClaim, RuleHit
from winddown import words
from winddown.actors import Actor
from winddown.site import panels
from winddown.site.panels import Change, Panel

words.REFUSALS.add_all(
    {
        "NoRoute": _("No route to the money is left for this loss."),
        "RemedyTaken": _("The loss is being made good already: nothing is made good twice."),
    }
)

for _prefix, _title in (
    ("claim", _("Fraud claim")),
    ("claim_decision", _("Decision about fraud claims")),
    ("ask_list", _("List of requests to a card issuer")),
    ("issuer_action", _("Request to a card issuer")),
    ("chargeback", _("Chargeback")),
):
    panels.name_subjects(_prefix, _title)


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
