"""Stored value, its ledger, and the two workflows over wallets."""

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.recovery import registration
        from wallets import invariants, notice_groups, opening, personal_data  # noqa: F401  registers them
        from winddown.runs import registry

        registry.load("wallets")
        registration.OPENED.add("wallet", opening.open_wallet)
