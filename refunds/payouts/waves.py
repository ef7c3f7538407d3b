"""Payout waves are planned and withdrawn by two people; each person sees which wave pays him."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from refunds.models import Entitlement, Payout, PayoutWave, RefundApplication
from refunds.payouts import payable, payout_batches
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval, Programme

ASKS, DECIDES = "refunds.make_payout_batch", "refunds.approve_payout_batch"
PLAN, WITHDRAW = "plan_wave", "withdraw_wave"


@dataclass(frozen=True, slots=True)
class Standing:
    """Which wave pays an entitlement, and what is still missing for it.

    `wave` is None if no wave that is planned takes it. `missing` has codes of `payable.REASONS`, the
    first one first. `under_way` means that a payout is made: nothing is missing any more.
    """

    wave: PayoutWave | None
    missing: tuple[str, ...]
    under_way: bool = False


def ask(
    *,
    record_on: dt.date,
    cut_off_on: dt.date,
    pay_on: dt.date,
    payees_close_days: int,
    actor: Actor,
    reason: str,
) -> Approval:
    """A second person is asked to agree to the wave. It exists from then on.

    Raises `GuardNotMet` for days that are not in order, that have passed, on which the bank does not
    pay, and for a day that another wave pays on.
    """
    require(actor, ASKS, action="plan a payout wave")
    content = {
        "record_on": record_on.isoformat(),
        "cut_off_on": cut_off_on.isoformat(),
        "pay_on": pay_on.isoformat(),
        "payees_close_days": payees_close_days,
    }
    _refuse_days(content)
    with transaction.atomic():
        subject = approvals.next_subject("payout_wave:new")
        return _asked(subject, PLAN, content, actor=actor, reason=reason)


def ask_withdrawal(wave: PayoutWave, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the wave does not pay. Until then it stands."""
    require(actor, ASKS, action=f"withdraw {wave}")
    with transaction.atomic():
        locked = PayoutWave.objects.select_for_update(no_key=True).get(pk=wave.pk)
        if locked.withdrawal_id is not None:
            raise GuardNotMet(action=says("withdraw the payout wave"), why=says("it is withdrawn"))
        subject = approvals.next_subject(locked.subject)
        return _asked(subject, WITHDRAW, _content(locked), actor=actor, reason=reason)


def _asked(
    subject: str, stage: str, content: dict[str, Any], *, actor: Actor, reason: str
) -> Approval:
    approvals.refuse_repeated(subject, stage=stage, content=content, maker=actor, reason=reason)
    request = approvals.ask(
        subject, stage=stage, content=content, permission=DECIDES, maker=actor, reason=reason
    )
    audit.append(f"payout_wave.ask_{stage}", subject, actor=actor, reason=reason, **content)
    return request


def _content(wave: PayoutWave) -> dict[str, Any]:
    return {
        "record_on": wave.record_on.isoformat(),
        "cut_off_on": wave.cut_off_on.isoformat(),
        "pay_on": wave.pay_on.isoformat(),
        "payees_close_days": wave.payees_close_days,
    }


def _refuse_days(content: dict[str, Any]) -> None:
    record_on, cut_off_on, pay_on = (
        dt.date.fromisoformat(content[name]) for name in ("record_on", "cut_off_on", "pay_on")
    )
    action = says("plan a payout wave")
    if not record_on <= cut_off_on < pay_on:
        raise GuardNotMet(
            action=action,
            why=says("the record date comes first, then the cut-off, and then the day of payment"),
        )
    if cut_off_on < payout_batches.today():
        raise GuardNotMet(action=action, why=says("its cut-off has passed"))
    payout_batches.check_value_date(pay_on)
    if PayoutWave.objects.filter(withdrawal=None, pay_on=pay_on).exists():
        raise GuardNotMet(action=action, why=says("another wave pays on that day"))


def _decided(said: approvals.Decided) -> object:
    """An approval plans the wave, or withdraws it."""
    subject = f"payout_wave:{said.key}"
    with transaction.atomic():
        asked = approvals.standing(subject, stage=said.stage)
        if asked is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=said.stage,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            subject = _carry_out(said.stage, said.key, asked)
        verdict = "approve" if said.approve else "reject"
        return audit.append(
            f"payout_wave.{verdict}_{said.stage}", subject, actor=said.actor, reason=said.reason
        )


