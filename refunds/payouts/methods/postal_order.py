"""Postal payment order: a letter with a certificate that a post office cashes until it expires."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from refunds.payouts.methods.registry import METHODS, Method, Needs

POSTAL_ORDER = "postal_order"
# The post sends one of up to 100,000 yen by ordinary mail.
METHODS.add(
    POSTAL_ORDER,
    Method(
        label=_("Postal payment order"),
        needs=Needs.ADDRESS,
        listed_as="9991",
        amount_max_minor=100_000,
        currencies=frozenset({"JPY"}),
    ),
    place=2,
)
