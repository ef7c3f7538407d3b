"""`manage.py set_unusual_rule`: a second person is asked to change a rule."""

from __future__ import annotations

from refunds.applications.unusual_acts import UNUSUAL
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Ask to change a rule for unusual applications: off, observe or enforce, and its limits."
        " A second person decides with `approve`."
    )
    examples = (
        "set_unusual_rule --code one_device --mode enforce --least 3 --hours 720"
        ' --source "test of October" --by hana --reason "fraud seen"',
    )
    acts = UNUSUAL
    verb = "rule"
    done = "It waits for a second person."
