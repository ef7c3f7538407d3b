"""`manage.py note_claim`: a claim keeps a note."""

from __future__ import annotations

from refunds.claims.desk_acts import DESK
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Write a note into a claim."
    examples = ('note_claim --claim FC00000012 --by mika --reason "the shop has a video"',)
    acts = DESK
    verb = "note"
    done = "The claim keeps the note."
