"""The guard and log trigger beside the same log written without a trigger, batch by batch in
turn."""

from __future__ import annotations

import statistics

from django.db import connection, transaction
from django.db.models import Max, Min

from benchmarks import freeze_charges
from benchmarks.harness import Bench, Measurement, Stopwatch
from wallets.models import Wallet
from winddown.actors import SYSTEM
from winddown.machines.move import named

BATCH = 1_000
BATCHES_MAX = 100

CTE = "log in the same statement, no trigger"
OURS = "guard and log by trigger"
BY_ROW = "log by a trigger for each row"
NO_LOG = "no log, no trigger"

STATES = {"active": Wallet.State.ACTIVE, "frozen": Wallet.State.CHARGE_FROZEN}
CHOSEN = """
    WITH chosen (id) AS MATERIALIZED (
        SELECT id FROM {table} WHERE id BETWEEN %(first)s AND %(last)s AND state = %(active)s
        ORDER BY id FOR NO KEY UPDATE
    )
"""
UPDATE = " UPDATE {table} SET state = %(frozen)s WHERE id = ANY (ARRAY(SELECT id FROM chosen))"
LOG = """
    INSERT INTO {log} (subject_id, transition, source, target, run_id, reason, at, xact_id)
    SELECT {id}, 'freeze_charges', %(active)s, %(frozen)s, 1, 'benchmark', clock_timestamp(),
           pg_current_xact_id()::text::bigint
"""


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("wallets", freeze_charges.fill, wallets=size)
        with bench.databases.side(template):
            _twins()
            for side, seconds in _in_turn(size).items():
                part = "ours" if side == OURS else "limit" if side == CTE else "peer"
                batches = len(seconds)
                # The median batch, because a checkpoint or another process may disturb one batch of
                # a side.
                bench.add(
                    Measurement(
                        side, part, size, batches * BATCH, statistics.median(seconds) * batches
                    )
                )
    bench.at_most(
        "guard and log trigger against the log in the statement", 1.15, bench.ratio(OURS, CTE)
    )
    bench.notes += [
        f"Batches of {BATCH:,} wallets, one transaction each, the sides in turn; seconds are those"
        " of the statement in the median batch, times the batches.",
        "All tables are half-filled; ours also checks every edge and digests every row for the"
        " audit journal.",
    ]


def _twins() -> None:
    """A table for each other side, beside the real one, and all of them equally fresh."""
    with connection.cursor() as cursor:
        for table in ("bare_cte", "bare_by_row", "bare_no_log"):
            cursor.execute(
                f"""
                CREATE TABLE {table} (LIKE wallets_wallet INCLUDING ALL) WITH (fillfactor = 50);
                INSERT INTO {table} OVERRIDING SYSTEM VALUE
                    SELECT * FROM wallets_wallet ORDER BY id;
                CREATE TABLE {table}_log (LIKE wallets_wallettransition INCLUDING ALL);
                """
            )
        insert = LOG.format(log="bare_by_row_log", id="NEW.id")
        cursor.execute(
            f"""
            CREATE FUNCTION bare_by_row_log() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN {insert}; RETURN NULL; END $$;
            CREATE TRIGGER log AFTER UPDATE ON bare_by_row FOR EACH ROW
                WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION bare_by_row_log();
            """,
            STATES,
        )
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _in_turn(size: int) -> dict[str, list[float]]:
    """Returns the seconds of every batch of every side."""
    statements = {
        CTE: CHOSEN.format(table="bare_cte")
        + f", moved AS ({UPDATE.format(table='bare_cte')} RETURNING id)"
        + LOG.format(log="bare_cte_log", id="id")
        + " FROM moved",
        OURS: (CHOSEN + UPDATE).format(table="wallets_wallet"),
        BY_ROW: (CHOSEN + UPDATE).format(table="bare_by_row"),
        NO_LOG: (CHOSEN + UPDATE).format(table="bare_no_log"),
    }
    first = Wallet.objects.aggregate(first=Min("pk"), last=Max("pk"))["first"]
    batches = min(BATCHES_MAX, size // BATCH)
    stride = size // batches
    found: dict[str, list[float]] = {side: [] for side in statements}
    for number in range(batches):
        bounds = {
            "first": first + number * stride,
            "last": first + number * stride + BATCH - 1,
        }
        for side, statement in statements.items():
            found[side].append(_batch(statement, bounds))
    return found


def _batch(statement: str, bounds: dict[str, int]) -> float:
    """Returns the seconds that the statement took."""
    with (
        transaction.atomic(),
        named("freeze_charges", actor=SYSTEM, reason="benchmark"),
        connection.cursor() as cursor,
        Stopwatch() as watch,
    ):
        cursor.execute(statement, STATES | bounds)
    return watch.seconds
