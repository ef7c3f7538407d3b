"""People, sign-in, and the two workflows over accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import invariants  # noqa: F401
        from accounts.workflows import reset_all_passwords, suspend_external_login  # noqa: F401
