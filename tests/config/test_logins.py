"""On the embedded server every process logs in as the role that it needs, and none owns a table."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from config import embedded
from config.embedded.client import stop
from config.embedded.places import place_for
from config.embedded.postgres import ROLE
from config.login import login_of
from tests.config.serving import answers
from tests.conftest import ROLES

ROOT = Path(__file__).resolve().parents[2]
WHO = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT session_user, current_user")
    print(*cursor.fetchone())
"""


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (["manage.py", "migrate"], ROLE),
        (["./manage.py", "database_roles", "--apply"], ROLE),
        (["manage.py", "replay"], ROLE),
        (["manage.py", "load_accounts", "accounts.csv"], ROLES.loader),
        (["manage.py", "import_bank_results", "file"], ROLES.loader),
        (["manage.py", "verify"], ROLES.application),
        (["manage.py"], ROLES.application),
        (["/venv/bin/celery", "migrate"], ROLES.application),
        (["/venv/lib/gunicorn/__main__.py", "config.wsgi"], ROLES.application),
    ],
)
def test_a_command_logs_in_as_the_role_that_it_needs(words: list[str], role: str) -> None:
    assert login_of(words) == role


@pytest.mark.django_db
def test_a_test_is_the_application() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (ROLES.application,)


@pytest.mark.loads_files
@pytest.mark.django_db
def test_a_test_that_loads_files_is_the_loader() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (ROLES.loader,)


class House:
    """What `make serve` does, in a place of its own."""

    def __init__(self, directory: Path) -> None:
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL"} and not name.startswith("WINDDOWN_")
        } | {
            "WINDDOWN_LOCAL_DIR": str(directory / ".local"),
            "WINDDOWN_THROWAWAY_DATA": "1",
            "WINDDOWN_TICK_S": "1",
        }
        self.place = place_for(directory / ".local")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def say(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def serve(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "config.serve", "--port", str(self.port)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def connect(self, role: str) -> psycopg.Connection[Any]:
        socket_room = embedded.Postgres(self.place).socket_room
        return psycopg.connect(host=str(socket_room), user=role, dbname=ROLE, autocommit=True)

    def logins(self) -> dict[str, str]:
        """Who is connected, by the kind of its process. The server of the last command may still be
        on its way out.
        """
        try:
            owner = self.connect(ROLE)
        except psycopg.OperationalError:
            return {}
        with owner:
            found = owner.execute(
                "SELECT application_name, usename FROM pg_stat_activity"
                " WHERE application_name LIKE 'winddown-%' GROUP BY 1, 2"
            ).fetchall()
        assert len(dict(found)) == len(found), found
        return dict(found)


@pytest.fixture
def house() -> Iterator[House]:
    directory = Path(tempfile.mkdtemp(prefix="wd-"))
    directory.chmod(0o755)
    house = House(directory)
    yield house
    for kind in embedded.SERVERS.values():
        server = kind(house.place)
        stop(server)
        server.remove_sockets()
    shutil.rmtree(house.place, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.slow
def test_web_worker_and_commands_are_the_application_where_make_serve_runs(house: House) -> None:
    house.say("migrate", "--verbosity", "0")
    house.say("database_roles", "--for-login")
    served = house.serve()
    try:
        ends = time.monotonic() + 60
        while set(found := house.logins()) != {"winddown-web", "winddown-worker"}:
            assert served.poll() is None
            assert time.monotonic() < ends, found
            answers(house.port, "/sign-in/")
            time.sleep(0.2)
        assert set(found.values()) == {ROLES.application}
        assert house.say("shell", "--no-imports", "-c", WHO) == " ".join([ROLES.application] * 2)
        with house.connect(ROLES.application) as session:
            for sql in (f"SET ROLE {ROLE}", f"SET ROLE {ROLES.loader}", "CREATE TEMP TABLE t ()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(sql)
    finally:
        served.terminate()
        served.wait(60)
