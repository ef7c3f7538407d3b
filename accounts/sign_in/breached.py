"""Lists of breached passwords. Each is loaded whole or not at all. A check asks no other machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from django.db import connection, transaction

from accounts.models import BreachedPassword
from winddown import locks, texts
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import LoadRefused
from winddown.evidence import audit
from winddown.loading.csv_source import BLOCK_BYTES, BOM, Examined, examined
from winddown.loading.loader import PERMISSION, REFUSALS_SHOWN
from winddown.loading.outcome import Loaded, Progress, Refusal
from winddown.locks import Lock
from winddown.models import LoadedFile

KIND = "breached_passwords"
_LINE = re.compile(rb"[0-9A-Fa-f]{40}(?::[0-9]+)?\r?")
_LINES = re.compile(rb"(?:[0-9A-Fa-f]{40}(?::[0-9]+)?\r?\n)*")
_FINGERPRINT = re.compile(rb"([0-9A-Fa-f]{40})[^\n]*\n")


def is_breached(raw_password: str) -> bool:
    """Returns whether the password is in a loaded list, by one look-up of its fingerprint."""
    fingerprint = hashlib.sha1(raw_password.encode(), usedforsecurity=False).digest()
    return BreachedPassword.objects.filter(sha1=fingerprint).exists()


def load(
    path: Path,
    *,
    actor: Actor = SYSTEM,
    reason: str = "",
    expect_rows: int | None = None,
    progress: Progress = lambda phase, done, total: None,
) -> Loaded:
    """Every fingerprint of the file is refused as a password from now on. If `LoadRefused` is
    raised, nothing has changed.

    A line is a SHA-1 in hexadecimal. A colon and a count may follow, as in the lists of Have I Been
    Pwned. The order does not matter. Present rows are not changed. A file whose bytes were loaded
    before changes nothing. No line is shown or logged, because somebody may load clear passwords by
    mistake. Memory does not grow with the file.
    """
    require(actor, PERMISSION, by_system=True, action=f"load {KIND}")
    found = examined(path, encoding="utf-8")
    with transaction.atomic(durable=True):
        return _load(path, found, actor=actor, reason=reason, wanted=expect_rows, progress=progress)


def _load(
    path: Path,
    found: Examined,
    *,
    actor: Actor,
    reason: str,
    wanted: int | None,
    progress: Progress,
) -> Loaded:
    _begin(path)
    earlier = LoadedFile.objects.filter(kind=KIND, sha256=found.sha256).first()
    rows = earlier.rows if earlier else _stage(path, found, progress)
    if wanted is not None and wanted != rows:
        why = f"the file has {rows:,} rows, {wanted:,} were announced"
        raise LoadRefused(file=texts.name_of(path), why=why)
    inserted = 0 if earlier else _record(progress)
    done = Loaded(
        kind=KIND,
        file=texts.name_of(path),
        sha256=found.sha256,
        rows=rows,
        inserted=inserted,
        sum_minor=None,
        repeated=earlier is not None,
    )
    if earlier is None:
        _finish(done, actor=actor, reason=reason)
    return done


def _begin(path: Path) -> None:
    if not locks.try_take(Lock.LOAD):
        why = "another file is being loaded; load this one when that is done"
        raise LoadRefused(file=texts.name_of(path), why=why)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '96MB'")


def _stage(path: Path, found: Examined, progress: Progress) -> int:
    """The file's fingerprints are in a temporary table. Returns how many lines the file has."""
    reading = _Reading(path)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE breached_staged (sha1 bytea) ON COMMIT DROP")
        with cursor.copy("COPY breached_staged FROM STDIN") as copy:
            for lines in reading.copy_lines():
                copy.write(lines)
                progress("reading", reading.bytes_read, found.size_bytes)
    if reading.digest.hexdigest() != found.sha256:
        raise LoadRefused(
            file=texts.name_of(path), why="it changed while it was read; load it again"
        )
    if reading.refused:
        raise LoadRefused(
            file=texts.name_of(path),
            why=f"{reading.refused:,} of {reading.rows:,} rows are refused, the first is"
            f" {reading.first[0]}",
            rows=reading.rows,
            refused=reading.refused,
            first=reading.first,
        )
    return reading.rows


class _Reading:
    """One pass over the file, a block of whole lines at a time. Blank lines are no rows."""

    def __init__(self, path: Path) -> None:
        self.rows = self.bytes_read = self.refused = 0
        self.first: list[Refusal] = []
        self.digest = hashlib.sha256()
        self._path = path
        self._line = 0

    def copy_lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            rest = file.read(len(BOM))
            self.digest.update(rest)
            rest = b"" if rest == BOM else rest
            while block := file.read(BLOCK_BYTES):
                self.digest.update(block)
                self.bytes_read += len(block)
                whole, line_end, rest = (rest + block).rpartition(b"\n")
                yield self._turned(whole + line_end)
            yield self._turned(rest + b"\n" if rest else b"")

    def _turned(self, block: bytes) -> bytes:
        """Returns the block in the form of COPY. It reads line by line only if some lines are
        wrong.
        """
        if _LINES.fullmatch(block) is None:
            block = b"".join(self._judged(block))
        else:
            self._line += block.count(b"\n")
        turned, rows = _FINGERPRINT.subn(rb"\\\\x\1\n", block)
        self.rows += rows
        return turned

    def _judged(self, block: bytes) -> Iterator[bytes]:
        for line in block.split(b"\n")[:-1]:
            self._line += 1
            if _LINE.fullmatch(line):
                yield line + b"\n"
            elif line.strip():
                self.rows += 1
                self.refused += 1
                if len(self.first) < REFUSALS_SHOWN:
                    why = "is not a SHA-1 in 40 hexadecimal digits, with or without :count"
                    self.first.append(Refusal(line=self._line, column="", reason=why))


def _record(progress: Progress) -> int:
    progress("recording", 0, 1)
    with connection.cursor() as cursor:
        # The order lets the index grow at its end.
        cursor.execute(
            "INSERT INTO accounts_breachedpassword (sha1)"
            " SELECT DISTINCT sha1 FROM breached_staged ORDER BY sha1 ON CONFLICT DO NOTHING"
        )
        inserted = int(cursor.rowcount)
        cursor.execute("DROP TABLE breached_staged")
    progress("recording", 1, 1)
    return inserted


def _finish(done: Loaded, *, actor: Actor, reason: str) -> None:
    """The load has its row in the register of files and its entry in the audit journal."""
    LoadedFile.objects.create(
        kind=KIND,
        sha256=done.sha256,
        file_name=done.file,
        encoding="ascii",
        rows=done.rows,
        inserted=done.inserted,
        loaded_by_id=actor.pk,
    )
    audit.append(
        f"load.{KIND}",
        f"file:{done.sha256[:16]}",
        actor=actor,
        reason=reason,
        file=done.file,
        sha256=done.sha256,
        rows=done.rows,
        inserted=done.inserted,
    )
