"""The bank's answers are booked: each file once, and each line only if all that it says fits."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from refunds.bankfiles import formats
from refunds.bankfiles.answers import Checks
from refunds.bankfiles.formats import Content
from refunds.models import BankFile, VoidedFile
from refunds.payouts import (
    account_checks,
    answer_lines,
    payout_batches,
    statements,
    status_reports,
    transfer_results,
)
from refunds.payouts.answer_lines import Imported, Judged, fetch
from winddown import locks
from winddown.actors import Actor, require
from winddown.authority.approvals import digest_of
from winddown.errors import LoadRefused, PlanChanged, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import AuditEntry, Programme

PERMISSION = "refunds.reconcile"
_IMPORT = "bank_file.import"
_COUNTS = frozenset({each.name for each in fields(Imported)} - {"file_id", "known_before"})


@dataclass(frozen=True, slots=True)
class Part:
    """So many lines of an answer, with their sum: those about one batch, or of one kind of break."""

    name: str
    lines: int
    sum_minor: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an answer would change now. `sum_minor` is that of all its lines."""

    sha256: str
    would: Imported
    sum_minor: int
    batches: tuple[Part, ...]
    conflicts: tuple[Part, ...]

    @property
    def digest(self) -> str:
        """Another one as soon as the answer would change something else."""
        return digest_of(asdict(self))


def import_file(
    source: Path | bytes, *, actor: Actor, reason: str, shown: str | None = None
) -> Imported:
    """The answer is booked: results of transfers or account-name checks, as its header says.

    The same file again changes nothing, and what it did the first time is returned. A file that
    comes before its batch was recorded as sent, or before the value date, is refused and may be
    loaded again later. `shown` is the digest of the preview that somebody agreed to. Raises
    `PlanChanged` if the file would do something else by now, `LoadRefused` or `BankFileError`, and
    then nothing of the file was booked or remembered.
    """
    require(actor, PERMISSION, by_system=True, action="import the bank's answer")
    with _opened(source) as (file, sha256), transaction.atomic():
        # One answer at a time, because two files may be about one payout.
        locks.take(Lock.BANK_ANSWER)
        before = done_before(sha256)
        if before is not None:
            return before
        judged = _judged(file, sha256)
        if shown is not None:
            _refuse_stale(_preview(judged, sha256), shown=shown)
        lines = answer_lines.counted(None).lines
        kept = answer_lines.keep_file(judged, sha256, lines=lines, actor=actor)
        judged.book(kept, actor, reason)
        done = answer_lines.counted(kept.pk)
        answer_lines.execute("DELETE FROM refunds_answerline")
        audit.append(
            _IMPORT,
            f"bank_file:{kept.pk}",
            actor=actor,
            reason=reason,
            sha256=sha256,
            **{name: value for name, value in asdict(done).items() if name in _COUNTS},
        )
        return done


def preview(source: Path | bytes, *, actor: Actor) -> Preview:
    """Returns what the answer would change now. Nothing changes. Raises what `import_file` raises."""
    require(actor, PERMISSION, by_system=True, action="look at the bank's answer")
    with _opened(source) as (file, sha256), transaction.atomic():
        locks.take(Lock.BANK_ANSWER)
        before = done_before(sha256)
        if before is not None:
            return Preview(sha256, before, sum_minor=0, batches=(), conflicts=())
        seen = _preview(_judged(file, sha256), sha256)
        transaction.set_rollback(True)
    return seen


def done_before(sha256: str) -> Imported | None:
    """Returns what the file of this hash did when it was booked; None if it was not. Raises
    `LoadRefused` for a file of ours, and for one that is void.
    """
    before = BankFile.objects.filter(sha256=sha256).first()
    if before is None:
        return None
    if before.kind == BankFile.Kind.CHECK_ASKED:
        raise LoadRefused(file=sha256[:12], why=says("it is our question, not the bank's answer"))
    if VoidedFile.objects.filter(file=before).exists():
        raise LoadRefused(
            file=sha256[:12],
            why=says("two people voided it: ask the bank for the file that holds"),
        )
    said = AuditEntry.objects.filter(action=_IMPORT, subject=f"bank_file:{before.pk}").first()
    facts = {} if said is None else said.facts
    counts = {name: facts[name] for name in _COUNTS if name in facts and name != "lines"}
    return Imported(before.pk, before.lines, known_before=True, **counts)


@contextmanager
def _opened(source: Path | bytes) -> Iterator[tuple[BinaryIO, str]]:
    """Gives a copy of the file, which nobody else can change while it is read, and its SHA-256.
    Memory does not grow with the file.
    """
    with ExitStack() as open_files:
        given = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        open_files.enter_context(given)
        copy = open_files.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(given, copy)
        copy.seek(0)
        sha256 = hashlib.file_digest(copy, "sha256").hexdigest()
        copy.seek(0)
        yield copy, sha256


def sha256_of(content: bytes) -> str:
    """Returns what names the file everywhere."""
    return hashlib.sha256(content).hexdigest()


def _judged(file: BinaryIO, sha256: str) -> Judged:
    bank, about = formats.recognise(file)
    currency, near = Programme.current().currency, payout_batches.today()
    if about is Content.STATEMENT and bank.read_statements is not None:
        read = bank.read_statements(file, currency=currency, near=near)
        return statements.judged(read, sha256)
    if about is Content.REPORT and bank.read_report is not None:
        report = bank.read_report(file, currency=currency, near=near)
        return status_reports.judged(report, sha256)
    answer = bank.read_answer(file)
    if isinstance(answer, Checks):
        return account_checks.judged(answer, sha256)
    return transfer_results.judged(answer, sha256)


def _preview(judged: Judged, sha256: str) -> Preview:
    of_batches, of_breaks = (
        tuple(Part(str(name), n, int(amount)) for name, n, amount in fetch(sql, params))
        for sql, params in (
            (
                "SELECT batch_id, count(*), sum(amount_minor) FROM refunds_answerline"
                " WHERE batch_id IS NOT NULL GROUP BY 1 ORDER BY 1",
                [],
            ),
            (
                "SELECT verdict, count(*), sum(amount_minor) FROM refunds_answerline"
                " WHERE verdict <> ALL (%s) GROUP BY 1 ORDER BY 1",
                [list(answer_lines.NO_BREAK)],
            ),
        )
    )
    return Preview(
        sha256,
        answer_lines.counted(None),
        sum_minor=judged.sum_minor,
        batches=of_batches,
        conflicts=of_breaks,
    )


def _refuse_stale(now: Preview, *, shown: str) -> None:
    if now.digest != shown:
        raise PlanChanged(
            subject=f"bank_answer:{now.sha256[:12]}", approved=shown[:12], now=now.digest[:12]
        )
