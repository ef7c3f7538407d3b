"""`manage.py verify_application`: the applicant is the holder."""

from __future__ import annotations

from refunds.applications.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Confirm that the applicant is the holder."
    examples = ('verify_application --application 12 --by mika --reason "papers match"',)
    acts = DESK
    verb = "verify"
    done = "The applicant counts as the holder."
