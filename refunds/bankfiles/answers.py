"""What an answer of any bank says: results of transfers and of account checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from refunds.bankfiles.transfer_items import Remitter, TransferItem


class ReturnReason(StrEnum):
    """Why a transfer came back: our word, with the codes of the banks and of ISO 20022."""

    ACCOUNT_NOT_FOUND = "account_not_found"
    ACCOUNT_NUMBER_WRONG = "account_number_wrong"
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_BLOCKED = "account_blocked"
    ACCOUNT_TYPE_WRONG = "account_type_wrong"
    NAME_MISMATCH = "name_mismatch"
    BANK_OR_BRANCH_INVALID = "bank_or_branch_invalid"
    RECALLED = "recalled"
    EXPIRED = "expired"
    OTHER = "other"

    @property
    def bank_words(self) -> str:
        return _REASONS[self].bank_words

    @property
    def iso_codes(self) -> tuple[str, ...]:
        return _REASONS[self].iso_codes

    @classmethod
    def of_iso(cls, iso_code: str) -> ReturnReason:
        """Returns the reason that an ISO 20022 code means. It is `other` for a code outside the
        table.
        """
        return _REASON_OF_ISO.get(iso_code, cls.OTHER)


class _Codes(NamedTuple):
    bank_words: str
    iso_codes: tuple[str, ...]


_REASONS: dict[ReturnReason, _Codes] = {
    ReturnReason.ACCOUNT_NOT_FOUND: _Codes("該当口座なし", ("AC03", "AC01")),
    ReturnReason.ACCOUNT_NUMBER_WRONG: _Codes("口座番号相違", ("AC01",)),
    ReturnReason.ACCOUNT_CLOSED: _Codes("解約済", ("AC04",)),
    ReturnReason.ACCOUNT_BLOCKED: _Codes("入金停止・受取口座側事由", ("AC06",)),
    # AC14 is our choice: the external code list has no exact code for a wrong type of account.
    ReturnReason.ACCOUNT_TYPE_WRONG: _Codes("科目相違", ("AC14",)),
    ReturnReason.NAME_MISMATCH: _Codes("受取人名相違", ("BE01",)),
    ReturnReason.BANK_OR_BRANCH_INVALID: _Codes("店舗統廃合等", ("RC01",)),
    ReturnReason.RECALLED: _Codes("組戻し", ("FOCR",)),
    # Of postal orders and claim codes. A bank that says so had no answer of the payee.
    ReturnReason.EXPIRED: _Codes("期限切れ", ("NOAS",)),
    ReturnReason.OTHER: _Codes("その他", ("MS03", "NARR")),
}
# AC01 is in two rows of the table. Alone it says that the number is wrong.
_REASON_OF_ISO = {
    code: reason
    for reason, codes in _REASONS.items()
    for code in codes.iso_codes
    if (reason, code) != (ReturnReason.ACCOUNT_NOT_FOUND, "AC01")
}


class AccountCheck(StrEnum):
    """The bank's answer about a name and an account."""

    MATCHED = "matched"
    NO_SUCH_ACCOUNT = "no_such_account"
    NAME_DIFFERS = "name_differs"
    OTHER = "other"


class ResultLine(NamedTuple):
    """One transfer and its result. `reason` is None if it was paid. `value_mmdd` is month and day of
    the value date, and empty where the answer has one for all.
    """

    item: TransferItem
    reason: ReturnReason | None
    value_mmdd: str = ""


class CheckLine(NamedTuple):
    """One account that the bank was asked about, and its answer. The item's amount has no meaning
    here.
    """

    item: TransferItem
    answer: AccountCheck


class Results(Protocol):
    """Results of transfers. They are iterated once. The totals are valid only after the iteration."""

    @property
    def remitter(self) -> Remitter: ...

    @property
    def count(self) -> int: ...

    @property
    def sum_minor(self) -> int: ...

    def answered_on(self, *, near: dt.date) -> dt.date: ...

    def __iter__(self) -> Iterator[ResultLine]: ...


@dataclass(frozen=True, slots=True)
class Checks:
    """Answers about accounts, fully checked."""

    remitter: Remitter
    lines: tuple[CheckLine, ...]
