"""The payee's name beside the holder's: how they differ, so that people ask the right question."""

from __future__ import annotations

import re

from refunds.bankfiles import kana
from refunds.bankfiles.errors import UnbankableText

SAME = "same"
SWAPPED = "swapped"
NEAR = "near"
COMPANY = "company"
OTHER = "other"
UNKNOWN = "unknown"
# A form of a company in bank text: at the beginning, inside or at the end of a name.
_COMPANY = re.compile(r"^[ｱ-ﾝA-Z]{1,3}\)|\([ｱ-ﾝA-Z]{1,3}\)|\([ｱ-ﾝA-Z]{1,3}$")
_NAME_BYTES_MAX = 100


def compared(holder: str, payee: str) -> str:
    """Returns how the payee's name, in bank text, differs from the holder's, as written.

    `company`: the account is in the name of a company. `swapped`: the same words in another order.
    `near`: one character is another, missing or added. `unknown`: the holder's name is not known in
    kana. No answer blocks anything: people ask.
    """
    if _COMPANY.search(payee):
        return COMPANY
    try:
        known = kana.fits(holder.strip(), _NAME_BYTES_MAX).text
    except UnbankableText:
        known = ""
    if not known:
        return UNKNOWN
    ours, theirs = known.split(), payee.split()
    if "".join(ours) == "".join(theirs):
        return SAME
    if sorted(ours) == sorted(theirs):
        return SWAPPED
    return NEAR if _one_apart("".join(ours), "".join(theirs)) else OTHER


def _one_apart(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next(
        (i for i, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]),
        len(short),
    )
    return long[at + 1 :] == short[at + (len(long) == len(short)) :]
