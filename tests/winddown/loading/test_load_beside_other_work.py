"""A load waits for no other load, leaves nothing if it dies, and locks the rows it decides by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from accounts.models import User
from tests import factories
from tests.winddown.loading.rows import refusal
from wallets.models import Wallet
from winddown.evidence import audit
from winddown.loading import loader
from winddown.locks import Lock

Write = Callable[..., Path]

pytestmark = pytest.mark.loads_files


def test_two_loads_at_once_do_not_wait_for_each_other(own_database: Any, write: Write) -> None:
    file = write("accounts", {})
    with own_database.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s, 0)", [int(Lock.LOAD)])
        assert "another file is being loaded" in str(refusal(loader.load, "accounts", file))
        # The server frees the locks of a closed connection later.
        other.execute("SELECT pg_advisory_unlock_all()")
    assert loader.load("accounts", file).inserted == 1


def test_a_load_that_dies_leaves_nothing(
    own_database: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is gone after the rows were recorded and before the commit."""
    file = write("accounts", {})

    def die(*args: Any, **options: Any) -> None:
        with own_database.connect("none") as other, connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            other.execute("SELECT pg_terminate_backend(%s)", [cursor.fetchone()[0]])
            cursor.execute("SELECT 1")

    with monkeypatch.context() as broken:
        broken.setattr("winddown.evidence.audit.append", die)
        with pytest.raises(Exception, match=r"terminat|closed"):
            loader.load("accounts", file)
    connections.close_all()
    assert User.objects.count() == 0
    assert loader.load("accounts", file).inserted == 1


def test_a_load_waits_for_locked_rows_and_then_gives_up(own_database: Any, write: Write) -> None:
    factories.declare_switches()
    for kind in ("accounts", "wallets", "funding_cards"):
        loader.load(kind, write(kind, {}))
    with psycopg.connect(own_database.url) as other:
        other.execute("SELECT FROM wallets_wallet FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        assert "other work holds rows" in str(refusal(loader.load, "top_ups", write("top_ups", {})))
    assert loader.load("top_ups", write("top_ups", {})).inserted == 1


def test_a_switch_waits_for_a_load_of_earlier_top_ups(
    own_database: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 2: a load that read the switch commits before the switch changes."""
    factories.declare_switches()
    for kind in ("accounts", "wallets", "funding_cards"):
        loader.load(kind, write(kind, {}))
    free: list[bool] = []
    append = audit.append

    def look(*args: Any, **options: Any) -> int:
        with own_database.connect() as other:
            row = other.execute(
                "SELECT pg_try_advisory_xact_lock(7001, id::integer) FROM winddown_capability"
                " WHERE code = 'top_up:credit_card'"
            ).fetchone()
            free.append(row[0])
        return append(*args, **options)

    monkeypatch.setattr(audit, "append", look)
    loader.load("top_ups", write("top_ups", {}))
    assert free == [False]
    assert Wallet.objects.get().paid_minor == 10_000


def test_neither_a_sign_in_nor_the_fence_waits_for_a_load(
    own_database: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load may take many minutes, and an attack does not wait."""
    free: list[tuple[bool, ...]] = []
    append = audit.append

    def look(*args: Any, **options: Any) -> int:
        with own_database.connect() as other:
            row = other.execute(
                "SELECT pg_try_advisory_xact_lock_shared(%(fence)s, 0),"
                " pg_try_advisory_xact_lock(%(fence)s, 0), pg_try_advisory_xact_lock(%(load)s, 0)",
                {"fence": int(Lock.FENCE), "load": int(Lock.LOAD)},
            ).fetchone()
            free.append(row)
        return append(*args, **options)

    monkeypatch.setattr(audit, "append", look)
    loader.load("accounts", write("accounts", {}))
    assert free == [(True, True, False)]
