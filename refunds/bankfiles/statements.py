"""What a bank says about our account: statements and notices of incoming money, in any format."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.errors import BankFileError

LINES_MAX = 200_000
STATEMENTS_MAX = 1_000


class Direction(StrEnum):
    """Which way the money went, seen from our account."""

    IN = "in"
    OUT = "out"


class LineKind(StrEnum):
    """What a line is about. A code that no table knows is UNKNOWN, never one of the others."""

    CASH = "cash"
    TRANSFER = "transfer"
    CHEQUE = "cheque"
    BOOK_TRANSFER = "book_transfer"
    CORRECTION = "correction"
    """The bank takes back or repeats something it booked before."""
    RETURN = "return"
    """The bank itself says that a transfer of ours came back."""
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Account:
    """Our account as the file names it. A part that the file does not name is empty.

    `number` is seven or ten digits in Japan, and an IBAN or another number elsewhere.
    """

    bank_code: str
    branch_code: str
    account_type: str
    number: str


@dataclass(frozen=True, slots=True)
class LineDetail:
    """One transfer inside a line. A line of a bulk booking has many.

    `amount_minor` is None if the bank gives only the total. `reference` is the end-to-end reference,
    which in a transfer of ours was the payout's number. `message` and `payment` are the references
    of the file and of the group in it. `reason` and `reason_code` are set if the bank says why the
    money came back. Every other part is the bank's text, stripped, and empty if there is none.
    """

    amount_minor: int | None
    reference: str = ""
    message: str = ""
    payment: str = ""
    party_code: str = ""
    party_name: str = ""
    bank_name: str = ""
    branch_name: str = ""
    text: str = ""
    reason_code: str = ""
    reason: ReturnReason | None = None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement on our account. `record` is its place in the file.

    `identity` is the same in every file that tells of this movement, because files overlap: it is
    the SHA-256 of account, day, inquiry number, direction, amount, and running position. The running
    position is the balance after the line. In a notice, which has no balance, it is the count of
    equal lines so far. `balance_after_minor` is None in a notice.

    A line of kind RETURN came back by the bank's own word. Another incoming line may still be a
    returned transfer, so it is matched against the payouts before it is called unknown.
    """

    record: int
    account: Account
    booked_on: date
    value_on: date
    inquiry: str
    direction: Direction
    amount_minor: int
    kind: LineKind
    balance_after_minor: int | None
    details: tuple[LineDetail, ...]
    identity: str

    @property
    def signed_minor(self) -> int:
        return self.amount_minor if self.direction is Direction.IN else -self.amount_minor


@dataclass(frozen=True, slots=True)
class Statement:
    """The movements of one account over some days, fully checked.

    Before + in - out = after, in minor units of `currency`; a negative balance is an overdraft. In
    a notice, which proves only its own counts and sums, both balances are None. `unbooked` counts
    the entries that the bank only announces, which are no lines.
    """

    account: Account
    currency: str
    made_on: date | None
    from_on: date | None
    to_on: date | None
    balance_before_minor: int | None
    balance_after_minor: int | None
    lines: tuple[StatementLine, ...]
    unbooked: int = 0

    @property
    def is_proved(self) -> bool:
        return self.balance_before_minor is not None


@dataclass(frozen=True, slots=True)
class StatementFile:
    """All statements of one file, in order, and the SHA-256 of the file as it came."""

    statements: tuple[Statement, ...]
    sha256: str

    @property
    def lines(self) -> tuple[StatementLine, ...]:
        return tuple(line for statement in self.statements for line in statement.lines)


def identity_of(
    account: Account,
    *,
    booked_on: date,
    inquiry: str,
    direction: Direction,
    amount_minor: int,
    running: str,
) -> str:
    """Returns the identity of a line, see `StatementLine`."""
    parts = (
        account.bank_code,
        account.branch_code,
        account.account_type,
        account.number,
        f"{booked_on:%Y-%m-%d}",
        inquiry,
        direction,
        f"{amount_minor}",
        running,
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def check_balance(*, before: int, lines: Iterable[StatementLine], after: int, record: int) -> None:
    """Before + in - out = after."""
    if before + sum(line.signed_minor for line in lines) != after:
        raise BankFileError(
            "the balance before and the lines do not give the balance after", record=record
        )


def check_chain(statements: Iterable[Statement]) -> None:
    """Within a file, each statement of an account begins with the balance that its last one ended
    with. Across files a caller asks the same of the statements that follow each other.
    """
    of_account: dict[Account, list[Statement]] = {}
    for statement in statements:
        if statement.is_proved:
            of_account.setdefault(statement.account, []).append(statement)
    for found in of_account.values():
        for earlier, later in pairwise(found):
            if later.balance_before_minor != earlier.balance_after_minor:
                raise BankFileError(
                    "a statement does not begin with the balance that the one before ended with"
                )
