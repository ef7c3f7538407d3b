"""An account that the bank gave back without a reason is tried once more by rule, after some days."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from refunds.applications import review
from refunds.bankfiles.answers import ReturnReason
from refunds.models import Entitlement, EntitlementTransition, Payee, RefundApplication
from refunds.payouts import payout_batches
from winddown import business_days
from winddown.actors import SYSTEM
from winddown.errors import WinddownError
from winddown.models import Programme
from winddown.programme import jurisdictions

RETRY_AFTER_BANK_DAYS = 3
"""What stopped the transfer at the bank is over by then, and the holder had time to answer."""
WHY = "the bank gave no reason: the same account is tried once more"


def day_of(owed: Entitlement, payee: Payee | None) -> dt.date | None:
    """Returns the day on which the same account is tried again without the holder. None when the
    holder must act: after a second return, and for every reason that says something of the account.
    """
    if (
        owed.state != Entitlement.State.RETURNED
        or owed.returns != 1
        or payee is None
        or payee.state != Payee.State.REFUSED
        or payee.answer != ReturnReason.OTHER
    ):
        return None
    returned = EntitlementTransition.objects.filter(
        subject_id=owed.pk, target=Entitlement.State.RETURNED
    ).latest("pk")
    programme = Programme.current()
    day = returned.at.astimezone(programme.zone).date()
    calendar = jurisdictions.pack(programme.jurisdiction).calendar
    return business_days.after(day, RETRY_AFTER_BANK_DAYS, calendar=calendar)


def follow_up() -> int:
    """Every account whose day has come is tried once more. Returns how many.

    One transaction each. A second call finds none: the new account of the same number waits for the
    bank. A refusal leaves the holder to act.
    """
    waiting = RefundApplication.objects.filter(
        live=True,
        state=RefundApplication.State.NEEDS_INFO,
        asked_for=RefundApplication.BANK_ACCOUNT,
        entitlement__state=Entitlement.State.RETURNED,
        entitlement__returns=1,
        applicant__payees__replaced_at=None,
        applicant__payees__state=Payee.State.REFUSED,
        applicant__payees__answer=ReturnReason.OTHER,
    )
    tried, today = 0, payout_batches.today()
    for application in waiting.select_related("entitlement", "applicant").order_by("pk"):
        payee = Payee.objects.filter(holder=application.applicant, replaced_at=None).first()
        day = day_of(application.entitlement, payee)
        if day is None or day > today:
            continue
        try:
            with transaction.atomic():
                review.try_again(application.applicant, actor=SYSTEM, reason=WHY)
        except WinddownError:
            continue
        tried += 1
    return tried
