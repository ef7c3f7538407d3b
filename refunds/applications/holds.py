"""Entitlements are held, and released by two people."""

from __future__ import annotations

from django.db import transaction

from refunds.applications.submitting import State
from refunds.claims import thieves
from refunds.models import Entitlement, EntitlementTransition, RefundApplication
from wallets.models import Wallet
from winddown.actors import SYSTEM, Actor, require
from winddown.authority.approvals import SignedList
from winddown.errors import NothingToDecide, says
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_one
from winddown.models import Approval


def hold(entitlement: Entitlement, *, actor: Actor, reason: str) -> Entitlement:
    """Nothing is paid on this entitlement until two people release it."""
    with transaction.atomic():
        done = transition_one(entitlement, "hold", actor=actor, reason=reason)
        audit.append("entitlement.hold", f"entitlement:{done.pk}", actor=actor, reason=reason)
        return done


def ask_release(entitlement: Entitlement, *, actor: Actor, reason: str) -> Approval:
    """A second supervisor is asked to release a held entitlement. Raises `NothingToDecide` for one
    that is not held.
    """
    require(actor, "wallets.release_wallet", action=f"release entitlement {entitlement.pk}")
    with transaction.atomic():
        locked = Entitlement.objects.select_for_update(no_key=True).get(pk=entitlement.pk)
        if locked.state != Entitlement.State.HELD:
            raise NothingToDecide(subject=f"entitlement:{entitlement.pk}")
        _refuse_thief(locked)
        request = _release_of(entitlement).ask(maker=actor, reason=reason)
        audit.append(
            "entitlement.ask_release",
            f"entitlement:{entitlement.pk}",
            actor=actor,
            reason=reason,
        )
        return request


def release(entitlement: Entitlement, *, actor: Actor, digest: str, reason: str) -> Entitlement:
    """A second supervisor agreed: the holder may apply, and an application already made goes on."""
    with transaction.atomic():
        _refuse_thief(entitlement)
        _release_of(entitlement).decide(actor=actor, digest=digest, reason=reason)
        done = transition_one(entitlement, "release", actor=actor, reason=reason)
        wallet = done.wallet
        if wallet.state == Wallet.State.HELD_ENTITLED:
            transition_one(wallet, "release_entitled", actor=actor, reason=reason)
        live = RefundApplication.objects.filter(entitlement=done, live=True)
        application = live.exclude(state=State.DRAFT).first()
        # A late claim moves the entitlement only from its approval on.
        if application is not None and not (application.late and application.decided_at is None):
            move_rows(Entitlement, "apply", [done.pk], actor=actor, reason=reason)
            if application.state == State.APPROVED:
                move_rows(Entitlement, "approve", [done.pk], actor=SYSTEM, reason=reason)
        audit.append("entitlement.release", f"entitlement:{done.pk}", actor=actor, reason=reason)
        return Entitlement.objects.get(pk=done.pk)


def keep(entitlement: Entitlement, *, actor: Actor, digest: str, reason: str) -> Entitlement:
    """A second supervisor did not agree: it stays held, and its release may be asked for again."""
    with transaction.atomic():
        _release_of(entitlement).decide(actor=actor, digest=digest, reason=reason, approve=False)
        audit.append(
            "entitlement.keep", f"entitlement:{entitlement.pk}", actor=actor, reason=reason
        )
        return entitlement


def _refuse_thief(entitlement: Entitlement) -> None:
    thieves.refuse_release([entitlement.wallet_id], action=says("release the refund"))


def _release_of(entitlement: Entitlement) -> SignedList:
    """Returns the subject of this hold. Each hold has its own, so an entitlement that is held again
    needs two people again.
    """
    holds = EntitlementTransition.objects.filter(
        subject_id=entitlement.pk, transition="hold"
    ).count()
    return SignedList(
        subject=f"entitlement:{entitlement.pk}:hold:{holds}",
        stage="release",
        permission="wallets.release_wallet",
        content=lambda: {"entitlement": entitlement.pk, "amount_minor": entitlement.amount_minor},
    )
