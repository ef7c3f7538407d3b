"""The audit journal: append an entry, seal the rows that customers' movements logged, verify the
chain.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Func

from winddown import clock, locks, terminal, texts
from winddown.actors import SYSTEM, Actor
from winddown.authority.approvals import SAME_FORM_WITHIN
from winddown.errors import DoneAlready, ReasonBlank
from winddown.files import FileDiffers, write_once
from winddown.locks import Lock
from winddown.machines.declare import LOG_CONTENT
from winddown.models import AuditEntry, AuditHorizon, AuditSeal, Run, TransitionLog
from winddown.registries import Registry
from winddown.witness import TABLE

SEAL_DELAYED_S_MAX = 60

SEALED_TABLES: Registry[str] = Registry(
    "sealed tables",
    entries_are="SQL of what the chain covers of a row, beside the logs of all machines",
    owner=__name__,
)
# The digest of a writing is sealed like a posting: no entry has to cover it.
SEALED_TABLES.add(TABLE, "concat_ws(':', table_name, row_id, encode(digest, 'hex'))")
SEAL = "audit.seal"
EPOCH = "audit.epoch"
# Beyond every number of a transaction or a row.
NO_END = 2**63 - 1
_NUMBERS = re.compile("[0-9]{1,18}(:[0-9]{1,18}){2}")


@dataclass(frozen=True, slots=True)
class Ids:
    """The rows of an epoch: per table those after an id, and up to one once the epoch has ended."""

    after: dict[str, int]
    until: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Window:
    """What a seal covers of a table."""

    rows: int
    digest: str
    last_id: int


def append(
    action: str,
    subject: str,
    *,
    actor: Actor,
    reason: str = "",
    run: Run | None = None,
    **facts: Any,
) -> int:
    """The chain has an entry that covers every row logged in this transaction since its last entry.

    Call this last in the transaction: the chain's lock is held until the commit. Returns the
    entry's number. What a command writes says in its facts from which terminal. Raises
    `ReasonBlank` for a reason of spaces or invisible characters only.
    """
    if reason and texts.is_blank(reason):
        raise ReasonBlank(action=action)
    if not _in_a_transaction():
        raise AssertionError("an audit entry belongs to a transaction")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT winddown_audit_append(%s, %s, %s, %s, %s, %s::jsonb)",
            [
                actor.pk,
                action,
                subject,
                reason,
                run.pk if run else None,
                json.dumps(facts | terminal.facts(), cls=DjangoJSONEncoder),
            ],
        )
        return int(cursor.fetchone()[0])


def refuse_repeated(action: str, subject: str, *, actor: Actor, reason: str, **facts: Any) -> None:
    """Raises `DoneAlready` when the newest entry about the subject says the same of the same person
    and is a moment old, because a form was sent twice. Later, the person means it.
    """
    newest = AuditEntry.objects.filter(action=action, subject=subject).order_by("-seq").first()
    if newest is None or clock.now() - newest.at > SAME_FORM_WITHIN:
        return
    said = {name: fact for name, fact in newest.facts.items() if name not in terminal.facts()}
    now = json.loads(json.dumps(facts, cls=DjangoJSONEncoder))
    if (newest.actor_id, newest.reason, said) == (actor.pk, reason, now):
        raise DoneAlready(actor=actor.pk, subject=subject)


def _in_a_transaction() -> bool:
    """Returns whether the code is in a transaction. The one around a test does not count: outside of
    a test it would be missing.
    """
    blocks = transaction.get_connection().atomic_blocks
    return not all(block._from_testcase for block in blocks)


def sealed_tables() -> dict[str, str]:
    """Returns table -> SQL expression of one row's content, for every table that the chain covers."""
    from django.apps import apps

    logs = {
        model._meta.db_table: LOG_CONTENT
        for model in apps.get_models()
        if issubclass(model, TransitionLog)
    }
    return logs | dict(SEALED_TABLES.items())


