"""`manage.py accept_document`: a document is accepted."""

from __future__ import annotations

from refunds.applications.document_acts import DOCUMENTS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Accept a document that somebody else took in."
    examples = ('accept_document --document 3 --by hana --reason "complete"',)
    acts = DOCUMENTS
    verb = "accept"
    done = "It counts as shown."
