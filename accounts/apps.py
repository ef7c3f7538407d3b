"""People, sign-in, and the two workflows over accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import (  # noqa: F401
            alarms,
            carrier_files,
            filing_figures,
            first_people,
            invariants,
            outbox,
            personal_data,
            sealed_columns,
        )
        from accounts.attacks import counting
        from accounts.credentials import fencing, session_rules  # noqa: F401
        from accounts.merchants import merchant_page, notices  # noqa: F401
        from accounts.persons import merging  # noqa: F401
        from accounts.recovery import (  # noqa: F401
            access_requests,
            by_link,
            cases,
            registration,
            staff_recovery,
        )
        from accounts.sign_in import command_codes  # noqa: F401
        from winddown.runs import clockwork, registry

        registry.load("accounts")
        clockwork.OWED.add("access requests", access_requests.answer_due)
        clockwork.OWED.add("outbox", outbox.send_due)
        clockwork.FOLLOW_UPS.add("notices to merchants", notices.follow_up)
        clockwork.WATCHES.add("attempts to sign in", counting.count_newest)
