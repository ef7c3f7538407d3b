"""`manage.py load_losses`: a file of what thieves did."""

from __future__ import annotations

from refunds.claims import intake
from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = f"Load a file of what thieves did. Columns: {', '.join(intake.LOSSES)}."
    examples = ('load_losses --file movements.csv --by mika --reason "lists of the holders"',)
    acts = DESK
    verb = "load-losses"
    done = "Every line of the file is in."
