"""The breaks that the bank's answers left: each has an owner, and two people clear it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from refunds.models import (
    Entitlement,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
    Remedy,
    ReplacedResult,
)
from refunds.payouts.methods import vouchers
from refunds.remedies import slots
from wallets.models import LedgerAccount, Wallet
from wallets.movements import posting
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import named, transition_one, transition_set
from winddown.models import Approval

PERMISSION = "refunds.reconcile"
CLEAR, CLEAR_ALL = "clear_break", "clear_breaks"
ALL_MAX = 10_000
_Kind = ReconciliationBreak.Kind


def take(found: ReconciliationBreak, *, actor: Actor, reason: str) -> ReconciliationBreak:
    """The person sees to the break from now on. Taking it a second time changes nothing."""
    require(actor, PERMISSION, action=f"take {found.subject}")
    with transaction.atomic():
        locked = _open(found)
        if locked.owner_id != actor.pk:
            ReconciliationBreak.objects.filter(pk=locked.pk).update(owner_id=actor.pk)
            audit.append("break.take", locked.subject, actor=actor, reason=reason)
        locked.owner_id = actor.pk
        return locked


def ask_clear(
    found: ReconciliationBreak, *, explanation: str, actor: Actor, reason: str
) -> Approval:
    """A second person is asked to agree to what the line was. Until then the break is open.

    Of a transfer that was paid after all, the agreement stops the second payment (see `_settle`).
    """
    require(actor, PERMISSION, action=f"clear {found.subject}")
    with transaction.atomic():
        locked = _open(found)
        subject = approvals.next_subject(locked.subject)
        content = _content(locked, explanation)
        approvals.refuse_repeated(subject, stage=CLEAR, content=content, maker=actor, reason=reason)
        _refuse_before_void(locked)
        request = approvals.ask(
            subject, stage=CLEAR, content=content, permission=PERMISSION, maker=actor, reason=reason
        )
        audit.append("break.ask_clear", locked.subject, actor=actor, reason=reason)
    return request


def _open(found: ReconciliationBreak) -> ReconciliationBreak:
    locked = ReconciliationBreak.objects.select_for_update(no_key=True).get(pk=found.pk)
    if locked.state != ReconciliationBreak.State.OPEN:
        raise NothingToDecide(subject=locked.subject)
    return locked


def _content(found: ReconciliationBreak, explanation: str) -> dict[str, object]:
    return {
        "break": found.pk,
        "kind": found.kind,
        "payout": found.payout_id,
        "amount_minor": found.amount_minor,
        "answer": found.answer,
        "explanation": explanation,
    }


def _decided(said: approvals.Decided) -> object:
    """The second person agreed, and the break is cleared; or did not, and it stays open."""
    number, _sep, _round = said.key.partition(":")
    subject = f"break:{said.key}"
    with transaction.atomic():
        # No answer is booked meanwhile.
        locks.take(Lock.BANK_ANSWER)
        found = ReconciliationBreak.objects.filter(pk=number).first()
        asked = approvals.standing(subject, stage=CLEAR)
        if found is None or asked is None:
            raise NothingToDecide(subject=subject)
        found = _open(found)
        approvals.decide(
            subject,
            stage=CLEAR,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            _settle_after_all(found, actor=said.actor, reason=said.reason)
            transition_one(
                found,
                "resolve",
                actor=said.actor,
                reason=said.reason,
                resolution=asked.summary["explanation"],
                resolved_at=clock.now(),
            )
        return audit.append(
            "break.clear" if said.approve else "break.keep_open",
            found.subject,
            actor=said.actor,
            reason=said.reason,
            kind=found.kind,
        )


approvals.DECIDERS.add("break", _decided)


# --- many at once ---------------------------------------------------------------------------------


def ask_clear_all(kind: str, *, explanation: str, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree to what all open breaks of the kind were. Until then they
    are open, and later ones of the kind are not among them.

    Raises `GuardNotMet` when none is open, when there are too many for one request, and for
    transfers that were paid after all: each of them stops a payment of its own.
    """
    require(actor, PERMISSION, action=f"clear breaks: {kind}")
    if kind == _Kind.PAID_AFTER_ALL:
        raise _not_all(says("each of them stops a payment: clear them one by one"))
    with transaction.atomic():
        found = _open_of(kind)
        if not found:
            raise _not_all(says("no break of this kind is open"))
        if len(found) > ALL_MAX:
            raise _not_all(says("there are more than {n}", n=ALL_MAX))
        content = _content_of_all(found) | {"kind": kind, "explanation": explanation}
        stem = f"breaks:{approvals.digest_of(content['breaks'])[:12]}"
        subject = approvals.next_subject(stem)
        approvals.refuse_repeated(
            subject, stage=CLEAR_ALL, content=content, maker=actor, reason=reason
        )
        request = approvals.ask(
            subject,
            stage=CLEAR_ALL,
            content=content,
            permission=PERMISSION,
            maker=actor,
            reason=reason,
        )
        audit.append("breaks.ask_clear", subject, actor=actor, reason=reason, rows=len(found))
    return request


