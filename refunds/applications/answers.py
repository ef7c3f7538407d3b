"""A holder's answers to the questions of the application: which one is missing, and what the account
is that they come to.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from refunds.bank_accounts import Account
from refunds.bankfiles import kana, yucho
from refunds.bankfiles.transfer_items import PAYEE_BYTES_MAX
from refunds.models import Payee
from refunds.payouts.methods import BANK, METHODS, Needs
from refunds.payouts.methods.postal_addresses import PostalAddress
from winddown import encryption
from winddown.authority import approvals

Answers = Mapping[str, Any]
# The questions in their order, each with the answers that it gives. Which ones there are follows
# from the first answer: how the money comes.
_OF_A_BANK: dict[str, tuple[str, ...]] = {
    "bank": ("way", "bank"),
    "account": ("branch", "kind", "number"),
    "name": ("family", "given"),
}
# An IBAN says bank, branch and kind.
IBAN = "iban"
_OF_AN_IBAN: dict[str, tuple[str, ...]] = {
    "bank": ("way", "bank", "number"),
    "name": ("family", "given"),
}
_OF_A_LETTER: dict[str, tuple[str, ...]] = {
    "bank": ("way",),
    "address": ("to", "postal_code", "lines"),
}
_OF_NOTHING: dict[str, tuple[str, ...]] = {"bank": ("way",)}
OP_ID = "op_id"
FALLBACK = "fallback"


def _questions(answers: Answers) -> dict[str, tuple[str, ...]]:
    """Returns the questions of the way that was chosen; those of a bank account before that."""
    method = METHODS.get(answers.get("way", BANK))
    if method is None or method.needs is Needs.ACCOUNT:
        return _OF_AN_IBAN if is_iban(answers) else _OF_A_BANK
    return _OF_A_LETTER if method.needs is Needs.ADDRESS else _OF_NOTHING


def steps(answers: Answers) -> list[str]:
    """Returns the questions in their order; the last is whether all answers are right."""
    return [*_questions(answers), "check"]


def first_missing(answers: Answers) -> str | None:
    """Returns the first question that is not answered. It is None when all are."""
    for question, names in _questions(answers).items():
        if not all(answers.get(name) for name in names):
            return question
    return None


def is_iban(answers: Answers) -> bool:
    """Returns whether the bank account is named by its IBAN."""
    return answers.get("bank") == IBAN


def is_of_a_bank(answers: Answers) -> bool:
    """Returns whether the money goes to a bank account."""
    return _questions(answers) in (_OF_A_BANK, _OF_AN_IBAN)


def address(answers: Answers) -> PostalAddress | None:
    """Returns where the letter goes; None for a way without one. Raises `AddressRefused`."""
    if _questions(answers) is not _OF_A_LETTER:
        return None
    return PostalAddress.typed(
        name=answers["to"], postal_code=answers["postal_code"], lines=answers["lines"]
    )


def account(answers: Answers) -> Account:
    """Returns the bank account that the answers come to. Every question is answered."""
    name = whole_name(answers["family"], answers["given"])
    if is_iban(answers):
        return Account.of_iban(answers["number"], name)
    return Account(answers["bank"], answers["branch"], answers["kind"], answers["number"], name)


def of_payee(payee: Payee) -> dict[str, str]:
    """Returns the answers that a known account came from, without its number: who took over a
    session cannot read it. A name in one word has no second part.
    """
    family, _, given = payee.name_kana.partition(" ")
    return {
        "way": BANK,
        "bank": payee.bank_code or IBAN,
        "branch": payee.branch_code,
        "kind": payee.account_type,
        "family": family,
        "given": given,
    }


def whole_name(family: str, given: str) -> str:
    """Returns the name as a bank writes it: family name, space, given name."""
    return f"{family} {given}"


def seen_by_the_bank(answers: Answers) -> kana.Fitted:
    """Returns the name as the bank will see it, and whether it had to be cut."""
    return kana.fits(whole_name(answers["family"], answers["given"]), PAYEE_BYTES_MAX)


def of_yucho(symbol: str, number: str) -> dict[str, str]:
    """Returns the answers that 記号 and 番号 come to. Raises `YuchoRefused`."""
    converted = yucho.convert(symbol, number)
    return {
        "branch": converted.branch_code,
        "kind": converted.account_type,
        "number": converted.account_number,
        "symbol": symbol,
        "yucho_number": number,
    }


def digest(answers: Answers, *, before: str = "") -> str:
    """Returns a digest of the answers that a page shows: those to the questions before its own, or
    all. A page with another digest is out of date.
    """
    shown = []
    for question, names in _questions(answers).items():
        if question == before:
            break
        shown += [answers.get(name) for name in names]
    return approvals.digest_of(shown)


def sealed(answers: Answers, *, holder_id: int) -> str:
    """Returns the answers as text that only this system reads, and only for this holder."""
    text = json.dumps(dict(answers)).encode()
    return base64.b64encode(encryption.seal(text, place=_place(holder_id))).decode()


def unsealed(text: str, *, holder_id: int) -> dict[str, Any]:
    """Returns the answers of `sealed`. They are empty without a text, or when it is another's."""
    try:
        opened = (
            encryption.unseal(base64.b64decode(text), place=_place(holder_id)) if text else b"{}"
        )
    except encryption.SealBroken:
        return {}
    answers: dict[str, Any] = json.loads(opened)
    return answers


def _place(holder_id: int) -> str:
    return f"accounts_session/refund answers/{holder_id}"
