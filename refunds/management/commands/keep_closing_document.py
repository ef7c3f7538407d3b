"""`manage.py keep_closing_document`: a document of the end is kept, and a second person is asked."""

from __future__ import annotations

from refunds.closing.closing_page import CLOSING
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = "Keep a document of the end, with its file. It counts once a second person confirms it."
    examples = (
        "keep_closing_document --kind portal --subject portal --owner IT --retrieval at_once"
        " --reviewed-on 2020-01-20 --until-on 2025-03-31 --evidence order.pdf"
        ' --by hana --reason "prepaid"',
    )
    acts = CLOSING
    verb = "document"
    done = "The document is kept."
