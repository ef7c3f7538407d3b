"""Claims, their remedies, and the payouts that bring the money home."""

from refunds.models.chargeback import Chargeback, ChargebackTransition
from refunds.models.claim import (
    ClaimDecision,
    DetectionRule,
    FraudClaim,
    FraudClaimTransition,
    Loss,
    RuleHit,
)
from refunds.models.issuer import Issuer, IssuerFile
from refunds.models.issuer_action import (
    AskList,
    IssuerAction,
    IssuerActionTransition,
    IssuerAnswer,
)
from refunds.models.remedy import Remedy, RemedyTransition

__all__ = [
    "AskList",
    "Chargeback",
    "ChargebackTransition",
    "ClaimDecision",
    "DetectionRule",
    "FraudClaim",
    "FraudClaimTransition",
    "Issuer",
    "IssuerAction",
    "IssuerActionTransition",
    "IssuerAnswer",
    "IssuerFile",
    "Loss",
    "Remedy",
    "RemedyTransition",
    "RuleHit",
]
