"""Who of the wallets' side is told of a reset first: everybody who has something to lose there."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from accounts.reset_notices import waves
from wallets.models import Wallet


@waves.members(waves.FIRST)
def holders(as_of: dt.datetime) -> QuerySet[Any]:
    """Accounts with a balance, whatever its state; as it stands now, since nobody keeps another."""
    return Wallet.objects.holding().values("account_id")
