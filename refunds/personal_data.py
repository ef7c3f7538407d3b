"""The columns of refunds, and of the evidence of all rooms, that hold personal data."""

from __future__ import annotations

from typing import Final

from refunds.models import (
    AnswerLine,
    ApplicationDocument,
    ApplicationOrigin,
    ClaimFile,
    ClaimNote,
    ClaimNumber,
    ClosingDocument,
    FraudClaim,
    FraudReport,
    IssuerAnswer,
    IssuerFile,
    Loss,
    Payee,
    PayoutFilePart,
    RefundApplication,
    TraceCase,
    UploadedAnswer,
    Voucher,
    issuer,
    issuer_action,
    payee,
)
from winddown.models import (
    Approval,
    AuditEntry,
    DutyAddress,
    Merchant,
    NoticeEvidence,
    Signature,
)
from winddown.personal_data import HOUSE, PERSONAL_DATA, DataClass, PersonalColumns

_OF_APPLICANT: Final = "{row}.applicant_id"
_OF_CLAIM: Final = (
    "(SELECT w.account_id FROM wallets_wallet w JOIN refunds_fraudclaim c ON c.wallet_id = w.id"
    " WHERE c.id = {row}.claim_id)"
)
_CLAIM_AMONG: Final = (
    "{row}.claim_id IN (SELECT c.id FROM refunds_fraudclaim c"
    " JOIN wallets_wallet w ON w.id = c.wallet_id WHERE w.account_id IN ({people}))"
)
_CHAIN: Final = "the chain of evidence covers the words; staff write no names, addresses or numbers"

