"""A bank account as a holder gives it, before any format carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from winddown import encryption

_KIND: Final = "bank account"


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account as a holder gave it; `name` is its owner's, in kana or what becomes kana. An
    account that is named by an IBAN has neither codes nor type.
    """

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str
    name: str

    @classmethod
    def of_iban(cls, number: str, name: str) -> Account:
        return cls("", "", "", number, name)

    @property
    def is_iban(self) -> bool:
        return not (self.bank_code or self.branch_code or self.account_type)

    def __repr__(self) -> str:
        return "Account(...)"

    @property
    def fingerprint(self) -> str:
        """Returns a digest that is equal for equal accounts, whatever their owners' names are."""
        return encryption.fingerprint(
            f"{self.bank_code}-{self.branch_code}-{self.account_type}-{self.account_number}",
            of=_KIND,
        )


def fingerprinter() -> Callable[[str, str, str, str], str]:
    """Returns what gives the `fingerprint` of each of many accounts, by bank, branch, type and
    number.
    """
    of_text = encryption.fingerprinter(of=_KIND)
    return lambda bank, branch, kind, number: of_text(f"{bank}-{branch}-{kind}-{number}")
