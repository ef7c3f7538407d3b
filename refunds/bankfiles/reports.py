"""What a bank says about transfers one by one, in words of the bank: status reports of any format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from refunds.bankfiles.answers import ReturnReason


class TransferStatus(StrEnum):
    """How far a transfer has come. A code that no table knows is UNKNOWN, and it is never resent."""

    ACCEPTED = "accepted"
    """The bank has it and has not begun."""
    IN_PROCESS = "in_process"
    DONE = "done"
    """Paid. It can still come back days later."""
    RETURNED = "returned"
    """It was sent and came back: the money is with us."""
    NOT_DONE = "not_done"
    """It was refused, withdrawn or expired before it was sent: no money moved."""
    RECALL_ASKED = "recall_asked"
    RECALLED = "recalled"
    """The payee's bank gave it back at our request: the money is with us."""
    RECALL_FAILED = "recall_failed"
    """The payee keeps it: nothing is owed again."""
    UNKNOWN = "unknown"


# ISO 20022, external code set of payment statuses. PART says nothing about one transfer.
ISO_STATUSES: Final[dict[str, TransferStatus]] = {
    "RCVD": TransferStatus.ACCEPTED,
    "ACTC": TransferStatus.ACCEPTED,
    "ACCP": TransferStatus.ACCEPTED,
    "ACFC": TransferStatus.ACCEPTED,
    "ACWC": TransferStatus.ACCEPTED,
    "PDNG": TransferStatus.IN_PROCESS,
    "ACSP": TransferStatus.IN_PROCESS,
    # Settled on our account. It says no more about the payee than a bank's "paid".
    "ACSC": TransferStatus.DONE,
    "ACCC": TransferStatus.DONE,
    "RJCT": TransferStatus.NOT_DONE,
    "CANC": TransferStatus.NOT_DONE,
}


class StatusLine(NamedTuple):
    """One transfer and what the bank says of it. `record` is its place in the file.

    `reference` is the payout's number as it was sent. `code` and `reason_code` are the bank's own
    words. `reason` is None where the bank gives none. The rest repeats the transfer, so that a line
    is held against all of it: a part that the file does not repeat is empty or None. `paid_from` is
    the number of the account that pays.
    """

    record: int
    reference: str
    status: TransferStatus
    code: str
    reason: ReturnReason | None
    reason_code: str
    amount_minor: int | None = None
    value_on: date | None = None
    paid_from: str = ""
    bank_code: str = ""
    branch_code: str = ""
    account_type: str = ""
    account_number: str = ""
    payee: str = ""


@dataclass(frozen=True, slots=True)
class ReportHead:
    """What a report says before its lines.

    `file_reference` names the transfer file that it answers, as that file named itself. `status` is
    of the whole file: NOT_DONE without a line means that the bank refused the file. It is UNKNOWN
    where the report speaks of single transfers only.
    """

    report_reference: str
    file_reference: str
    status: TransferStatus
    code: str
    reason: ReturnReason | None
    reason_code: str


class StatusReport:
    """A report: its head at once, its lines by iterating once. Memory hardly grows with the lines
    (`Seen`).

    Everything behind the last line is checked before the iteration ends, so a caller may believe a
    report only after its loop. Then `count` and `sha256` are valid. Raises `BankFileError` with the
    place. A reference stands once in a report.
    """

    def __init__(
        self, head: ReportHead, lines: Iterator[StatusLine], *, digest: Callable[[], str]
    ) -> None:
        self.head = head
        self._lines = lines
        self._digest = digest
        self.count = 0
        self.sha256 = ""

    def __iter__(self) -> Iterator[StatusLine]:
        for line in self._lines:
            self.count += 1
            yield line
        self.sha256 = self._digest()
