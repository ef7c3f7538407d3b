"""Single transfers are taken out of a file that the bank does not have, by two people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum

from refunds.models import Payee, Payout, PayoutBatch
from refunds.payouts import batch_ends, methods, payment_blocks, payout_batches
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, PlanChanged, says
from winddown.evidence import audit
from winddown.machines.move import named, transition_one, transition_set
from winddown.models import Approval

ASKS, DECIDES = "refunds.make_payout_batch", "refunds.approve_payout_batch"
STAGE = "take_out_lines"
STATES = tuple(
    state
    for state in PayoutBatch.VOIDABLE
    if state not in (PayoutBatch.State.OPEN, PayoutBatch.State.SEALED)
)


def ask(batch: PayoutBatch, payouts: Sequence[int], *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to take these payouts out of the batch. Until then nothing changes.

    Raises `NothingToDecide` once the bank has the file, and `GuardNotMet` for payouts that are not
    in it, and when none would be left.
    """
    require(actor, ASKS, action=f"take payouts out of {batch.subject}")
    with transaction.atomic():
        locked = _removable(batch.pk)
        subject = approvals.next_subject(f"payout_lines:{locked.pk}")
        content = _content(locked, sorted(set(payouts)))
        approvals.refuse_repeated(subject, stage=STAGE, content=content, maker=actor, reason=reason)
        request = approvals.ask(
            subject,
            stage=STAGE,
            content=content,
            permission=DECIDES,
            maker=actor,
            reason=reason,
            valid_for=batch_ends.VALID_FOR,
        )
        audit.append("payout_batch.ask_take_out", locked.subject, actor=actor, reason=reason)
    return request


def _removable(number: int | str) -> PayoutBatch:
    batch = PayoutBatch.objects.select_for_update(no_key=True).filter(pk=number).first()
    if batch is None or batch.state not in STATES:
        raise NothingToDecide(subject=f"payout_batch:{number}")
    return batch


def _left(batch: PayoutBatch, out: Sequence[int]) -> QuerySet[Payout]:
    """Returns the payouts that the next version pays: those that stay and whose payee and holder
    may still be paid. The others wait for another batch.
    """
    usable = Q(payee__replaced_at=None, payee__state__in=Payee.PAYABLE)
    return (
        Payout.objects.filter(~Q(method=methods.BANK) | usable, batch=batch)
        .exclude(pk__in=out)
        .exclude(payment_blocks.nobody_pays("holder"))
    )


def _content(batch: PayoutBatch, out: Sequence[int]) -> dict[str, Any]:
    if Payout.objects.filter(batch=batch, pk__in=out).count() != len(out) or not out:
        raise _refused(says("not all of these payouts are in the batch"))
    left = _left(batch, out).aggregate(items=Count("pk"), total=Sum("amount_minor"))
    if not left["items"]:
        raise _refused(says("no payout would be left: void the batch"))
    return {
        "batch": batch.pk,
        "sha256": batch.sha256,
        "payouts": list(out),
        "items_left": left["items"],
        "total_left_minor": left["total"],
    }


def _refused(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("take payouts out of a batch"), why=why)


def _decided(said: approvals.Decided) -> object:
    """With the approval the file is void, and the payouts that are left are in a new file."""
    number, _sep, _round = said.key.partition(":")
    subject = f"payout_lines:{said.key}"
    with transaction.atomic():
        batch = _removable(number)
        asked = approvals.standing(subject, stage=STAGE)
        if asked is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=STAGE,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if not said.approve:
            return audit.append(
                "payout_batch.keep_lines", batch.subject, actor=said.actor, reason=said.reason
            )
        following = _rebuild(batch, asked, actor=said.actor, reason=said.reason)
        return audit.append(
            "payout_batch.take_out_lines",
            batch.subject,
            actor=said.actor,
            reason=said.reason,
            payouts=asked.summary["payouts"],
            following=following.pk,
        )


def _rebuild(batch: PayoutBatch, asked: Approval, *, actor: Actor, reason: str) -> PayoutBatch:
    """The next version of the batch holds what is left. It has a number, a file and a digest of its
    own and waits for its own approvals; who asked for it made it.
    """
    now = _content(batch, asked.summary["payouts"])
    if now != asked.summary:
        raise PlanChanged(
            subject=asked.subject,
            approved=asked.digest[:12],
            now=approvals.digest_of(now)[:12],
        )
    left = list(_left(batch, asked.summary["payouts"]).values_list("pk", flat=True))
    done = transition_one(batch, "void", actor=actor, reason=reason)
    batch_ends.take_out(done, actor=actor, reason=reason)
    following = PayoutBatch.objects.create(
        bank_code=batch.bank_code,
        method=batch.method,
        value_date=batch.value_date,
        run=batch.run,
        terms=batch.terms,
        maker=asked.maker,
        replaces=batch,
        opened_at=clock.now(),
    )
    rows = Payout.objects.filter(pk__in=left)
    transition_set(rows, "check_payee", run=batch.run, reason=asked.reason)
    with (
        named("put_in_batch", actor=actor, run=batch.run, reason=asked.reason),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE refunds_payout SET state = %s, batch_id = %s WHERE id = ANY (%s)",
            [Payout.State.BATCHED, following.pk, left],
        )
    return payout_batches.seal(following, run=batch.run, reason=asked.reason)


approvals.DECIDERS.add("payout_lines", _decided)
