"""Claim code: cash from a convenience store or a cash machine against a code, until it expires."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from refunds.payouts.methods.registry import METHODS, Method, Needs

CLAIM_CODE = "claim_code"
METHODS.add(
    CLAIM_CODE,
    Method(label=_("Claim code"), needs=Needs.NOTHING, listed_as="9992", has_code=True),
    place=3,
)
