"""People are put on the list of those who are paid nothing, and taken off it by two."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from accounts.models import PersonAccount, User
from refunds.models import PaymentBlock, Payout, PayoutBatch, UnusualHit
from refunds.payouts import unusual_rules
from refunds.remedies import doubts
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval

PERMISSION = "refunds.block_payment"
CONFIRM, LIFT = "confirm_block", "lift_block"
CONFIRM_WITHIN = dt.timedelta(days=7)


def enter(
    holder: User, *, kind: str, evidence: str, ends_at: dt.datetime, actor: Actor, reason: str
) -> PaymentBlock:
    """The holder is paid nothing from now until `ends_at`. A second person is asked to confirm it.

    Raises `GuardNotMet` for a colleague, for an end that has passed, and for a block of the kind
    that is in force already.
    """
    require(actor, PERMISSION, action=f"block payments to account {holder.pk}")
    action = says("block payments")
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=holder.pk)
        at = clock.now()
        if locked.kind != User.Kind.CUSTOMER:
            raise GuardNotMet(action=action, why=says("it is no customer's account"))
        if ends_at <= at:
            raise GuardNotMet(action=action, why=says("the instant has passed"))
        if PaymentBlock.objects.in_force(at).filter(holder=locked, kind=kind).exists():
            raise GuardNotMet(action=action, why=says("a block of this kind is in force already"))
        block = PaymentBlock.objects.create(
            holder=locked,
            kind=kind,
            evidence=evidence,
            begins_at=at,
            ends_at=ends_at,
            entered_by_id=actor.pk,
        )
        approvals.ask(
            block.subject,
            stage=CONFIRM,
            content=_content(block),
            permission=PERMISSION,
            maker=actor,
            reason=reason,
            valid_for=CONFIRM_WITHIN,
        )
        audit.append("payment_block.enter", block.subject, actor=actor, reason=reason, kind=kind)
    return block


def ask_lift(block: PaymentBlock, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to end the block before its time. Until then it stays in force."""
    require(actor, PERMISSION, action=f"lift {block}")
    with transaction.atomic():
        locked = PaymentBlock.objects.select_for_update(no_key=True).get(pk=block.pk)
        if locked.lifted_at is not None:
            raise GuardNotMet(action=says("lift the payment block"), why=says("it is lifted"))
        subject = _of_lift(locked)
        content = _content(locked)
        approvals.refuse_repeated(subject, stage=LIFT, content=content, maker=actor, reason=reason)
        request = approvals.ask(
            subject,
            stage=LIFT,
            content=content,
            permission=PERMISSION,
            maker=actor,
            reason=reason,
        )
        audit.append("payment_block.ask_lift", locked.subject, actor=actor, reason=reason)
    return request


def _of_lift(block: PaymentBlock) -> str:
    return approvals.next_subject(f"{block.subject}:lift")


def _content(block: PaymentBlock) -> dict[str, object]:
    return {
        "holder": block.holder_id,
        "kind": block.kind,
        "evidence": block.evidence,
        "ends_at": block.ends_at.isoformat(),
    }


def _decided(said: approvals.Decided) -> object:
    """A confirmed block stays, and a rejected one ends. A lift that is approved ends the block."""
    number, _sep, _lift = said.key.partition(":")
    with transaction.atomic():
        block = PaymentBlock.objects.select_for_update(no_key=True).filter(pk=number).first()
        subject = f"payment_block:{said.key}"
        if block is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=said.stage,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        ends = said.approve == (said.stage == LIFT)
        if ends and block.lifted_at is None:
            PaymentBlock.objects.filter(pk=block.pk).update(
                lifted_at=clock.now(), lifted_by_id=said.actor.pk
            )
        verdict = "approve" if said.approve else "reject"
        return audit.append(
            f"payment_block.{verdict}_{'lift' if said.stage == LIFT else 'entry'}",
            block.subject,
            actor=said.actor,
            reason=said.reason,
        )


def nobody_pays(holder: str) -> Q:
    """Returns the condition that the holder is on the list now, with this account or another one of
    the same person.
    """
    blocked = PaymentBlock.objects.in_force(clock.now()).values("holder")
    accounts = PersonAccount.objects.filter(current=True)
    persons = accounts.filter(user__in=blocked).values("person")
    same = accounts.filter(person__in=persons).values("user")
    return Q(**{f"{holder}__in": blocked}) | Q(**{f"{holder}__in": same})


def refuse_blocked(batch: PayoutBatch) -> None:
    """Nobody in the batch is on the list now, with any account, and no rule that is enforced finds an
    application of it unusual. Raises `GuardNotMet` with the number of payouts.
    """
    found = Payout.objects.filter(nobody_pays("holder"), batch=batch).count()
    if found:
        raise GuardNotMet(
            action=says("release the file"),
            why=says(
                "{n} of its payouts are to people who may be paid nothing now: void the batch",
                n=found,
            ),
        )

    hits = UnusualHit.objects.filter(
        application__live=True, cleared_at=None, rule__in=unusual_rules.enforced()
    )
    doubtful = Payout.objects.filter(batch=batch, remedy__loss__in=doubts.lost_in_doubt()).count()
    if doubtful:
        raise GuardNotMet(
            action=says("release the file"),
            why=says(
                "{n} of its payouts wait until two people decide what a card issuer did: settle the"
                " doubts, or void the batch",
                n=doubtful,
            ),
        )
    unusual = Payout.objects.filter(
        batch=batch, entitlement__in=hits.values("application__entitlement")
    ).count()
    if unusual:
        raise GuardNotMet(
            action=says("release the file"),
            why=says(
                "{n} of its payouts are of unusual applications: clear these, or void the batch",
                n=unusual,
            ),
        )


approvals.DECIDERS.add("payment_block", _decided)
