"""Who is owed what, and by which road it goes home."""

from django.apps import AppConfig


class RefundsConfig(AppConfig):
    name = "refunds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from refunds import claim_invariants, invariants  # noqa: F401  registers them
        from refunds.workflows import refund_balances  # noqa: F401  registers it
