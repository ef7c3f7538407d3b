"""What each kind of break says in words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from refunds.models import ReconciliationBreak
from winddown.words import Text

_Kind = ReconciliationBreak.Kind

KINDS: dict[str, Text] = {
    _Kind.UNKNOWN_REFERENCE: _("Reference of no file of ours"),
    _Kind.AMOUNT_DIFFERS: _("Another amount"),
    _Kind.ACCOUNT_DIFFERS: _("Another bank, branch or account"),
    _Kind.PAYEE_DIFFERS: _("Another payee"),
    _Kind.VALUE_DATE_DIFFERS: _("Another value date"),
    _Kind.PAYER_DIFFERS: _("Another paying account"),
    _Kind.DEAD_BATCH: _("Answer to a void or rejected file"),
    _Kind.NOT_AT_THE_BANK: _("Answer to a question that nobody asked"),
    _Kind.CONTRADICTS: _("Contradicts an earlier answer"),
    _Kind.PAID_TWICE: _("Reported as paid a second time"),
    _Kind.UNKNOWN_STATUS: _("A status that nobody knows: nothing is sent again"),
    _Kind.UNKNOWN_CREDIT: _("Money came in, and nothing of ours fits"),
    _Kind.UNKNOWN_DEBIT: _("Money left, and nothing of ours fits"),
    _Kind.PAID_AFTER_ALL: _("Paid after all, while it is paid again"),
}
