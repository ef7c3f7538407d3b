"""Guards find our tables, even if the session puts other tables before them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from wallets.models import WalletTransition
from winddown import clock
from winddown.models import Capability
from winddown.sqlstates import SqlState

# The loader makes temporary tables; no other role of the service may.
pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.loads_files]

OURS = """
    SELECT p.proname, p.prosrc, p.prosqlbody IS NOT NULL,
        coalesce((SELECT substr(c, 13) FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%'), '')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'public' AND NOT EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    ORDER BY 1
"""


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def shadow(table: str) -> None:
    """A temporary table of the same name and columns comes before ours in this session."""
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TEMPORARY TABLE "{table}" (LIKE public."{table}")')


def test_every_function_has_a_search_path_or_is_bound_at_its_creation():
    loose = [
        name
        for name, _, bound, path in rows(OURS)
        if not bound and path != "pg_catalog, public, pg_temp"
    ]
    assert loose == []
    assert len(rows(OURS)) > 140


def test_every_function_reads_the_permanent_table_beside_a_temporary_one():
    """Each function's own search path finds the permanent table."""
    tables = {
        name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    tried = set()
    for name, source, bound, path in rows(OURS):
        read = {word for word in re.findall(r"\w+", source) if word in tables}
        for table in read - tried:
            shadow(table)
        tried |= read
        if not bound:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL search_path = {path}")
                for table in read:
                    cursor.execute(
                        "SELECT to_regclass(%s) = %s::regclass", [table, f"public.{table}"]
                    )
                    assert cursor.fetchone() == (True,), f"{name} reads another {table}"
                cursor.execute("SET LOCAL search_path TO DEFAULT")
    assert {"winddown_clock", "winddown_capability", "winddown_milestone"} <= tried


def test_a_temporary_clock_table_moves_no_deadline():
    shadow("winddown_clock")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO winddown_clock SELECT * FROM public.winddown_clock")
        cursor.execute("UPDATE pg_temp.winddown_clock SET shift = '-2 days'")
        cursor.execute("SELECT abs(extract(epoch FROM winddown_now() - clock_timestamp())) < 5")
        assert cursor.fetchone() == (True,)
    assert clock.now().year > 2000


def test_a_temporary_switch_table_lets_no_operation_pass(switches: None):
    code = Capability.objects.values_list("code", flat=True).order_by("code")[0]
    shadow("winddown_capability")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO winddown_capability SELECT * FROM public.winddown_capability")
        cursor.execute("UPDATE winddown_capability SET code = 'invented' WHERE code = %s", [code])
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            cursor.execute("SELECT * FROM winddown_pass('invented')")
    assert refused.value.__cause__.sqlstate == SqlState.UNKNOWN_CAPABILITY


def test_a_temporary_log_table_receives_no_row(wallet: Callable[..., Any]):
    mine = wallet()
    shadow("wallets_wallettransition")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wallets_wallet SET state = 'charge_frozen' WHERE id = %s", [mine.pk])
        cursor.execute("SELECT count(*) FROM wallets_wallettransition")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT count(*) FROM public.wallets_wallettransition WHERE subject_id = %s", [mine.pk]
        )
        assert cursor.fetchone() == (1,)
    assert WalletTransition._meta.db_table == "wallets_wallettransition"
