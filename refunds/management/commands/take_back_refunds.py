"""`manage.py take_back_refunds`: an institution gave the amounts of a list of refunds back."""

from __future__ import annotations

from refunds.closing.other_end_page import OTHER_ENDS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Record that the authority or the successor gave amounts back."
        " They are owed again when a second person agrees."
    )
    examples = (
        'take_back_refunds --institution "Tokyo Legal Affairs Bureau" --reference R-9'
        " --ended-on 2021-02-03 --refunds list.csv --evidence letter.pdf --by hana"
        ' --reason "deposit withdrawn"',
    )
    acts = OTHER_ENDS
    verb = "return"
    done = "The refunds are owed again when a second person agrees."
