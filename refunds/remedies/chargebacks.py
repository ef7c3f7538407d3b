"""Inbound chargebacks are registered, matched to the charge, and take the slot of its loss. None is
accepted for a charge that was made good already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from refunds.models import Chargeback, Issuer, IssuerAction, Loss, Payout, Remedy, SchemeClock
from refunds.remedies import routes, scheme_clocks, slots
from wallets.models import Journal, LedgerAccount, TopUp
from wallets.models.ledger import funding_account
from wallets.movements import posting
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import IdempotencyConflict
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_one

State = Chargeback.State


def register(
    issuer: Issuer,
    *,
    chargeback_ref: str,
    scheme: str,
    scheme_reason: str,
    amount_minor: int,
    due_at: dt.datetime | None = None,
    arn: str = "",
    rrn: str = "",
    foreign_amount: str = "",
    actor: Actor,
    reason: str,
) -> Chargeback:
    """The chargeback is received and matched: by ARN whatever its amount is, or by RRN and amount. A
    second notification returns the first, and `IdempotencyConflict` is raised if it says something
    else.

    In the same transaction it has the slot of the loss: a request to an issuer is closed, a payout
    that waits for a batch is cancelled. Where the charge was made good already, or its compensation
    is in a file, nothing can be prevented: the chargeback is set to represent, with the reference of
    that credit (rule 21). Every other waits for an analyst. Without `due_at` the clock of the scheme
    counts.
    """
    require(actor, "refunds.draft_issuer_action", by_system=True, action="register a chargeback")
    with transaction.atomic():
        issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer.pk)
        said = {
            "issuer_id": issuer.pk,
            "scheme": scheme,
            "scheme_reason": scheme_reason,
            "arn": arn,
            "rrn": rrn,
            "foreign_amount": foreign_amount,
            "amount_minor": amount_minor,
        }
        earlier = Chargeback.objects.filter(chargeback_ref=chargeback_ref).first()
        if earlier is not None:
            _refuse_other_terms(earlier, said)
            return earlier
        at = clock.now()
        case = Chargeback.objects.create(
            chargeback_ref=chargeback_ref,
            notified_at=at,
            due_at=due_at or scheme_clocks.due(scheme, SchemeClock.Stage.ANSWER, since=at),
            top_up=_charge(issuer, arn=arn, rrn=rrn, amount_minor=amount_minor),
            **said,
        )
        case = judged(case, at=at)
        case = transition_one(case, "receive", actor=actor, reason=reason)
        case = represented_if_credited(case)
        audit.append("chargebacks.register", case.subject, actor=actor, reason=reason)
        return case


def _refuse_other_terms(earlier: Chargeback, said: dict[str, object]) -> None:
    different = [name for name, value in said.items() if getattr(earlier, name) != value]
    if different:
        raise IdempotencyConflict(
            source="chargeback",
            source_id=earlier.chargeback_ref,
            difference=", ".join(name.removesuffix("_id") for name in different),
        )


def _charge(issuer: Issuer, *, arn: str, rrn: str, amount_minor: int) -> TopUp | None:
    """Returns the one card top-up that the chargeback is about. It is None if none or more than one
    fits.

    An ARN may be that of the charge, or that of our refund of it.
    """
    charges = TopUp.objects.filter(card__issuer_code=issuer.code)
    refunded = Q(losses__remedies__action__refund_arn=arn)
    for named in ((Q(arn=arn), refunded, Q(arn=arn, amount_minor=amount_minor)) if arn else ()) + (
        (Q(rrn=rrn, amount_minor=amount_minor),) if rrn else ()
    ):
        found = list(charges.filter(named).distinct()[:2])
        if len(found) == 1:
            return found[0]
    return None


# --- the slot of the loss -------------------------------------------------------------------------


def judged(case: Chargeback, *, at: dt.datetime) -> Chargeback:
    """The chargeback holds the slot of its loss, or names the credit that made the loss good, as
    things stand now. A charge without a confirmed loss has neither.

    The caller has locked the issuer.
    """
    loss = _loss(case)
    if loss is None:
        return case
    slots.lock_charges([loss])
    list(IssuerAction.objects.select_for_update(no_key=True).filter(remedy__loss=loss))
    live = (
        Remedy.objects.select_for_update(no_key=True, of=("self",))
        .filter(loss=loss, state__in=Remedy.LIVE)
        .select_related("loss__top_up")
        .first()
    )
    if live is None or live.pk == case.remedy_id:
        return case
    holder = Chargeback.objects.filter(remedy=live).first()
    if holder is not None:
        return _with(case, credited_by=live, refund_arn=holder.arn)
    if live.kind == Remedy.Kind.CHARGEBACK_ACCEPTED:
        return _with(case, remedy=live, credited_by=None, refund_arn="")
    if _is_a_credit(live):
        return _with(case, credited_by=live, refund_arn=_reference(live))
    _take_back_payouts(live, at=at)
    (own,) = slots.supersede(
        [live],
        Remedy.Kind.CHARGEBACK_ACCEPTED,
        failure=Remedy.Failure.SUPERSEDED,
        at=at,
        actor=SYSTEM,
    )
    slots.mark_asked([own.pk], at=at, actor=SYSTEM)
    asked = IssuerAction.objects.filter(remedy=live, state__in=IssuerAction.OPEN)
    ids = list(asked.values_list("pk", flat=True))
    move_rows(IssuerAction, "close", ids, actor=SYSTEM, reason="charged back")
    return _with(case, remedy=own, credited_by=None, refund_arn="")


def _loss(case: Chargeback) -> Loss | None:
    if case.top_up_id is None:
        return None
    named = Loss.objects.filter(top_up=case.top_up_id, confirmed_at__isnull=False)
    return named.select_related("top_up").first()


def _with(case: Chargeback, **values: object) -> Chargeback:
    Chargeback.objects.filter(pk=case.pk).update(**values)
    return Chargeback.objects.get(pk=case.pk)


def _is_a_credit(live: Remedy) -> bool:
    """The loss was made good, or its compensation is in a file."""
    out = Payout.objects.filter(remedy=live, live=True, state__in=Payout.LEAVING)
    return live.state in Remedy.DONE or out.exists()


def _take_back_payouts(live: Remedy, *, at: dt.datetime) -> None:
    """A payout of the compensation that waits for a batch is not paid, and its amount is owed."""
    waiting = Payout.objects.select_for_update(no_key=True).filter(remedy=live, live=True)
    for payout in waiting:
        transition_one(payout, "cancel", actor=SYSTEM, reason="charged back", live=False)
        posting.post(
            [
                (LedgerAccount.PAYOUTS_IN_FLIGHT, None, -payout.amount_minor),
                (LedgerAccount.FRAUD_SUSPENSE, None, payout.amount_minor),
            ],
            source="payout",
            source_id=payout.pk,
            kind="remedy_take_back",
            occurred_at=at,
            actor=SYSTEM,
        )


def _reference(credit: Remedy) -> str:
    """Returns by what the scheme finds the credit: its ARN, or our number of the payout."""
    action = IssuerAction.objects.filter(remedy=credit).first()
    if action is not None:
        return action.refund_arn
    payout = Payout.objects.filter(remedy=credit, live=True).first()
    return payout.reference if payout is not None else ""


def represented_if_credited(case: Chargeback) -> Chargeback:
    """The received chargeback is set to represent if its charge was made good otherwise."""
    if case.credited_by_id is None or case.state != State.RECEIVED:
        return case
    return transition_one(
        case, "propose_representment", actor=SYSTEM, reason="credit already processed"
    )


def open_first(losses: Iterable[Loss], *, at: dt.datetime) -> list[Remedy]:
    """As after `slots.open_first`, but where a chargeback took the charge back before the loss was
    confirmed, it has the slot of the loss. One that the issuer has won already makes the loss good.
    """
    named = list(losses)
    slots.lock_charges(named)
    charges = [loss.top_up_id for loss in named if loss.top_up_id is not None]
    standing = (
        Chargeback.objects.filter(
            top_up__in=charges, remedy=None, credited_by=None, returned_at=None
        )
        .exclude(state=State.NOTIFIED)
        .order_by("pk")
    )
    cases: dict[int | None, Chargeback] = {}
    for case in standing:
        cases.setdefault(case.top_up_id, case)
    taken = [
        loss
        for loss in sorted(named, key=lambda each: each.pk)
        if loss.top_up_id in cases and not Remedy.objects.filter(loss=loss).exists()
    ]
    opened = slots.open_routes([(loss, routes.CHARGEBACK_ACCEPTED) for loss in taken], at=at)
    for loss, own in zip(taken, opened, strict=True):
        case = _with(cases[loss.top_up_id], remedy=own)
        if case.state in (*Chargeback.KEPT, State.CLOSED):
            conclude(case, at=at, actor=SYSTEM)
    return opened + slots.open_first(named, at=at)


# --- the money ------------------------------------------------------------------------------------


def conclude(
    case: Chargeback, *, at: dt.datetime, actor: Actor, reason: str = "", signed: bool = False
) -> Chargeback:
    """The issuer keeps the money, and the ledger says so.

    The loss whose slot the chargeback holds is made good by it. If it is less than the loss, two
    people have to say how the cardholder has the rest (`signed`); until then the loss waits. What
    the issuer keeps without a loss, or beyond it, is the operator's own loss. A charge that nobody
    has matched books nothing. A second call changes nothing.
    """
    if case.top_up is None:
        return case
    beyond = case.amount_minor
    if case.remedy is not None:
        beyond = max(0, case.amount_minor - case.remedy.amount_minor)
        if signed or case.amount_minor >= case.remedy.amount_minor:
            slots.finish([case.remedy.pk], at=at, actor=actor, reason=reason)
    return _book_beyond(case, beyond, at=at, actor=actor)


def _book_beyond(
    case: Chargeback, beyond_minor: int, *, at: dt.datetime, actor: Actor
) -> Chargeback:
    """`beyond_minor` in all is the operator's own loss; what was booked before counts."""
    more = beyond_minor - case.beyond_minor
    if more == 0 or case.top_up is None:
        return case
    own = Journal.objects.filter(source="chargeback", source_id=case.pk)
    posting.post(
        [
            (LedgerAccount.FRAUD_LOSS, None, -more),
            (funding_account(case.top_up.source), None, more),
        ],
        source="chargeback",
        source_id=case.pk,
        kind=f"beyond_{own.count() + 1}",
        occurred_at=at,
        actor=actor,
    )
    return _with(case, beyond_minor=beyond_minor)


