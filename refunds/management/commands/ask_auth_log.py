"""`manage.py ask_auth_log`: two people are asked to let logs out under pseudonyms."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask two people, one after the other, to let logs out to outside investigators."
    examples = (
        "ask_auth_log --since 2019-06-01T00:00 --until 2019-07-06T00:00"
        ' --recipient "forensics company" --by hana --reason "investigation"',
    )
    acts = DESK
    verb = "ask-logs"
    done = "The export of the logs is asked for."
