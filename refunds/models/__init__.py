"""Claims, their remedies, and the payouts that return the money."""

from refunds.models.answer import AnswerLine, UploadedAnswer
from refunds.models.application import RefundApplication, RefundApplicationTransition
from refunds.models.arrival import (
    ArrivalQuestion,
    ArrivalSample,
    TraceCase,
    TraceCaseTransition,
)
from refunds.models.bank import Bank, BankAccount, BankDataset, BankProfile, Branch, RefundTerms
from refunds.models.bank_day import BankDayDifference, BankDayTie
from refunds.models.break_match import BreakMatch
from refunds.models.chargeback import Chargeback, ChargebackTransition, SchemeClock
from refunds.models.claim import FraudClaim, FraudClaimTransition
from refunds.models.claim_decision import ClaimDecision
from refunds.models.claim_file import ClaimFile
from refunds.models.claim_note import ClaimNote
from refunds.models.claim_number import ClaimLetter, ClaimNumber
from refunds.models.claim_review import ClaimReview
from refunds.models.claim_terms import ClaimTerms
from refunds.models.closing_document import ClosingDocument
from refunds.models.closing_proof import ClosingProof
from refunds.models.deletion_certificate import DeletionCertificate
from refunds.models.document import ApplicationDocument
from refunds.models.doubt import Doubt
from refunds.models.entitlement import Entitlement, EntitlementTransition
from refunds.models.fraud_report import FraudReport
from refunds.models.issuer import Issuer, IssuerFile
from refunds.models.issuer_action import (
    IssuerAction,
    IssuerActionTransition,
    IssuerAnswer,
    RequestList,
)
from refunds.models.log_export import LogExport
from refunds.models.loss import Loss
from refunds.models.method import MethodTerms
from refunds.models.other_end import OtherEnd, OtherEndLine, Successor
from refunds.models.payee import Payee, PayeeTransition
from refunds.models.payment_block import PaymentBlock
from refunds.models.payment_payer import PaymentPayer
from refunds.models.payout import Payout, PayoutTransition
from refunds.models.payout_batch import PayoutBatch, PayoutBatchTransition, PayoutFilePart
from refunds.models.payout_view import PayoutView, PayoutViewPart
from refunds.models.quarantine import QuarantinedLine
from refunds.models.recall import Recall, RecallTransition
from refunds.models.reconciliation import (
    BankFile,
    ReconciliationBreak,
    ReconciliationBreakTransition,
    ReplacedResult,
    VoidedFile,
)
from refunds.models.remedy import Remedy, RemedyTransition
from refunds.models.reminder import Reminder, ReminderSchedule
from refunds.models.reserve_release import ReserveRelease
from refunds.models.rule_hit import RuleHit
from refunds.models.statement import AccountStatement, StatementLine
from refunds.models.tracing import TracingEffort
from refunds.models.unusual import ApplicationOrigin, UnusualHit, UnusualRule
from refunds.models.voucher import Voucher, VoucherTransition
from refunds.models.wave import PayoutWave
from refunds.models.way_in import WayIn

__all__ = [
    "AccountStatement",
    "AnswerLine",
    "ApplicationDocument",
    "ApplicationOrigin",
    "ArrivalQuestion",
    "ArrivalSample",
    "Bank",
    "BankAccount",
    "BankDataset",
    "BankDayDifference",
    "BankDayTie",
    "BankFile",
    "BankProfile",
    "Branch",
    "BreakMatch",
    "Chargeback",
    "ChargebackTransition",
    "ClaimDecision",
    "ClaimFile",
    "ClaimLetter",
    "ClaimNote",
    "ClaimNumber",
    "ClaimReview",
    "ClaimTerms",
    "ClosingDocument",
    "ClosingProof",
    "DeletionCertificate",
    "Doubt",
    "Entitlement",
    "EntitlementTransition",
    "FraudClaim",
    "FraudClaimTransition",
    "FraudReport",
    "Issuer",
    "IssuerAction",
    "IssuerActionTransition",
    "IssuerAnswer",
    "IssuerFile",
    "LogExport",
    "Loss",
    "MethodTerms",
    "OtherEnd",
    "OtherEndLine",
    "Payee",
    "PayeeTransition",
    "PaymentBlock",
    "PaymentPayer",
    "Payout",
    "PayoutBatch",
    "PayoutBatchTransition",
    "PayoutFilePart",
    "PayoutTransition",
    "PayoutView",
    "PayoutViewPart",
    "PayoutWave",
    "QuarantinedLine",
    "Recall",
    "RecallTransition",
    "ReconciliationBreak",
    "ReconciliationBreakTransition",
    "RefundApplication",
    "RefundApplicationTransition",
    "RefundTerms",
    "Remedy",
    "RemedyTransition",
    "Reminder",
    "ReminderSchedule",
    "ReplacedResult",
    "RequestList",
    "ReserveRelease",
    "RuleHit",
    "SchemeClock",
    "StatementLine",
    "Successor",
    "TraceCase",
    "TraceCaseTransition",
    "TracingEffort",
    "UnusualHit",
    "UnusualRule",
    "UploadedAnswer",
    "VoidedFile",
    "Voucher",
    "VoucherTransition",
    "WayIn",
]
