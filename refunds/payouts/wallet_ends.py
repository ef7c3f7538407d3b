"""Where a wallet stands once all of its refunds have ended: one rule for every way to end."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from refunds.models import Entitlement
from wallets.models import Wallet
from winddown.actors import Actor
from winddown.machines.move import named

_State = Entitlement.State
# Of several ends the later in this order is the wallet's: paid, taken over, deposited, excluded.
_ENDS: tuple[tuple[str, str, str, str], ...] = (
    ("settle", Wallet.State.ENTITLED, Wallet.State.SETTLED, _State.PAID),
    ("settle_late", Wallet.State.EXCLUDED, Wallet.State.SETTLED, _State.PAID),
    ("transfer", Wallet.State.ENTITLED, Wallet.State.TRANSFERRED, _State.TRANSFERRED),
    ("transfer", Wallet.State.EXCLUDED, Wallet.State.TRANSFERRED, _State.TRANSFERRED),
    ("deposit", Wallet.State.ENTITLED, Wallet.State.DEPOSITED, _State.DEPOSITED),
    ("deposit", Wallet.State.EXCLUDED, Wallet.State.DEPOSITED, _State.DEPOSITED),
    ("exclude", Wallet.State.ENTITLED, Wallet.State.EXCLUDED, _State.EXCLUDED),
)
ORDER = (_State.PAID, _State.TRANSFERRED, _State.DEPOSITED, _State.EXCLUDED)


def follow(wallets: Sequence[int], *, actor: Actor, reason: str) -> None:
    """Each of the wallets whose refunds have all ended is in the state of the last of these ends.
    Must run inside the caller's transaction.
    """
    for name, source, target, by in _ENDS:
        allowed = list(ORDER[: ORDER.index(by) + 1])
        with named(name, actor=actor, reason=reason), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE wallets_wallet w SET state = %s WHERE w.id = ANY (%s) AND w.state = %s"
                " AND EXISTS (SELECT FROM refunds_entitlement x"
                " WHERE x.wallet_id = w.id AND x.state = %s)"
                " AND NOT EXISTS (SELECT FROM refunds_entitlement x"
                " WHERE x.wallet_id = w.id AND x.state <> ALL (%s))",
                [target, list(wallets), source, by, allowed],
            )
