"""Who is owed what, and by which road it goes home."""

from django.apps import AppConfig


class RefundsConfig(AppConfig):
    name = "refunds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from refunds import (  # noqa: F401
            claim_invariants,
            claims,
            invariants,
            issuer_asks,
            payouts,
            victims,
            waves,
        )
        from refunds.workflows import refund_balances  # noqa: F401  registers it
        from winddown.runs import clockwork

        clockwork.FOLLOW_UPS |= {
            "candidates while an attack lasts": victims.follow_up,
            "asks to issuers": issuer_asks.follow_up,
            "claims secured by the fence": claims.secure_by_fence,
            "claims that rest": claims.let_rest,
            "payouts carried out": payouts.execute_due,
        }
