"""People, sign-in, and the two workflows over accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import invariants, outbox  # noqa: F401
        from accounts.attacks import counting
        from accounts.credentials import fencing  # noqa: F401
        from accounts.recovery import (  # noqa: F401
            access_requests,
            by_link,
            cases,
            registration,
            staff_recovery,
        )
        from accounts.workflows import reset_all_passwords, suspend_external_login  # noqa: F401
        from winddown.runs import clockwork

        clockwork.OWED["access requests"] = access_requests.answer_due
        clockwork.OWED["outbox"] = outbox.send_due
        clockwork.WATCHES["attempts to sign in"] = counting.count_newest