def open_cases() -> QuerySet[Chargeback]:
    """Returns the chargebacks of which something is still expected."""
    waits = Q(remedy__state__in=Remedy.UNDER_WAY, returned_at=None)
    return Chargeback.objects.filter(~Q(state=State.CLOSED) | waits).select_related(
        "issuer", "top_up", "remedy"
    )


def needs_two(case: Chargeback) -> bool:
    """Returns whether two people have to settle what the issuer kept: money without a loss, a charge
    that nobody has matched, or a cardholder who may not have everything back.
    """
    if case.state not in (State.LOST, State.LAPSED, State.CLOSED):
        return False
    waits = case.remedy is not None and case.remedy.state in Remedy.UNDER_WAY
    if case.state == State.CLOSED:
        return waits and case.returned_at is None
    return waits or case.top_up_id is None or case.beyond_minor > 0


# --- what the clock does --------------------------------------------------------------------------


def follow_up() -> dict[str, int]:
    """Chargebacks whose time is over have lapsed, and what the issuer keeps by that is booked.
    Requests for a decision that expired are taken back, credits that came back are judged anew, and
    what needs nobody is closed. Returns how many of each. A second call changes nothing.
    """
    return {
        "judged_anew": judge_anew(),
        "lapsed": lapse(),
        "taken_back": _take_back_expired(),
        "chargebacks_closed": _close_done(),
    }


