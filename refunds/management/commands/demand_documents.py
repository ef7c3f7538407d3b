"""`manage.py demand_documents`: an applicant is asked for documents."""

from __future__ import annotations

from refunds.applications.document_acts import DOCUMENTS
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Ask an applicant who is an heir, a minor, a company, an agent or a guardian for documents."
    )
    examples = (
        'demand_documents --application 12 --applicant heir --by hana --reason "the son applies"',
    )
    acts = DOCUMENTS
    verb = "demand"
    done = "The applicant is told."
