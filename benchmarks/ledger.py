"""The ledger: movements one by one and in sets, beside django-hordak and bare INSERTs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from django.db import connection, transaction
from django.db.models import Max, Min

from benchmarks import freeze_charges
from benchmarks.harness import Bench, Measurement, Process, Stopwatch
from wallets import invariants as ledger_invariants
from wallets.models import TopUp, Wallet
from wallets.movements import charging, histories, spending
from winddown.actors import SYSTEM
from winddown.evidence import audit

LIMIT = "bare INSERTs in one transaction"
MASS = "top-ups recorded as a set"
TOP_UP = "movements.top_up, one by one"
PAY = "movements.pay, one by one"
HORDAK = "django-hordak transfer_to, one by one"
HORDAK_BULK = "django-hordak models by bulk_create"

SINGLES = 2_000
HORDAK_BULK_SAMPLE = 10_000
ROWS = "benchmark_rows"


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("wallets", freeze_charges.fill, wallets=size)
        bench.side(LIMIT, "limit", size=size, template=template, work=bare)
        bench.side(MASS, "ours", size=size, template=template, work=lambda: mass(bench))
    template = bench.databases.filled("wallets", freeze_charges.fill, wallets=bench.largest)
    sample = min(SINGLES, bench.largest)

    def single(side: str, verb: Callable[[int, str], object]) -> None:
        bench.side(
            side,
            "ours",
            size=bench.largest,
            template=template,
            work=lambda: one_by_one(sample, verb),
            repeats=1 if bench.quick else 3,
        )

    single(TOP_UP, top_up)
    single(PAY, pay)
    if importlib.util.find_spec("hordak"):
        hordak(bench, sample)
    else:
        bench.notes.append("django-hordak is not installed, so it was not measured.")
    checks = bench.figures[f"checks after {bench.largest:,} top-ups"]
    bench.at_most("checks of conservation against the posting", 10, checks["% of posting"], "%")
    bench.at_most("growth exponent, as a set", 1.05, bench.growth().get(MASS, 1.0), unit="")
    bench.notes += [
        "A top-up is a row of its own, a journal, two postings and the wallet's balance; the limit"
        " writes the same rows without a trigger or a key. As a set the movements are known"
        " beforehand, which is an easier task than one at a time.",
        "movements.pay and top_up also read the switch under its lock, check the wallet and refuse"
        " a doubled reference; hordak writes a transaction and two legs.",
    ]


# --- As a set -------------------------------------------------------------------------------------


def bare() -> tuple[int, float]:
    """The same rows into twins of the tables without triggers, and the balances."""
    stage()
    with connection.cursor() as cursor:
        for table in ("topup", "journal", "posting"):
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE wallets_{table} INCLUDING ALL)")
        with Stopwatch() as watch, transaction.atomic():
            cursor.execute(
                f"""
                INSERT INTO bare_topup (id, top_up_ref, wallet_id, source, amount_minor, state,
                    occurred_at, rrn, auth_code, arn)
                SELECT line, top_up_ref, wallet_id, source, amount_minor, state, occurred_at,
                    '', '', '' FROM {ROWS}
                """
            )
            cursor.execute(
                f"""
                INSERT INTO bare_journal
                    (id, source, source_id, kind, occurred_at, recorded_at)
                SELECT line, 'top_up', line, 'top_up', occurred_at, clock_timestamp() FROM {ROWS}
                """
            )
            cursor.execute(
                f"""
                INSERT INTO bare_posting (journal_id, account, wallet_id, amount_minor)
                SELECT line, side.account, side.wallet_id, side.amount
                FROM {ROWS} r CROSS JOIN LATERAL (VALUES
                    ('wallet_paid', r.wallet_id, r.amount_minor),
                    ('funding_register_cash', NULL, -r.amount_minor)
                ) AS side (account, wallet_id, amount)
                """
            )
            cursor.execute(
                f"UPDATE plain_half w SET paid_minor = paid_minor + r.amount_minor"
                f" FROM {ROWS} r WHERE w.id = r.wallet_id"
            )
            rows = cursor.rowcount
    return rows, watch.seconds


def mass(bench: Bench) -> tuple[int, float]:
    """The top-ups of a file are recorded with every trigger, in one transaction with its audit
    entry.
    """
    stage()
    with Stopwatch() as watch, transaction.atomic():
        rows = histories.record_top_ups(ROWS, actor=SYSTEM)
        audit.append("benchmark.record", "top_ups", actor=SYSTEM, rows=rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with Stopwatch() as checks:
        for check in (
            ledger_invariants.journals_balance,
            ledger_invariants.balances_equal_postings,
            ledger_invariants.postings_dangle,
        ):
            assert check() == [], check
            checks.lap(check.__name__)
    bench.figure(
        f"checks after {rows:,} top-ups",
        **{f"{name} s": seconds for name, seconds in checks.laps.items()},
        **{"% of posting": 100 * checks.seconds / watch.seconds},
    )
    return rows, watch.seconds


def stage() -> None:
    """A top-up of 100 for every wallet waits in a temporary table, as a loaded file's rows do."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE {ROWS} AS
            SELECT row_number() OVER (ORDER BY id) AS line, NULL::bigint AS earlier_id,
                   'mass-' || id AS top_up_ref, id AS wallet_id, 'register_cash'::text AS source,
                   NULL::bigint AS card_id, 100::bigint AS amount_minor, %s::text AS state,
                   winddown_now() AS occurred_at, ''::text AS rrn, ''::text AS auth_code,
                   ''::text AS arn
            FROM wallets_wallet ORDER BY id
            """,
            [TopUp.State.POSTED],
        )
        cursor.execute(f"ANALYZE {ROWS}")


# --- One by one -----------------------------------------------------------------------------------


def one_by_one(number: int, verb: Callable[[int, str], object]) -> tuple[int, float]:
    bounds = Wallet.objects.aggregate(first=Min("pk"), last=Max("pk"))
    stride = (bounds["last"] - bounds["first"] + 1) // number
    with Stopwatch() as watch:
        for place in range(number):
            verb(bounds["first"] + place * stride, f"single-{place}")
    return number, watch.seconds


def top_up(wallet_id: int, reference: str) -> object:
    return charging.top_up(
        wallet_id, source="register_cash", amount_minor=100, top_up_ref=reference, actor=SYSTEM
    )


def pay(wallet_id: int, reference: str) -> object:
    return spending.pay(
        wallet_id, amount_minor=100, merchant_ref="shop", payment_ref=reference, actor=SYSTEM
    )


def hordak(bench: Bench, sample: int) -> None:
    """The same number of transfers by django-hordak, in a database and a process of its own."""
    in_hordak = {"DJANGO_SETTINGS_MODULE": "benchmarks.hordak_settings"}
    bulk_sample = min(HORDAK_BULK_SAMPLE, bench.largest)
    with bench.databases.empty("hordak"):
        Process("hordak_transfers", "prepare", **in_hordak).go().result()
        for side, function, rows in (
            (HORDAK, "single", sample),
            (HORDAK_BULK, "bulk", bulk_sample),
        ):
            best = min(
                Process("hordak_transfers", function, rows, **in_hordak).go().result()["seconds"]
                for _ in range(1 if bench.quick else 3)
            )
            bench.add(Measurement(side, "peer", bench.largest, rows, best, "1,000 accounts"))