def lapse() -> int:
    """A chargeback that was not answered in time counts as accepted: the issuer keeps the money.
    Returns how many lapsed.
    """
    late = Chargeback.objects.filter(
        state__in=Chargeback.ANSWERABLE, due_at__lte=clock.now()
    ).order_by("issuer_id", "pk")
    with transaction.atomic():
        cases = _locked(late)
        for case in cases:
            at = clock.now()
            case = transition_one(case, "lapse", actor=SYSTEM, reason="not answered in time")
            conclude(case, at=at, actor=SYSTEM, reason="not answered in time")
        return _noted("chargebacks.lapse", cases)


def judge_anew() -> int:
    """A chargeback that was answered with a credit which came back since then has the slot of the
    loss: the compensation that is owed again is not paid beside it. Returns how many.
    """
    credited = Chargeback.objects.filter(
        returned_at=None, credited_by__kind=Remedy.Kind.COMPENSATION_PAYOUT
    )
    gone = credited.filter(credited_by__state__in=[*Remedy.UNDER_WAY, *Remedy.GIVEN_UP])
    with transaction.atomic():
        cases = [
            case for case in _locked(gone.order_by("issuer_id", "pk")) if _credit_is_gone(case)
        ]
        at = clock.now()
        for case in cases:
            case = judged(_with(case, credited_by=None, refund_arn=""), at=at)
            if case.state == State.REPRESENTING:
                case = transition_one(case, "send_back", actor=SYSTEM, reason="credit came back")
            if case.state in (State.LOST, State.LAPSED, State.CLOSED):
                conclude(case, at=at, actor=SYSTEM, reason="credit came back")
        return _noted("chargebacks.judge_anew", cases)


