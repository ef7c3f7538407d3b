"""What becomes of an entitlement whose application ends unpaid."""

from __future__ import annotations

from refunds.models import Entitlement, Payout, RefundApplication
from wallets.models import LedgerAccount, Wallet
from wallets.movements import posting
from winddown import clock
from winddown.actors import SYSTEM, Actor
from winddown.errors import GuardNotMet, says
from winddown.machines.move import transition_one, transition_set

State = Entitlement.State
# How the entitlement goes back to those that may be applied for.
_BACK = {State.APPLIED: "unapply", State.RETURNED: "unapply", State.APPROVED: "withdraw"}


def leave(application: RefundApplication, *, actor: Actor, reason: str) -> None:
    """The entitlement of an ended application may be applied for again; that of a late claim which
    was approved is excluded again.

    A payout that waits outside every batch is taken back first, so that its amount is owed. An
    entitlement that was never moved by the application, or is held, stays where it is. Raises
    `GuardNotMet` while a payout is under way. Must run inside the caller's transaction.
    """
    owed = Entitlement.objects.select_for_update(no_key=True).get(pk=application.entitlement_id)
    if owed.state == State.PAYING:
        owed = _take_back(owed, reason=reason)
    elif owed.state == State.PAID:
        raise GuardNotMet(action=says("end the application"), why=says("it was paid"))
    if application.late and owed.state in (State.LATE_APPROVED, *_BACK):
        transition_one(owed, "exclude_again", actor=SYSTEM, reason=reason)
        # The wallet was settled before the bank sent the money back.
        wallets = Wallet.objects.filter(pk=owed.wallet_id)
        transition_set(wallets, "exclude", run=None, reason=reason)
        posting.post(
            [
                (LedgerAccount.REFUNDS_PAYABLE, None, -owed.amount_minor),
                (LedgerAccount.UNCLAIMED, None, owed.amount_minor),
            ],
            source="application",
            source_id=application.pk,
            kind="refund_exclude",
            occurred_at=clock.now(),
            actor=actor,
        )
    elif owed.state in _BACK:
        transition_one(owed, _BACK[State(owed.state)], actor=actor, reason=reason)


def _take_back(owed: Entitlement, *, reason: str) -> Entitlement:
    """The payout in no batch will not be paid, and its amount is owed again."""
    waiting = (
        Payout.objects.select_for_update(no_key=True)
        .filter(entitlement=owed, live=True, state=Payout.State.READY)
        .first()
    )
    if waiting is None:
        raise GuardNotMet(action=says("end the application"), why=says("a payout is under way"))
    transition_one(waiting, "cancel", actor=SYSTEM, reason=reason, live=False)
    posting.post(
        [
            (LedgerAccount.PAYOUTS_IN_FLIGHT, None, -owed.amount_minor),
            (LedgerAccount.REFUNDS_PAYABLE, None, owed.amount_minor),
        ],
        source="payout",
        source_id=waiting.pk,
        kind="refund_take_back",
        occurred_at=clock.now(),
        actor=SYSTEM,
    )
    return transition_one(owed, "take_back", actor=SYSTEM, reason=reason)
