"""Where a wallet stands once all of its refunds have ended: one rule for every way to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

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
_AT_ONCE = 20_000
ORDER = (_State.PAID, _State.TRANSFERRED, _State.DEPOSITED, _State.EXCLUDED)


def follow(wallets: Iterable[int], *, actor: Actor, reason: str) -> None:
    """Each of the wallets whose refunds have all ended is in the state of the last of these ends.
    Must run inside the caller's transaction. Memory does not grow with the wallets.
    """
    for some in _batched(wallets, _AT_ONCE):
        _follow(some, actor=actor, reason=reason)


def _follow(wallets: Sequence[int], *, actor: Actor, reason: str) -> None:
    with connection.cursor() as cursor:
        # The ends are read first: beside the update, the planner believes what the statistics said
        # before the refunds of this transaction ended, and compares each wallet with all refunds.
        cursor.execute(
            "SELECT x.wallet_id, max(array_position(%(order)s, x.state::text))"
            " FROM refunds_entitlement x WHERE x.wallet_id = ANY (%(wallets)s)"
            " GROUP BY 1 HAVING bool_and(x.state = ANY (%(order)s))",
            {"order": [str(each) for each in ORDER], "wallets": list(wallets)},
        )
        ended: dict[str, list[int]] = {}
        for wallet, last in cursor.fetchall():
            ended.setdefault(ORDER[last - 1], []).append(wallet)
    for name, source, target, by in _ENDS:
        if by not in ended:
            continue
        with named(name, actor=actor, reason=reason), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE wallets_wallet SET state = %s WHERE id = ANY (%s) AND state = %s",
                [target, ended[by], source],
            )


def _batched(items: Iterable[int], size: int) -> Iterator[list[int]]:
    """Yields the items in lists of at most so many."""
    source = iter(items)
    while some := list(islice(source, size)):
        yield some
