"""Value comes into a wallet."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from wallets.models import FundingCard, LedgerAccount, TopUp, Wallet
from wallets.models.ledger import funding_account
from wallets.movements import posting
from wallets.movements.posting import FIRST_MAY_STAND
from winddown.actors import Actor
from winddown.errors import (
    LedgerRefused,
    WalletNotUsable,
    says,
)
from winddown.machines.move import transition_one
from winddown.models import FundingSource
from winddown.programme import capabilities


def top_up(
    wallet_id: int,
    *,
    source: str,
    amount_minor: int,
    top_up_ref: str,
    actor: Actor,
    card: FundingCard | None = None,
    authorised_only: bool = False,
) -> TopUp:
    """The wallet holds `amount_minor` more, from `source`; a bonus adds free value, every other
    source paid value.

    With `authorised_only` the charge is recorded and waits to be posted. A second call with the
    same `top_up_ref` returns the first top-up. Raises `CapabilityStopped`, `PastDeadline`,
    `WalletNotUsable` (only an active wallet can be charged) or `IdempotencyConflict`.
    """
    if amount_minor <= 0:
        raise LedgerRefused(movement=says("top-up"), why=says("the amount must be positive"))
    values = {"wallet_id": wallet_id, "source": source, "amount_minor": amount_minor}
    try:
        with transaction.atomic():
            passage = capabilities.passed(f"top_up:{source}")
            wallet = posting.locked_wallet(wallet_id)
            earlier = posting.first_result(TopUp, {"top_up_ref": top_up_ref}, values)
            if earlier is not None:
                return earlier
            if wallet.state != Wallet.State.ACTIVE:
                raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="top-up")
            done = TopUp.objects.create(
                top_up_ref=top_up_ref,
                wallet=wallet,
                source=source,
                card=card,
                amount_minor=amount_minor,
                occurred_at=passage.at,
                switch_version=passage.version,
                state=TopUp.State.AUTHORISED if authorised_only else TopUp.State.POSTED,
            )
            if not authorised_only:
                _post_top_up(done, wallet, at=passage.at, actor=actor)
            return done
    except FIRST_MAY_STAND:
        earlier = posting.first_result(TopUp, {"top_up_ref": top_up_ref}, values)
        if earlier is None:
            raise
        return earlier


def post_authorised(top_up: TopUp, *, actor: Actor) -> TopUp:
    """The value of an authorised top-up is in the wallet. Raises what a new top-up would raise: a
    freeze stops it too. A second call raises `TransitionRefused`.
    """
    with transaction.atomic():
        passage = capabilities.passed(f"top_up:{top_up.source}")
        wallet = posting.locked_wallet(top_up.wallet_id)
        if wallet.state != Wallet.State.ACTIVE:
            raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="top-up")
        done = transition_one(top_up, "post", actor=actor, switch_version=passage.version)
        _post_top_up(done, wallet, at=passage.at, actor=actor)
        return done


def _post_top_up(done: TopUp, wallet: Wallet, *, at: dt.datetime, actor: Actor) -> None:
    free = FundingSource.objects.get(code=done.source).kind == FundingSource.Kind.BONUS
    account = LedgerAccount.WALLET_BONUS if free else LedgerAccount.WALLET_PAID
    posting.post(
        [
            (account, wallet.pk, done.amount_minor),
            (funding_account(done.source), None, -done.amount_minor),
        ],
        source="top_up",
        source_id=done.pk,
        kind="top_up",
        occurred_at=at,
        actor=actor,
    )
    posting.change(
        wallet, paid=0 if free else done.amount_minor, bonus=done.amount_minor if free else 0
    )
