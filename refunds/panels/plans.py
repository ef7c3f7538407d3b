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
    }
)


words.PLAN_LINES.add_all(
    {
        "entitled": _("Wallets with paid value"),
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
