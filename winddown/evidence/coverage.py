"""What the chain must cover and does not: seals that are gone, rows in no entry and no seal."""

from __future__ import annotations

from django.db import connection

from winddown.evidence.audit import EPOCH, SEAL, cluster_now, covered_id, epochs, sealed_tables
from winddown.models import AuditEntry, AuditHorizon, AuditSeal


def gaps() -> list[str]:
    """Returns one sentence per seal that is missing or is not what its entry says, and per table
    with rows that neither an entry nor a seal covers; empty when everything is covered.
    """
    return [*_seals_beside_their_entries(), *_seals_out_of_order(), *_horizon(), *_rows()]


def _seals_beside_their_entries() -> list[str]:
    # Read first: a seal is written together with its entry.
    said = dict(AuditEntry.objects.filter(action=SEAL).values_list("seq", "facts"))
    seals = {
        seal.pk: {"from_xact": seal.from_xact_id, "to_xact": seal.to_xact_id, "tables": seal.tables}
        for seal in AuditSeal.objects.all()
    }
    newest = max(said, default=0)
    return [
        f"seal {seq} is missing or is not what its entry says"
        for seq in sorted(said.keys() | {seq for seq in seals if seq <= newest})
        if seq not in seals or not seals[seq].items() <= said.get(seq, {}).items()
    ] + [
        f"seal {seq} has no entry"
        for seq in seals
        if not AuditEntry.objects.filter(seq=seq).exists()
    ]


def _seals_out_of_order() -> list[str]:
    """Within an epoch each seal begins where the one before ends, the first at 0."""
    opened = {seq for seq, _ in epochs()}
    found, end, epoch = [], 0, 0
    for seal in AuditSeal.objects.order_by("entry_id"):
        newest = max(seq for seq in opened if seq < seal.pk)
        if newest != epoch:
            end, epoch = 0, newest
        if seal.from_xact_id != end:
            found.append(f"seal {seal.pk} does not begin where the one before ends")
        end = seal.to_xact_id
    return found


def _horizon() -> list[str]:
    """The horizon is where the last seal ends or later, and not in the future."""
    # Read in this order, because each of them only grows.
    opened = epochs()[-1][0]
    last = AuditSeal.objects.filter(entry_id__gt=opened).order_by("-entry_id").first()
    horizon = AuditHorizon.objects.first()
    if horizon is None:
        return ["the audit horizon is gone"] if last or opened else []
    cluster, oldest, _ = cluster_now()
    behind = last is not None and (horizon.xact_id < last.to_xact_id or horizon.epoch < opened)
    ahead = horizon.cluster == cluster and horizon.xact_id > oldest
    told = AuditEntry.objects.filter(action__in=(SEAL, EPOCH)).order_by("-seq").first()
    elsewhere = told is not None and told.facts.get("cluster", cluster) != horizon.cluster
    moved = behind or ahead or elsewhere
    return ["the audit horizon is not where a seal left it"] if moved else []


def _rows() -> list[str]:
    """Rows of the epoch after the last seal: those before the horizon are in an entry, and none is
    of a transaction that has not begun.

    A database that was restored and not sealed since has rows of another cluster's transactions.
    """
    cluster, _, _ = cluster_now()
    horizon = AuditHorizon.objects.first()
    if horizon is not None and horizon.cluster not in {None, cluster}:
        return []
    opened, ids = epochs()[-1]
    last = AuditSeal.objects.filter(entry_id__gt=opened).order_by("-entry_id").first()
    found = []
    with connection.cursor() as cursor:
        for table in sealed_tables():
            cursor.execute(
                f"""
                SELECT DISTINCT t.xact_id FROM {table} t
                WHERE t.xact_id >= %(sealed)s AND t.id > %(after)s
                    AND (t.xact_id < %(seen)s
                        OR t.xact_id >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
                    AND t.xact_id IS DISTINCT FROM
                        pg_current_xact_id_if_assigned()::text::bigint
                    AND NOT EXISTS (
                        SELECT FROM winddown_auditentry e,
                            regexp_split_to_table(e.rows, ' ') item
                        WHERE e.xact_id = t.xact_id AND item LIKE %(items)s
                            AND t.id BETWEEN {covered_id(table, 1)} AND {covered_id(table, 2)})
                """,  # noqa: S608  our own table names
                {
                    "sealed": last.to_xact_id if last else 0,
                    "after": ids.after.get(table, 0),
                    "seen": horizon.xact_id if horizon else 0,
                    "items": f"{table}:%",
                },
            )
            found += [
                f"{table}: no entry and no seal covers transaction {xact}" for (xact,) in cursor
            ]
    return found
