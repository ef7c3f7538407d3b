"""The lines of a bank's answer in a temporary table, and what each of them does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from django.db import connection

from refunds.models import BankFile, ReconciliationBreak, RefundTerms
from winddown import clock
from winddown.actors import Actor
from winddown.errors import LoadRefused, says

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


@dataclass(frozen=True, slots=True)
class Imported:
    """What one answer changed. `repeated` lines were known before. `breaks` fit nothing of ours."""

    file_id: int
    lines: int
    settled: int = 0
    settled_minor: int = 0
    returned: int = 0
    returned_minor: int = 0
    matched: int = 0
    refused: int = 0
    repeated: int = 0
    breaks: int = 0
    known_before: bool = False


def refuse_others(remitter_code: str, sha256: str) -> None:
    """Raises `LoadRefused` for an answer to a remitter that none of our limits ever named."""
    if not RefundTerms.objects.filter(remitter_code=remitter_code).exists():
        raise LoadRefused(file=sha256[:12], why=says("it answers another remitter"))


def keep_file(
    kind: str,
    sha256: str,
    *,
    lines: int,
    sum_minor: int,
    actor: Actor,
    answered_on: dt.date | None = None,
) -> BankFile:
    return BankFile.objects.create(
        kind=kind,
        sha256=sha256,
        lines=lines,
        sum_minor=sum_minor,
        answered_on=answered_on,
        actor_id=actor.pk,
        at=clock.now(),
    )


def load(table: str, columns: str, copied: str, lines: Iterable[tuple[object, ...]]) -> None:
    """The lines are in a new temporary table of these columns. `copied` names the columns that they
    fill.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TEMP TABLE {table} ({columns}) ON COMMIT DROP")
        with cursor.copy(f"COPY {table} ({copied}) FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
        cursor.execute(f"ANALYZE {table}")


def keep_breaks(
    file: BankFile, table: str, *, at: dt.datetime, booked: Sequence[Verdict], **columns: str
) -> None:
    """Every line of the table whose verdict is not booked is an open break of the file. Who loaded
    it sees to them at first.

    `columns` are SQL expressions over the line `l` and its payout `o`.
    """
    names, values = ", ".join(columns), ", ".join(columns.values())
    execute(
        f"""
        INSERT INTO refunds_reconciliationbreak
            (file_id, line, kind, state, reference, owner_id, found_at, resolution, {names})
        SELECT %s, l.number, l.verdict, %s, l.reference, %s, %s, '', {values}
        FROM {table} l LEFT JOIN refunds_payout o ON o.id = l.payout_id
        WHERE l.verdict <> ALL (%s) ORDER BY l.number
        """,  # noqa: S608  our own names
        [
            file.pk,
            ReconciliationBreak.State.OPEN,
            file.actor_id,
            at,
            [*booked, Verdict.REPEATED],
        ],
    )


def execute(sql: str, params: Params | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def fetch(sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
