"""How a payout batch ends otherwise than by its results: two people void it, store the bank's
rejection, or close it with payouts that are still open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from refunds.models import BankFile, Payout, PayoutBatch, ReconciliationBreak
from refunds.payouts.methods import vouchers
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.machines.move import named, transition_one
from winddown.models import Approval

VALID_FOR = dt.timedelta(days=7)
DECIDES = "refunds.approve_payout_batch"


@dataclass(frozen=True, slots=True)
class End:
    """One way to end a batch: who asks for it, in which states, and what its approval does."""

    word: str
    asks: str
    states: tuple[str, ...]
    carry_out: Callable[[PayoutBatch, dict[str, Any], Actor, str], int]


def ask_void(batch: PayoutBatch, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the batch is never sent. Its payouts then wait for
    another one.

    Raises `NothingToDecide` once the bank has the file: then only its rejection ends the batch.
    """
    return _ask(batch, _VOID, actor=actor, reason=reason)


def ask_refusal(
    batch: PayoutBatch, *, sha256: str, name: str, actor: Actor, reason: str
) -> Approval:
    """A second person is asked to agree that the bank refused the whole file, as the kept message
    of the bank shows: `sha256` is of its bytes, `name` is where it is kept.
    """
    return _ask(batch, _REFUSAL, actor=actor, reason=reason, sha256=sha256, name=name)


def ask_waiver(batch: PayoutBatch, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the batch closes although payouts of it are open. The
    bank may still answer about them.
    """
    return _ask(batch, _WAIVER, actor=actor, reason=reason)


def _ask(batch: PayoutBatch, end: End, *, actor: Actor, reason: str, **evidence: str) -> Approval:
    require(actor, end.asks, action=f"{end.word} of {batch.subject}")
    with transaction.atomic():
        locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.state not in end.states:
            raise NothingToDecide(subject=locked.subject)
        subject = approvals.next_subject(f"{locked.subject}:{end.word}")
        content = _content(locked) | evidence
        approvals.refuse_repeated(
            subject, stage=end.word, content=content, maker=actor, reason=reason
        )
        request = approvals.ask(
            subject,
            stage=end.word,
            content=content,
            permission=DECIDES,
            maker=actor,
            reason=reason,
            valid_for=VALID_FOR,
        )
        audit.append(f"payout_batch.ask_{end.word}", locked.subject, actor=actor, reason=reason)
    return request


def _content(batch: PayoutBatch) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "value_date": batch.value_date.isoformat(),
        "items": batch.items or 0,
        "total_minor": batch.total_minor or 0,
        "sha256": batch.sha256 or "",
    }


def decide(said: approvals.Decided) -> object:
    """The verdict about a request is in the journal, and an approval ended the batch.

    Raises `NothingToDecide` if the batch is in another state by now.
    """
    number, word, _round = said.key.split(":")
    subject = f"payout_batch:{said.key}"
    end = _ENDS[word]
    with transaction.atomic():
        batch = PayoutBatch.objects.select_for_update(no_key=True).filter(pk=number).first()
        asked = approvals.standing(subject, stage=word)
        if batch is None or asked is None or batch.state not in end.states:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=word,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        freed = end.carry_out(batch, asked.summary, said.actor, said.reason) if said.approve else 0
        return audit.append(
            f"payout_batch.{word}" if said.approve else f"payout_batch.keep_{word}",
            batch.subject,
            actor=said.actor,
            reason=said.reason,
            freed=freed,
        )


def _void(batch: PayoutBatch, asked: dict[str, Any], actor: Actor, reason: str) -> int:
    return take_out(
        transition_one(batch, "void", actor=actor, reason=reason), actor=actor, reason=reason
    )


def _refuse(batch: PayoutBatch, asked: dict[str, Any], actor: Actor, reason: str) -> int:
    """Nothing was paid, so the payouts wait for another batch."""
    kept, _made = BankFile.objects.get_or_create(
        sha256=asked["sha256"],
        defaults={
            "kind": BankFile.Kind.REJECTION,
            "lines": batch.items or 0,
            "sum_minor": batch.total_minor or 0,
            "actor_id": actor.pk,
            "at": clock.now(),
        },
    )
    if kept.kind != BankFile.Kind.REJECTION:
        raise GuardNotMet(
            action=says("record the bank's rejection"),
            why=says("the file was loaded before as something else"),
        )
    done = transition_one(batch, "refuse", actor=actor, reason=reason, rejection=kept)
    return take_out(done, actor=actor, reason=reason)


def _waive(batch: PayoutBatch, asked: dict[str, Any], actor: Actor, reason: str) -> int:
    refuse_open_breaks(batch)
    transition_one(batch, "waive", actor=actor, reason=reason)
    return 0


def take_out(batch: PayoutBatch, *, actor: Actor, reason: str) -> int:
    """The payouts of the dead batch wait for another one. Returns how many."""
    vouchers.void(batch, actor=actor, reason=reason)
    with named("take_out", actor=actor, reason=reason), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE refunds_payout SET state = %s, batch_id = NULL"
            " WHERE batch_id = %s AND state = ANY (%s)",
            [Payout.State.READY, batch.pk, list(Payout.REMOVABLE)],
        )
        return int(cursor.rowcount)


def refuse_open_breaks(batch: PayoutBatch) -> None:
    """No break about a payout of the batch is open. Raises `GuardNotMet` with their number."""
    found = ReconciliationBreak.objects.filter(
        payout__batch=batch, state=ReconciliationBreak.State.OPEN
    ).count()
    if found:
        raise GuardNotMet(
            action=says("close payout batch {number}", number=batch.pk),
            why=says("{n} breaks of its payouts are open", n=found),
        )


_VOID = End("void", "refunds.make_payout_batch", PayoutBatch.VOIDABLE, _void)
_REFUSAL = End("refusal", "refunds.reconcile", (PayoutBatch.State.TRANSMITTED,), _refuse)
_WAIVER = End("waiver", "refunds.reconcile", (PayoutBatch.State.RECONCILING,), _waive)
_ENDS = {end.word: end for end in (_VOID, _REFUSAL, _WAIVER)}
