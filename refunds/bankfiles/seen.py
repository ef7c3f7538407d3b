"""Which references an answer has named, in little memory."""

from __future__ import annotations

import re
from typing import Final

# Our references have this form (`refunds.models.payout.reference_of`).
_NUMBER: Final = re.compile("[1-9][0-9]{0,19}")
_BITS: Final = 8


class Seen:
    """The references that came. Numbers like ours stand close to each other, so a block of 256 of them is
    one number with a bit for each: a million need about a megabyte. Other references are kept as
    they are.
    """

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        self._others: set[str] = set()
        self.count = 0

    def add(self, reference: str) -> bool:
        """The reference has come. Returns whether it had come before."""
        if _NUMBER.fullmatch(reference):
            number = int(reference)
            block, bit = number >> _BITS, 1 << (number & (1 << _BITS) - 1)
            before = self._blocks.get(block, 0)
            again = bool(before & bit)
            self._blocks[block] = before | bit
        else:
            again = reference in self._others
            self._others.add(reference)
        self.count += not again
        return again
