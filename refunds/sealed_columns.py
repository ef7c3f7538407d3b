"""The columns of this room with encrypted values, which `reseal` encrypts with a new field key."""

from __future__ import annotations

from refunds.bank_accounts import Account
from refunds.models import (
    ApplicationDocument,
    Payee,
    PayoutFilePart,
    RefundApplication,
    UploadedAnswer,
    Voucher,
)
from refunds.models.answer import content_place
from refunds.models.application import address_place, draft_place
from refunds.models.document import document_place
from refunds.models.payee import account_place
from refunds.models.payout_batch import part_place
from refunds.models.voucher import code_place
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
    ),
)
SEALED.add(
    "documents of applications",
    Sealed(ApplicationDocument, "content_sealed", place=lambda row: document_place(row.pk)),
)
SEALED.add(
    "drafts of applications",
    Sealed(RefundApplication, "draft_sealed", place=lambda row: draft_place(row.pk)),
)
SEALED.add(
    "postal addresses of applications",
    Sealed(RefundApplication, "address_sealed", place=lambda row: address_place(row.pk)),
)
SEALED.add(
    "parts of payout files",
    Sealed(
        PayoutFilePart, "content_sealed", place=lambda row: part_place(row.batch_id, row.number)
    ),
)
SEALED.add(
    "answers of the bank that were uploaded",
    Sealed(UploadedAnswer, "content_sealed", place=lambda row: content_place(row.sha256)),
)
SEALED.add(
    "codes of vouchers",
    Sealed(Voucher, "code_sealed", place=lambda row: code_place(row.payout_id, row.batch_id)),
)
