"""`manage.py deposit_refunds`: the authority has the amounts of a list of refunds."""

from __future__ import annotations

from refunds.closing.other_end_page import OTHER_ENDS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record a deposit with the authority. The refunds end when a second person agrees."
    examples = (
        'deposit_refunds --institution "Tokyo Legal Affairs Bureau" --contact "03-0000-0000"'
        " --reference R-12 --ended-on 2020-02-03 --refunds list.csv --evidence receipt.pdf"
        ' --by hana --reason "holders cannot be found"',
    )
    acts = OTHER_ENDS
    verb = "deposit"
    done = "The refunds end when a second person agrees."
