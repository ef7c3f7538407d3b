"""How a chargeback is answered: an analyst proposes, a second person decides, the scheme rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from refunds.models import Chargeback, Remedy, SchemeClock
from refunds.remedies import chargebacks, routes, scheme_clocks, slots
from wallets.models import TopUp
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, PlanChanged, says
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import Approval

State = Chargeback.State
PERMISSION = "refunds.approve_issuer_action"
ACCEPT, REPRESENT, ARBITRATE, MATCH, SETTLE = "accept", "represent", "arbitrate", "match", "settle"


def ask(
    case: Chargeback,
    verb: str,
    *,
    note: str = "",
    top_up: TopUp | None = None,
    actor: Actor,
    reason: str,
) -> Approval:
    """A second person is asked to agree to exactly this answer; the difference to the charge is in
    it.

    accept: the issuer keeps the money, which makes the loss good. represent: the defence goes to the
    scheme, with the reference of the credit where there is one. arbitrate: the scheme decides.
    match: the chargeback is about `top_up`. settle: what the issuer kept by default is nobody's
    claim any more. `note` says what the scheme is told, and in whose hands a difference is; without
    it less than the loss is not accepted, and nothing is settled. Raises `GuardNotMet` where the
    answer is not open, also after the scheme's time.
    """
    require(actor, "refunds.draft_issuer_action", action=f"{verb} {case.subject}")
    with transaction.atomic():
        (case,) = chargebacks.lock([case.pk])
        _refuse(case, verb, note=note, top_up=top_up)
        if verb == ACCEPT:
            case = transition_one(case, "propose_acceptance", actor=actor, reason=reason)
        if verb == REPRESENT and case.state == State.RECEIVED:
            case = transition_one(case, "propose_representment", actor=actor, reason=reason)
        subject = approvals.next_subject(case.subject)
        content = _content(case, verb, note=note, top_up=top_up or case.top_up)
        approvals.refuse_repeated(subject, stage=verb, content=content, maker=actor, reason=reason)
        request = approvals.ask(
            subject,
            stage=verb,
            content=content,
            permission=PERMISSION,
            maker=actor,
            reason=reason,
        )
        audit.append("chargebacks.ask", case.subject, actor=actor, reason=reason, verb=verb)
    return request


def _content(case: Chargeback, verb: str, *, note: str, top_up: TopUp | None) -> dict[str, Any]:
    """Returns what two people sign."""
    charged = top_up.amount_minor if top_up is not None else None
    return {
        "chargeback": case.pk,
        "verb": verb,
        "amount_minor": case.amount_minor,
        "charged_minor": charged,
        "difference_minor": charged - case.amount_minor if charged is not None else None,
        "beyond_minor": case.beyond_minor,
        "top_up": top_up.pk if top_up is not None else None,
        "remedy": case.remedy_id,
        "credited_by": case.credited_by_id,
        "refund_arn": case.refund_arn,
        "note": note,
    }


def _refuse(case: Chargeback, verb: str, *, note: str, top_up: TopUp | None) -> None:
    """Raises `GuardNotMet` when the answer is not open, or says too little."""
    why = _why_not(case, verb, note=note, top_up=top_up)
    if why:
        raise GuardNotMet(action=says("answer the chargeback"), why=why)


def _why_not(case: Chargeback, verb: str, *, note: str, top_up: TopUp | None) -> str:
    open_in = {
        ACCEPT: (State.RECEIVED,),
        REPRESENT: (State.RECEIVED, State.REPRESENTING),
        ARBITRATE: (State.PREARB,),
    }
    if verb in open_in and case.state not in open_in[verb]:
        return says("it is not open for this answer")
    if verb in open_in and case.due_at <= clock.now():
        return says("the scheme's time for an answer is over")
    if verb == ACCEPT and case.credited_by is not None:
        return says("the charge was made good already: it is represented")
    if verb == ACCEPT and case.remedy is None:
        return says("no confirmed loss is behind it: decide the claim first")
    made_good = case.remedy is not None and case.remedy.state in Remedy.DONE
    if verb == REPRESENT and made_good:
        return says("it made the loss good already")
    short = case.remedy is not None and case.amount_minor < case.remedy.amount_minor
    if verb == ACCEPT and short and not note:
        return says("it is less than the loss: say who gives the cardholder the rest")
    if verb == MATCH and (case.top_up_id is not None or top_up is None):
        return says("it is matched already")
    if verb == MATCH and not _is_of_issuer(case, top_up):
        return says("the charge is of a card of another issuer")
    if verb == SETTLE and not chargebacks.needs_two(case):
        return says("there is nothing to settle")
    return says("say in whose hands the money is") if verb == SETTLE and not note else ""


def _is_of_issuer(case: Chargeback, top_up: TopUp | None) -> bool:
    card = top_up.card if top_up is not None else None
    return card is not None and card.issuer_code == case.issuer.code


def _decided(said: approvals.Decided) -> object:
    """The second person agreed, and the answer holds; or did not, and an analyst goes on."""
    number, _sep, _round = said.key.partition(":")
    subject = f"chargeback:{said.key}"
    with transaction.atomic():
        cases = chargebacks.lock([int(number)])
        asked = approvals.standing(subject, stage=said.stage)
        if not cases or asked is None:
            raise NothingToDecide(subject=subject)
        (case,) = cases
        approvals.decide(
            subject,
            stage=said.stage,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            _carry_out(case, said, asked.summary)
        elif said.stage in (ACCEPT, REPRESENT) and case.state in (
            State.ACCEPTING,
            State.REPRESENTING,
        ):
            case = transition_one(case, "send_back", actor=said.actor, reason=said.reason)
            chargebacks.represented_if_credited(case)
        return audit.append(
            "chargebacks.decide",
            case.subject,
            actor=said.actor,
            reason=said.reason,
            verb=said.stage,
            approve=said.approve,
        )


approvals.DECIDERS.add("chargeback", _decided)


def _carry_out(case: Chargeback, said: approvals.Decided, signed: Mapping[str, Any]) -> None:
    top_up = TopUp.objects.filter(pk=signed["top_up"]).first()
    now = approvals.digest_of(_content(case, said.stage, note=signed["note"], top_up=top_up))
    if now != said.digest:
        raise PlanChanged(subject=case.subject, approved=said.digest[:12], now=now[:12])
    _CARRIED_OUT[said.stage](case, said, top_up)


def _accept(case: Chargeback, said: approvals.Decided, _top_up: TopUp | None) -> None:
    _refuse_late(case)
    chargebacks.conclude(case, at=clock.now(), actor=said.actor, reason=said.reason, signed=True)
    transition_one(case, "accept", actor=said.actor, reason=said.reason)


def _represent(case: Chargeback, said: approvals.Decided, _top_up: TopUp | None) -> None:
    _refuse_late(case)
    transition_one(case, "represent", actor=said.actor, reason=said.reason)


def _arbitrate(case: Chargeback, said: approvals.Decided, _top_up: TopUp | None) -> None:
    _refuse_late(case)
    transition_one(case, "arbitrate", actor=said.actor, reason=said.reason)


def _refuse_late(case: Chargeback) -> None:
    if case.due_at <= clock.now():
        raise GuardNotMet(
            action=says("answer the chargeback"),
            why=says("the scheme's time for an answer is over"),
        )


def _match(case: Chargeback, said: approvals.Decided, top_up: TopUp | None) -> None:
    """The charge is known, so the loss behind it is."""
    Chargeback.objects.filter(pk=case.pk).update(top_up=top_up)
    at = clock.now()
    case = chargebacks.judged(Chargeback.objects.get(pk=case.pk), at=at)
    case = chargebacks.represented_if_credited(case)
    if case.state in (State.LOST, State.LAPSED):
        chargebacks.conclude(case, at=at, actor=said.actor, reason=said.reason)


def _settle(case: Chargeback, said: approvals.Decided, _top_up: TopUp | None) -> None:
    """A loss that waits is made good by what the issuer kept, and the case is over."""
    case = chargebacks.conclude(
        case, at=clock.now(), actor=said.actor, reason=said.reason, signed=True
    )
    if case.state != State.CLOSED:
        transition_one(case, "close", actor=said.actor, reason=said.reason)


_CARRIED_OUT: Mapping[str, Callable[[Chargeback, approvals.Decided, TopUp | None], None]] = {
    ACCEPT: _accept,
    REPRESENT: _represent,
    ARBITRATE: _arbitrate,
    MATCH: _match,
    SETTLE: _settle,
}


def record_outcome(
    case: Chargeback,
    outcome: str,
    *,
    due_at: dt.datetime | None = None,
    actor: Actor,
    reason: str,
) -> Chargeback:
    """The scheme or the issuer has answered our defence.

    contest: the issuer does not accept it; the clock of the next stage runs, or `due_at` counts.
    win: the money came back, so a loss whose slot the chargeback held takes the next route. lose:
    the issuer keeps it, and the ledger says so.
    """
    require(actor, "refunds.draft_issuer_action", action=f"{outcome} {case.subject}")
    with transaction.atomic():
        (case,) = chargebacks.lock([case.pk])
        at = clock.now()
        changes: dict[str, Any] = {}
        if outcome == "contest":
            changes["due_at"] = due_at or scheme_clocks.due(
                case.scheme, SchemeClock.Stage.PREARB, since=at
            )
        if outcome == "win":
            changes["returned_at"] = at
        case = transition_one(case, outcome, actor=actor, reason=reason, **changes)
        if outcome == "lose":
            case = chargebacks.conclude(case, at=at, actor=actor, reason=reason)
        if outcome == "win" and case.remedy is not None:
            slots.fall_back(
                [case.remedy],
                routes.UNANSWERED[routes.CHARGEBACK_ACCEPTED],
                failure=Remedy.Failure.SUPERSEDED,
                at=at,
                actor=actor,
            )
        audit.append(
            "chargebacks.outcome", case.subject, actor=actor, reason=reason, outcome=outcome
        )
        return case
