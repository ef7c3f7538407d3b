"""`manage.py clear_unusual`: a second person is asked to clear an application."""

from __future__ import annotations

from refunds.applications.unusual_acts import UNUSUAL
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Ask to clear an application of what rules found. A second person decides with `approve`."
    )
    examples = ('clear_unusual --application 12 --by hana --reason "a family of three"',)
    acts = UNUSUAL
    verb = "clear"
    done = "It waits for a second person."
