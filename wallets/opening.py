"""A new account's wallet."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from wallets.models import Wallet


def open_wallet(account: User, at: dt.datetime) -> None:
    """The account has an empty wallet since `at`. The database refuses a second one."""
    Wallet.objects.create(wallet_ref=str(account.account_ref), account=account, opened_at=at)
