"""Bank transfer: the file of the bank that pays, and its answers."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from refunds.payouts.methods.registry import BANK, METHODS, Method, Needs

METHODS.add(BANK, Method(label=_("Bank transfer"), needs=Needs.ACCOUNT), place=1)
