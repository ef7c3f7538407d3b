"""The refunds app: what each holder is owed, and how it is paid."""

from django.apps import AppConfig


class RefundsConfig(AppConfig):
    name = "refunds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from refunds import (  # noqa: F401
            alarms,
            filing_figures,
            gates,
            invariants,
            personal_data,
            sealed_columns,
            set_up,
        )
        from refunds.applications import (  # noqa: F401
            channel_codes,
            choosing,
            claim_numbers,
            reminders,
            retrying,
            second_person,
            submitting,
            unusual,
        )
        from refunds.claims import (  # noqa: F401
            appeals,
            deciding,
            ending,
            holding,
            log_export,
            notice_groups,
            reserve,
            victims,
        )
        from refunds.claims import invariants as claim_invariants  # noqa: F401
        from refunds.closing import documents  # noqa: F401
        from refunds.closing import invariants as closing_invariants  # noqa: F401
        from refunds.payouts import arrivals, bank_days, payout_batches, sent_files
        from refunds.payouts import invariants as bank_invariants  # noqa: F401
        from refunds.payouts.methods import notices
        from refunds.remedies import follow_up, requests  # noqa: F401
        from winddown.runs import clockwork, registry

        registry.load("refunds")
        clockwork.WATCHES.add("restored database", sent_files.notice)
        clockwork.FOLLOW_UPS.add("candidates while an attack lasts", victims.follow_up)
        clockwork.FOLLOW_UPS.add("reminders", reminders.follow_up)
        clockwork.FOLLOW_UPS.add("vouchers", notices.follow_up)
        clockwork.FOLLOW_UPS.add("unusual applications", unusual.find)
        clockwork.FOLLOW_UPS.add("drafts", submitting.expire_drafts)
        clockwork.FOLLOW_UPS.add("whether it arrived", arrivals.follow_up)
        clockwork.FOLLOW_UPS.add("accounts tried once more", retrying.follow_up)
        clockwork.FOLLOW_UPS.add("requests to issuers", follow_up.follow_up)
        clockwork.FOLLOW_UPS.add("claims secured by the fence", holding.secure_by_fence)
        clockwork.FOLLOW_UPS.add("claims past their appeal time", appeals.close_after_appeal_time)
        clockwork.FOLLOW_UPS.add("claims with nothing left to wait for", ending.move_on)
        clockwork.FOLLOW_UPS.add("payouts carried out", payout_batches.execute_due)
        clockwork.FOLLOW_UPS.add("bank days tied", bank_days.follow_up)
