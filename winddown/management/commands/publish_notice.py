"""`manage.py publish_notice`: the public notice stands."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Publish the public notice of the refund, with every statutory field."
    examples = (
        'publish_notice --statement "We refund all balances" --issuer-name "Example KK" '
        '--instrument "prepaid balance" --window-first-day 2019-10-01 --window-last-day '
        '2020-01-10 --exclusion-statement "Who does not apply is excluded" --contact '
        '"0120-000-000" --how-to-claim "In the app" --how-it-is-paid "By bank transfer" '
        '--by hana --reason "agreed text"',
    )
    acts = PROGRAMME
    verb = "publish-notice"
    done = "The notice is published."
