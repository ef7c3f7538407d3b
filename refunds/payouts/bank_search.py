"""Banks and branches of the active data set, found by name, kana, romaji or code."""

from __future__ import annotations

import unicodedata
from typing import TypeVar

import jaconv
from django.db.models import QuerySet

from refunds.bankfiles import kana
from refunds.bankfiles.errors import UnbankableText
from refunds.models import Bank, Branch

# The banks that the most people are expected to name. A guess of the operator, from the numbers of
# accounts that the banks themselves publish; no count of all banks is published.
LARGEST = ("9900", "0005", "0009", "0001", "0010", "0036", "0033", "0038")
FOUND_MAX = 20
ROWS = {
    "ア": "ｱｲｳｴｵ",
    "カ": "ｶｷｸｹｺ",
    "サ": "ｻｼｽｾｿ",
    "タ": "ﾀﾁﾂﾃﾄ",
    "ナ": "ﾅﾆﾇﾈﾉ",
    "ハ": "ﾊﾋﾌﾍﾎ",
    "マ": "ﾏﾐﾑﾒﾓ",
    "ヤ": "ﾔﾕﾖ",
    "ラ": "ﾗﾘﾙﾚﾛ",
    "ワ": "ﾜｦﾝ",
    "A-Z": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
"""The rows of the kana table, each with the characters of bank text that a name in it begins with."""

# What people add to the name, and the data set leaves out.
_ENDINGS = ("銀行", "ぎんこう", "ギンコウ", "ﾊﾞﾝｸ", "バンク", "bank", "ginkou", "ginko", "支店")


Row = TypeVar("Row", Bank, Branch)


def largest() -> list[Bank]:
    """Returns the banks that most people name, in their order, as far as the data set has them."""
    found = {bank.code: bank for bank in _banks().filter(code__in=LARGEST)}
    return [found[code] for code in LARGEST if code in found]


def bank(code: str) -> Bank | None:
    """Returns the bank of the code. It is None when the active data set has none."""
    return _banks().filter(code=code).first() if code.isascii() and code.isdigit() else None


def branch(bank_code: str, code: str) -> Branch | None:
    """Returns the branch of the bank. It is None when the active data set has none."""
    return Branch.objects.filter(dataset__active=True, bank_code=bank_code, code=code).first()


def banks(typed: str) -> list[Bank]:
    """Returns the banks that the text names, the best first: by code, name, kana or romaji."""
    return _found(typed, _banks())


def branches(bank_code: str, typed: str) -> list[Branch]:
    """Returns the branches of the bank that the text names, the best first."""
    return _found(typed, Branch.objects.filter(dataset__active=True, bank_code=bank_code))


def banks_in_row(row: str) -> list[Bank]:
    """Returns the banks whose names begin with a character of the row, in the order of their kana."""
    first = ROWS.get(row, "")
    if not first:
        return []
    return list(_banks().filter(kana__regex=f"^[{first}]").order_by("kana", "code"))


def _banks() -> QuerySet[Bank]:
    return Bank.objects.filter(dataset__active=True)


def _found(typed: str, rows: QuerySet[Row]) -> list[Row]:
    """Returns the rows that the text names: those of its code alone, else those that are called so,
    else those that begin so, else those that have it inside.
    """
    said = unicodedata.normalize("NFKC", typed).strip()
    if not said:
        return []
    if said.isdigit():
        return list(rows.filter(code=said))
    plain = said.casefold()
    for ending in _ENDINGS:
        plain = plain.removesuffix(ending.casefold()) or plain
    in_kana = _in_kana(plain)
    ranked = [(rank, row) for row in rows if (rank := _rank(row, plain, in_kana)) is not None]
    # Who types the whole name of one does not look for those that only begin with it.
    whole = any(rank == 0 for rank, _ in ranked)
    kept = [each for each in ranked if each[0] == 0 or not whole]
    return [row for _, row in sorted(kept, key=lambda each: (each[0], each[1].kana, each[1].code))]


def _in_kana(plain: str) -> str:
    """Returns the text in bank kana: of kana as it is, of romaji as it sounds. It is empty for text
    that has no kana.
    """
    sounds = jaconv.alphabet2kana(plain) if plain.isascii() else plain
    try:
        return kana.to_bank_kana(sounds)
    except UnbankableText:
        return ""


def _rank(row: Bank | Branch, plain: str, in_kana: str) -> int | None:
    name = unicodedata.normalize("NFKC", row.name).casefold()
    ranks = []
    for known, wanted in ((name, plain), (row.kana, in_kana), (row.kana, plain.upper())):
        if wanted and wanted in known:
            ranks.append(0 if known == wanted else 1 if known.startswith(wanted) else 2)
    return min(ranks, default=None)
