"""Accounts, wallets, top-ups and payments: loads beside the bare statements, COPY and the ORM."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction

from accounts.models import User
from benchmarks.databases import inside
from benchmarks.harness import Bench, Measurement, Process, Spent, times
from benchmarks.population import programme
from wallets.models import Payment, TopUp, Wallet
from winddown.loading import file_kinds, loader

# In the order in which the files are loaded, each with the most that it may take beside the bare
# statements.
GOALS = {"accounts": 3.0, "wallets": 3.0, "top_ups": 3.0, "payments": 3.0}
LOADED = "{0}: loaded"
BARE = "{0}: bare statements"
PLAIN = "{0}: plain COPY"
PEER_ROWS_MAX = 20_000
AT_ONCE = 1_000
MOMENT = (
    "to_char(timestamptz '{0}+09' + n * interval '7 seconds',"
    ' \'YYYY-MM-DD"T"HH24:MI:SS"+09:00"\')'
)
# Each kind has one row for each n; a payment is smaller than the top-up of its wallet.
FILES = {
    "accounts": f"""
        SELECT 'person-' || n AS account_ref, 'person-' || n || '@example.com' AS login_id,
            'person-' || n || '@example.com' AS email, {MOMENT.format("2019-07-01")} AS email_verified_at,
            '+8190' || lpad(n::text, 8, '0') AS phone, NULL AS phone_verified_at,
            '山田 太郎' AS display_name, 'ﾔﾏﾀﾞ ﾀﾛｳ' AS kana_name,
            {MOMENT.format("2019-07-01")} AS registered_at, NULL AS password_hash
        FROM generate_series(1, %s) AS n
    """,
    "wallets": f"""
        SELECT 'wallet-' || n AS wallet_ref, 'person-' || n AS account_ref,
            {MOMENT.format("2019-07-02")} AS opened_at FROM generate_series(1, %s) AS n
    """,
    "top_ups": f"""
        SELECT 'top-up-' || n AS top_up_ref, 'wallet-' || n AS wallet_ref,
            'register_cash' AS source, NULL AS card_ref, 1000 + n %% 9000 AS amount_minor,
            {MOMENT.format("2019-07-10")} AS occurred_at, 'posted' AS state,
            NULL AS rrn, NULL AS auth_code, NULL AS arn FROM generate_series(1, %s) AS n
    """,
    "payments": f"""
        SELECT 'payment-' || n AS payment_ref, 'wallet-' || n AS wallet_ref,
            100 + n %% 900 AS amount_minor, 'shop-' || n %% 500 AS merchant_ref,
            '東京都' AS prefecture, '5411' AS merchant_category,
            {MOMENT.format("2019-11-01")} AS occurred_at, 'posted' AS state
        FROM generate_series(1, %s) AS n
    """,
}


# The tables that the loads write. Their triggers are off for the bare statements, so nothing is
# guarded or digested. Primary keys, unique keys, foreign keys, checks and indexes stay.
WRITTEN = (
    "accounts_user",
    "wallets_wallet",
    "wallets_topup",
    "wallets_payment",
    "wallets_journal",
    "wallets_posting",
)
# The same rows from the table `bare_<kind>`, which has the file as it came and numbers its rows.
BARE_STATEMENTS = {
    "accounts": """
        INSERT INTO accounts_user (account_ref, login_id, kind, email, email_verified_at, phone,
            phone_verified_at, display_name, kana_name, staff_number, is_active, is_staff,
            is_superuser, registered_at, password_set_at, refused_hash, password)
        SELECT account_ref, login_id, 'customer', coalesce(email, ''), email_verified_at,
            coalesce(phone, ''), phone_verified_at, coalesce(display_name, ''),
            coalesce(kana_name, ''), '', true, false, false, registered_at, registered_at, '',
            coalesce(password_hash, '!' || replace(gen_random_uuid()::text, '-', ''))
        FROM bare_accounts
    """,
    "wallets": f"""
        INSERT INTO wallets_wallet
            (wallet_ref, account_id, opened_at, state, paid_minor, bonus_minor, held_minor)
        SELECT s.wallet_ref, u.id, s.opened_at, '{Wallet.State.ACTIVE}', 0, 0, 0
        FROM bare_wallets s JOIN accounts_user u ON u.account_ref = s.account_ref
    """,
    "top_ups": """
        INSERT INTO wallets_topup (id, top_up_ref, wallet_id, source, card_id, amount_minor,
            state, occurred_at, rrn, auth_code, arn)
        SELECT s.n, s.top_up_ref, w.id, s.source, NULL, s.amount_minor, s.state, s.occurred_at,
            coalesce(s.rrn, ''), coalesce(s.auth_code, ''), coalesce(s.arn, '')
        FROM bare_top_ups s JOIN wallets_wallet w ON w.wallet_ref = s.wallet_ref;
        INSERT INTO wallets_journal (id, source, source_id, kind, occurred_at)
        SELECT 1000000000 + n, 'top_up', n, 'top_up', occurred_at FROM bare_top_ups;
        INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
        SELECT 1000000000 + s.n, line.account, line.wallet_id, line.amount_minor
        FROM bare_top_ups s JOIN wallets_wallet w ON w.wallet_ref = s.wallet_ref
            CROSS JOIN LATERAL (VALUES ('wallet_paid', w.id, s.amount_minor),
                ('funding_' || s.source, NULL, -s.amount_minor)
            ) AS line (account, wallet_id, amount_minor);
        UPDATE wallets_wallet w SET paid_minor = w.paid_minor + moved.paid
        FROM (SELECT wallet_ref, sum(amount_minor) AS paid FROM bare_top_ups GROUP BY wallet_ref)
            AS moved WHERE w.wallet_ref = moved.wallet_ref
    """,
    "payments": """
        INSERT INTO wallets_payment (id, payment_ref, wallet_id, amount_minor, paid_part_minor,
            bonus_part_minor, merchant_ref, prefecture, merchant_category, state, occurred_at)
        SELECT s.n, s.payment_ref, w.id, s.amount_minor, s.amount_minor, 0, s.merchant_ref,
            coalesce(s.prefecture, ''), coalesce(s.merchant_category, ''), s.state, s.occurred_at
        FROM bare_payments s JOIN wallets_wallet w ON w.wallet_ref = s.wallet_ref;
        INSERT INTO wallets_journal (id, source, source_id, kind, occurred_at)
        SELECT 2000000000 + n, 'payment', n, 'pay', occurred_at FROM bare_payments;
        INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
        SELECT 2000000000 + s.n, line.account, line.wallet_id, line.amount_minor
        FROM bare_payments s JOIN wallets_wallet w ON w.wallet_ref = s.wallet_ref
            CROSS JOIN LATERAL (VALUES ('wallet_paid', w.id, -s.amount_minor),
                ('merchants', NULL, s.amount_minor)
            ) AS line (account, wallet_id, amount_minor);
        UPDATE wallets_wallet w SET paid_minor = w.paid_minor - moved.paid
        FROM (SELECT wallet_ref, sum(amount_minor) AS paid FROM bare_payments GROUP BY wallet_ref)
            AS moved WHERE w.wallet_ref = moved.wallet_ref
    """,
}


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("begun", programme)
        with tempfile.TemporaryDirectory() as place:
            with bench.databases.side(template):
                for kind in GOALS:
                    write_file(Path(place), kind, size=size)
                    seconds = plain_copy(Path(place), kind)
                    bench.add(Measurement(PLAIN.format(kind), "peer", size, size, seconds))
            _pairs(bench, template, place, size=size)
            rows = min(size, PEER_ROWS_MAX)
            with bench.databases.side(template):
                said = Process("loaders", "measure_peer", place, rows).go().result()
            for kind, seconds in said.items():
                bench.add(Measurement(f"{kind}: bulk_create", "peer", size, rows, seconds))
    for kind, most in GOALS.items():
        reached = bench.figures[f"{bench.largest:,} {kind}"]["x bare statements"]
        bench.at_most(f"{kind} against the bare statements", most, reached)
    for kind in GOALS:
        growth = bench.growth().get(LOADED.format(kind), 1.0)
        bench.at_most(f"growth exponent, {kind}", 1.05, growth, unit="")
    bench.notes += [
        "The bare statements bring the same accounts, wallets, movements, journals, postings and"
        " balances into the same tables: COPY into a temporary table, then one INSERT per table,"
        " and one UPDATE of the balances. The tables' triggers are off; no value is checked, no row"
        " is compared, digested or analysed. Keys, foreign keys, checks and indexes are on.",
        "Plain COPY writes the file into a table with neither key nor index. It writes one row where"
        " a load of a movement writes five.",
        "Each kind is loaded right after its bare statements, in databases beside each other. The"
        " ratios are medians of such pairs, by the clock and in processor seconds of the loader and"
        " its server process. Other programs disturb the second much less.",
    ]


def _pairs(bench: Bench, template: str, place: str, *, size: int) -> None:
    """Each kind was loaded right after its bare statements, as often as the size is measured."""
    found: dict[str, list[Spent]] = defaultdict(list)
    peaks = []
    for _ in range(bench.repeats(size)):
        with (
            bench.databases.side(template, "bare") as bare,
            bench.databases.side(template, "loaded") as loaded,
        ):
            for kind in GOALS:
                for function, side, label in (
                    ("measure_bare", BARE, bare),
                    ("measure", LOADED, loaded),
                ):
                    with inside(label):
                        said = Process("loaders", function, place, kind).go().result()
                    found[side.format(kind)].append(Spent(*said["spent"]))
                peaks.append(said["peak MiB"])
    for kind in GOALS:
        for side, part in ((BARE, "limit"), (LOADED, "ours")):
            name = side.format(kind)
            least_s = min(spent.seconds for spent in found[name])
            bench.add(Measurement(name, part, size, size, least_s))
        against = times(found[LOADED.format(kind)], found[BARE.format(kind)])
        bench.figure(
            f"{size:,} {kind}",
            **{
                "x bare statements": against["clock"],
                "x bare statements, processor": against["processor"],
                "x plain COPY": bench.ratio(LOADED.format(kind), PLAIN.format(kind), size),
            },
        )
    bench.figure(f"{size:,} of each", **{"peak MiB": max(peaks)})


def write_file(place: Path, kind: str, *, size: int) -> None:
    """The file has `size` rows, of which a load refuses none."""
    with (place / f"{kind}.csv").open("wb") as target, connection.cursor() as cursor:
        written = f"COPY ({FILES[kind]}) TO STDOUT WITH (FORMAT csv, HEADER)"
        with cursor.copy(written, [size]) as rows:
            for row in rows:
                target.write(row)


def plain_copy(place: Path, kind: str) -> float:
    """Returns the seconds of COPY of the file into a table with neither index nor check."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE plain_{kind} ({_columns(kind)})")
        began = time.perf_counter()
        _copied(f"plain_{kind}", place, kind)
        return time.perf_counter() - began


