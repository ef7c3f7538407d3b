"""Accounts, wallets, top-ups and payments: loading with every check beside plain COPY and the ORM."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction

from accounts.models import User
from benchmarks.harness import Bench, Measurement, Process
from benchmarks.population import programme
from wallets.models import Payment, TopUp, Wallet
from winddown.loading import file_kinds, loader

# In the order in which the files are loaded, each with the most that it may take beside COPY.
GOALS = {"accounts": 3.0, "wallets": 3.0, "top_ups": 3.0, "payments": 3.0}
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


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("begun", programme)
        with tempfile.TemporaryDirectory() as place:
            with bench.databases.side(template):
                for kind in GOALS:
                    write_file(Path(place), kind, size=size)
                    seconds = plain_copy(Path(place), kind)
                    bench.add(Measurement(f"{kind}: plain COPY", "limit", size, size, seconds))
            with bench.databases.side(template):
                said = Process("loaders", "measure", place).go().result()
            for kind, seconds in said.items():
                bench.add(Measurement(f"{kind}: loaded", "ours", size, size, seconds))
            rows = min(size, PEER_ROWS_MAX)
            with bench.databases.side(template):
                said = Process("loaders", "measure_peer", place, rows).go().result()
            for kind, seconds in said.items():
                bench.add(Measurement(f"{kind}: bulk_create", "peer", size, rows, seconds))
    for kind, most in GOALS.items():
        reached = bench.ratio(f"{kind}: loaded", f"{kind}: plain COPY")
        bench.at_most(f"{kind} against plain COPY", most, reached)
    for kind in GOALS:
        growth = bench.growth().get(f"{kind}: loaded", 1.0)
        bench.at_most(f"growth exponent, {kind}", 1.05, growth, unit="")


def write_file(place: Path, kind: str, *, size: int) -> None:
    """The file has `size` rows, of which a load refuses none."""
    with (place / f"{kind}.csv").open("wb") as target, connection.cursor() as cursor:
        written = f"COPY ({FILES[kind]}) TO STDOUT WITH (FORMAT csv, HEADER)"
        with cursor.copy(written, [size]) as rows:
            for row in rows:
                target.write(row)


def plain_copy(place: Path, kind: str) -> float:
    """Returns the seconds of COPY of the file into a table with neither index nor check."""
    columns = ", ".join(f"{each.name} {each.sql_type}" for each in file_kinds.get(kind).columns)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE plain_{kind} ({columns})")
        began = time.perf_counter()
        with (
            (place / f"{kind}.csv").open("rb") as source,
            cursor.copy(f"COPY plain_{kind} FROM STDIN WITH (FORMAT csv, HEADER)") as copy,
        ):
            while block := source.read(1 << 20):
                copy.write(block)
        return time.perf_counter() - began


def measure(place: str) -> dict[str, float]:
    """Returns the seconds of each load, with everything that a load does."""
    found = {}
    for kind in GOALS:
        began = time.perf_counter()
        loader.load(kind, Path(place) / f"{kind}.csv")
        found[kind] = time.perf_counter() - began
    return found


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
