"""`manage.py load_tracing_efforts`: load a file of efforts to reach customers."""

from __future__ import annotations

from refunds.tracing_acts import TRACING
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Load a file of efforts to reach customers who have not applied, whole or not at all."
    examples = (
        'load_tracing_efforts --efforts letters.csv --evidence "list 3 of the post office" --by hana '
        '--reason "letters of January"',
    )
    acts = TRACING
    verb = "load"
    done = "The efforts of the file are kept."
