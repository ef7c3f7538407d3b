"""`manage.py refuse_document`: a document is refused and asked for again."""

from __future__ import annotations

from refunds.applications.document_acts import DOCUMENTS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Refuse a document. The applicant is asked for it again."
    examples = ('refuse_document --document 3 --by hana --reason "not readable"',)
    acts = DOCUMENTS
    verb = "refuse"
    done = "The applicant is asked for it again."