def _not_all(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("clear breaks together"), why=why)


def _open_of(kind: str) -> list[ReconciliationBreak]:
    rows = ReconciliationBreak.objects.select_for_update(no_key=True).order_by("pk")
    return list(rows.filter(kind=kind, state=ReconciliationBreak.State.OPEN)[: ALL_MAX + 1])


def _content_of_all(found: Sequence[ReconciliationBreak]) -> dict[str, Any]:
    return {
        "breaks": [each.pk for each in found],
        "sum_minor": sum(each.amount_minor for each in found),
    }


def _all_decided(said: approvals.Decided) -> object:
    """The second person agreed, and all of them are cleared; or did not, and they stay open.

    Raises `NothingToDecide` when one of them was cleared meanwhile: the rest is asked for anew.
    """
    subject = f"breaks:{said.key}"
    with transaction.atomic():
        asked = approvals.standing(subject, stage=CLEAR_ALL)
        if asked is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=CLEAR_ALL,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        numbers = asked.summary["breaks"]
        if said.approve:
            rows = ReconciliationBreak.objects.filter(
                pk__in=numbers, state=ReconciliationBreak.State.OPEN
            )
            if len(rows.select_for_update(no_key=True)) != len(numbers):
                raise NothingToDecide(subject=subject)
            with (
                named("resolve", actor=said.actor, reason=said.reason),
                connection.cursor() as cursor,
            ):
                cursor.execute(
                    "UPDATE refunds_reconciliationbreak SET state = %s, resolution = %s,"
                    " resolved_at = %s WHERE id = ANY (%s)",
                    [
                        ReconciliationBreak.State.RESOLVED,
                        asked.summary["explanation"],
                        clock.now(),
                        numbers,
                    ],
                )
        return audit.append(
            "breaks.clear" if said.approve else "breaks.keep_open",
            subject,
            actor=said.actor,
            reason=said.reason,
            rows=len(numbers),
        )


approvals.DECIDERS.add("breaks", _all_decided)


# --- a return that was none -----------------------------------------------------------------------


def _second(found: ReconciliationBreak) -> Payout | None:
    """Returns the payout that was made because the first one seemed to have come back."""
    first = found.payout
    if found.kind != _Kind.PAID_AFTER_ALL or first is None:
        return None
    same = (
        Payout.objects.filter(remedy_id=first.remedy_id)
        if first.remedy_id is not None
        else Payout.objects.filter(entitlement_id=first.entitlement_id or 0)
    )
    return same.filter(live=True).first()


