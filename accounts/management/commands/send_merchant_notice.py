"""`manage.py send_merchant_notice`: the merchants that have not got the notice get it."""

from __future__ import annotations

from accounts.merchants.merchant_acts import MERCHANTS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Send the released text to every merchant that has not got it: by mail, or as a letter."
    examples = ('send_merchant_notice --by hana --reason "the end is announced"',)
    acts = MERCHANTS
    verb = "send"
    done = "The mails leave now. Print the letters with manage.py export_merchant_letters."
