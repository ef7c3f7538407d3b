"""A customer leaves the service: what is in the wallet is not forfeited (rule 37)."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from refunds.applications import payees
from refunds.models import FraudClaim
from wallets.models import Wallet
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.machines.move import transition_one

PERMISSION = "refunds.work_application"


def leave(holder: User, *, actor: Actor, reason: str) -> Wallet:
    """The holder uses the service no more: nothing is charged to the wallet or spent from it. Its
    paid value is sealed with all others at the end, and is owed as a refund then, because the law
    allows no refund before.

    The sign-in stays, so that the holder can apply. Once the wallet is closed, a call changes
    nothing: what is owed stays owed. Anybody but the holder needs `refunds.work_application`.
    Raises `GuardNotMet` for somebody without a wallet, and while a theft is being looked at: its
    hold would have nothing to hold.
    """
    if payees.is_another(holder.pk, actor):
        require(actor, PERMISSION, action=f"let account {holder.pk} leave")
    action = says("leave the service")
    with transaction.atomic():
        wallet = Wallet.objects.select_for_update(no_key=True).filter(account=holder).first()
        if wallet is None:
            raise GuardNotMet(action=action, why=says("there is no wallet"))
        if wallet.state not in Wallet.IN_SERVICE:
            return wallet
        looked_at = FraudClaim.objects.filter(wallet=wallet, state__in=FraudClaim.OPEN)
        if wallet.state == Wallet.State.HELD or wallet.held_minor or looked_at.exists():
            raise GuardNotMet(action=action, why=says("a theft from the wallet is being looked at"))
        wallet = transition_one(wallet, "start_closing", actor=SYSTEM, reason=reason)
        audit.append(
            "wallet.leave",
            f"wallet:{wallet.pk}",
            actor=actor,
            reason=reason,
            paid_minor=wallet.paid_minor,
        )
        return wallet
