"""A refused bank file names the record, the position and the reason, never a person's data."""

from __future__ import annotations


class BankFileError(Exception):
    """A bank file, or one value meant for it, is refused.

    `record` counts from 1. `position` is the byte in that record, counted from 1 as in the banks'
    own field tables. In XML they are line and column, in CSV row and column. Both are None if the
    refusal is not about one place. `reason` is a sentence without names, accounts or amounts, so it
    may be logged and shown.
    """

    def __init__(
        self, reason: str, *, record: int | None = None, position: int | None = None
    ) -> None:
        self.reason = reason
        self.record = record
        self.position = position
        super().__init__(reason)

    def __str__(self) -> str:
        place = [
            f"{word} {number}"
            for word, number in (("record", self.record), ("position", self.position))
            if number is not None
        ]
        return f"{', '.join(place)}: {self.reason}" if place else self.reason


class UnbankableText(BankFileError):
    """The text holds characters that the bank network cannot carry.

    `characters` lists each of them once, as typed and in order of appearance, for the person who
    must correct the text. They are a part of a name, so the message only says how many they are.
    """

    def __init__(self, characters: tuple[str, ...]) -> None:
        self.characters = characters
        noun = "character" if len(characters) == 1 else "characters"
        super().__init__(f"{len(characters)} {noun} the bank network cannot carry")
