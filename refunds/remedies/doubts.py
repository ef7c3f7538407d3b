"""An issuer's word that does not agree with its earlier one is never swallowed: somebody owns it, the
payout that it makes doubtful is held, and two people decide.

An issuer's word is provisional until a statement or a reference number shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from refunds.models import Doubt, IssuerAction, IssuerAnswer, Payout, Remedy
from refunds.remedies import routes, slots
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Approval

WORK: Final = "refunds.send_issuer_action"
DECIDE: Final = "refunds.approve_issuer_action"
SUBJECT: Final = "doubt"
STAGE: Final = "doubt"


def open_ones() -> QuerySet[Doubt]:
    """Returns the queue: what nobody has settled, the oldest first."""
    return Doubt.objects.filter(verdict="").order_by("opened_at", "pk")


def lost_in_doubt() -> QuerySet[Any]:
    """Returns the losses whose payouts wait until two people have decided what an issuer did."""
    words = Doubt.objects.filter(verdict="").exclude(kind=Doubt.Kind.PAID_TWICE)
    return words.values("remedy__loss")


def note(answers: Iterable[IssuerAnswer], *, actor: Actor) -> list[Doubt]:
    """Each answer that no request waited for is in the queue, unless it says what is believed
    already. Returns the doubts.

    If it says that nothing was done where something was, the remedy is contested, and the next route
    is open. If it says that something was done after the next route was opened, that route is
    doubtful. Whoever read the file owns it first.
    """
    return [doubt for answer in answers if (doubt := _note(answer, actor=actor))]


def _note(answer: IssuerAnswer, *, actor: Actor) -> Doubt | None:
    action = answer.action
    asked = action.remedy
    outcome = routes.after_answer(asked.kind, funding=action.funding, answer=answer.code)
    remedies = Remedy.objects.select_related("loss__issuer", "loss__top_up", "loss__claim")
    live = remedies.filter(loss=asked.loss_id, state__in=Remedy.LIVE).first()
    if live is None:
        raise AssertionError("a loss that an issuer was asked about has a remedy")
    done = live.state in Remedy.DONE
    by_issuer = live.kind != Remedy.Kind.COMPENSATION_PAYOUT
    if outcome.done is not None and done and by_issuer:
        return None
    if outcome.done is None and not (done and by_issuer):
        # It would not help, and another route is under way or has ended well.
        return None
    contradicts = outcome.done is None and outcome.next is not None
    doubt = Doubt.objects.create(
        kind=Doubt.Kind.CONTRADICTED if contradicts else Doubt.Kind.LATE,
        remedy=live,
        answer=answer,
        amount_minor=live.amount_minor,
        owner_id=actor.pk,
    )
    if contradicts and outcome.next is not None:
        at = clock.now()
        slots.contest(live, doubt, at=at, reason=f"the issuer says {answer.code}")
        slots.open_routes([(live.loss, outcome.next)], at=at)
    audit.append(
        "doubts.open",
        doubt.subject,
        actor=actor,
        kind=doubt.kind,
        remedy=live.pk,
        amount_minor=doubt.amount_minor,
    )
    return doubt


def take_over(doubt: Doubt, *, actor: Actor, reason: str) -> Doubt:
    """`actor` owns the doubt. Raises `GuardNotMet` for one that is settled."""
    require(actor, WORK, action=f"own {doubt}")
    with transaction.atomic():
        locked = Doubt.objects.select_for_update(no_key=True).get(pk=doubt.pk)
        _refuse_settled(locked)
        Doubt.objects.filter(pk=locked.pk).update(owner=User.objects.get(pk=actor.pk))
        audit.append("doubts.take_over", locked.subject, actor=actor, reason=reason)
        return Doubt.objects.get(pk=locked.pk)


def ask_settle(doubt: Doubt, *, verdict: str, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree to the verdict. Until then everything stays held.

    Raises `GuardNotMet` for a settled doubt, and for a verdict that does not belong to it.
    """
    require(actor, WORK, action=f"settle {doubt}")
    with transaction.atomic():
        locked = Doubt.objects.select_for_update(no_key=True).get(pk=doubt.pk)
        _refuse_settled(locked)
        if verdict not in verdicts_of(locked):
            raise GuardNotMet(
                action=says("settle {doubt}", doubt=locked),
                why=says("{names} expected", names=", ".join(verdicts_of(locked))),
            )
        content = {
            "doubt": locked.pk,
            "verdict": verdict,
            "remedy": locked.remedy_id,
            "total_minor": locked.amount_minor,
        }
        subject = approvals.next_subject(locked.subject)
        approvals.refuse_repeated(subject, stage=STAGE, content=content, maker=actor, reason=reason)
        asked = approvals.ask(
            subject, stage=STAGE, content=content, permission=DECIDE, maker=actor, reason=reason
        )
        audit.append(
            "doubts.ask_settle", locked.subject, actor=actor, reason=reason, verdict=verdict
        )
        return asked


def verdicts_of(doubt: Doubt) -> tuple[str, ...]:
    """Returns what can be decided about it."""
    return Doubt.OF_MONEY if doubt.kind == Doubt.Kind.PAID_TWICE else Doubt.OF_WORDS


def _refuse_settled(doubt: Doubt) -> None:
    if doubt.verdict:
        raise GuardNotMet(
            action=says("settle {doubt}", doubt=doubt), why=says("it is settled already")
        )


