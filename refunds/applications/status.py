"""How far a refund has come, who acts now, and what a bank's refusal means for the holder."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.applications import retrying
from refunds.bankfiles.answers import AccountCheck, ReturnReason
from refunds.models import (
    Entitlement,
    EntitlementTransition,
    MethodTerms,
    OtherEnd,
    Payee,
    Payout,
    PayoutWave,
    RefundApplication,
)
from refunds.payouts import waves
from winddown.words import Text

State = Entitlement.State


class Way(StrEnum):
    """What helps after the bank could not pay an account."""

    CORRECT = "correct"
    """The holder corrects what is wrong."""
    AGAIN = "again"
    """Nothing is known to be wrong: the same account may work."""
    ANOTHER = "another"
    """This account will never work."""


_OF_ANSWER: dict[str, tuple[Way, Text]] = {
    ReturnReason.ACCOUNT_NOT_FOUND: (Way.CORRECT, _("The bank knows no such account.")),
    ReturnReason.ACCOUNT_NUMBER_WRONG: (Way.CORRECT, _("The account number is wrong.")),
    ReturnReason.ACCOUNT_TYPE_WRONG: (Way.CORRECT, _("The kind of account is wrong.")),
    ReturnReason.NAME_MISMATCH: (
        Way.CORRECT,
        _("The bank has the account under another name."),
    ),
    ReturnReason.BANK_OR_BRANCH_INVALID: (
        Way.CORRECT,
        _("The bank or the branch is wrong. Branches are sometimes merged."),
    ),
    ReturnReason.ACCOUNT_CLOSED: (Way.ANOTHER, _("The account is closed.")),
    ReturnReason.ACCOUNT_BLOCKED: (
        Way.ANOTHER,
        _("The account takes no transfers."),
    ),
    AccountCheck.NO_SUCH_ACCOUNT: (Way.CORRECT, _("The bank knows no such account.")),
    AccountCheck.NAME_DIFFERS: (Way.CORRECT, _("The bank has the account under another name.")),
    ReturnReason.RECALLED: (Way.AGAIN, _("We took the transfer back.")),
    ReturnReason.OTHER: (Way.AGAIN, _("The bank gave no reason.")),
}
_NO_REASON = _OF_ANSWER[ReturnReason.OTHER]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the bank said about the account, in words, and what helps."""

    way: Way
    why: Text


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a refund: when it was reached, and whether it is the present one."""

    title: Text
    at: dt.datetime | None
    present: bool


@dataclass(frozen=True, slots=True)
class Status:
    """How far a refund has come: its stages, what happens now and who acts, the day on which the
    bank carries the transfer out where it is known, what is missing until then, and whether the
    holder may take the application back.

    `wave` is the next group that pays it as things are now; None while none is planned. `retry_on`
    is the day on which a returned transfer is tried again without the holder.
    """

    stages: list[Stage]
    now: Text
    expected_on: dt.date | None
    missing: list[Text]
    refusal: Refusal | None
    may_withdraw: bool
    wave: PayoutWave | None = None
    retry_on: dt.date | None = None


def refusal(payee: Payee | None, application: RefundApplication | None = None) -> Refusal:
    """Returns what the bank's last answer about the account means for its holder, or the end of
    what was to be cashed.
    """
    if application is not None and application.asked_for == RefundApplication.VOUCHER:
        return Refusal(Way.ANOTHER, _("It was not cashed in time."))
    way, why = _OF_ANSWER.get(payee.answer if payee is not None else "", _NO_REASON)
    return Refusal(way, why)


# What the holder must do next, or who else acts.
_NOW: dict[str, Text] = {
    State.COMPUTED: _("You can apply for the refund while applications are open."),
    State.NOTIFIED: _("You can apply for the refund while applications are open."),
    State.APPLIED: _("We are checking your application. You need not do anything."),
    State.APPROVED: _("Your refund will be in one of the next transfers to your bank."),
    State.PAYING: _("We are preparing the transfer. The bank does not have it yet."),
    State.PAID: _("The bank has confirmed that the money arrived."),
    State.RETURNED: _("The bank returned the transfer. We need a correct bank account from you."),
    State.EXCLUDED: _(
        "Applications have ended without an application from you. Contact us if there was a reason."
    ),
    State.LATE_APPROVED: _("Your late claim was accepted. The transfer is being prepared."),
    State.HELD: _("We are still checking this amount. Contact us if you have questions."),
    State.TRANSFERRED: _("Another company has taken over this balance. It will contact you."),
    State.DEPOSITED: _("The amount is deposited for you with an authority."),
}
_ELSEWHERE = {
    State.TRANSFERRED: _(
        "{institution} has taken over this balance. Ask there: {contact}. Number: {reference}."
    ),
    State.DEPOSITED: _(
        "The amount is deposited for you with {institution}. Ask there: {contact}. Receipt:"
        " {reference}."
    ),
}
_CLAIMED = _("{institution} has paid the amount to you. Number: {reference}.")
_SENT = _("We have sent the transfer to the bank. The bank has not confirmed yet that it arrived.")
_TRANSMITTED = "transmitted"
# Each stage with the states in which the refund has reached it. A transfer is sent when somebody
# recorded that the bank has its file.
_STAGES: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (pgettext_lazy("stage", "Application received"), ()),
    (
        pgettext_lazy("stage", "Being checked"),
        (State.APPLIED, State.APPROVED, State.LATE_APPROVED, State.PAYING),
    ),
    (pgettext_lazy("stage", "Sent to the bank"), (_TRANSMITTED,)),
    (pgettext_lazy("stage", "The bank answered: paid"), (State.PAID,)),
)
_BACK = pgettext_lazy("stage", "It came back")


def of(owed: Entitlement, *, application: RefundApplication | None, payee: Payee | None) -> Status:
    """Returns how far the refund has come. `application` is its newest one, and `payee` the
    holder's present account.
    """
    payout = owed.payouts.order_by("-pk").select_related("batch").first()
    batch = payout.batch if payout is not None and payout.live else None
    sent_at = batch.transmitted_at if batch is not None else None
    sent = application is not None and application.submitted_at is not None
    refused = owed.state == State.RETURNED or (
        payee is not None and payee.state == Payee.State.REFUSED and owed.state != State.PAID
    )
    waits = sent and not refused and owed.state in _CHECKED
    next_one = waves.for_entitlement(owed) if waits else None
    retry_on = retrying.day_of(owed, payee)
    return Status(
        stages=[] if _by_voucher(application) else _stages(owed, application, sent_at),
        now=_RETRIED
        if retry_on is not None
        else _WRONG
        if refused and owed.state != State.RETURNED
        else _now(owed, application, sent_at),
        expected_on=(
            batch.value_date
            if batch is not None and owed.state != State.PAID and not _by_voucher(application)
            else None
        ),
        missing=[] if next_one is None else _missing(next_one.missing, application),
        refusal=refusal(payee, application) if refused else None,
        may_withdraw=_may_withdraw(owed, application),
        wave=None if next_one is None else next_one.wave,
        retry_on=retry_on,
    )


_WRONG = _("The money could not be paid as you asked. We need a correct bank account from you.")
_RETRIED = _("The bank returned the transfer. You need not do anything now: we try it once more.")
_OUT = _("It is issued to you. It counts as paid when you cash it.")


def _now(
    owed: Entitlement, application: RefundApplication | None, sent_at: dt.datetime | None
) -> Text:
    if owed.state in Entitlement.ELSEWHERE:
        end = OtherEnd.objects.filter(lines__entitlement=owed).latest("pk")
        if end.kind == OtherEnd.Kind.CLAIMED:
            return format_lazy(_CLAIMED, institution=end.institution, reference=end.reference)
        return format_lazy(
            _ELSEWHERE[owed.state],
            institution=end.institution,
            contact=end.contact,
            reference=end.reference,
        )
    if owed.state == State.PAYING and _by_voucher(application):
        return _OUT if sent_at else _("We are preparing what you can cash.")
    return _SENT if owed.state == State.PAYING and sent_at else _NOW[owed.state]


def _by_voucher(application: RefundApplication | None) -> bool:
    """The money comes by something that the holder cashes, not by a transfer."""
    return application is not None and application.method != MethodTerms.BANK


def _stages(
    owed: Entitlement, application: RefundApplication | None, sent_at: dt.datetime | None
) -> list[Stage]:
    """Returns the stages with the instant at which each was last reached. A refund that nobody has
    applied for, or that takes no further stage, has none.
    """
    if owed.state in (
        *Entitlement.APPLICABLE,
        *Entitlement.ELSEWHERE,
        State.EXCLUDED,
        State.HELD,
    ):
        return []
    reached: dict[str, dt.datetime] = dict(
        EntitlementTransition.objects.filter(subject_id=owed.pk)
        .order_by("pk")
        .values_list("target", "at")
    )
    present = owed.state
    if sent_at is not None:
        reached[_TRANSMITTED] = sent_at
        present = _TRANSMITTED if owed.state == State.PAYING else present
    found = []
    for title, states in _STAGES:
        at = max((reached[state] for state in states if state in reached), default=None)
        found.append(Stage(title, at, present in states))
    received = application.submitted_at if application is not None else None
    found[0] = Stage(found[0].title, received, present=False)
    if owed.state == State.RETURNED:
        # The money did not arrive, and the holder must give another account.
        found[-1] = Stage(_BACK, reached.get(State.RETURNED), present=True)
    return found


# Nothing is on its way, and the holder has applied.
_CHECKED = (State.APPLIED, State.APPROVED, State.LATE_APPROVED)


_OURS = _("Our staff are still checking this refund. You need not do anything.")
# What each reason of `payable.REASONS` means for the holder, and who acts. The others are for our
# staff, and the holder is not told which one it is: it may be about somebody else's deed.
_MISSING: dict[str, Text] = {
    "payee_refused": _("We need a correct bank account from you."),
    "no_payee": _("We need a bank account from you."),
    "cooling_off": _("The account is new: it is paid a day after you gave it at the earliest."),
    "method_cooling_off": _("The way is new: it is used a day after you chose it at the earliest."),
    "payee_not_checked": _("The bank must confirm the account. You need not do anything."),
}
_UNDECIDED = "application_not_approved"


def _missing(codes: tuple[str, ...], application: RefundApplication | None) -> list[Text]:
    """Returns what must still happen before the refund is in a transfer, and who does it."""
    found: list[Text] = []
    for code in codes:
        if code == _UNDECIDED and application is not None and application.review_reason:
            found.append(_("Two of our staff must agree to it. You need not do anything."))
        elif code == _UNDECIDED:
            found.append(_("We are checking who applied. You need not do anything."))
        else:
            found.append(_MISSING.get(code, _OURS))
    return list(dict.fromkeys(found))


def _may_withdraw(owed: Entitlement, application: RefundApplication | None) -> bool:
    """The application was sent, and no payout of it is in a file for the bank."""
    if application is None or not application.live or application.submitted_at is None:
        return False
    waits = owed.payouts.filter(live=True, state=Payout.State.READY).exists()
    return owed.state not in (State.PAYING, State.PAID) or (owed.state == State.PAYING and waits)
