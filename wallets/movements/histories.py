"""Whole histories of movements are recorded from files, in sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from wallets.models import Payment, TopUp
from wallets.models.ledger import FUNDING
from winddown.actors import Actor
from winddown.models import FundingSource

RECORDED_AT_ONCE = 50_000
# Whether a top-up gives free value: SQL over its `source`.
_IS_FREE = (
    "source IN (SELECT code FROM winddown_fundingsource"  # noqa: S608  a constant
    f" WHERE kind = '{FundingSource.Kind.BONUS.value}')"
)


def record_top_ups(
    rows: str, *, actor: Actor, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Every new row of the temporary table `rows` is a top-up, with the journal and the balance
    that `top_up` makes.

    The table has `line`, `earlier_id` and the columns of `TopUp`. A row whose `earlier_id` is not
    NULL was recorded before and is left alone. The caller has checked the rows and locked the
    wallets. An authorised top-up moves nothing yet. Returns how many were recorded.
    """
    moves = _numbered(rows, table="wallets_topup", columns="r.*", joined="")
    for first, last, total in _slices(moves):
        with connection.cursor() as cursor:
            _insert_top_ups(cursor, moves, [first, last])
            _post_top_ups(cursor, moves, [first, last], actor=actor)
        progress(last, total)
    return _recorded(
        moves,
        paid=f"sum(amount_minor) FILTER (WHERE NOT {_IS_FREE})",
        bonus=f"sum(amount_minor) FILTER (WHERE {_IS_FREE})",
        moved=list(TopUp.CHARGED),
    )


def _insert_top_ups(cursor: CursorWrapper, moves: str, places: list[int]) -> None:
    cursor.execute(
        f"""
        INSERT INTO wallets_topup (id, top_up_ref, wallet_id, source, card_id, amount_minor,
            state, occurred_at, rrn, auth_code, arn)
        SELECT id, top_up_ref, wallet_id, source, card_id, amount_minor, state, occurred_at,
               rrn, auth_code, arn
        FROM {moves} WHERE place BETWEEN %s AND %s ORDER BY place
        """,  # noqa: S608  the caller's table
        places,
    )


def _post_top_ups(cursor: CursorWrapper, moves: str, places: list[int], *, actor: Actor) -> None:
    """Each top-up that was charged has its journal, and the journal its postings."""
    charged = list(TopUp.CHARGED)
    cursor.execute(
        f"""
        INSERT INTO wallets_journal
            (id, source, source_id, kind, occurred_at, recorded_at, actor_id)
        SELECT journal_id, 'top_up', id, 'top_up', occurred_at, (SELECT winddown_now()), %s
        FROM {moves} WHERE place BETWEEN %s AND %s AND state = ANY (%s) ORDER BY place
        """,  # noqa: S608
        [actor.pk, *places, charged],
    )
    cursor.execute(
        f"""
        INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
        SELECT m.journal_id, line.account, line.wallet_id, line.amount_minor
        FROM {moves} m CROSS JOIN LATERAL (VALUES
            (1, CASE WHEN {_IS_FREE} THEN 'wallet_bonus' ELSE 'wallet_paid' END,
                m.wallet_id, m.amount_minor),
            (2, '{FUNDING}' || m.source, NULL, -m.amount_minor)
        ) AS line (number, account, wallet_id, amount_minor)
        WHERE m.place BETWEEN %s AND %s AND m.state = ANY (%s)
        ORDER BY m.place, line.number
        """,  # noqa: S608
        [*places, charged],
    )


