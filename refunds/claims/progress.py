"""How far a claim is, in the plain words that its holder reads: what happens next, and who acts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from refunds.claims import reports
from refunds.models import FraudClaim, FraudClaimTransition, FraudReport, Loss, Remedy
from winddown import clock
from winddown.words import Text

State = FraudClaim.State
REJECTIONS: Final[dict[str, Text]] = {
    FraudClaim.Rejection.OWN_TRANSACTION: _(
        "We found that you or somebody with your device made the movements."
    ),
    FraudClaim.Rejection.NO_LOSS: _("We found that nothing was lost."),
    FraudClaim.Rejection.DUPLICATE: _("Another report is about the same movements."),
    FraudClaim.Rejection.NOT_REACHED: _("We asked you for something and got no answer."),
    FraudClaim.Rejection.OTHER: _("Call us: we tell you the reason."),
}
_ISSUER: Final = pgettext_lazy("who acts", "Your card company")
_BANK: Final = pgettext_lazy("who acts", "The bank of your debit card")
_WE: Final = pgettext_lazy("who acts", "We")
_YOU: Final = pgettext_lazy("who acts", "You")
# By kind of remedy: while it is under way, when it is done, and who acts until then.
_BY_REMEDY: Final[dict[str, tuple[Text, Text, Text]]] = {
    Remedy.Kind.STOP_DEBIT: (
        _("We ask your card company not to debit this amount."),
        _("Your card company will not debit this amount."),
        _ISSUER,
    ),
    Remedy.Kind.ISSUER_REFUND: (
        _("We ask your card company to pay this amount back to your card."),
        _("Your card company pays this amount back to your card."),
        _ISSUER,
    ),
    Remedy.Kind.DEBIT_REIMBURSEMENT: (
        _("We ask the bank of your debit card to pay this amount back to your account."),
        _("The bank of your debit card pays this amount back to your account."),
        _BANK,
    ),
    Remedy.Kind.CHARGEBACK_ACCEPTED: (
        _("Your card company takes this amount back for you."),
        _("Your card company took this amount back for you."),
        _ISSUER,
    ),
    Remedy.Kind.COMPENSATION_PAYOUT: (
        _("We pay this amount to your bank account."),
        _("We paid this amount to your bank account."),
        _WE,
    ),
    Remedy.Kind.POINTS_RECREDIT: (
        _("We credit these points again."),
        _("We credited these points again."),
        _WE,
    ),
    Remedy.Kind.BONUS_RECREDIT: (
        _("We credit this bonus again."),
        _("We credited this bonus again."),
        _WE,
    ),
}
_NO_REMEDY: Final[tuple[Text, Text]] = (_("We choose how this amount comes back to you."), _WE)

_RECEIVED = (State.CANDIDATE, State.REPORTED)
_LOOKED_AT = (
    State.TRIAGE,
    State.INVESTIGATING,
    State.AWAITING_CUSTOMER,
    State.PROPOSED_CONFIRM,
    State.PROPOSED_REJECT,
    State.APPEALED,
    State.REOPENED,
)
_DECIDED = (State.CONFIRMED, State.REJECTED, State.EXPIRED)
_MADE_GOOD = (State.REMEDYING, State.REMEDIED)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a claim: when it was reached, and whether it is the present one."""

    title: Text
    at: dt.datetime | None
    present: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One amount that was lost, how it comes back, and who acts."""

    hit_at: dt.datetime
    what: Text
    amount_minor: int
    told: Text
    who: Text
    done: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What the holder reads about one claim."""

    claim: FraudClaim
    now: Text
    then: Text
    who: Text
    stages: list[Stage]
    lines: list[Line]
    question: FraudReport | None
    rejection: Text
    may_appeal: bool
    takes_files: bool


def seen_by(customer: User) -> QuerySet[FraudClaim]:
    """Returns the claims that the customer may know of, the newest first.

    A suspicion is told when we ask about it, or when two people decided. The claim of a thief's own
    wallet is never told.
    """
    told = FraudReport.objects.filter(customer=customer, claim__isnull=False).values("claim")
    thieves = FraudReport.objects.filter(kind=FraudReport.Kind.STOLEN_CARD).values("claim")
    own = FraudClaim.objects.filter(wallet__account=customer)
    known = own.filter(pk__in=told) | own.exclude(channel=FraudClaim.Channel.RULE)
    decided = own.filter(decision__isnull=False, state__in=(*FraudClaim.DECIDED, State.CLOSED))
    return (known | decided).exclude(pk__in=thieves).order_by("-pk").distinct()


