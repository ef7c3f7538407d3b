"""The holders who are told of a reset first: all who have a balance."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from accounts.reset_notices import waves
from wallets.models import Wallet


@waves.GROUPS.entry(f"{waves.FIRST}/holders")
def holders(as_of: dt.datetime) -> QuerySet[Any]:
    """Returns the accounts with a balance now, in any state of the wallet. Past balances are not
    kept.
    """
    return Wallet.objects.holding().values("account_id")
