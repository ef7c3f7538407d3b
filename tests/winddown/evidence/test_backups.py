"""A backup is one instant with its manifest, and a check of it tells what it is worth."""

from __future__ import annotations

import json
import re
import secrets
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from tests.conftest import ROLES, connect_as
from tests.unguarded import past_the_guards
from tests.winddown.evidence.conftest import Cluster
from tests.winddown.evidence.test_audit import seal
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit, backups
from winddown.evidence.backups import BackupRefused
from winddown.models import AuditEntry

# A dump reads every table and sequence, and a check makes a database: one worker makes them all.
pytestmark = [pytest.mark.as_owner, pytest.mark.xdist_group("backups")]


@pytest.fixture(autouse=True)
def own_heads(settings: Any, tmp_path: Path) -> None:
    """What other tests keep beside their databases is not newer than these backups."""
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"


@pytest.fixture
def backup(programme: Any, wallet: Any, tmp_path: Path) -> Path:
    """The dump of a database with a payment in it that is not sealed yet."""
    one = wallet(paid_minor=1_000)
    seal()
    spending.pay(one.pk, amount_minor=10, merchant_ref="m", payment_ref="p", actor=SYSTEM)
    with transaction.atomic():
        audit.append("test", "test", actor=SYSTEM)
    directory = tmp_path / "new" / "backups"
    call_command("backup", str(directory))
    (dump,) = directory.glob("*.dump")
    return dump


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Says which of the databases that this test made still exist. Others make theirs meanwhile."""
    made = []
    on_the_server = backups._on_the_server

    def noted(statement: str) -> None:
        made.extend(re.findall(r'^CREATE DATABASE "(.+)"$', statement))
        on_the_server(statement)

    monkeypatch.setattr(backups, "_on_the_server", noted)

    def names() -> list[str]:
        assert made
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname = ANY(%s)", [made])
            return [name for (name,) in cursor.fetchall()]

    return names


def manifest(dump: Path) -> dict[str, Any]:
    return dict(json.loads(dump.with_suffix(".json").read_text()))


def test_a_backup_has_its_manifest_and_the_journal_says_who_took_it(
    own_database, backup: Path
) -> None:
    said = manifest(backup)
    entry = AuditEntry.objects.get(action="backup.take")
    assert entry.facts["sha256"] == said["sha256"]
    assert entry.facts["command"]["name"] == "backup"
    # The dump is of the instant before its own entry.
    assert said["audit_head"]["seq"] == entry.seq - 1
    assert said["payout_files"] == {}
    assert said["migrations"]["refunds"]
    assert said["versions"]["postgresql"].startswith(said["versions"]["pg_dump"].split(".")[0])
    for path in (backup, backup.with_suffix(".json")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(backup.parent.stat().st_mode) == 0o700
    # Inside a transaction a backup would not be of one instant.
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        backups.take(backup.parent)


def test_a_good_backup_is_restored_judged_and_dropped(
    own_database,
    backup: Path,
    left: Callable[[], list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("restore", check=backup)
    assert "can be restored: everything holds in it" in capsys.readouterr().out
    assert left() == []
    assert connection.settings_dict["NAME"] == own_database.name


def test_a_backup_is_checked_on_another_server(
    own_database, backup: Path, cluster: Cluster
) -> None:
    assert backups.check(backup, server=cluster.url()) == backups.Checked(faults=[], newer=[])
    assert connection.settings_dict["NAME"] == own_database.name


def test_a_head_newer_than_the_backup_is_named(
    own_database, backup: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clock, "is_rehearsal", lambda: False)
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    head = audit.keep_head(settings.AUDIT_HEADS_DIR)
    assert backups.check(backup).newer == [str(head)]


def test_a_dump_that_is_not_that_of_its_manifest_is_refused(
    own_database, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup.write_bytes(backup.read_bytes()[:-1])
    with pytest.raises(SystemExit):
        call_command("restore", check=backup)
    assert "its SHA-256 is" in capsys.readouterr().out
    backup.with_suffix(".json").unlink()
    with pytest.raises(BackupRefused, match="is not a backup with its manifest"):
        backups.check(backup)


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (lambda said: {name: said[name] for name in said if name != "hmac"}, "has no HMAC"),
        (lambda said: {**said, "hmac": ["a"]}, "has no HMAC"),
        (lambda said: [said], "has no HMAC"),
        (lambda said: {**said, "hmac": "\N{SNOWMAN}"}, "its HMAC is another"),
        (lambda said: {**said, "audit_head": None}, "its HMAC is another"),
        (lambda said: {**said, "more": 1}, "its HMAC is another"),
    ],
    ids=["none", "list", "no object", "wrong", "a fact", "one fact more"],
)
def test_a_forged_pair_of_dump_and_manifest_is_refused_before_it_is_restored(
    own_database, backup: Path, forged: Any, why: str
) -> None:
    """Without the field key nobody writes the manifest of another dump."""
    backup.write_bytes(b"not ours")
    said = forged(manifest(backup) | {"sha256": backups._sha256(backup)})
    backup.with_suffix(".json").write_text(json.dumps(said))
    with pytest.raises(BackupRefused, match=why):
        backups.check(backup)


def test_the_key_of_the_day_of_a_backup_still_proves_it(
    own_database, backup: Path, settings: Any
) -> None:
    said, old = manifest(backup), settings.FIELD_KEY
    settings.FIELD_KEY, settings.FIELD_KEY_FALLBACKS = b"n" * 32, [old]
    backups._refuse_foreign(said, backup)
    settings.FIELD_KEY_FALLBACKS = []
    with pytest.raises(BackupRefused, match="WINDDOWN_FIELD_KEY"):
        backups._refuse_foreign(said, backup)


def test_the_database_of_a_check_is_dropped_after_a_worker_of_the_server_has_left_it(
    own_database, left: Callable[[], list[str]]
) -> None:
    """An ordinary role cannot end the session of a superuser, such as an autovacuum worker."""
    role = f"checks_{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} CREATEDB")
    try:
        connect_as(role)
        with backups._scratch(""):
            worker = psycopg.connect(own_database.url, dbname=connection.settings_dict["NAME"])
            leaves = threading.Timer(1, worker.close)
            leaves.start()
        leaves.join()
        connect_as("")
        assert left() == []
    finally:
        connect_as("")
        with connection.cursor() as cursor:
            cursor.execute(f"DROP ROLE {role}")


def test_a_backup_that_is_not_whole_cannot_be_restored(
    own_database, backup: Path, left: Callable[[], list[str]]
) -> None:
    backup.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    said = manifest(backup) | {"sha256": backups._sha256(backup)}
    backup.with_suffix(".json").write_text(json.dumps(backups.signed(said)))
    with pytest.raises(BackupRefused, match="pg_restore failed"):
        backups.check(backup)
    assert left() == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE wallets_wallet SET paid_minor = paid_minor + 1", "is breached"),
        (
            "DELETE FROM winddown_auditentry WHERE action IN ('test', 'backup.take')",
            "audit_head is {",
        ),
    ],
)
def test_what_does_not_hold_in_a_backup_is_named(
    own_database, backup: Path, statement: str, fault: str, tmp_path: Path
) -> None:
    known = manifest(backup)
    with transaction.atomic():
        past_the_guards(statement)
    later = backups.take(tmp_path / "later")
    said = manifest(later) | {"audit_head": known["audit_head"]}
    later.with_suffix(".json").write_text(json.dumps(backups.signed(said)))
    assert any(fault in found for found in backups.check(later).faults)


MIGRATIONS = sorted((Path(__file__).parents[3] / "refunds" / "migrations").glob("0*.py"))


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        ("true", [path.stem for path in MIGRATIONS]),
        (f"name = '{MIGRATIONS[-1].stem}'", [MIGRATIONS[-1].stem]),
        (f"name = '{MIGRATIONS[1].stem}'", [MIGRATIONS[1].stem]),
        ("name = '0028_break_matches'", ["0028_break_matches"]),
    ],
)
def test_a_backup_of_an_older_version_is_named(
    own_database, backup: Path, gone: str, missing: list[str], tmp_path: Path
) -> None:
    with transaction.atomic():
        past_the_guards(f"DELETE FROM django_migrations WHERE app = 'refunds' AND {gone}")
    later = backups.take(tmp_path / "later")
    assert backups.check(later).faults == [
        f"migration refunds.{each} is not applied" for each in missing
    ]


# --- the programs and the server --------------------------------------------------------------------


@pytest.mark.parametrize("password", ["secret", ""])
def test_a_program_finds_the_password_in_its_environment_alone(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", password)
    program = tmp_path / "pg_stub"
    program.write_text(
        '#!/bin/sh\necho "it got <$PGPASSWORD>" >&2\ncase "$*" in *secret*) exit 0;; esac\nexit 1\n'
    )
    program.chmod(0o700)
    with pytest.raises(BackupRefused, match=f"^pg_stub failed: it got <{password}>$"):
        backups._run(program)


def test_a_program_that_is_not_of_the_server_s_version_is_not_used(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_stub"
    program.write_text("#!/bin/sh\necho 'pg_stub (PostgreSQL) 9.6'\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("pg_stub", "pg_nowhere"):
        with pytest.raises(BackupRefused, match=f"there is no {name} of PostgreSQL"):
            backups._program(name)


def test_a_server_that_refuses_a_database_is_named(own_database: Any) -> None:
    connect_as(ROLES.application)
    inside = []
    refused = pytest.raises(BackupRefused, match="CREATE DATABASE .*permission denied")
    with refused, backups._scratch(""):
        inside.append(connection.settings_dict["NAME"])
    assert inside == []


def test_the_order_of_the_parts_of_a_manifest_does_not_matter() -> None:
    """A tool that writes the file again keeps its HMAC."""
    assert (
        backups.signed({"a": 1, "b": {"c": 2, "d": 3}})["hmac"]
        == backups.signed({"b": {"d": 3, "c": 2}, "a": 1})["hmac"]
    )
