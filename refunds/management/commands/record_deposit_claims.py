"""`manage.py record_deposit_claims`: the authority paid deposited refunds to their holders."""

from __future__ import annotations

from refunds.closing.other_end_page import OTHER_ENDS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Record that the authority paid deposited refunds to the people who claimed them there."
        " The register lists them no longer when a second person agrees."
    )
    examples = (
        'record_deposit_claims --institution "Tokyo Legal Affairs Bureau" --reference P-4'
        " --ended-on 2021-02-03 --refunds list.csv --evidence letter.pdf --by hana"
        ' --reason "monthly letter of the authority"',
    )
    acts = OTHER_ENDS
    verb = "claimed"
    done = "The refunds leave the register when a second person agrees."
