"""The ways in which the money reaches a holder, each in a module of its own."""

from refunds.payouts.methods import bank, claim_code, postal_order  # noqa: F401
from refunds.payouts.methods.registry import (
    BANK,
    METHODS,
    Method,
    Needs,
    Offer,
    next_after,
    offer_of,
    offered,
)

__all__ = ["BANK", "METHODS", "Method", "Needs", "Offer", "next_after", "offer_of", "offered"]
