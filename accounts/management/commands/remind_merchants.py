"""`manage.py remind_merchants`: the merchants without a receipt get the notice again."""

from __future__ import annotations

from accounts.merchants.merchant_acts import MERCHANTS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Send the notice again to every merchant that has not confirmed it."
    examples = ('remind_merchants --by hana --reason "two weeks are over"',)
    acts = MERCHANTS
    verb = "remind"
    done = "The mails leave now. Print the letters with manage.py export_merchant_letters."
