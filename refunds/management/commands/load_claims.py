"""`manage.py load_claims`: a file of what holders and issuers reported."""

from __future__ import annotations

from refunds.claims import intake
from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        f"Load a file of what holders and issuers reported. Columns: {', '.join(intake.REPORTS)}."
    )
    examples = ('load_claims --file calls.csv --by sora --reason "calls of the week"',)
    acts = DESK
    verb = "load-reports"
    done = "Every line of the file is in."
