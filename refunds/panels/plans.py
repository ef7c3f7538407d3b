"""What the steps and the lines of the plans of refunds are called."""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from refunds.payouts.methods import METHODS
from winddown import words

words.STEPS.add_all(
    {
        "entitle_freed_parts": _("Entitle what holds set free"),
        "settle_empty_wallets": _("Settle empty wallets"),
        "entitle_wallets": _("Entitle the holders"),
        "entitle_held_wallets": _("Entitle holders on hold"),
        "book_refunds": _("Book refunds"),
        "book_compensations": _("Book compensations"),
        "book_vouchers": _("Book postal orders and codes"),
        "check_payees": _("Check payees"),
        "check_vouchers": _("Check postal orders and codes that waited"),
        "fill_batches": _("Fill payout batches"),
        "seal_batches": _("Seal payout batches"),
        "exclude_unclaimed": _("Exclude what nobody claimed"),
        "shred_people": _("Delete the data of people"),
        "shred_house": _("Delete what is about many people"),
        "shred_attempts": _("Delete attempts to sign in"),
    }
)


words.PLAN_LINES_OF.add_all(
    {
        "data_": lambda code: format_lazy(
            _("People by what is deleted: {data_class}"), data_class=words.data_class(code)
        ),
        "keep_": lambda code: format_lazy(
            _("Days for which they were kept: {data_class}"), data_class=words.data_class(code)
        ),
        "oldest_": lambda code: format_lazy(
            _("Oldest end of business: {data_class}"), data_class=words.data_class(code)
        ),
    }
)
words.PLAN_LINES.add_all(
    {
        "entitled": _("Wallets with paid value"),
        "people": _("People whose data are deleted"),
        "kept_legal_hold": _("People under a payment block or legal hold"),
        "kept_open_payout": _("People with an open payout"),
        "kept_open_claim": _("People with an open claim"),
        "kept_open_case": _("People with an open recovery case"),
        "kept_open_application": _("People with an open application"),
        "kept_unsettled": _("People whose refund is not settled"),
        "kept_not_exported": _("People with business after the last export"),
        "exported_at": _("Last resolution pack"),
        "due_until": _("Due until"),
        "keep_days": _("Days for which data are kept"),
        "backups_until": _("Last backup from before is gone on"),
        "who": _("Who they are, as a sum"),
        "held": _("Wallets on hold"),
        "freed": _("Wallets of which a hold set a part free"),
        "empty": _("Empty wallets"),
        "bonus_expiring": _("Bonus value that ends"),
        "wallets_with_active_holds": _("Wallets with active holds"),
        "snapshot": _("Sealed snapshot"),
        "part": _("Part of the refund"),
        "value_date": _("Value date"),
        "approved_until": _("Applications approved until"),
        "wave": _("Payout wave"),
        "applied_before": _("Applications received before"),
        "planned_at": _("Planned at"),
        "refunds": _("Refunds"),
        "compensations": _("Compensations"),
        "above_day_cap_minor": _("Above the cap of the value date: choose another day for it"),
        "compensations_without_account": _("Compensations without a bank account"),
        "waiting_payouts": _("Payouts that waited"),
        "vouchers": _("Postal orders and codes"),
        "waiting_vouchers": _("Postal orders and codes that waited"),
        "notice_undeliverable": _("Holders whose notice did not arrive"),
        "open_hold": _("Holders with value on hold"),
        "payment_blocked": _("Holders who are paid nothing at present"),
        "not_traced": _("Holders who were not traced enough"),
        "in_process_returned_or_held": _("In process, returned or held"),
        "excluded": _("Unclaimed entitlements"),
        "unclaimed": _("Unclaimed entitlements"),
        "refunds_digest": _("Digest of the refunds"),
        "compensations_digest": _("Digest of the compensations"),
        "waiting_payouts_digest": _("Digest of the payouts that waited"),
        "vouchers_digest": _("Digest of the postal orders and codes"),
        "waiting_vouchers_digest": _("Digest of the postal orders and codes that waited"),
    }
)


words.PLAN_LINES_OF.add(
    "cost_",
    lambda code: format_lazy(_("Cost to the operator: {method}"), method=METHODS[code].label),
)
