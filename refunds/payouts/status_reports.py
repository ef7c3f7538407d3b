"""Status reports of any format (pain.002, CSV): what became of each transfer in the bank's words."""

from __future__ import annotations

from collections.abc import Iterator

from refunds.bank_accounts import Account
from refunds.bankfiles import iban
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.reports import StatusLine, StatusReport, TransferStatus
from refunds.models import BankFile
from refunds.models.payout import inclusion_of
from refunds.payouts import answer_lines, line_verdicts, payout_batches, transfer_results
from refunds.payouts.answer_lines import Judged, Said, fetch
from winddown.errors import LoadRefused, says

_SAID: dict[TransferStatus, str] = {
    TransferStatus.ACCEPTED: Said.UNDER_WAY,
    TransferStatus.IN_PROCESS: Said.UNDER_WAY,
    TransferStatus.RECALL_ASKED: Said.UNDER_WAY,
    # The payee keeps it: nothing is owed again.
    TransferStatus.RECALL_FAILED: Said.UNDER_WAY,
    TransferStatus.DONE: "",
    TransferStatus.NOT_DONE: "",
    TransferStatus.RETURNED: Said.CAME_BACK,
    TransferStatus.RECALLED: Said.CAME_BACK,
    TransferStatus.UNKNOWN: Said.UNKNOWN,
}
_NO_MONEY_MOVED = (TransferStatus.NOT_DONE, TransferStatus.RETURNED, TransferStatus.RECALLED)


def judged(report: StatusReport, sha256: str) -> Judged:
    """Every line has its verdict. Inside the caller's transaction. Raises `LoadRefused` for a report
    without lines, which speaks of a whole file: people record that.
    """
    answer_lines.load(
        "number, reference, sequence, payout_id, fingerprint, name, amount_minor, code, said,"
        " value_mmdd, paid_from",
        _rows(report),
    )
    if not report.count:
        refused = report.head.status == TransferStatus.NOT_DONE
        raise LoadRefused(
            file=sha256[:12],
            why=says(
                "the bank refuses the whole file: record that with this file as its evidence"
                " (record_bank_rejection)"
            )
            if refused
            else says(
                "it names no transfer: if the bank takes the file, record that"
                " (accept_payout_batch)"
            ),
        )
    line_verdicts.judge_report()
    transfer_results.refuse_early(sha256)
    ((sum_minor,),) = fetch("SELECT coalesce(sum(amount_minor), 0) FROM refunds_answerline")
    return Judged(
        BankFile.Kind.REPORT,
        sum_minor=int(sum_minor),
        book=transfer_results.book,
        answered_on=payout_batches.today(),
    )


def _rows(report: StatusReport) -> Iterator[tuple[object, ...]]:
    for number, line in enumerate(report, start=1):
        sequence, payout = inclusion_of(line.reference)
        yield (
            number,
            line.reference,
            sequence,
            payout,
            _fingerprint(line),
            line.payee,
            line.amount_minor or 0,
            (line.reason or ReturnReason.OTHER).value if line.status in _NO_MONEY_MOVED else "",
            _SAID[line.status],
            "" if line.value_on is None else f"{line.value_on:%m%d}",
            line.paid_from,
        )


def _fingerprint(line: StatusLine) -> str:
    """Returns that of the payee's account, if the line repeats all of it."""
    if iban.is_canonical(line.account_number):
        return Account.of_iban(line.account_number, "").fingerprint
    said = (line.bank_code, line.branch_code, line.account_type, line.account_number)
    return Account(*said, "").fingerprint if all(said) else ""
