"""What holders are told about their claims: in both languages, at the verified address, without own
words and without a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet, Sum

from accounts import addresses, outbox
from accounts.models import Message
from accounts.outbox import Recipient
from refunds.claims import thieves
from refunds.models import FraudClaim, FraudReport
from winddown.models import Programme

# The texts of these messages stand in Japanese, then in English: nobody's language is known.
LANGUAGE: Final = "ja"
Kind = Message.Kind


def reported(report: FraudReport) -> None:
    """The holder hears that the report is in, with its reference."""
    if report.customer is not None and (address := addresses.channel_of(report.customer)):
        outbox.queue_many(
            Kind.FRAUD_REPORTED,
            [Recipient(address, user=report.customer)],
            language=LANGUAGE,
            facts={"reference": report.reference, "enquiry": report.claim_id is None},
        )


def asked(claims: Sequence[FraudClaim]) -> int:
    """Each holder is asked on the own page what was strange. Returns how many can be reached."""
    return _tell(Kind.FRAUD_ASKED, [(each, {}) for each in claims])


def decided(claims: QuerySet[FraudClaim], *, confirmed: bool) -> int:
    """Each holder hears what two people decided, why, and until when an appeal is possible. Returns
    how many can be reached.
    """
    zone, currency = Programme.current().zone, Programme.current().currency
    rows = claims.annotate(
        lost=Sum("losses__amount_minor", filter=Q(losses__dropped_at=None), default=0)
    ).select_related("wallet__account")
    facts: list[tuple[FraudClaim, dict[str, Any]]] = []
    for claim in rows.order_by("pk"):
        if confirmed:
            told: dict[str, Any] = {"amount_minor": claim.lost, "currency": currency}
        else:
            if claim.appeal_until is None:
                raise AssertionError("a rejection has its appeal date")
            until = claim.appeal_until.astimezone(zone)
            told = {"rejection": claim.rejection, "appeal_until": f"{until:%Y-%m-%dT%H:%M}"}
        facts.append((claim, {"confirmed": confirmed, **told}))
    return _tell(Kind.FRAUD_DECIDED, facts)


def _tell(kind: Kind, facts: Sequence[tuple[FraudClaim, dict[str, Any]]]) -> int:
    of_thieves = thieves.of([claim.pk for claim, _ in facts])
    to = []
    for claim, told in facts:
        holder = claim.wallet.account
        address = addresses.channel_of(holder) if claim.pk not in of_thieves else None
        if address is not None:
            to.append(Recipient(address, user=holder, facts={"reference": claim.reference, **told}))
    if to:
        outbox.queue_many(kind, to, language=LANGUAGE, facts={})
    return len(to)
