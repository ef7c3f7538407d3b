"""`manage.py plan_payout_wave`: ask a second person to agree to a payout wave."""

from __future__ import annotations

from refunds.payouts.wave_acts import WAVES
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Ask a second person to agree to a payout wave."
    examples = (
        "plan_payout_wave --record-on 2019-11-30 --cut-off-on 2019-12-06 --pay-on 2019-12-13"
        ' --payees-close-days 3 --by hana --reason "second wave"',
    )
    acts = WAVES
    verb = "plan"
    done = "No wave is planned before that."
