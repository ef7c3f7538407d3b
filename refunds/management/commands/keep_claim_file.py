"""`manage.py keep_claim_file`: a file of evidence is kept with a claim."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Keep a file of evidence with a claim, encrypted."
    examples = (
        'keep_claim_file --claim FC00000012 --file police.pdf --by sora --reason "letter of 3 July"',
    )
    acts = DESK
    verb = "keep-file"
    done = "The claim keeps the file."
