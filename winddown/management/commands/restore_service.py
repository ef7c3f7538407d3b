"""`manage.py restore_service`: the incident is over and the service goes on."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "End the incident: the service goes on as before. Every switch must be on again."
    examples = ('restore_service --by hana --reason "the cause is removed"',)
    acts = PROGRAMME
    verb = "restore"
    done = "The service goes on as before."
