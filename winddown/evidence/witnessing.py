"""Rows from before the witnesses. Two people have them witnessed with their present values.

A row that was written before its table had a witness has no digest, so I14b reports it. Nobody can
prove what its writer wrote. Two people sign the digest of what all such rows say now, and the
journal records how many there were. From then on an edit of them is found. A row that has a digest
is left as it is, also if it differs.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList, digest_of
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval, RowDigest, Signature
from winddown.witness import TABLE, digests_of_rows

KIND = "witness"
STAGE = "witness"
PERMISSION = "winddown.load_data"


def unwitnessed() -> dict[str, list[Any]]:
    """Returns by table how many rows have no digest, and one digest of all that they say."""
    found = {}
    with connection.cursor() as cursor:
        for model, digests in digests_of_rows():
            table = model._meta.db_table
            cursor.execute(
                "SELECT count(*), encode(sha256(convert_to(string_agg("  # noqa: S608  our own names
                " t.id || ' ' || encode(t.digest, 'hex'), ',' ORDER BY t.id), 'UTF8')), 'hex')"
                f" FROM ({digests}) t WHERE {_no_digest(table)}"
            )
            rows, said = cursor.fetchone()
            if rows:
                found[table] = [rows, said]
    return found


def _no_digest(table: str) -> str:
    return f"NOT EXISTS (SELECT FROM {TABLE} d WHERE d.table_name = '{table}' AND d.row_id = t.id)"


def ask(*, actor: Actor, reason: str) -> Approval:
    """A request to witness these rows with their present values waits for a second person.

    Raises `NotPermitted`, `GuardNotMet` where every row has a digest, and `AskedAlready`.
    """
    require(actor, PERMISSION, action="have rows witnessed")
    tables = unwitnessed()
    if not tables:
        raise GuardNotMet(
            action=says("have rows witnessed"), why=says("every row has a digest already")
        )
    key = _key(tables)
    approvals.refuse_repeated(
        f"{KIND}:{key}", stage=STAGE, content={"tables": tables}, maker=actor, reason=reason
    )
    with transaction.atomic():
        asked = _list(key).ask(maker=actor, reason=reason)
        audit.append("witness.ask", asked.subject, actor=actor, reason=reason, tables=tables)
        return asked


def witness(*, actor: Actor, reason: str) -> dict[str, int]:
    """Each row without a digest has the digest that two people signed; returns how many by table.

    Only the owner of the tables can do it, because a guard refuses a digest that no trigger writes.
    The guard is off in this transaction alone. Raises `NotPermitted`, `NothingToDecide`, and
    `GuardNotMet` where nobody approved exactly these rows.
    """
    require(actor, PERMISSION, action="have rows witnessed")
    with transaction.atomic(), connection.cursor() as cursor:
        # Writers wait: no row without a digest changes between the check and the insert.
        for model, _ in digests_of_rows():
            cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        tables = unwitnessed()
        if not tables:
            raise NothingToDecide(subject=KIND)
        subject = f"{KIND}:{_key(tables)}"
        if not Signature.objects.filter(
            subject=subject, part=Signature.Part.APPROVED, digest=_list(_key(tables)).digest()
        ).exists():
            raise GuardNotMet(
                action=says("witness the rows"),
                why=says("no second person approved {subject}", subject=subject),
            )
        _write(tables)
        audit.append("witness.rows", subject, actor=actor, reason=reason, tables=tables)
    return {table: rows for table, (rows, _) in tables.items()}


def _write(tables: dict[str, list[Any]]) -> None:
    guard = next(
        trigger.get_pgid(RowDigest)
        for trigger in RowDigest._meta.triggers  # type: ignore[attr-defined]
        if trigger.name == "written_by_triggers"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER {guard}")
        for model, digests in digests_of_rows():
            table = model._meta.db_table
            if table in tables:
                cursor.execute(
                    f"INSERT INTO {TABLE} (table_name, row_id, digest)"  # noqa: S608
                    f" SELECT '{table}', t.id, t.digest FROM ({digests}) t"
                    f" WHERE {_no_digest(table)} ORDER BY t.id"
                )
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER {guard}")


def _key(tables: dict[str, list[Any]]) -> str:
    return digest_of(tables)[:12]


def _list(key: str) -> SignedList:
    return SignedList(
        subject=f"{KIND}:{key}",
        stage=STAGE,
        permission=PERMISSION,
        content=lambda: {"tables": unwitnessed()},
    )


def _decided(said: approvals.Decided) -> None:
    """The second person's verdict is in the journal; the owner then witnesses the rows."""
    with transaction.atomic():
        _list(said.key).decide(
            actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
        )
        audit.append(
            "witness.approve" if said.approve else "witness.reject",
            f"{KIND}:{said.key}",
            actor=said.actor,
            reason=said.reason,
        )


approvals.DECIDERS.add(KIND, _decided)