def _refuse_before_void(found: ReconciliationBreak) -> None:
    """Raises `GuardNotMet` while the second payment is in a file that the bank does not have."""
    second = _second(found)
    if second is None or second.batch is None or second.batch.state not in PayoutBatch.VOIDABLE:
        return
    raise GuardNotMet(
        action=says("clear the break"),
        why=says(
            "payout {number} pays it a second time in batch {batch}, which the bank does not have"
            " yet: void the batch first",
            number=second.pk,
            batch=second.batch_id,
        ),
    )


def _settle_after_all(found: ReconciliationBreak, *, actor: Actor, reason: str) -> None:
    """The first payout arrived, and a second one that nobody sent is cancelled. A second one that
    was sent stays: its money is gone, and the explanation says who gets it back.
    """
    _refuse_before_void(found)
    first, second = found.payout, _second(found)
    if found.kind != _Kind.PAID_AFTER_ALL or first is None or not _is_owed_again(first):
        return
    if second is not None and second.state not in Payout.OUTSIDE_BATCHES:
        return
    source = (
        LedgerAccount.FRAUD_SUSPENSE
        if first.remedy_id is not None
        else LedgerAccount.REFUNDS_PAYABLE
    )
    if second is not None:
        transition_one(second, "cancel", actor=actor, reason=reason, live=False)
        source = LedgerAccount.PAYOUTS_IN_FLIGHT
    if first.result_file_id is None or first.result_at is None:
        raise AssertionError("a returned payout has its result")
    ReplacedResult.objects.create(
        payout=first,
        file_id=first.result_file_id,
        state=first.state,
        return_reason=first.return_reason,
        result_at=first.result_at,
        by_id=found.file_id,
    )
    transition_one(
        first,
        "settle",
        actor=actor,
        reason=reason,
        live=True,
        return_reason="",
        result_file_id=found.file_id,
        result_at=clock.now(),
    )
    vouchers.follow([first.pk], actor=actor, reason=reason)
    if first.entitlement is not None:
        _refund_is_paid(first.entitlement, actor=actor, reason=reason)
    else:
        slots.finish([first.remedy_id or 0], at=clock.now(), actor=actor, reason=reason)
    posting.post(
        [(source, None, -first.amount_minor), (LedgerAccount.BANK, None, first.amount_minor)],
        source="break",
        source_id=found.pk,
        kind="refund_settle" if first.entitlement is not None else "remedy_settle",
        occurred_at=clock.now(),
        actor=actor,
    )


def _is_owed_again(first: Payout) -> bool:
    """The transfer counts as returned, and what it paid is owed, or on its way once more."""
    if first.state != Payout.State.RETURNED:
        return False
    if first.entitlement is not None:
        return first.entitlement.state in (
            *Entitlement.AFTER_A_RETURN,
            Entitlement.State.PAYING,
        )
    return first.remedy is not None and first.remedy.state == Remedy.State.ASKED


def _refund_is_paid(owed: Entitlement, *, actor: Actor, reason: str) -> None:
    transition_one(owed, "settle", actor=actor, reason=reason)
    unpaid = Entitlement.objects.exclude(state=Entitlement.State.PAID)
    wallets = Wallet.objects.filter(pk=owed.wallet_id).exclude(entitlements__in=unpaid)
    for name in ("settle", "settle_late"):
        transition_set(wallets, name, run=None, actor=actor, reason=reason)
    applications = RefundApplication.objects.filter(entitlement=owed, live=True)
    for application in applications.exclude(state=RefundApplication.State.DRAFT):
        transition_one(application, "close", actor=actor, reason=reason, live=False)


# --- the gate -------------------------------------------------------------------------------------


def open_breaks() -> int:
    """Returns how many breaks wait for two people."""
    return ReconciliationBreak.objects.filter(state=ReconciliationBreak.State.OPEN).count()


def refuse_open(action: str) -> None:
    """No break is open. Raises `GuardNotMet` with their number."""
    if found := open_breaks():
        raise GuardNotMet(
            action=action,
            why=says(
                "{n} lines of the bank's answers are not cleared yet: open /console/breaks/",
                n=found,
            ),
        )
