"""`manage.py draft_announcement`: a text for everybody waits for a second person."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Draft an announcement, or the policy on compensation, in two languages."
    examples = (
        "draft_announcement --kind banner --title-ja お知らせ --body-ja 終了します --title-en "
        'Notice --body-en "The service ends" --by hana --reason "agreed text"',
    )
    acts = PROGRAMME
    verb = "draft-announcement"
    done = "It waits for a second person: manage.py approve, or the approvals of the console."
