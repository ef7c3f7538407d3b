"""What refunds add to the pages, by desk."""

from refunds.panels import applications, claims, closing, customers, payouts, plans, programme  # noqa: F401