PERSONAL_DATA.add_all(
    {
        "payees": PersonalColumns(
            Payee,
            DataClass.BANK_DETAILS,
            payee.WHOSE,
            blank=payee.BLANK,
            stays={"name_truncated": "says nothing without the name"},
        ),
        "applications: postal addresses": PersonalColumns(
            RefundApplication,
            DataClass.CONTACT,
            _OF_APPLICANT,
            blank={"address_sealed": "NULL::bytea"},
        ),
        "applications: drafts": PersonalColumns(
            RefundApplication,
            DataClass.BANK_DETAILS,
            _OF_APPLICANT,
            blank={"draft_sealed": "NULL::bytea", "body_digest": "''"},
        ),
        "applications: reasons": PersonalColumns(
            RefundApplication,
            DataClass.CORRESPONDENCE,
            _OF_APPLICANT,
            blank={"late_reason": "''"},
        ),
        "vouchers": PersonalColumns(
            Voucher,
            DataClass.BANK_DETAILS,
            "(SELECT o.holder_id FROM refunds_payout o WHERE o.id = {row}.payout_id)",
            "{row}.payout_id IN (SELECT id FROM refunds_payout WHERE holder_id IN ({people}))",
            blank={"code_sealed": "NULL::bytea"},
        ),
        "documents of applications": PersonalColumns(
            ApplicationDocument,
            DataClass.IDENTITY,
            "(SELECT a.applicant_id FROM refunds_refundapplication a WHERE a.id = {row}.application_id)",
            "{row}.application_id IN (SELECT id FROM refunds_refundapplication"
            " WHERE applicant_id IN ({people}))",
            sealed=("content_sealed",),
        ),
        "origins of applications": PersonalColumns(
            ApplicationOrigin,
            DataClass.AUTHENTICATION,
            stays=dict.fromkeys(
                ("network", "device", "address"),
                "keyed hashes; without the field key nobody guesses",
            ),
        ),
        "claim numbers": PersonalColumns(
            ClaimNumber,
            DataClass.AUTHENTICATION,
            "{row}.holder_id",
            stays=dict.fromkeys(("key", "digest"), "a random number; it opens nothing any more"),
        ),
        "claims": PersonalColumns(
            FraudClaim,
            DataClass.CLAIMS_EVIDENCE,
            "(SELECT w.account_id FROM wallets_wallet w WHERE w.id = {row}.wallet_id)",
            "{row}.wallet_id IN (SELECT id FROM wallets_wallet WHERE account_id IN ({people}))",
            blank={"rejection_note": "''"},
            stays={"evidence": "kinds and numbers of rows"},
        ),
        "fraud reports": PersonalColumns(
            FraudReport,
            DataClass.CLAIMS_EVIDENCE,
            f"coalesce({{row}}.customer_id, {HOUSE})",
            "{row}.customer_id IN ({people})",
            sealed=("words_sealed", "answer_sealed"),
            stays={
                "key": "a random number; it leads to nobody",
                **dict.fromkeys(
                    ("fingerprint", "network", "device"),
                    "keyed hashes; without the field key nobody guesses",
                ),
            },
        ),
        "files of claims": PersonalColumns(
            ClaimFile,
            DataClass.CLAIMS_EVIDENCE,
            _OF_CLAIM,
            _CLAIM_AMONG,
            sealed=("content_sealed",),
            stays={"key": "a random number; it leads to nobody"},
        ),
        "notes on claims": PersonalColumns(
            ClaimNote, DataClass.CLAIMS_EVIDENCE, stays={"text": _CHAIN}
        ),
        "losses": PersonalColumns(
            Loss,
            DataClass.CLAIMS_EVIDENCE,
            _OF_CLAIM,
            _CLAIM_AMONG,
            blank={"drop_reason": "''"},
        ),
        "files of issuers": PersonalColumns(
            IssuerFile, DataClass.CLAIMS_EVIDENCE, blank=issuer.FILE_BLANK
        ),
        "answers of issuers": PersonalColumns(
            IssuerAnswer, DataClass.CLAIMS_EVIDENCE, blank=issuer_action.ANSWER_BLANK
        ),
        "traces of payouts": PersonalColumns(
            TraceCase,
            DataClass.BANK_DETAILS,
            stays={
                "account_end": "the last digits say nothing without the account",
                "resolution": _CHAIN,
            },
        ),
        "payout files": PersonalColumns(
            PayoutFilePart, DataClass.MONEY_RECORDS, sealed=("content_sealed",)
        ),
        "answers of the bank": PersonalColumns(
            UploadedAnswer, DataClass.MONEY_RECORDS, sealed=("content_sealed",)
        ),
        "lines of the answer that is judged": PersonalColumns(
            AnswerLine,
            DataClass.MONEY_RECORDS,
            stays=dict.fromkeys(("fingerprint", "name"), "empty after each transaction"),
        ),
        "closing documents": PersonalColumns(
            ClosingDocument,
            DataClass.CORRESPONDENCE,
            stays=dict.fromkeys(
                ("subject", "owner", "contact"), "institutions and staff; no customers"
            ),
        ),
        "approvals": PersonalColumns(
            Approval,
            DataClass.MONEY_RECORDS,
            stays=dict.fromkeys(("reason", "summary"), _CHAIN),
        ),
        "signatures": PersonalColumns(Signature, DataClass.MONEY_RECORDS, stays={"reason": _CHAIN}),
        "audit journal": PersonalColumns(
            AuditEntry, DataClass.MONEY_RECORDS, stays=dict.fromkeys(("facts", "reason"), _CHAIN)
        ),
        "addresses of staff on duty": PersonalColumns(
            DutyAddress, DataClass.CONTACT, stays={"target_sealed": "of staff, wiped at its end"}
        ),
        "merchants": PersonalColumns(
            Merchant,
            DataClass.CONTACT,
            stays=dict.fromkeys(("name", "email", "address"), "shops, which the books name"),
        ),
        "evidence of notices": PersonalColumns(
            NoticeEvidence,
            DataClass.CORRESPONDENCE,
            stays={"content": "what was published, and papers of the authorities"},
        ),
    }
)