def seal() -> int:
    """A sealing entry covers every committed row that no entry of its own transaction covers.

    The seal covers the transactions that are older than every running one. A late commit falls into
    the next seal. Returns the number of sealed rows. With nothing new, or while another seal is
    under way, nothing is added to the chain.
    """
    with transaction.atomic():
        if not locks.try_take(Lock.AUDIT_SEAL):
            return 0
        horizon, _ = AuditHorizon.objects.get_or_create(pk=1)
        cluster, end, unused = cluster_now()
        sealed = 0
        restored = horizon.cluster not in {None, cluster} or horizon.xact_id > end
        horizon.cluster = cluster
        if restored:
            sealed = _open_epoch(horizon, unused)
        sealed += _seal(horizon, end, Ids(after=_after_ids(horizon.epoch), until=None))
        if end != horizon.xact_id:
            AuditHorizon.objects.filter(pk=1).update(
                xact_id=end,
                moved_at=Func(function="clock_timestamp"),
                cluster=cluster,
                epoch=horizon.epoch,
                last_ids=horizon.last_ids,
            )
        return sealed


def seal_delayed_s() -> int | None:
    """Returns for how many seconds an open transaction has delayed the seal; None for less than
    `SEAL_DELAYED_S_MAX`.

    The seal ends before the oldest open transaction of the server, whoever began it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - moved_at)::int"
            " FROM winddown_audithorizon"
            " WHERE moved_at < clock_timestamp() - make_interval(secs => %s)"
            " AND xact_id = pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
            [SEAL_DELAYED_S_MAX],
        )
        found = cursor.fetchone()
    return int(found[0]) if found else None


def cluster_now() -> tuple[int, int, int]:
    """Returns the cluster's identifier, its oldest running transaction, and the first number that
    it has given to no transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,"
            " pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM pg_control_system()"
        )
        identifier, oldest, unused = cursor.fetchone()
        return int(identifier), int(oldest), int(unused)


def _open_epoch(horizon: AuditHorizon, unused: int) -> int:
    """The chain has an entry after which seals count the transactions of this cluster.

    The database came from another cluster. Its old epoch ends, per table, at the last row that was
    sealed, or at the last row of a transaction that this cluster has not begun. A last seal covers
    what is left up to there. Returns the number of rows in it.
    """
    not_begun = _ids_from(unused)
    last_ids = {
        table: max(not_begun.get(table, 0), horizon.last_ids.get(table, 0))
        for table in not_begun | horizon.last_ids
    }
    sealed = _seal(horizon, NO_END, Ids(after=_after_ids(horizon.epoch), until=last_ids))
    horizon.epoch = append(
        EPOCH, "audit", actor=SYSTEM, after_ids=last_ids, cluster=horizon.cluster
    )
    horizon.xact_id = 0
    return sealed


