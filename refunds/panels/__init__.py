"""What refunds add to the pages, by desk."""

from refunds.panels import (  # noqa: F401
    applications,
    bank_codes,
    claims,
    closing,
    customers,
    documents,
    payouts,
    persons,
    plans,
    programme,
    unusual,
)
