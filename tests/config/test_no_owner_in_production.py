"""In production no process works as the owner of the tables, except those that need one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.backends.signals import connection_created

from config.login import may_be_owner
from tests.config.test_settings import PRODUCTION, ROOT, SERVERS
from tests.conftest import Database
from tests.database_roles import acting_as, own_roles
from winddown import connected_role, database_roles
from winddown.database_roles import Roles

pytestmark = pytest.mark.as_owner

CELERY = ["-m", "celery", "-A", "config"]
SERVING = {
    "web": ["-c", "import config.wsgi"],
    "worker": [*CELERY, "worker", "--pool", "solo", "--without-gossip", "--without-mingle"],
    "beat": [*CELERY, "beat"],
    "command": ["manage.py", "verify"],
}


def started(database: Database, words: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    """What became of a process in production that is connected as the login of the tests."""
    names = {name: value for name, value in PRODUCTION.items() if name not in SERVERS}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=database.environment | names | {"WINDDOWN_REHEARSAL": "0"} | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("kind", SERVING)
def test_a_process_that_serves_refuses_the_owner(own_database: Database, kind: str) -> None:
    # The login stays the owner's, whatever the session calls itself.
    ended = started(own_database, SERVING[kind], WINDDOWN_DATABASE_ROLE=Roles().application)
    assert ended.returncode not in (0, None)
    assert "it can switch the guards off. Name the application in DATABASE_URL" in ended.stderr
    assert "WINDDOWN_DATABASE_ROLE is not enough" in ended.stderr


def test_a_command_that_needs_the_owner_is_not_refused(own_database: Database) -> None:
    ended = started(own_database, ["manage.py", "migrate", "--verbosity", "0"])
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = started(own_database, ["manage.py", "check", "--deploy", "--database", "default"])
    assert "winddown.E002" in ended.stderr


def test_the_commands_that_may_be_the_owner() -> None:
    assert [
        command
        for command in ("migrate", "database_roles", "check", "verify", "tick", "approve", "shell")
        if may_be_owner(["manage.py", command])
    ] == ["migrate", "database_roles", "check"]
    assert not may_be_owner(["/venv/bin/celery", "migrate"])


@pytest.fixture
def refusing(own_database: Database) -> Iterator[Roles]:
    """Each new connection of this process is judged as in production."""
    with own_roles() as roles:
        yield roles
        connection_created.disconnect(connected_role.refuse_the_owner)


def test_the_application_passes_and_a_refused_connection_is_closed(refusing: Roles) -> None:
    with acting_as(refusing.application):
        connection_created.connect(connected_role.refuse_the_owner)
        with connection.cursor() as cursor:
            cursor.execute("SELECT session_user")
            assert cursor.fetchone() == (refusing.application,)
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match="has rights over the whole server"):
            connection.cursor()
        assert connection.connection is None


def test_a_start_after_a_migration_says_that_the_roles_were_not_applied_again(
    own_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with own_roles() as roles:
        with connection.cursor() as cursor:
            # As after a migration that makes this table.
            cursor.execute("ALTER TABLE winddown_steptotal RENAME TO gone")
            cursor.execute("CREATE TABLE winddown_steptotal (LIKE gone)")
            cursor.execute("DROP TABLE gone CASCADE")
        with acting_as(roles.application):
            connected_role.check_at_start()
        assert "more or less than was declared on winddown_steptotal. Run `manage.py" in caplog.text
        caplog.clear()
        database_roles.apply(roles)
        with acting_as(roles.application):
            connected_role.check_at_start()
        assert caplog.text == ""