def _decided(said: approvals.Decided) -> object:
    """After an approval the verdict is carried out."""
    number, _sep, _time = said.key.partition(":")
    subject = f"{SUBJECT}:{said.key}"
    with transaction.atomic():
        doubt = Doubt.objects.select_for_update(no_key=True, of=("self",)).filter(pk=number).first()
        asked = approvals.standing(subject, stage=STAGE)
        if doubt is None or asked is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=STAGE,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            _settle(doubt, asked, actor=said.actor, reason=said.reason)
        return audit.append(
            "doubts.settle" if said.approve else "doubts.refuse",
            doubt.subject,
            actor=said.actor,
            reason=said.reason,
        )


def _settle(doubt: Doubt, asked: Approval, *, actor: Actor, reason: str) -> None:
    _refuse_settled(doubt)
    at = clock.now()
    verdict = asked.summary["verdict"]
    Doubt.objects.filter(pk=doubt.pk).update(
        verdict=verdict, settled_at=at, approval_subject=asked.subject
    )
    remedies = Remedy.objects.select_related("loss__issuer", "loss__top_up", "loss__claim")
    remedy = remedies.get(pk=doubt.remedy_id)
    if remedy.state == Remedy.State.CONTESTED:
        if verdict == Doubt.Verdict.FIRST:
            others = remedies.filter(loss=remedy.loss_id, state__in=Remedy.LIVE)
            _give_up(others, doubt, actor=actor, reason=reason)
            slots.uphold(remedy, doubt, at=at, actor=actor, reason=reason)
        else:
            _believe_that_nothing_was_done(remedy, doubt, actor=actor, reason=reason)
    elif verdict == Doubt.Verdict.LAST and doubt.answer is not None:
        _believe_that_it_was_done(remedy, doubt, doubt.answer, actor=actor, reason=reason)


def _give_up(remedies: Iterable[Remedy], doubt: Doubt, *, actor: Actor, reason: str) -> None:
    """The routes are not gone on with. Raises `GuardNotMet` where an issuer's answer is awaited, or a
    payout is under way.
    """
    found = list(remedies)
    ids = [each.pk for each in found]
    actions = IssuerAction.objects.filter(remedy__in=ids)
    if actions.filter(state__in=IssuerAction.ANSWERABLE).exists():
        raise GuardNotMet(
            action=says("settle {doubt}", doubt=doubt), why=says("an issuer's answer is awaited")
        )
    if Payout.objects.filter(remedy__in=ids, live=True).exists():
        raise GuardNotMet(
            action=says("settle {doubt}", doubt=doubt),
            why=says("a payout of it is under way: void its file, recall it, or give it up first"),
        )
    at = clock.now()
    failed = slots.fail(ids, failure=Remedy.Failure.SUPERSEDED, at=at, actor=actor, reason=reason)
    if failed != len(ids):
        raise slots.RemedyTaken(why="a route had ended")
    waiting = list(
        actions.filter(state__in=IssuerAction.OPEN).order_by("pk").values_list("pk", flat=True)
    )
    move_rows(IssuerAction, "close", waiting, actor=actor, reason=reason)


def _believe_that_nothing_was_done(
    remedy: Remedy, doubt: Doubt, *, actor: Actor, reason: str
) -> None:
    """The contested remedy has failed, and the route that was opened goes on."""
    at = clock.now()
    slots.fail([remedy.pk], failure=Remedy.Failure.TOO_LATE, at=at, actor=actor, reason=reason)
    said = IssuerAction.objects.filter(remedy=remedy).values_list("pk", flat=True)
    move_rows(IssuerAction, "miss", list(said), actor=actor, reason=reason)
    move_rows(IssuerAction, "open_fallback", list(said), actor=actor, reason=reason)


def _believe_that_it_was_done(
    remedy: Remedy, doubt: Doubt, answer: IssuerAnswer, *, actor: Actor, reason: str
) -> None:
    """The issuer made the loss good after all. If we did too, so much is owed back to us."""
    asked = answer.action
    done = routes.after_answer(asked.remedy.kind, funding=asked.funding, answer=answer.code).done
    if done is None:
        return
    if remedy.state in Remedy.DONE:
        if remedy.payable_minor:
            Doubt.objects.create(
                kind=Doubt.Kind.PAID_TWICE,
                remedy=remedy,
                amount_minor=remedy.payable_minor,
                owner_id=doubt.owner_id,
            )
        return
    _give_up([remedy], doubt, actor=actor, reason=reason)
    at = clock.now()
    made = slots.carried_out(remedy.loss, done, at=at)
    slots.mark_asked([made.pk], at=at, actor=actor)
    slots.finish([made.pk], at=at, actor=actor, reason=reason)
    IssuerAction.objects.filter(pk=asked.pk).update(
        answered_at=answer.answered_at,
        refund_arn=answer.refund_arn,
        statement_on=answer.statement_on,
    )


def ages(doubts: Iterable[Doubt]) -> list[tuple[Doubt, int]]:
    """Returns each with the whole hours since it was opened."""
    at = clock.now()
    return [(each, int((at - each.opened_at).total_seconds() // 3600)) for each in doubts]


approvals.DECIDERS.add(SUBJECT, _decided)
