"""What a customer can do about the refund now, and what the page says when it is nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Sum

from accounts.models import User
from refunds.models import Entitlement, Payee, RefundApplication
from refunds.payouts import payment_blocks
from refunds.remedies import own_funds
from wallets.models import SnapshotLine, Wallet
from winddown.models import Milestone, Programme
from winddown.programme import offer

State = Entitlement.State


class What(StrEnum):
    """What the page offers: one of three forms, or a plain sentence that says what to do."""

    APPLY = "apply"
    EARLY = "early"
    """The bank account is taken before applications open."""
    CORRECT = "correct"
    """Another bank account takes the place of the one that the bank could not pay."""
    UNDER_WAY = "under_way"
    """The application was sent, or the money was."""
    ASKED = "asked"
    """Something else than a bank account is asked for."""
    COMPENSATION = "compensation"
    """A compensation is owed, and the bank account to which it is paid can be given."""
    HELD = "held"
    BLOCKED = "blocked"
    EXCLUDED = "excluded"
    TRANSFERRED = "transferred"
    DEPOSITED = "deposited"
    OVER = "over"
    STOPPED = "stopped"
    LATER = "later"
    NOTHING = "nothing"


_ENDED_UNPAID = (RefundApplication.State.WITHDRAWN, RefundApplication.State.REJECTED)
FORMS = (What.APPLY, What.EARLY, What.CORRECT, What.COMPENSATION)
# Balances are not sealed yet, and the end is known.
_ANNOUNCED = (
    Programme.State.ANNOUNCED,
    Programme.State.CLOSING,
    Programme.State.CLOSED,
    Programme.State.BALANCE_FIXED,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is owed to the customer, what became of it, and what the customer can do."""

    what: What
    owed: Entitlement | None = None
    application: RefundApplication | None = None
    payee: Payee | None = None
    opens_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    since: dt.datetime | None = None

    @property
    def is_form(self) -> bool:
        return self.what in FORMS

    @property
    def sent(self) -> bool:
        """An application was sent, and neither its holder nor our staff ended it."""
        return (
            self.application is not None
            and self.application.submitted_at is not None
            and self.application.state not in _ENDED_UNPAID
        )

    @property
    def refused(self) -> bool:
        """The bank could not pay the known account."""
        return self.payee is not None and self.payee.state == Payee.State.REFUSED

    @property
    def rejected(self) -> bool:
        """The last application was not accepted."""
        return (
            self.application is not None
            and self.application.state == RefundApplication.State.REJECTED
        )

    @property
    def amount_minor(self) -> int | None:
        return self.owed.amount_minor if self.owed is not None else None


@dataclass(frozen=True, slots=True)
class Computed:
    """How the amount came about: what was sealed, what was taken or is held since, what is owed in
    other parts.
    """

    sealed_at: dt.datetime
    paid_minor: int
    bonus_minor: int
    others_minor: int
    """What is held, was clawed back, or is owed in another part."""
    owed_minor: int


def of(customer: User) -> Standing:
    """Returns where the customer stands. Of several parts of a balance it is the first one about
    which something can be done, or the last one.
    """
    known = dict(Milestone.objects.values_list("kind", "at"))
    opens_at = known.get(Milestone.Kind.REFUND_OPENS)
    ends_at = known.get(Milestone.Kind.REFUND_WINDOW_ENDS)
    payee = Payee.objects.filter(holder=customer, replaced_at=None).first()
    parts = list(Entitlement.objects.filter(wallet__account=customer).order_by("part"))
    if not parts:
        what = What.EARLY if _will_be_owed(customer) else What.NOTHING
        if own_funds.waiting(customer).exists():
            what = What.COMPENSATION
        return Standing(what, payee=payee, opens_at=opens_at, ends_at=ends_at)
    live = {
        each.entitlement_id: each
        for each in RefundApplication.objects.filter(entitlement__in=parts).order_by("pk")
    }
    switch = offer.judged("refund_apply")
    blocked = User.objects.filter(payment_blocks.nobody_pays("pk"), pk=customer.pk).exists()
    found = [
        Standing(
            _what(owed, live.get(owed.pk), payee, switch, blocked=blocked),
            owed=owed,
            application=live.get(owed.pk),
            payee=payee,
            opens_at=opens_at,
            ends_at=ends_at,
            since=switch.since,
        )
        for owed in parts
    ]
    form = next((each for each in found if each.is_form), None)
    if form is not None:
        return form
    lacks_an_account = payee is None or payee.state == Payee.State.REFUSED
    if lacks_an_account and own_funds.waiting(customer).exists():
        return Standing(What.COMPENSATION, payee=payee, opens_at=opens_at, ends_at=ends_at)
    return found[-1]


def computed(owed: Entitlement) -> Computed:
    """Returns how the amount of the entitlement came about."""
    line = SnapshotLine.objects.get(wallet_id=owed.wallet_id)
    return Computed(
        sealed_at=owed.snapshot.as_of,
        paid_minor=line.paid_minor,
        bonus_minor=line.bonus_minor,
        others_minor=line.paid_minor - owed.amount_minor,
        owed_minor=owed.amount_minor,
    )


def _will_be_owed(customer: User) -> bool:
    """The end is announced, and the wallet still holds value that will be refunded."""
    programme = Programme.objects.filter(pk=1).first()
    if programme is None or programme.state not in _ANNOUNCED:
        return False
    held = Wallet.objects.filter(account=customer).aggregate(total=Sum("paid_minor"))["total"]
    return bool(held)


def _what(
    owed: Entitlement,
    application: RefundApplication | None,
    payee: Payee | None,
    switch: offer.Judged,
    *,
    blocked: bool,
) -> What:
    known = {
        State.PAID: What.UNDER_WAY,
        State.HELD: What.HELD,
        State.EXCLUDED: What.EXCLUDED,
        State.TRANSFERRED: What.TRANSFERRED,
        State.DEPOSITED: What.DEPOSITED,
        State.PAYING: What.UNDER_WAY,
    }
    if owed.state in known:
        return known[State(owed.state)]
    if blocked:
        return What.BLOCKED
    if application is not None and application.live:
        if _lacks_an_account(application, payee):
            return What.CORRECT
        if application.state == RefundApplication.State.NEEDS_INFO:
            return What.ASKED
        if application.state != RefundApplication.State.DRAFT:
            return What.UNDER_WAY
    if switch.on:
        return What.APPLY
    if switch.state == offer.LATER:
        return What.EARLY
    return What.OVER if switch.ended else What.STOPPED


def _lacks_an_account(application: RefundApplication, payee: Payee | None) -> bool:
    refused = payee is not None and payee.state == Payee.State.REFUSED
    return (
        application.state == RefundApplication.State.NEEDS_INFO
        and application.asked_for in RefundApplication.NOT_PAID
    ) or (refused and application.state in RefundApplication.SENT)
