"""What people call the documents of the end."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import ClosingDocument
from winddown.words import Text

Kind = ClosingDocument.Kind
KINDS: dict[str, Text] = {
    Kind.RESIDUAL: _("Residual withdrawn from a provider"),
    Kind.HOSTING: _("Hosting paid in advance"),
    Kind.PORTAL: _("Portal stays open"),
    Kind.SUCCESSOR: _("Successor for late claims"),
    Kind.INSTITUTION: _("Institution that holds funds"),
    Kind.AGREEMENT: _("Agreement or acknowledgement letter"),
    Kind.INSURER: _("Insurer or guarantor"),
    Kind.POLICY: _("Policy of insurance or guarantee"),
    Kind.AGENT: pgettext_lazy("closing document", "Agent"),
    Kind.GROUP_MEMBER: _("Member of the group"),
    Kind.THIRD_PARTY: _("Third party"),
    Kind.RESPONSIBLE: _("Responsible person"),
    Kind.PROCEDURE: _("Procedure for running and reconciling"),
    Kind.RECONCILIATION: _("Newest reconciliation"),
    Kind.RECIPIENT: _("Recipient of the resolution pack"),
}
RETRIEVAL: dict[str, Text] = {
    ClosingDocument.Retrieval.AT_ONCE: _("At once"),
    ClosingDocument.Retrieval.TWO_DAYS: _("Within 48 hours"),
}
