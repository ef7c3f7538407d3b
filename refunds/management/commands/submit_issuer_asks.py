"""`manage.py submit_issuer_asks`: drafts wait for a second person."""

from __future__ import annotations

from refunds.remedies.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Submit the drafts of requests to a card issuer."
    examples = ('submit_issuer_asks --issuer SAKURA_CARD --by mika --reason "confirmed losses"',)
    acts = DESK
    verb = "submit"
    done = "The requests are submitted."
