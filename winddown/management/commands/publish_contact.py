"""`manage.py publish_contact`: the telephone number on the public pages."""

from __future__ import annotations

from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME


class Command(ActCommand):
    help = "Put the telephone number that customers call on the public pages."
    examples = ('publish_contact --phone 0120-000-000 --by hana --reason "the desk is open"',)
    acts = PROGRAMME
    verb = "publish-contact"
    done = "The public pages show the number."
