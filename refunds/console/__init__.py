"""The console's pages about refunds and claims, by desk."""

from __future__ import annotations

from refunds.console import (
    applications,
    bank_codes,
    claims,
    closing,
    documents,
    holders,
    other_ends,
    payout_views,
    payouts,
    persons,
    restored,
    unusual,
)

urlpatterns = [
    *claims.urlpatterns,
    *applications.urlpatterns,
    *documents.urlpatterns,
    *holders.urlpatterns,
    *persons.urlpatterns,
    *unusual.urlpatterns,
    *payout_views.urlpatterns,
    *payouts.urlpatterns,
    *bank_codes.urlpatterns,
    *restored.urlpatterns,
    *closing.urlpatterns,
    *other_ends.urlpatterns,
]
