"""The lines of the bank's answer that is judged now, and what each of them does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from django.db import connection

from refunds.models import BankFile, ReconciliationBreak, RefundTerms
from winddown import clock
from winddown.actors import Actor
from winddown.errors import LoadRefused, says

_ROWS_PER_READ = 10_000
Params: TypeAlias = Mapping[str, Any] | Sequence[Any]


class Verdict(StrEnum):
    """What a line changes. Every other verdict is the kind of a break, but `EARLY` refuses the
    whole file.
    """

    SETTLE = "settle"
    RETURN = "return"
    MATCH = "match"
    REFUSE = "refuse"
    REPEATED = "repeated"
    EARLY = "early"
    NOTED = "noted"


class Said(StrEnum):
    """How a bank says something that is not simply paid or returned."""

    UNDER_WAY = "under"
    UNKNOWN = "unknown"
    """Its code is in no table: it never means paid, and nothing is sent again."""
    CAME_BACK = "back"


NO_BREAK = (
    Verdict.SETTLE,
    Verdict.RETURN,
    Verdict.MATCH,
    Verdict.REFUSE,
    Verdict.REPEATED,
    Verdict.NOTED,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer whose lines have their verdicts. `book` changes what they say."""

    kind: str
    sum_minor: int
    book: Callable[[BankFile, Actor, str], None]
    answered_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What one answer changed, or would change: then it has no `file_id`. `repeated` lines were known
    before, and `noted` ones say that something is under way. `breaks` fit nothing of ours.
    """

    file_id: int | None
    lines: int
    settled: int = 0
    settled_minor: int = 0
    returned: int = 0
    returned_minor: int = 0
    matched: int = 0
    refused: int = 0
    repeated: int = 0
    noted: int = 0
    breaks: int = 0
    known_before: bool = False


def refuse_others(remitter_code: str, sha256: str) -> None:
    """Raises `LoadRefused` for an answer to a remitter that none of our limits ever named."""
    if not RefundTerms.objects.filter(remitter_code=remitter_code).exists():
        raise LoadRefused(file=sha256[:12], why=says("it answers another remitter"))


def keep_file(judged: Judged, sha256: str, *, lines: int, actor: Actor) -> BankFile:
    """The answer is among the files that were booked."""
    return BankFile.objects.create(
        kind=judged.kind,
        sha256=sha256,
        lines=lines,
        sum_minor=judged.sum_minor,
        answered_on=judged.answered_on,
        actor_id=actor.pk,
        at=clock.now(),
    )


def load(columns: str, lines: Iterable[tuple[object, ...]]) -> None:
    """The lines alone are in the table of answer lines. `columns` names what they fill."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM refunds_answerline")
        with cursor.copy(f"COPY refunds_answerline ({columns}) FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
    analyse("number", "sequence", "payout_id", "payee_id")


def analyse(*columns: str) -> None:
    """The planner knows the columns that the next statements join by. Only the loader may tell it;
    for others the server does nothing, and their files are small.
    """
    execute(f"ANALYZE refunds_answerline ({', '.join(columns)})")


def counted(file_id: int | None) -> Imported:
    """Returns what the judged lines change."""
    counts = {
        verdict: (n, int(amount))
        for verdict, n, amount in fetch(
            "SELECT verdict, count(*), sum(amount_minor) FROM refunds_answerline GROUP BY 1"
        )
    }
    known = {verdict: counts.get(verdict, (0, 0)) for verdict in NO_BREAK}
    lines = sum(n for n, _sum in counts.values())
    return Imported(
        file_id,
        lines,
        settled=known[Verdict.SETTLE][0],
        settled_minor=known[Verdict.SETTLE][1],
        returned=known[Verdict.RETURN][0],
        returned_minor=known[Verdict.RETURN][1],
        matched=known[Verdict.MATCH][0],
        refused=known[Verdict.REFUSE][0],
        repeated=known[Verdict.REPEATED][0],
        noted=known[Verdict.NOTED][0],
        breaks=lines - sum(n for n, _sum in known.values()),
    )


def keep_breaks(file: BankFile, *, at: dt.datetime, **columns: str) -> None:
    """Every line whose verdict is the kind of a break is an open break of the file. Who loaded it
    sees to them at first.

    `columns` are SQL expressions over the line `l` and its payout `o`.
    """
    names, values = ", ".join(columns), ", ".join(columns.values())
    execute(
        f"""
        INSERT INTO refunds_reconciliationbreak
            (file_id, line, kind, state, reference, owner_id, found_at, resolution, {names})
        SELECT %s, l.number, l.verdict, %s, left(l.reference, 20), %s, %s, '', {values}
        FROM refunds_answerline l LEFT JOIN refunds_payout o ON o.id = l.payout_id
        WHERE l.verdict <> ALL (%s) ORDER BY l.number
        """,  # noqa: S608  our own names
        [file.pk, ReconciliationBreak.State.OPEN, file.actor_id, at, list(NO_BREAK)],
    )


def execute(sql: str, params: Params | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def fetch(sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def stream(sql: str, params: Params | None = None) -> Iterator[tuple[Any, ...]]:
    """Yields the rows as `fetch` returns them; memory does not grow with them."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(_ROWS_PER_READ):
            yield from rows
