"""Each guard and constraint that the owner of the tables took away or changed is named."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.owning import as_owner
from winddown.evidence import installed
from winddown.models import AuditEntry

pytestmark = pytest.mark.usefixtures("database")

TABLE = AuditEntry._meta.db_table
PGID = next(
    trigger.get_pgid(AuditEntry)
    for trigger in AuditEntry._meta.triggers  # type: ignore[attr-defined]
    if trigger.name == "continues_the_chain"
)
NAME = f"{TABLE}.continues_the_chain"
ANEW = f"DROP TRIGGER {PGID} ON {TABLE}; CREATE TRIGGER {PGID} {{}} EXECUTE FUNCTION {PGID}()"


def as_the_owner(statement: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_database_of_the_tests_has_every_guard() -> None:
    assert installed.guards_gone() == []
    assert installed.constraints_gone() == []
    assert installed.guards_skipped() == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (f"DROP TRIGGER {PGID} ON {TABLE}", f"the trigger {NAME} is gone"),
        (
            f"ALTER TABLE {TABLE} DISABLE TRIGGER {PGID}",
            f"the trigger {NAME} is switched off",
        ),
        (
            f"ALTER TABLE {TABLE} ENABLE REPLICA TRIGGER {PGID}",
            f"the trigger {NAME} is switched off",
        ),
        (
            f"CREATE OR REPLACE FUNCTION {PGID}() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'",
            f"the trigger {NAME} has another text",
        ),
        (
            ANEW.format(f"AFTER INSERT ON {TABLE} FOR EACH ROW"),
            f"the trigger {NAME} acts at another time",
        ),
        (
            ANEW.format(f"BEFORE UPDATE OF seq ON {TABLE} FOR EACH ROW"),
            f"the trigger {NAME} acts at another time",
        ),
        (
            ANEW.format(f"BEFORE INSERT ON {TABLE} FOR EACH STATEMENT"),
            f"the trigger {NAME} acts at another time",
        ),
        (
            ANEW.format(f"BEFORE INSERT ON {TABLE} FOR EACH ROW WHEN (false)"),
            f"the trigger {NAME} acts at another time",
        ),
    ],
)
def test_a_guard_that_is_not_as_declared_is_named(statement: str, sentence: str) -> None:
    as_the_owner(statement)
    assert installed.guards_gone() == [sentence]


def test_a_constraint_that_is_gone_or_was_not_checked_is_named() -> None:
    for statement in (
        "ALTER TABLE wallets_wallet DROP CONSTRAINT paid_value_not_negative",
        "ALTER TABLE wallets_wallet ADD CONSTRAINT paid_value_not_negative"
        " CHECK (paid_minor >= 0) NOT VALID",
    ):
        as_the_owner(statement)
        assert installed.constraints_gone() == [
            "the constraint wallets_wallet.paid_value_not_negative is gone"
        ]
