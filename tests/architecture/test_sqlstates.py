"""Each SQLSTATE of ours is written once, in the enum, and the database raises every one of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection

from winddown.sqlstates import SqlState

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("winddown", "accounts", "wallets", "refunds", "rehearsal", "config")
OURS = re.compile(r"WD\d{3}")


def test_no_sqlstate_is_written_outside_the_enum() -> None:
    found = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts and path.name != "sqlstates.py"
        if OURS.search(path.read_text())
    ]
    assert found == []


@pytest.mark.django_db
def test_the_database_raises_every_code_of_the_enum_and_no_other() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = 'public' AND prosrc LIKE '%%ERRCODE%%'"
        )
        raised = {code for (source,) in cursor for code in OURS.findall(source)}
    assert raised == {state.value for state in SqlState}
