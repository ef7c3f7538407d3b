"""`manage.py report_lost_voucher`: a claim code or postal order is lost, and another one follows."""

from __future__ import annotations

from refunds.payouts.methods.voucher_page import VOUCHERS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Record that a claim code or postal order is lost. Its provider is told to cancel it, and"
        " another one follows once its answer says so."
    )
    examples = ('report_lost_voucher --number 7 --by mika --reason "the customer called"',)
    acts = VOUCHERS
    verb = "lost"
    done = "It is on the list of recalls: tell its provider."