def _credit_is_gone(case: Chargeback) -> bool:
    return case.credited_by is not None and not _is_a_credit(case.credited_by)


def _take_back_expired() -> int:
    """What nobody decided in time waits for an analyst again. A credit stays set to represent."""
    asked = Chargeback.objects.filter(state__in=[State.ACCEPTING, State.REPRESENTING])
    with transaction.atomic():
        cases = [
            case
            for case in _locked(asked.filter(credited_by=None).order_by("issuer_id", "pk"))
            if _expired(case)
        ]
        for case in cases:
            transition_one(case, "send_back", actor=SYSTEM, reason="not decided in time")
        return _noted("chargebacks.take_back", cases)


def _expired(case: Chargeback) -> bool:
    stage = "accept" if case.state == State.ACCEPTING else "represent"
    request = approvals.standing(approvals.next_subject(case.subject), stage=stage)
    return request is None or request.expires_at <= clock.now()


def _close_done() -> int:
    ended = Chargeback.objects.filter(state__in=[*Chargeback.KEPT, State.WON])
    with transaction.atomic():
        cases = [case for case in _locked(ended.order_by("issuer_id", "pk")) if not needs_two(case)]
        for case in cases:
            transition_one(case, "close", actor=SYSTEM, reason="nothing is expected")
        return _noted("chargebacks.close", cases)


def _locked(found: Iterable[Chargeback]) -> list[Chargeback]:
    """Returns the cases as they are now, with their issuers locked first."""
    ids = sorted({case.pk for case in found})
    return lock(ids) if ids else []


def lock(ids: Sequence[int]) -> list[Chargeback]:
    """Returns the cases, which nobody else decides until this transaction ends. Their issuers are
    locked first, as by everybody who moves requests.
    """
    issuers = Issuer.objects.filter(chargebacks__in=ids).values("pk")
    list(Issuer.objects.select_for_update(no_key=True).filter(pk__in=issuers).order_by("pk"))
    return list(
        Chargeback.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=ids)
        .select_related("remedy", "credited_by", "top_up", "issuer")
        .order_by("pk")
    )


def _noted(action: str, cases: Sequence[Chargeback]) -> int:
    if cases:
        audit.append(action, "chargebacks", actor=SYSTEM, n=len(cases))
    return len(cases)