def _ids_from(xact_id: int) -> dict[str, int]:
    """Returns the last row of each table that a transaction from that number on has logged."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for table in sealed_tables():
            cursor.execute(f"SELECT max(id) FROM {table} WHERE xact_id >= %s", [xact_id])  # noqa: S608
            (last,) = cursor.fetchone()
            if last is not None:
                found[table] = last
    return found


def _after_ids(epoch: int) -> dict[str, int]:
    """Returns the last row of each table that is older than the epoch of that entry."""
    if not epoch:
        return {}
    after: dict[str, int] = AuditEntry.objects.get(seq=epoch).facts["after_ids"]
    return after


def _seal(horizon: AuditHorizon, end: int, ids: Ids) -> int:
    """A seal covers the transactions of the epoch that no seal covers, up to the end; nothing new
    makes no seal. Returns the number of its rows.
    """
    fresh = _windows(horizon.xact_id, end, ids)
    if not fresh:
        return 0
    last = AuditSeal.objects.filter(entry_id__gt=horizon.epoch).order_by("-entry_id").first()
    start = last.to_xact_id if last else 0
    # Seals follow each other without a gap: the transactions between two seals had no rows to seal.
    found = fresh if start == horizon.xact_id else _windows(start, end, ids)
    tables = {table: (window.rows, window.digest) for table, window in found.items()}
    facts: dict[str, Any] = {
        "from_xact": start,
        "to_xact": end,
        "tables": tables,
        "cluster": horizon.cluster,
    }
    seq = append(SEAL, "audit", actor=SYSTEM, **facts)
    AuditSeal.objects.create(entry_id=seq, from_xact_id=start, to_xact_id=end, tables=tables)
    for table, window in found.items():
        horizon.last_ids[table] = max(window.last_id, horizon.last_ids.get(table, 0))
    return sum(window.rows for window in found.values())


def covered_id(table: str, place: int) -> str:
    """Returns SQL of the first or last id that `item`, a part of an entry's `rows`, covers of the
    table; NULL where that cannot be read, so that one forged entry does not stop the seals.
    """
    return f"substring(item FROM '^{table}{':[0-9]{1,18}' * (place - 1)}:([0-9]{{1,18}}):')::bigint"


def _windows(start: int, end: int, ids: Ids) -> dict[str, Window]:
    """Returns, per table with any, the rows that no entry of their own transaction covers."""
    found = {
        table: _window(table, content, start, end, ids)
        for table, content in sealed_tables().items()
    }
    return {table: window for table, window in found.items() if window.rows}


def _window(table: str, content: str, start: int, end: int, ids: Ids) -> Window:
    after = ids.after.get(table, 0)
    until = NO_END if ids.until is None else ids.until.get(table, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH covered AS MATERIALIZED ("  # noqa: S608
            f"   SELECT xact_id, {covered_id(table, 1)} AS first_id, {covered_id(table, 2)} AS last_id"
            "   FROM winddown_auditentry, regexp_split_to_table(rows, ' ') item"
            "   WHERE xact_id >= %s AND xact_id < %s AND rows LIKE %s AND item LIKE %s)"
            f" SELECT count(*), winddown_rows_digest(string_agg({content}, ',' ORDER BY id)),"
            "   coalesce(max(id), 0)"
            f" FROM {table} t WHERE xact_id >= %s AND xact_id < %s AND id > %s AND id <= %s"
            " AND NOT EXISTS (SELECT FROM covered c WHERE c.xact_id = t.xact_id"
            "   AND t.id BETWEEN c.first_id AND c.last_id)",
            [start, end, f"%{table}:%", f"{table}:%", start, end, after, until],
        )
        rows, digest, last_id = cursor.fetchone()
        return Window(int(rows), str(digest), int(last_id))


def head() -> dict[str, Any] | None:
    """Returns the newest entry's number, instant and hash. They are exported daily, as a copy of
    the chain's head outside the database.
    """
    entry = AuditEntry.objects.order_by("-seq").first()
    if entry is None:
        return None
    return {
        "seq": entry.seq,
        "at": entry.at.astimezone(dt.UTC).isoformat(),
        "hash": bytes(entry.hash).hex(),
    }


def keep_head(directory: Path) -> Path | None:
    """The directory has a file with the chain's head of this day (UTC), as the day's first call
    found it. Returns None when nothing was written. A rehearsal writes no file.

    A copy on another machine proves later that nobody rewrote an earlier entry.
    """
    name = f"audit-head-{clock.now().astimezone(dt.UTC):%Y-%m-%d}.json"
    found = None if clock.is_rehearsal() else head()
    if found is None or (directory / name).exists():
        return None
    try:
        return write_once(directory, name, [(json.dumps(found, indent=1) + "\n").encode()])
    except FileDiffers:
        return None


def broken_links() -> list[str]:
    """Returns one sentence per gap, wrong predecessor or wrong hash; empty when the chain is
    intact.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT seq, seq <> row_number() OVER (ORDER BY seq) AS gap,
                   previous <> coalesce(lag(hash) OVER (ORDER BY seq), ''::bytea) AS unlinked,
                   hash <> winddown_audit_hash(previous, seq, at, actor_id, action, subject, reason, run_id, facts,
                                               rows, xact_id) AS altered
            FROM winddown_auditentry
            """
        )
        return [
            f"entry {seq}: "
            + ", ".join(
                what
                for what, wrong in (
                    ("number out of order", gap),
                    ("predecessor differs", unlinked),
                    ("content differs from its hash", altered),
                )
                if wrong
            )
            for seq, gap, unlinked, altered in cursor.fetchall()
            if gap or unlinked or altered
        ]


def rows_that_differ() -> list[str]:
    """Returns one sentence per logged set of rows that differs from its entry or seal; empty when
    all agree.
    """
    contents = sealed_tables()
    found: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, xact_id, string_to_array(item, ':') FROM winddown_auditentry,"
            " regexp_split_to_table(rows, ' ') item WHERE rows <> ''"
        )
        items = cursor.fetchall()
        for seq, xact_id, item in items:
            if (
                len(item) != 5
                or item[0] not in contents
                or not _NUMBERS.fullmatch(":".join(item[1:4]))
            ):
                found.append(f"entry {seq}: what it covers cannot be read")
                continue
            table, first_id, last_id, count, digest = item
            cursor.execute(
                f"SELECT count(*), winddown_rows_digest(string_agg({contents[table]}, ',' ORDER BY id)) FROM {table}"  # noqa: S608
                " WHERE id BETWEEN %s AND %s AND xact_id = %s",
                [first_id, last_id, xact_id],
            )
            if cursor.fetchone() != (int(count), digest):
                found.append(
                    f"entry {seq}: {table} {first_id}..{last_id} is not what the entry covers"
                )
    known = epochs()
    last_ids: dict[str, int] = {}
    for seal_row in AuditSeal.objects.order_by("entry_id"):
        ids = next(ids for opened, ids in reversed(known) if opened < seal_row.pk)
        for table, content in contents.items():
            window = _window(table, content, seal_row.from_xact_id, seal_row.to_xact_id, ids)
            sealed_count, sealed_digest = seal_row.tables.get(table, [0, window.digest])
            if (window.rows, window.digest) != (sealed_count, sealed_digest):
                found.append(f"seal {seal_row.pk}: {table} is not what the seal covers")
            last_ids[table] = max(window.last_id, last_ids.get(table, 0))
    horizon = AuditHorizon.objects.first()
    return found + [
        f"the audit horizon forgot the last sealed row of {table}"
        for table, last_id in last_ids.items()
        if horizon and horizon.last_ids.get(table, 0) < last_id
    ]


def epochs() -> list[tuple[int, Ids]]:
    """Returns the entry that opened each epoch and the rows of the epoch; the first has no entry."""
    entries = AuditEntry.objects.filter(action=EPOCH).order_by("seq")
    opened: list[tuple[int, dict[str, int]]] = [
        (0, {}),
        *((entry.seq, entry.facts["after_ids"]) for entry in entries),
    ]
    ends = [after for _, after in opened[1:]]
    return [
        (seq, Ids(after, until)) for (seq, after), until in zip(opened, [*ends, None], strict=True)
    ]


def not_in_the_chain(heads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the exported heads that the chain does not contain."""
    seqs = [head["seq"] for head in heads]
    there = dict(AuditEntry.objects.filter(seq__in=seqs).values_list("seq", "hash"))
    return [head for head in heads if bytes(there.get(head["seq"], b"")).hex() != head["hash"]]


def verify_against(exported: dict[str, Any]) -> str | None:
    """Returns None if the chain still contains the exported head, else what is wrong."""
    entry = AuditEntry.objects.filter(seq=exported["seq"]).first()
    if entry is None:
        return f"the chain ends before entry {exported['seq']}, which was exported"
    if bytes(entry.hash).hex() != exported["hash"]:
        return f"entry {exported['seq']} is not the one that was exported"
    return None
