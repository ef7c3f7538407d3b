"""`manage.py take_in_document`: a document of an application is kept."""

from __future__ import annotations

from refunds.applications.document_acts import DOCUMENTS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Take in a document that came by post. Another person checks it."
    examples = (
        'take_in_document --document 3 --file register.pdf --by hana --reason "letter of 3 May"',
    )
    acts = DOCUMENTS
    verb = "receive"
    done = "It is kept, encrypted. Another person checks it."
