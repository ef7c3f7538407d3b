"""`manage.py transfer_refunds`: another issuer took the amounts of a list of refunds over."""

from __future__ import annotations

from refunds.closing.other_end_page import OTHER_ENDS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record a takeover by another issuer. The refunds end when a second person agrees."
    examples = (
        "transfer_refunds --institution Wakaba --reference T-3 --ended-on 2020-02-03"
        ' --refunds list.csv --evidence letter.pdf --by hana --reason "holders agreed"',
    )
    acts = OTHER_ENDS
    verb = "transfer"
    done = "The refunds end when a second person agrees."
