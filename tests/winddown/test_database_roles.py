"""The service's connection owns nothing, and may do only what was declared."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connection

from tests import factories
from tests.conftest import Database
from tests.database_roles import acting_as, own_roles
from tests.refused_sql import refusal
from wallets.models import Posting, Wallet, WalletTransition
from wallets.movements import spending
from winddown import database_roles
from winddown.actors import SYSTEM
from winddown.database_roles import (
    DELETED,
    MIGRATED,
    PERSONAL,
    SAID_BY_A_LOAD,
    SAID_BY_THE_DATABASE,
    Roles,
)
from winddown.evidence import invariants
from winddown.models import Run
from winddown.sqlstates import SqlState

REFUSED = "42501"

# Each test says whom it acts as.
pytestmark = pytest.mark.as_owner


@pytest.fixture
def roles(own_database: Database) -> Iterator[Roles]:
    with own_roles() as roles:
        yield roles


def rows(sql: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


# --- what is granted ------------------------------------------------------------------------------


def test_the_grants_match_the_declaration(roles: Roles) -> None:
    known = database_roles.declared()
    tables = [name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname='public'")]
    assert granted_tables(roles.application) == {
        (table, privilege)
        for table in tables
        for privilege in database_roles.application_may(table, known.get(table))
    }
    assert set(tables) == {*known, "django_migrations"}
    assert granted_tables(roles.loader) == set()
    assert columns(roles.application, "INSERT") == {
        (table, column)
        for table, model in known.items()
        for column in database_roles.application_says(table, model)
    }
    assert columns(roles.loader, "INSERT") == {
        (table, column) for table, said in SAID_BY_A_LOAD.items() for column in said
    }
    assert columns(roles.reader, "SELECT") == {
        (table, column)
        for table, model in known.items()
        for column in database_roles.reader_may(table, model)
    }


def granted_tables(role: str) -> set[tuple[Any, ...]]:
    """Returns the tables with the privileges of the SQL standard that the role has on them."""
    return set(
        rows(
            "SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'p')"
            " AND a.grantee = %s::regrole AND a.privilege_type <> 'MAINTAIN'",
            role,
        )
    )


def columns(role: str, privilege: str) -> set[tuple[Any, ...]]:
    """Returns the columns, with their tables, that were granted to the role one by one."""
    return set(
        rows(
            "SELECT c.relname, f.attname FROM pg_class c JOIN pg_attribute f ON f.attrelid = c.oid,"
            " aclexplode(f.attacl) a WHERE c.relnamespace = 'public'::regnamespace"
            " AND a.grantee = %s::regrole AND a.privilege_type = %s",
            role,
            privilege,
        )
    )


def test_one_function_runs_with_the_rights_of_the_owner(roles: Roles) -> None:
    assert rows("SELECT proname FROM pg_proc WHERE prosecdef") == [("accounts_summarise_attempts",)]


def test_no_role_below_the_owner_owns_anything(roles: Roles) -> None:
    owning = "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = to_regrole(%s)"
    for role in (roles.application, roles.loader, roles.reader):
        assert rows(owning, role) == [(0,)]


def test_applying_the_roles_again_changes_nothing(roles: Roles, own_database: Database) -> None:
    grants = "SELECT relname, relacl::text FROM pg_class WHERE relacl IS NOT NULL ORDER BY 1"
    before = rows(grants)
    database_roles.apply(roles)
    assert [(name, sorted(re.findall(r"\w+=\w*", acl))) for name, acl in rows(grants)] == [
        (name, sorted(re.findall(r"\w+=\w*", acl))) for name, acl in before
    ]


def test_the_printed_statements_are_those_that_would_be_applied(
    roles: Roles, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--{name}={getattr(roles, name)}" for name in Roles.__slots__]
    call_command("database_roles", *options)
    printed = capsys.readouterr().out
    assert printed == "".join(f"{each};\n" for each in database_roles.statements(roles))
    assert f'GRANT SELECT ON public."wallets_posting" TO "{roles.application}"' in printed
    assert "CREATE ROLE" not in printed
    assert 'CREATE ROLE "another" LOGIN' in "".join(
        database_roles.statements(Roles(reader="another"))
    )


def test_roles_that_another_database_of_the_server_makes_meanwhile_are_no_error(
    roles: Roles,
) -> None:
    """Both databases have read that the role is missing."""
    new = dataclasses.replace(roles, loader=f"late_{roles.loader}")
    decided = [each for each in database_roles.statements(new) if each.startswith("DO")]
    with connection.cursor() as cursor:
        for statement in (*decided, *decided):
            cursor.execute(statement)
        assert len(rows("SELECT FROM pg_roles WHERE rolname = %s", new.loader)) == 1
        cursor.execute(f'DROP ROLE "{new.loader}"')


def test_the_declared_lists_name_tables_and_columns_that_exist() -> None:
    known = database_roles.declared()
    labels = {model._meta.label for model in known.values()}
    assert set(DELETED) <= labels
    assert set(MIGRATED) - {"django_migrations"} <= set(known)
    for table, columns in PERSONAL.items():
        assert {field.column for field in known[table]._meta.concrete_fields} >= set(columns), table


def test_the_reader_may_read_no_sealed_or_personal_column() -> None:
    telling = re.compile(
        r"_sealed$|email$|phone$|login_id$|password$|network|mask|fingerprint|display_name|kana_name"
        r"|name_kana|session_(key|data)|token$|note$|reason$|summary$|facts$"
    )
    open_ = [
        f"{table}.{column}"
        for table, model in database_roles.declared().items()
        for column in database_roles.reader_may(table, model)
        if telling.search(column)
    ]
    # About the service itself: why a switch is off or a run was planned, its telephone, the numbers
    # of leases. The others are codes.
    assert sorted(open_) == [
        "refunds_chargeback.scheme_reason",
        "refunds_deletioncertificate.facts",
        "refunds_payout.return_reason",
        "refunds_refundapplication.review_reason",
        "refunds_replacedresult.return_reason",
        "winddown_batch.token",
        "winddown_capability.reason",
        "winddown_programme.contact_phone",
        "winddown_run.reason",
    ]


def test_a_table_of_a_later_migration_can_be_read_and_filled_at_once(roles: Roles) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, n int)")
    with acting_as(roles.application):
        assert refusal("INSERT INTO later (n) VALUES (1)") is None
        assert refusal("UPDATE later SET n = 2") == REFUSED
        assert refusal("DELETE FROM later") == REFUSED
    with acting_as(roles.reader):
        assert refusal("SELECT n FROM later") == REFUSED


def test_an_owner_without_other_rights_migrates_and_applies_the_roles_again(
    own_database: Database,
) -> None:
    with own_roles(own_owner=True) as roles:
        with acting_as(roles.owner):
            call_command("migrate", verbosity=0)
            database_roles.apply(roles)
        foreign = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        assert rows(f"{foreign} AND pg_get_userbyid(relowner) <> %s", roles.owner) == [(0,)]
        assert database_roles.statements(roles)[0].startswith("REVOKE ALL ON DATABASE")
        with acting_as(roles.application):
            assert refusal("UPDATE wallets_wallet SET paid_minor = 0") is None
            assert refusal("UPDATE wallets_posting SET amount_minor = 0") == REFUSED


# --- what is refused ------------------------------------------------------------------------------

NOT_FOR_THE_APPLICATION = [
    "CREATE TABLE public.mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "TRUNCATE accounts_session",
    "TRUNCATE wallets_posting CASCADE",
    "UPDATE wallets_posting SET amount_minor = 1",
    "DELETE FROM wallets_posting",
    "DELETE FROM wallets_wallet",
    "UPDATE winddown_auditentry SET reason = ''",
    "DELETE FROM winddown_signature",
    "SELECT FROM wallets_posting FOR UPDATE",
    "SELECT FROM wallets_posting FOR KEY SHARE",
    "LOCK TABLE wallets_posting IN EXCLUSIVE MODE",
    *(f"INSERT INTO {table} SELECT * FROM {table}" for table in SAID_BY_THE_DATABASE),
    "INSERT INTO wallets_journal (source, source_id, kind, occurred_at, recorded_at)"
    " VALUES ('wallet', 1, 'pay', now(), now() - interval '1 day')",
    "INSERT INTO wallets_journal (id, source, source_id, kind, occurred_at)"
    " VALUES (-1, 'wallet', 1, 'pay', now())",
    "INSERT INTO wallets_journal (source, source_id, kind, occurred_at, xact_id)"
    " VALUES ('wallet', 1, 'pay', now(), 1)",
    "INSERT INTO wallets_posting (journal_id, account, amount_minor, xact_id)"
    " SELECT id, 'bank', 1, 1 FROM wallets_journal",
    "UPDATE winddown_auditentry SET reason = '' WHERE false",
    "INSERT INTO winddown_approval SELECT * FROM winddown_approval"
    " ON CONFLICT (id) DO UPDATE SET reason = ''",
    "SELECT setval(pg_get_serial_sequence('wallets_posting', 'id'), 1)",
    "COPY wallets_wallet TO PROGRAM 'cat'",
    "COPY wallets_wallet TO '/tmp/wallets'",
    "SELECT lo_export(1, '/tmp/wallets')",
    "SELECT pg_read_file('postgresql.conf')",
    "SET ROLE pg_execute_server_program",
    "ALTER FUNCTION winddown_now() SECURITY DEFINER",
    "CREATE OR REPLACE FUNCTION winddown_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    "UPDATE auth_group_permissions SET group_id = 1",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('wallets', '0002', now())",
    "ALTER TABLE wallets_posting DISABLE TRIGGER ALL",
    "ALTER TABLE wallets_wallet ADD COLUMN mine int",
    "DROP TABLE accounts_session",
    "DROP FUNCTION winddown_now() CASCADE",
    "SET session_replication_role = replica",
    "CREATE ROLE mine",
]


@pytest.fixture
def money(own_database: Database, wallet: Callable[..., Wallet]) -> Wallet:
    return wallet(paid_minor=1_000)


def test_the_application_cannot_do_what_only_an_owner_may_do(roles: Roles, money: Wallet) -> None:
    with acting_as(roles.application):
        assert {sql: refusal(sql) for sql in NOT_FOR_THE_APPLICATION} == dict.fromkeys(
            NOT_FOR_THE_APPLICATION, REFUSED
        )
        # PostgreSQL only warns that nothing was granted.
        assert refusal("GRANT SELECT ON wallets_wallet TO PUBLIC") is None
    public = "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee = 0"
    assert rows(f"{public} AND c.relnamespace = 'public'::regnamespace") == [(0,)]
    assert Posting.objects.exists()


def test_the_reader_reads_no_personal_data_and_writes_nothing(roles: Roles, money: Wallet) -> None:
    with acting_as(roles.reader):
        assert rows("SELECT sum(paid_minor) FROM wallets_wallet") == [(1_000,)]
        assert rows("SELECT count(id) FROM accounts_user WHERE is_active") != [(0,)]
        for sql in (
            "SELECT * FROM accounts_user",
            "SELECT email FROM accounts_user",
            "SELECT count(*) FROM accounts_session WHERE session_key <> ''",
            "SELECT data FROM mfa_authenticator",
            "UPDATE wallets_wallet SET paid_minor = 1",
            "CREATE TEMPORARY TABLE mine (id int)",
        ):
            assert refusal(sql) == REFUSED, sql


FORGED = {
    "I4": "UPDATE wallets_wallet SET paid_minor = paid_minor + 1",
    "I14": "SELECT set_config('winddown.rows', pg_current_xact_id() || ' wallets_posting:1:1:1:'"
    " || repeat('0', 64), true), winddown_audit_append(NULL, 'x', 'x', '', NULL, '{}')",
}


def test_the_application_cannot_give_roles_that_exclude_each_other(
    roles: Roles, money: Wallet, staff: Callable[..., Any]
) -> None:
    staff("support")
    with acting_as(roles.application):
        assert (
            refusal(
                "INSERT INTO accounts_user_groups (user_id, group_id) SELECT u.id, g.id"
                " FROM accounts_user u, auth_group g WHERE u.is_staff AND g.name LIKE 'fraud_%'"
            )
            == SqlState.ROLES_EXCLUDE
        )


@pytest.mark.parametrize("code", FORGED)
def test_a_forgery_by_the_application_is_found(roles: Roles, money: Wallet, code: str) -> None:
    assert invariants.breached() == {}
    with acting_as(roles.application):
        assert refusal(FORGED[code]) is None
    assert code in invariants.breached()


# --- what a deployment is told --------------------------------------------------------------------


def told() -> str:
    """Returns what the check says to the connected role."""
    try:
        call_command("check", "--deploy", "--database", "default", "--tag", "database")
    except SystemCheckError as error:
        return str(error)
    return ""


def test_production_refuses_every_role_except_the_application(roles: Roles, settings: Any) -> None:
    settings.PRODUCTION = True
    assert "winddown.E002" in told()
    assert "has rights over the whole server" in told()
    with acting_as(roles.application):
        assert told() == ""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE winddown_probe OWNER TO {roles.application}")
    with acting_as(roles.application):
        assert f"The role {roles.application} of the database default owns tables" in told()
    settings.PRODUCTION = False
    assert told() == ""


def test_the_check_reports_settings_that_a_holder_of_the_password_gave_the_role(
    roles: Roles, settings: Any
) -> None:
    settings.PRODUCTION = True
    with acting_as(roles.application):
        assert refusal(f"ALTER ROLE {roles.application} SET statement_timeout = 1") is None
        assert "winddown.E004" in told()
        assert "statement_timeout=1" in told()


def test_the_check_refuses_a_role_that_the_server_trusts(roles: Roles, settings: Any) -> None:
    settings.PRODUCTION = True
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT pg_execute_server_program TO {roles.application}")
    with acting_as(roles.application):
        assert "winddown.E002" in told()


def test_the_check_reports_a_surplus_and_a_missing_right(roles: Roles, settings: Any) -> None:
    settings.PRODUCTION = True
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT DELETE ON wallets_posting TO {roles.application}")
        cursor.execute(f"REVOKE UPDATE ON wallets_wallet FROM {roles.application}")
        cursor.execute(f"GRANT INSERT (xact_id) ON wallets_journal TO {roles.application}")
    with acting_as(roles.application):
        assert "was declared on wallets_journal, wallets_posting, wallets_wallet." in told()
    database_roles.apply(roles)
    with acting_as(roles.application):
        assert told() == ""


def test_the_owner_passes_the_checks_of_a_migration(own_database: Database, settings: Any) -> None:
    settings.PRODUCTION = True
    call_command("migrate", skip_checks=False, verbosity=0)


# --- what works -----------------------------------------------------------------------------------


def test_the_application_moves_money_and_finishes_a_run(
    roles: Roles,
    money: Wallet,
    staff: Callable[..., Any],
    programme: Any,
    run_to_end: Callable[[Any], Any],
) -> None:
    maker, checker = staff("incident_commander"), staff("compliance")
    with acting_as(roles.application):
        assert rows("SELECT current_user") == [(roles.application,)]
        spending.pay(money.pk, amount_minor=400, merchant_ref="m", payment_ref="p", actor=SYSTEM)
        run = factories.started_run("freeze-charges", maker=maker, checker=checker)
        assert run_to_end(run).state == Run.State.SUCCEEDED
        money.refresh_from_db()
        assert (money.paid_minor, money.state) == (600, Wallet.State.CHARGE_FROZEN)
        assert WalletTransition.objects.filter(subject_id=money.pk, run_id=run.pk).count() == 1
        assert invariants.breached() == {}


def test_only_the_loader_loads_a_file(
    roles: Roles, switches: None, staff: Any, tmp_path: Path
) -> None:
    by = f"--by={staff('treasury_operator').login_id}"
    file = tmp_path / "breached_passwords.txt"
    file.write_text("ab" * 20 + "\n")
    with acting_as(roles.application), pytest.raises(DatabaseError, match="permission denied"):
        call_command("load_breached_passwords", str(file), by)
    with acting_as(roles.loader):
        call_command("load_breached_passwords", str(file), by)
    assert rows("SELECT count(*) FROM accounts_breachedpassword") == [(1,)]
