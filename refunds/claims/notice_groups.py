"""Victims are told of a reset first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from accounts.reset_notices import waves
from refunds.models import FraudClaim


@waves.members(waves.FIRST)
def victims(as_of: dt.datetime) -> QuerySet[Any]:
    """Accounts with a claim that is open or was found right."""
    over = (FraudClaim.State.REJECTED, FraudClaim.State.EXPIRED)
    return FraudClaim.objects.exclude(state__in=over).values("wallet__account_id")