# One statement over the caller's table `rows`. `split_payments` says how it divides them.
_SPLIT = """
    CREATE TEMPORARY TABLE {split} ON COMMIT DROP AS
    WITH firsts AS MATERIALIZED (
        SELECT wallet_id, min(occurred_at) AS at FROM {rows}
        WHERE earlier_id IS NULL GROUP BY wallet_id
    ), later AS MATERIALIZED (
        SELECT p.wallet_id, j.occurred_at,
               coalesce(sum(p.amount_minor) FILTER (WHERE p.account = 'wallet_paid'), 0) AS paid,
               coalesce(sum(p.amount_minor) FILTER (WHERE p.account = 'wallet_bonus'), 0) AS bonus
        FROM wallets_journal j
             JOIN wallets_posting p ON p.journal_id = j.id
             JOIN firsts ON firsts.wallet_id = p.wallet_id AND j.occurred_at > firsts.at
        WHERE j.occurred_at > (SELECT min(at) FROM firsts)
        GROUP BY p.wallet_id, j.occurred_at
    ), moments AS (
        SELECT wallet_id, occurred_at, 1 AS place, line, amount_minor, 0 AS paid, 0 AS bonus
        FROM {rows} WHERE earlier_id IS NULL
        UNION ALL
        SELECT wallet_id, occurred_at, 0, 0, 0, paid, bonus FROM later
    ), standing AS (
        SELECT m.*, w.paid_minor - w.held_minor AS free_now,
               w.paid_minor - coalesce(sum(m.paid) OVER afterwards, 0)::bigint AS paid_then,
               w.bonus_minor - coalesce(sum(m.bonus) OVER afterwards, 0)::bigint AS bonus_then
        FROM moments m JOIN wallets_wallet w ON w.id = m.wallet_id
        WINDOW afterwards AS (
            PARTITION BY m.wallet_id ORDER BY m.occurred_at DESC, m.place DESC, m.line DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), free AS (
        SELECT *, least(min(paid_then) OVER onwards, free_now) AS paid_free,
               min(bonus_then) OVER onwards AS bonus_free
        FROM standing
        WINDOW onwards AS (
            PARTITION BY wallet_id ORDER BY occurred_at DESC, place DESC, line DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ), spent AS (
        SELECT wallet_id, occurred_at, line, amount_minor, paid_free, bonus_free,
               (sum(amount_minor) OVER so_far)::bigint AS spent
        FROM free WHERE place = 1
        WINDOW so_far AS (
            PARTITION BY wallet_id ORDER BY occurred_at, line
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ), used AS (
        SELECT *, spent + least(0, min(bonus_free - spent) OVER so_far) AS bonus_used
        FROM spent
        WINDOW so_far AS (
            PARTITION BY wallet_id ORDER BY occurred_at, line
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
    SELECT wallet_id, occurred_at, line,
           bonus_used - lag(bonus_used, 1, 0::bigint) OVER in_time AS bonus_part_minor,
           amount_minor - bonus_used
               + lag(bonus_used, 1, 0::bigint) OVER in_time AS paid_part_minor,
           spent - bonus_used > paid_free AS is_short,
           paid_free + bonus_free - (spent - amount_minor) AS available_minor
    FROM used WINDOW in_time AS (PARTITION BY wallet_id ORDER BY occurred_at, line)
"""


def split_payments(rows: str) -> str:
    """Every new payment of the temporary table `rows` is divided into bonus and paid value. Returns
    the name of the table with the parts.

    Payments are taken in the order of `occurred_at`, then of the file, and each takes bonus value
    first. A payment may take no more than the wallet had at that time. It may also take no more
    than the wallet had at any recorded moment since, because the movements of those moments must
    stay covered. A hold counts as value that is taken now.

    Let F be the least bonus value from a payment's time on; it never falls from one payment to the
    next. Let C be the sum of the wallet's new payments so far. Then the bonus value used so far is
    C + min(0, min(F - C)), as for any balance that cannot fall below zero. `is_short` marks a
    payment that is not covered. `available_minor` is the value that there was for it.
    """
    split = f"{rows}_split"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {split}")
        cursor.execute(_SPLIT.format(split=split, rows=rows))
        cursor.execute(f"ANALYZE {split}")
    return split


