"""The group of victims, who get a reset notice first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from accounts.reset_notices import waves
from refunds.models import FraudClaim


@waves.GROUPS.entry(f"{waves.FIRST}/victims")
def victims(as_of: dt.datetime) -> QuerySet[FraudClaim, Any]:
    """Returns the accounts with a claim that is open or was confirmed."""
    standing = FraudClaim.objects.exclude(state__in=FraudClaim.DISMISSED)
    return standing.values("wallet__account_id")