def _columns(kind: str) -> str:
    return ", ".join(f"{each.name} {each.sql_type}" for each in file_kinds.get(kind).columns)


def _copied(table: str, place: Path, kind: str) -> None:
    names = ", ".join(file_kinds.get(kind).names)
    with (
        (place / f"{kind}.csv").open("rb") as source,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN WITH (FORMAT csv, HEADER)") as copy,
    ):
        while block := source.read(1 << 20):
            copy.write(block)


def measure_bare(place: str, kind: str) -> dict[str, Any]:
    """Returns what the bare statements of the kind took, in one transaction."""
    for table in WRITTEN:
        _execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    spent = Spent.on(lambda: _bare_statements(Path(place), kind))
    # The next kind is planned with statistics, as it is after a load.
    _execute("ANALYZE")
    return {"spent": astuple(spent)}


def _bare_statements(place: Path, kind: str) -> None:
    with transaction.atomic():
        _execute("SET LOCAL work_mem = '96MB'; SET LOCAL jit = off")
        _execute(
            f"CREATE TEMPORARY TABLE bare_{kind} (n bigint GENERATED ALWAYS AS IDENTITY"
            f" (CACHE 10000), {_columns(kind)}) ON COMMIT DROP"
        )
        _copied(f"bare_{kind}", place, kind)
        _execute(f"ANALYZE bare_{kind}")
        for statement in BARE_STATEMENTS[kind].split(";"):
            _execute(statement)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def measure(place: str, kind: str) -> dict[str, Any]:
    """Returns what a load of the kind took, with everything that a load does, and its peak
    memory.
    """
    spent = Spent.on(lambda: loader.load(kind, Path(place) / f"{kind}.csv"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "spent": astuple(spent),
        "peak MiB": peak / (1024**2 if sys.platform == "darwin" else 1024),
    }


# --- the peer -----------------------------------------------------------------------------------


def measure_peer(place: str, rows: str) -> dict[str, float]:
    """Returns the seconds of `bulk_create`, a thousand rows at a time. It checks nothing but what
    the tables check, and posts nothing to the ledger.
    """
    found = {}
    for kind, (model, made) in PEERS.items():
        with (Path(place) / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            read = itertools.islice(csv.DictReader(file), int(rows))
            began = time.perf_counter()
            with transaction.atomic():
                while portion := list(itertools.islice(read, AT_ONCE)):
                    model._default_manager.bulk_create(list(made(portion)))
            found[kind] = time.perf_counter() - began
    return found


def _at(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _accounts(rows: list[dict[str, str]]) -> Iterator[User]:
    for row in rows:
        yield User(
            account_ref=row["account_ref"],
            login_id=row["login_id"],
            email=row["email"],
            email_verified_at=_at(row["email_verified_at"]),
            phone=row["phone"],
            display_name=row["display_name"],
            kana_name=row["kana_name"],
            registered_at=_at(row["registered_at"]),
            password="!",
        )


def _wallets(rows: list[dict[str, str]]) -> Iterator[Wallet]:
    named = {row["account_ref"] for row in rows}
    people = dict(User.objects.filter(account_ref__in=named).values_list("account_ref", "pk"))
    for row in rows:
        yield Wallet(
            wallet_ref=row["wallet_ref"],
            account_id=people[row["account_ref"]],
            opened_at=_at(row["opened_at"]),
        )


def _wallet_ids(rows: list[dict[str, str]]) -> dict[str, int]:
    named = {row["wallet_ref"] for row in rows}
    return dict(Wallet.objects.filter(wallet_ref__in=named).values_list("wallet_ref", "pk"))


def _top_ups(rows: list[dict[str, str]]) -> Iterator[TopUp]:
    ids = _wallet_ids(rows)
    for row in rows:
        yield TopUp(
            top_up_ref=row["top_up_ref"],
            wallet_id=ids[row["wallet_ref"]],
            source=row["source"],
            amount_minor=int(row["amount_minor"]),
            occurred_at=_at(row["occurred_at"]),
        )


def _payments(rows: list[dict[str, str]]) -> Iterator[Payment]:
    ids = _wallet_ids(rows)
    for row in rows:
        yield Payment(
            payment_ref=row["payment_ref"],
            wallet_id=ids[row["wallet_ref"]],
            amount_minor=int(row["amount_minor"]),
            paid_part_minor=int(row["amount_minor"]),
            bonus_part_minor=0,
            merchant_ref=row["merchant_ref"],
            prefecture=row["prefecture"],
            merchant_category=row["merchant_category"],
            occurred_at=_at(row["occurred_at"]),
        )


Made = Callable[[list[dict[str, str]]], Iterator[Any]]
PEERS: dict[str, tuple[type[models.Model], Made]] = {
    "accounts": (User, _accounts),
    "wallets": (Wallet, _wallets),
    "top_ups": (TopUp, _top_ups),
    "payments": (Payment, _payments),
}