def question_of(claim: FraudClaim) -> FraudReport | None:
    """Returns what the holder is asked about the claim."""
    if claim.state not in FraudClaim.UNDER_WORK:
        return None
    return FraudReport.objects.filter(claim=claim, given_at=None).first()


def of(claim: FraudClaim) -> Progress:
    """Returns what the holder of the claim reads now."""
    question = question_of(claim)
    now, then, who = _told(claim, asked=question is not None)
    at = clock.now()
    in_time = claim.appeal_until is not None and at < claim.appeal_until
    return Progress(
        claim=claim,
        now=now,
        then=then,
        who=who,
        stages=_stages(claim),
        lines=_lines(claim),
        question=question,
        rejection=REJECTIONS.get(claim.rejection, "") if claim.rejected_at else "",
        may_appeal=claim.state == State.REJECTED and in_time and claim.appealed_at is None,
        takes_files=claim.state in (*FraudClaim.UNDECIDED, State.REJECTED),
    )


def _told(claim: FraudClaim, *, asked: bool) -> tuple[Text, Text, Text]:
    """Returns what is so, what happens next, and who acts."""
    if asked:
        return (
            _("We saw movements that may not have been yours."),
            _("Tell us whether you made them. Then we go on."),
            _YOU,
        )
    state = claim.state
    if state == State.REJECTED:
        return (
            _("We do not make these movements good."),
            _("If you do not agree, you can appeal. Other people then look at it again."),
            _YOU,
        )
    if state == State.APPEALED:
        return (
            _("We received your appeal."),
            _("Other people than before look at everything again, and two of them decide."),
            _WE,
        )
    if state in FraudClaim.OWED:
        return (
            _("We found that the movements were not yours. They are made good to you."),
            _("Below you see how each amount comes back."),
            _WE,
        )
    if state == State.CLOSED and claim.rejected_at and not claim.confirmed_at:
        return (
            _("We do not make these movements good, and the time to appeal is over."),
            _("Nothing more happens. Call us if you know something new."),
            _WE,
        )
    if state in (State.REMEDIED, State.CLOSED):
        return (_("Everything was made good."), _("You need not do anything."), _WE)
    if state == State.EXPIRED:
        return (
            _("We found no sign of a thief."),
            _("Nothing more happens. Call us if you see something strange."),
            _WE,
        )
    if state in _RECEIVED:
        return (
            _("We received your report."),
            _("We look at the movements. You need not do anything."),
            _WE,
        )
    return (
        _("We are looking at the movements."),
        _("Two people decide, and you hear from us by mail and on this page."),
        _WE,
    )


def _stages(claim: FraudClaim) -> list[Stage]:
    """Returns the stages with the instant at which each was last reached."""
    steps = FraudClaimTransition.objects.filter(subject_id=claim.pk).order_by("pk")
    last = {step.target: step.at for step in steps}
    last.setdefault(State.REPORTED, claim.opened_at)
    titles: list[tuple[Text, tuple[str, ...]]] = [
        (_("We received your report"), _RECEIVED),
        (_("We look at it"), _LOOKED_AT),
        (_("We have decided"), _DECIDED),
        (_("It is made good"), _MADE_GOOD),
    ]
    if claim.state in FraudClaim.DISMISSED or (claim.rejected_at and not claim.confirmed_at):
        titles = titles[:3]
    place = next(
        (n for n, (_title, states) in enumerate(titles) if claim.state in states), len(titles)
    )
    return [
        Stage(
            title,
            max((last[each] for each in states if each in last), default=None)
            if number <= place
            else None,
            number == place,
        )
        for number, (title, states) in enumerate(titles)
    ]


def _lines(claim: FraudClaim) -> list[Line]:
    """Returns what two people found lost. Before they decided, nothing is promised."""
    losses = Loss.objects.filter(claim=claim, dropped_at=None, confirmed_at__isnull=False)
    found = []
    for loss in losses.prefetch_related("remedies").order_by("hit_at", "pk"):
        live = next((each for each in loss.remedies.all() if each.state in Remedy.LIVE), None)
        what = _("Charge") if loss.top_up_id else _("Payment")
        (told, who), done = _NO_REMEDY, False
        if live is not None:
            under_way, when_done, who = _BY_REMEDY[live.kind]
            done = live.state in Remedy.DONE
            told = when_done if done else under_way
        found.append(Line(loss.hit_at, what, loss.amount_minor, told, "" if done else who, done))
    return found


def enquiries_of(customer: User) -> list[tuple[FraudReport, str]]:
    """Returns the customer's enquiries with our answers, the newest first."""
    found = FraudReport.objects.filter(customer=customer, kind=FraudReport.Kind.ENQUIRY)
    return [(each, reports.answer_of(each)) for each in found.order_by("-pk")]
