"""`manage.py record_publication`: a publication of the notice is kept with its evidence."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Record where and when the public notice was published, with the file that shows it."
    examples = (
        'record_publication --channel newspaper --place "Example Shimbun" --began-at '
        '2019-08-01T00:00 --evidence page.pdf --by hana --reason "it was printed"',
    )
    acts = PROGRAMME
    verb = "record-publication"
    done = "The publication is recorded."