def _carry_out(stage: str, key: str, asked: Approval) -> str:
    """Returns the subject of the wave."""
    if stage == PLAN:
        _refuse_days(asked.summary)
        days = {name: dt.date.fromisoformat(asked.summary[name]) for name in _DAYS}
        close = asked.summary["payees_close_days"]
        return PayoutWave.objects.create(**days, payees_close_days=close, approval=asked).subject
    wave = PayoutWave.objects.select_for_update(no_key=True).get(pk=key.partition(":")[0])
    if wave.withdrawal_id is not None:
        raise NothingToDecide(subject=wave.subject)
    PayoutWave.objects.filter(pk=wave.pk).update(withdrawal=asked)
    return wave.subject


_DAYS = ("record_on", "cut_off_on", "pay_on")
approvals.DECIDERS.add("payout_wave", _decided)


# --- who is in which wave -------------------------------------------------------------------------


def for_entitlement(entitlement: Entitlement) -> Standing:
    """Returns which wave pays the entitlement as things are now, and what is missing for it."""
    at = clock.now()
    sent = Payout.objects.filter(entitlement=entitlement, live=True).select_related("batch").first()
    if sent is not None:
        waves = PayoutWave.objects.filter(withdrawal=None)
        wave = waves.filter(pay_on=sent.batch.value_date).first() if sent.batch else None
        return Standing(wave=wave, missing=(), under_way=True)
    missing = payable.missing_for(entitlement.pk, at)
    application = (
        RefundApplication.objects.filter(entitlement=entitlement, live=True)
        .exclude(submitted_at=None)
        .first()
    )
    ready = application.decided_at if application and not missing else None
    return Standing(
        wave=_first(
            applied_on=_day((application.submitted_at if application else None) or at),
            ready_on=_day(ready or at),
        ),
        missing=missing,
    )


def _first(*, applied_on: dt.date, ready_on: dt.date) -> PayoutWave | None:
    """Returns the first wave ahead that takes who applied and was ready on these days."""
    ahead = PayoutWave.objects.ahead(payout_batches.today())
    return ahead.filter(record_on__gte=applied_on, cut_off_on__gte=ready_on).first()


def _day(at: dt.datetime) -> dt.date:
    return at.astimezone(Programme.current().zone).date()


# --- what a run pays ------------------------------------------------------------------------------


def of_value_date(value_date: dt.date) -> PayoutWave | None:
    """Returns the wave that pays on the day. None while no wave is ahead: then any day will do.

    Raises `GuardNotMet` with the next wave if waves are ahead and none of them pays on the day.
    """
    ahead = PayoutWave.objects.ahead(payout_batches.today())
    found = ahead.filter(pay_on=value_date).first()
    if found is None and (following := ahead.first()) is not None:
        raise GuardNotMet(
            action=says("pay"),
            why=says(
                "no payout wave pays on that day; the next one pays on {day}",
                day=following.pay_on.isoformat(),
            ),
        )
    return found


def bounds(wave: PayoutWave) -> tuple[dt.datetime, dt.datetime]:
    """Returns the instants until which people apply and lack nothing, both exclusive."""
    zone = Programme.current().zone
    record, cut_off = (
        dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
        for day in (wave.record_on, wave.cut_off_on)
    )
    return record, cut_off


def closed_holders(holders: Collection[int]) -> tuple[PayoutWave, set[int]] | None:
    """Returns the wave before which accounts cannot be changed now, and those of the holders whom it
    is about to pay. None if no wave closes them now.
    """
    today = payout_batches.today()
    wave = PayoutWave.objects.ahead(today).first()
    if wave is None or today < wave.payees_close_on:
        return None
    paid = Entitlement.objects.filter(
        wallet__account_id__in=holders, state__in=Entitlement.PAYABLE
    ).values_list("wallet__account_id", flat=True)
    return wave, set(paid)
