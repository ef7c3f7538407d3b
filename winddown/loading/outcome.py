"""What a load did, what its sender announced, and why rows were refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `repeated`: the same bytes were loaded before, and nothing was staged.
    `unreachable`: how many people of the file no verified channel reaches; None for other files.
    """

    kind: str
    file: str
    sha256: str
    rows: int
    inserted: int
    sum_minor: int | None
    repeated: bool
    unreachable: int | None = None

    @property
    def already_there(self) -> int:
        return self.rows - self.inserted


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one row was refused."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals that the sender announced; None where the sender announced nothing."""

    rows: int | None = None
    sum_minor: int | None = None

    def contradictions(self, *, rows: int, sum_minor: int | None) -> list[str]:
        found = []
        if self.rows is not None and self.rows != rows:
            found.append(f"the file has {rows:,} rows, {self.rows:,} were announced")
        if self.sum_minor is not None and sum_minor is not None and self.sum_minor != sum_minor:
            found.append(f"its amounts add up to {sum_minor:,}, {self.sum_minor:,} were announced")
        return found
