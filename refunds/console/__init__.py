"""The console's pages about refunds and claims, by desk."""

from __future__ import annotations

from refunds.console import (
    applications,
    bank_codes,
    claims,
    closing,
    holders,
    other_ends,
    payout_views,
    payouts,
    restored,
)

urlpatterns = [
    *claims.urlpatterns,
    *applications.urlpatterns,
    *holders.urlpatterns,
    *payout_views.urlpatterns,
    *payouts.urlpatterns,
    *bank_codes.urlpatterns,
    *restored.urlpatterns,
    *closing.urlpatterns,
    *other_ends.urlpatterns,
]
