"""The bank is asked to get the money of a transfer back, and its answer is recorded."""

from __future__ import annotations

from django.db import transaction

from refunds.models import Payout, PayoutBatch, Recall
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.machines.move import transition_one

PERMISSION = "refunds.reconcile"


def ask(payout: Payout, *, actor: Actor, reason: str) -> Recall:
    """The recall of the transfer is on the list. Somebody still tells the bank.

    Raises `GuardNotMet` for a payout that the bank does not have or that came back, and while a
    recall of it is open.
    """
    require(actor, PERMISSION, action=f"recall payout {payout.pk}")
    return put_on_list(payout, actor=actor, reason=reason)


def put_on_list(payout: Payout, *, actor: Actor, reason: str) -> Recall:
    """As `ask`, for a verb that has its own permission: its holder lost what was to be cashed."""
    with transaction.atomic():
        locked = Payout.objects.select_for_update(no_key=True, of=("self",)).get(pk=payout.pk)
        batch = locked.batch
        if batch is None or batch.state not in PayoutBatch.ANSWERABLE or not locked.live:
            raise _refused(says("the bank does not have its money: it was not sent, or came back"))
        if Recall.objects.filter(payout=locked, state__in=Recall.OPEN).exists():
            raise _refused(says("a recall of it is open"))
        recall = Recall.objects.create(payout=locked, asked_by_id=actor.pk, asked_at=clock.now())
        audit.append("recall.ask", recall.subject, actor=actor, reason=reason, payout=locked.pk)
        return recall


def _refused(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("recall a payout"), why=why)


def take_up(recall: Recall, *, answer: str, actor: Actor, reason: str) -> Recall:
    """The bank said that it has asked the payee's bank."""
    return _moved(recall, "take_up", answer=answer, actor=actor, reason=reason)


def finish(recall: Recall, *, answer: str, actor: Actor, reason: str) -> Recall:
    """The recall is done. The money is restored by the bank's file alone: raises `GuardNotMet` until
    a loaded file has shown that it came back.
    """
    with transaction.atomic():
        payout = Payout.objects.get(pk=recall.payout_id)
        if payout.state not in Payout.CAME_BACK:
            raise GuardNotMet(
                action=says("end the recall as done"),
                why=says("no file of the bank shows that the money came back: load it first"),
            )
        return _moved(recall, "finish", answer=answer, actor=actor, reason=reason)


def fail(recall: Recall, *, answer: str, actor: Actor, reason: str) -> Recall:
    """The recall failed. Nothing is restored: the payee has the money."""
    return _moved(recall, "fail", answer=answer, actor=actor, reason=reason)


def _moved(recall: Recall, name: str, *, answer: str, actor: Actor, reason: str) -> Recall:
    with transaction.atomic():
        done = transition_one(recall, name, actor=actor, reason=reason, answer=answer)
        audit.append(f"recall.{name}", done.subject, actor=actor, reason=reason)
        return done