def record_payments(
    rows: str, *, actor: Actor, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Every new row of the temporary table `rows` is a payment, with the journal and the balance
    that `pay` or `reserve` makes, divided as `split_payments` found.

    The table has `line`, `earlier_id` and the columns of `Payment` without the parts. The caller
    has checked the rows and locked the wallets. Returns how many were recorded.
    """
    moves = _numbered(
        rows,
        table="wallets_payment",
        columns="r.*, s.paid_part_minor, s.bonus_part_minor",
        joined=f"JOIN {rows}_split s ON s.line = r.line",
    )
    for first, last, total in _slices(moves):
        with connection.cursor() as cursor:
            _insert_payments(cursor, moves, [first, last])
            _post_payments(cursor, moves, [first, last], actor=actor)
        progress(last, total)
    return _recorded(
        moves,
        paid="-sum(paid_part_minor)",
        bonus="-sum(bonus_part_minor)",
        moved=list(Payment.SPENT),
    )


def _insert_payments(cursor: CursorWrapper, moves: str, places: list[int]) -> None:
    cursor.execute(
        f"""
        INSERT INTO wallets_payment (id, payment_ref, wallet_id, amount_minor,
            paid_part_minor, bonus_part_minor, merchant_ref, prefecture,
            merchant_category, state, occurred_at)
        SELECT id, payment_ref, wallet_id, amount_minor,
               paid_part_minor, bonus_part_minor, merchant_ref, prefecture,
               merchant_category, state, occurred_at
        FROM {moves} WHERE place BETWEEN %s AND %s ORDER BY place
        """,  # noqa: S608
        places,
    )


def _post_payments(cursor: CursorWrapper, moves: str, places: list[int], *, actor: Actor) -> None:
    """Each payment has its journal, and the journal its postings."""
    reserved = list(Payment.IN_FLIGHT)
    cursor.execute(
        f"""
        INSERT INTO wallets_journal
            (id, source, source_id, kind, occurred_at, recorded_at, actor_id)
        SELECT journal_id, 'payment', id,
               CASE WHEN state = ANY (%s) THEN 'reserve' ELSE 'pay' END,
               occurred_at, (SELECT winddown_now()), %s
        FROM {moves} WHERE place BETWEEN %s AND %s ORDER BY place
        """,  # noqa: S608
        [reserved, actor.pk, *places],
    )
    cursor.execute(
        f"""
        INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
        SELECT m.journal_id, line.account, line.wallet_id, line.amount_minor
        FROM {moves} m CROSS JOIN LATERAL (VALUES
            (1, 'wallet_paid', m.wallet_id, -m.paid_part_minor),
            (2, 'wallet_bonus', m.wallet_id, -m.bonus_part_minor),
            (3, CASE WHEN m.state = ANY (%s) THEN 'reservations' ELSE 'merchants' END,
                NULL, m.amount_minor)
        ) AS line (number, account, wallet_id, amount_minor)
        WHERE m.place BETWEEN %s AND %s AND line.amount_minor <> 0
        ORDER BY m.place, line.number
        """,  # noqa: S608
        [reserved, *places],
    )


def _numbered(rows: str, *, table: str, columns: str, joined: str) -> str:
    """The new rows are in a temporary table in time order, each with its place and the ids that it
    and its journal will have; returns the table's name.
    """
    moves = f"{rows}_moves"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {moves}")
        # The sequences are found once. By name, PostgreSQL would find them again for every row.
        cursor.execute(
            "SELECT pg_get_serial_sequence(%s, 'id')::regclass::oid::bigint,"
            " pg_get_serial_sequence('wallets_journal', 'id')::regclass::oid::bigint",
            [table],
        )
        ids, journal_ids = cursor.fetchone()
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE {moves} ON COMMIT DROP AS
            SELECT row_number() OVER () AS place, nextval({ids}::oid::regclass) AS id,
                   nextval({journal_ids}::oid::regclass) AS journal_id, ordered.*
            FROM (SELECT {columns} FROM {rows} r {joined} WHERE r.earlier_id IS NULL
                  ORDER BY r.occurred_at, r.line) AS ordered
            """  # noqa: S608  the caller's table
        )
        cursor.execute(f"CREATE INDEX ON {moves} (place)")
        cursor.execute(f"ANALYZE {moves}")
    return moves


def _slices(moves: str) -> Iterator[tuple[int, int, int]]:
    """Yields the first and last place of each slice, and the number of all places. A slice is one
    statement and holds whole journals.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {moves}")  # noqa: S608
        total = int(cursor.fetchone()[0])
    for first in range(1, total + 1, RECORDED_AT_ONCE):
        yield first, min(first + RECORDED_AT_ONCE - 1, total), total


def _recorded(moves: str, *, paid: str, bonus: str, moved: Sequence[str]) -> int:
    """The wallets hold what the recorded movements left them. Returns how many movements there
    were.

    `paid` and `bonus` are SQL over the movements of a wallet. Only movements in the states `moved`
    count.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE wallets_wallet w
            SET paid_minor = w.paid_minor + moved.paid, bonus_minor = w.bonus_minor + moved.bonus
            FROM (
                SELECT wallet_id, coalesce({paid}, 0)::bigint AS paid,
                       coalesce({bonus}, 0)::bigint AS bonus
                FROM {moves} WHERE state = ANY (%s) GROUP BY wallet_id
            ) AS moved
            WHERE w.id = moved.wallet_id AND (moved.paid <> 0 OR moved.bonus <> 0)
            """,  # noqa: S608
            [list(moved)],
        )
        cursor.execute(f"SELECT count(*) FROM {moves}")  # noqa: S608
        count = int(cursor.fetchone()[0])
        cursor.execute(f"DROP TABLE IF EXISTS {moves}")
    return count
