"""`manage.py record_tracing_effort`: record one effort to reach a customer who has not applied."""

from __future__ import annotations

from refunds.tracing_acts import TRACING
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Record one effort to reach a customer who has not applied."
    examples = (
        "record_tracing_effort --account account:12 --kind letter --at 2020-01-08T14:00 --result "
        'not_reached --evidence "receipt 7" --by hana --reason "second letter"',
    )
    acts = TRACING
    verb = "record"
    done = "The effort is recorded."
