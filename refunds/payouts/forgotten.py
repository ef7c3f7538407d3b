"""Payouts in files that a restored database does not know. None of them is paid a second time.

The confirmation of a restore stores each line of those files in the audit journal. A line keeps its
entitlement or remedy from every other file. It does so until the bank returns it or two people
release it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from refunds.models import Payout, PayoutBatch, ReconciliationBreak
from refunds.models.payout import REFERENCE_SQL
from refunds.models.payout_batch import RESTORE_CONFIRMED
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList, digest_of
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval

_STAGE = "release"
_RELEASED = "payouts.release_forgotten"

# One line of a forgotten file per row, as long as it keeps what it paid from being paid again. The
# subjects come first, because the journal has an index on them.
_BLOCKING = f"""
    SELECT sent.* FROM (
        SELECT file->>'name' AS name, file->>'sha256' AS sha256,
               (file->>'sequence')::int AS sequence, (line->>0)::bigint AS payout_id,
               (line->>1)::bigint AS entitlement_id, (line->>2)::bigint AS remedy_id,
               (line->>3)::bigint AS amount_minor
        FROM winddown_auditentry entry, jsonb_array_elements(entry.facts->'files') file,
             jsonb_array_elements(file->'payouts') line
        WHERE entry.subject LIKE 'restore:%%' AND entry.action = '{RESTORE_CONFIRMED}'
    ) sent
    WHERE NOT EXISTS (
        SELECT FROM winddown_auditentry entry
        WHERE entry.subject LIKE 'forgotten:%%' AND entry.action = '{_RELEASED}'
          AND entry.facts->'payouts' @> to_jsonb(sent.payout_id))
    AND NOT EXISTS (
        SELECT FROM refunds_payout o WHERE o.id = sent.payout_id AND o.state = ANY (%s))
    AND NOT EXISTS (
        SELECT FROM refunds_reconciliationbreak b
        WHERE b.reference = {REFERENCE_SQL}
          AND b.amount_minor = sent.amount_minor AND b.kind = ANY (%s) AND b.answer <> %s)
"""  # noqa: S608  our own names
_STATES: tuple[Any, ...] = (
    list(Payout.CAME_BACK),
    [ReconciliationBreak.Kind.UNKNOWN_REFERENCE, ReconciliationBreak.Kind.DEAD_BATCH],
    ReconciliationBreak.NO_RETURN,
)


def lines_of(batch: PayoutBatch) -> list[list[int | None]]:
    """Returns number, entitlement, remedy and amount of each payout of the batch, in order."""
    columns = ("pk", "entitlement_id", "remedy_id", "amount_minor")
    return [list(line) for line in batch.payouts.order_by("pk").values_list(*columns)]


def entitlements() -> RawSQL:
    """Returns SQL of the entitlements that a forgotten file pays."""
    return _column("entitlement_id")


def remedies() -> RawSQL:
    """Returns SQL of the remedies that a forgotten file pays."""
    return _column("remedy_id")


def _column(name: str) -> RawSQL:
    return RawSQL(f"SELECT {name} FROM ({_BLOCKING}) b WHERE {name} IS NOT NULL", _STATES)  # noqa: S608, S611


def refuse_second_file(batch: PayoutBatch, *, sha256: str, action: str) -> None:
    """No payout of the batch is in a forgotten file with other bytes; raises `GuardNotMet` with the
    first one that is.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT o.id, b.name FROM ({_BLOCKING}) b JOIN refunds_payout o"  # noqa: S608
            " ON o.entitlement_id = b.entitlement_id OR o.remedy_id = b.remedy_id"
            " WHERE o.batch_id = %s AND b.sha256 <> %s ORDER BY o.id LIMIT 1",
            [*_STATES, batch.pk, sha256],
        )
        found = cursor.fetchone()
    if found:
        raise GuardNotMet(
            action=action,
            why=says("what payout {number} pays is in {state}", number=found[0], state=found[1]),
        )


def skip_numbers(files: Iterable[dict[str, Any]]) -> None:
    """No later payout gets a number that the files have, so no answer of the bank is taken for
    another payout's.
    """
    last = max((line[0] for file in files for line in file.get("payouts", ())), default=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(nextval(s.name)) FROM (SELECT"
            " pg_get_serial_sequence('refunds_payout', 'id')::regclass AS name) s,"
            " generate_series(coalesce(pg_sequence_last_value(s.name), 0) + 1, %s::bigint)",
            [last],
        )


# --- two people release a line --------------------------------------------------------------------


def ask_release(payouts: Sequence[int], *, actor: Actor, reason: str) -> Approval:
    """A request to let these payouts of forgotten files be paid again waits for a second person.

    Raises `NothingToDecide` for a number that keeps nothing from being paid.
    """
    require(actor, "refunds.make_payout_batch", action="release payouts of a forgotten file")
    chosen = sorted(set(payouts))
    lines = _lines(chosen)
    missing = set(chosen) - {line[1] for line in lines}
    if missing or not chosen:
        raise NothingToDecide(subject=", ".join(f"payout {pk}" for pk in sorted(missing)))
    return _list(digest_of(chosen)[:12], chosen).ask(maker=actor, reason=reason)


def _lines(payouts: Sequence[int]) -> list[list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, payout_id, entitlement_id, remedy_id, amount_minor"  # noqa: S608
            f" FROM ({_BLOCKING}) b WHERE payout_id = ANY (%s) ORDER BY payout_id, name",
            [*_STATES, list(payouts)],
        )
        return [list(row) for row in cursor.fetchall()]


def _list(key: str, payouts: Sequence[int]) -> SignedList:
    return SignedList(
        subject=f"forgotten:{key}",
        stage=_STAGE,
        permission="refunds.approve_payout_batch",
        content=lambda: {"payouts": list(payouts), "lines": _lines(payouts)},
    )


def _decided(said: approvals.Decided) -> object:
    """The second person's verdict is in the journal. After an approval the payouts block nothing."""
    with transaction.atomic():
        standing = approvals.standing(f"forgotten:{said.key}", stage=_STAGE)
        if standing is None:
            raise NothingToDecide(subject=f"forgotten:{said.key}")
        payouts = standing.summary["payouts"]
        _list(said.key, payouts).decide(
            actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
        )
        return audit.append(
            _RELEASED if said.approve else "payouts.keep_forgotten",
            f"forgotten:{said.key}",
            actor=said.actor,
            reason=said.reason,
            payouts=payouts,
        )


approvals.DECIDERS.add("forgotten", _decided)
