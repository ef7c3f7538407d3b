"""Stored value, its ledger, and the two workflows over wallets."""

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.recovery import registration
        from wallets import (
            invariants,  # noqa: F401  registers them
            notice_groups,  # noqa: F401  registers them
            opening,
        )
        from wallets.workflows import freeze_charges, shut_down_by_deadline  # noqa: F401  registers them

        registration.OPENED.append(opening.open_wallet)
