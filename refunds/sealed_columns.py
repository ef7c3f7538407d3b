"""The columns of this room with encrypted values, which `reseal` encrypts with a new field key."""

from __future__ import annotations

from accounts.sealed_columns import of_house, secrets_of
from refunds.bank_accounts import Account
from refunds.models import (
    ApplicationDocument,
    ClaimFile,
    FraudReport,
    Payee,
    PayoutFilePart,
    RefundApplication,
    UploadedAnswer,
    Voucher,
)
from refunds.models.answer import content_place
from refunds.models.application import address_place, draft_place
from refunds.models.claim_file import file_place
from refunds.models.document import document_place
from refunds.models.fraud_report import answer_place, words_place
from refunds.models.payee import account_place
from refunds.models.payout_batch import part_place
from refunds.models.voucher import code_place
from winddown.personal_data import HOUSE, DataClass
from winddown.resealing import SEALED, Sealed


def _of_payee(payee: Payee, number: str) -> str:
    return Account(
        bank_code=payee.bank_code,
        branch_code=payee.branch_code,
        account_type=payee.account_type,
        account_number=number,
        name=payee.name_kana,
    ).fingerprint


SEALED.add(
    "account numbers of payees",
    Sealed(
        Payee,
        "account_number_sealed",
        place=lambda row: account_place(row.pk),
        fingerprint=("fingerprint", _of_payee),
        secrets=secrets_of(lambda row: int(row.holder_id), DataClass.BANK_DETAILS),
    ),
)
SEALED.add(
    "documents of applications",
    Sealed(
        ApplicationDocument,
        "content_sealed",
        place=lambda row: document_place(row.pk),
        secrets=secrets_of(lambda row: int(row.application.applicant_id), DataClass.IDENTITY),
    ),
)
SEALED.add(
    "words of fraud reports",
    Sealed(
        FraudReport,
        "words_sealed",
        place=lambda row: words_place(row.key),
        secrets=secrets_of(lambda row: int(row.customer_id or HOUSE), DataClass.CLAIMS_EVIDENCE),
    ),
)
SEALED.add(
    "answers to fraud reports",
    Sealed(
        FraudReport,
        "answer_sealed",
        place=lambda row: answer_place(row.key),
        secrets=secrets_of(lambda row: int(row.customer_id or HOUSE), DataClass.CLAIMS_EVIDENCE),
    ),
)
SEALED.add(
    "files of claims",
    Sealed(
        ClaimFile,
        "content_sealed",
        place=lambda row: file_place(row.key),
        secrets=secrets_of(lambda row: int(row.claim.wallet.account_id), DataClass.CLAIMS_EVIDENCE),
    ),
)
SEALED.add(
    "drafts of applications",
    Sealed(
        RefundApplication,
        "draft_sealed",
        place=lambda row: draft_place(row.pk),
        secrets=secrets_of(lambda row: int(row.applicant_id), DataClass.BANK_DETAILS),
    ),
)
SEALED.add(
    "postal addresses of applications",
    Sealed(
        RefundApplication,
        "address_sealed",
        place=lambda row: address_place(row.pk),
        secrets=secrets_of(lambda row: int(row.applicant_id), DataClass.CONTACT),
    ),
)
SEALED.add(
    "parts of payout files",
    Sealed(
        PayoutFilePart,
        "content_sealed",
        place=lambda row: part_place(row.batch_id, row.number),
        secrets=secrets_of(of_house, DataClass.MONEY_RECORDS),
    ),
)
SEALED.add(
    "answers of the bank that were uploaded",
    Sealed(
        UploadedAnswer,
        "content_sealed",
        place=lambda row: content_place(row.sha256),
        secrets=secrets_of(of_house, DataClass.MONEY_RECORDS),
    ),
)
SEALED.add(
    "codes of vouchers",
    Sealed(
        Voucher,
        "code_sealed",
        place=lambda row: code_place(row.payout_id, row.batch_id),
        secrets=secrets_of(lambda row: int(row.payout.holder_id), DataClass.BANK_DETAILS),
    ),
)
