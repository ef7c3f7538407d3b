"""Japan Post Bank's 記号 and 番号 as the branch, type and number that other banks use."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.transfer_items import AccountType

YUCHO_BANK_CODE = "9900"
_SYMBOL = re.compile(r"([01])([0-9]{2})[0-9]{2}")


class YuchoRefused(BankFileError):
    """The notation cannot be an account; `field` is `symbol` or `number`, the one to correct."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(f"{field}: {reason}")


class YuchoAccount(NamedTuple):
    """The account as a transfer names it."""

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str


def _plain(typed: str) -> str:
    """Returns the text with plain digits in place of full-width ones and without spaces around it.
    Nothing else is repaired.
    """
    return unicodedata.normalize("NFKC", typed).strip(" ")


def convert(symbol: str, number: str) -> YuchoAccount:
    """Returns the account that 記号 (five digits) and 番号 mean.

    記号 1....: an ordinary account; branch = its digits 2-3 and `8`; 番号 ends in `1`, which is
    dropped, and the rest is padded to seven digits. 記号 0....: a transfer (current) account; branch
    = digits 2-3 and `9`; 番号 is padded only. The re-issue digit printed between the two on some
    cards is no part of either. Raises YuchoRefused. Whether the branch exists is a question for the
    bank data.
    """
    match = _SYMBOL.fullmatch(_plain(symbol))
    if match is None:
        raise YuchoRefused("symbol", "five digits that begin with 0 or 1 expected")
    kind, branch = match.groups()
    digits = _plain(number)
    if kind == "1":
        if not re.fullmatch(r"[0-9]{1,7}1", digits):
            raise YuchoRefused("number", "two to eight digits that end in 1 expected")
        branch_code, account_type, account_number = f"{branch}8", AccountType.ORDINARY, digits[:-1]
    else:
        if not re.fullmatch(r"[0-9]{1,7}", digits):
            raise YuchoRefused("number", "one to seven digits expected")
        branch_code, account_type, account_number = f"{branch}9", AccountType.CURRENT, digits
    if not account_number.strip("0"):
        raise YuchoRefused("number", "zero is no account")
    return YuchoAccount(
        bank_code=YUCHO_BANK_CODE,
        branch_code=branch_code,
        account_type=account_type,
        account_number=f"{account_number:0>7}",
    )
