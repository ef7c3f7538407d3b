"""How a holder is paid instead, when the money did not arrive: chosen by the holder, or by rule."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from refunds.applications import payees, review, submitting
from refunds.models import Payout, RefundApplication, Voucher
from refunds.payouts import methods, transfer_results
from refunds.payouts.methods import postal_addresses
from refunds.payouts.methods.postal_addresses import PostalAddress
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit

State = RefundApplication.State


def choose(
    application: RefundApplication,
    *,
    method: str,
    fallback_consent: bool,
    address: PostalAddress | None = None,
    actor: Actor,
    reason: str = "",
) -> RefundApplication:
    """The holder is paid by another method, or once more by the same one: a new voucher in place of
    an expired one. The application is judged again as after a corrected account.

    For an application whose money did not arrive. Anybody but the holder needs
    `refunds.work_application`. Raises `GuardNotMet` for another application and for a bank account,
    which is entered, and `MethodRefused` for a method that cannot carry the amount.
    """
    if payees.is_another(application.applicant_id, actor):
        require(actor, "refunds.work_application", action=f"act for application {application.pk}")
    action = says("pay by another method")
    with transaction.atomic():
        locked = (
            RefundApplication.objects.select_for_update(no_key=True, of=("self",))
            .select_related("entitlement")
            .get(pk=application.pk)
        )
        if locked.state != State.NEEDS_INFO or locked.asked_for not in RefundApplication.NOT_PAID:
            raise GuardNotMet(action=action, why=says("the money is not waiting for another way"))
        if method == methods.BANK:
            raise GuardNotMet(action=action, why=says("another bank account is missing"))
        given = address or postal_addresses.of(locked)
        refusal = submitting.refused_method(method, locked.entitlement.amount_minor, given)
        if refusal is not None:
            raise refusal
        if method != locked.method:
            payees.tell_of_change([locked.applicant_id])
        locked.method, locked.fallback_consent = method, fallback_consent
        if address is not None:
            locked.address_sealed = postal_addresses.sealed(
                address, locked.pk, applicant_id=locked.applicant_id
            )
        locked.save(update_fields=["method", "fallback_consent", "address_sealed"])
        review.go_on([locked], at=clock.now(), actor=actor)
        audit.append(
            "application.choose_method", locked.subject, actor=actor, reason=reason, method=method
        )
        return RefundApplication.objects.get(pk=locked.pk)


@transfer_results.AFTER_RETURNS.entry("lost vouchers")
def replace_lost(entitlements: Sequence[int], reason: str) -> int:
    """Who lost a code or an order gets another one of the same kind, now that its provider cancelled
    it. Returns how many. Must run inside the caller's transaction.
    """
    lost = Voucher.objects.filter(
        payout__entitlement__in=entitlements,
        payout__state__in=Payout.CAME_BACK,
        lost_at__isnull=False,
        state=Voucher.State.EXPIRED,
    )
    waiting = list(
        RefundApplication.objects.select_for_update(no_key=True, of=("self",))
        .filter(
            entitlement__in=lost.values("payout__entitlement"),
            live=True,
            state=State.NEEDS_INFO,
            asked_for=RefundApplication.VOUCHER,
        )
        .order_by("pk")
    )
    review.go_on(waiting, at=clock.now(), actor=SYSTEM)
    for each in waiting:
        audit.append("application.replace_lost", each.subject, actor=SYSTEM, reason=reason)
    return len(waiting)


@transfer_results.AFTER_RETURNS.entry("fallback", place=1)
def fall_back(entitlements: Sequence[int], reason: str) -> int:
    """The holders of returned payouts who agreed to it are paid by the next method that carries the
    amount; the others are asked. Returns how many. Must run inside the caller's transaction.
    """
    waiting = list(
        RefundApplication.objects.select_for_update(no_key=True, of=("self",))
        .select_related("entitlement")
        .filter(
            entitlement__in=entitlements,
            live=True,
            state=State.NEEDS_INFO,
            asked_for__in=RefundApplication.NOT_PAID,
            fallback_consent=True,
        )
        .order_by("pk")
    )
    moved: dict[str, list[RefundApplication]] = {}
    for each in waiting:
        following = methods.next_after(
            each.method,
            each.entitlement.amount_minor,
            has_address=each.address_sealed is not None,
        )
        if following is not None:
            moved.setdefault(following, []).append(each)
    for method, some in moved.items():
        RefundApplication.objects.filter(pk__in=[each.pk for each in some]).update(method=method)
        review.go_on(some, at=clock.now(), actor=SYSTEM)
        for each in some:
            audit.append(
                "application.fall_back", each.subject, actor=SYSTEM, reason=reason, method=method
            )
    return sum(len(some) for some in moved.values())
