"""A directory that the servers cannot use is refused in one sentence; an unusual path works."""

import stat
from pathlib import Path

import kombu
import pytest
import redis

from config import embedded
from config.environment import broker_from_url
from tests.config.embedded.homes import Home, query


def test_data_of_another_postgresql_is_refused_in_one_sentence(home: Home) -> None:
    home.run_once()
    (home.place / "postgres/data/PG_VERSION").write_text("16\n")

    said = home.client().message()

    assert "was written by PostgreSQL 16, this is 18" in said
    home.wait_until_nothing_runs()


def test_a_server_that_cannot_start_says_why_in_one_sentence(home: Home) -> None:
    home.run_once()
    (home.place / "postgres/data/postgresql.conf").write_text("no_such_setting = 1\n")

    said = home.client().message()

    assert said.startswith("django.core.exceptions.ImproperlyConfigured: PostgreSQL ended 5 times")
    assert "FATAL:  configuration file" in said
    home.wait_until_nothing_runs()


def test_a_path_too_long_for_a_socket_is_served_from_a_private_directory(directory: Path) -> None:
    home = Home(directory / ("deep-" * 12) / ("wide-" * 12) / ".local")
    try:
        database, broker = home.client().urls()

        assert query(database, "SELECT 1") == [(1,)]
        assert redis.Redis.from_url(broker).ping()
        room = embedded.Postgres(home.place).socket.parent
        assert room.parent.parent == Path("/tmp")
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        assert stat.S_IMODE(room.parent.stat().st_mode) & ~0o010 == 0o700
    finally:
        home.close()
    assert not room.parent.exists()


@pytest.mark.parametrize("name", ["my own 100% copy", "one, two"])
def test_an_unusual_path_works(directory: Path, name: str) -> None:
    home = Home(directory / name / ".local")
    try:
        database, broker = home.client().urls()

        assert query(database, "SELECT 1") == [(1,)]
        assert redis.Redis.from_url(broker).ping()
        with kombu.Connection(broker_from_url(broker)) as celery_connection:
            celery_connection.ensure_connection(max_retries=1)
    finally:
        home.close()


def test_somebody_elses_socket_directory_is_refused(home: Home) -> None:
    server = embedded.Postgres(home.path)
    server.room.make()
    server.close()
    server.socket_room.mkdir(mode=0o777)
    server.socket_room.chmod(0o777)

    with pytest.raises(embedded.EmbeddedServerError, match="nobody else may enter"):
        server.own_directory(server.socket_room)
