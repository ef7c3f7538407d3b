"""Killed servers and supervisors are replaced, and the data is recovered."""

import os
import signal

import pytest
import redis

from config import embedded
from tests.config.embedded.homes import Home, answers, lives, query, wait_until


@pytest.mark.parametrize("server", sorted(embedded.SERVERS))
def test_a_killed_supervisor_takes_its_server_along_and_is_replaced(
    home: Home, server: str
) -> None:
    client = home.client()
    database, _ = client.urls()
    query(database, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')")
    supervisor, child = home.pids(server)

    os.kill(supervisor, signal.SIGKILL)
    # At once: the next process finds a server that still answers but is already stopping.
    database, broker = home.client().urls()

    assert query(database, "SELECT word FROM kept") == [("still here",)]
    assert redis.Redis.from_url(broker).ping()
    assert home.pids(server)[0] != supervisor
    assert not lives(child)


def test_no_server_survives_its_killed_supervisor(home: Home) -> None:
    client = home.client()
    client.urls()

    for server in embedded.SERVERS:
        os.kill(home.pids(server)[0], signal.SIGKILL)
    client.kill(signal.SIGKILL)

    home.wait_until_nothing_runs()


def test_a_killed_postgresql_is_started_again_for_its_users(home: Home) -> None:
    database, _ = home.client().urls()
    query(database, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')")
    _, child = home.pids("postgres")

    os.kill(child, signal.SIGKILL)
    wait_until(
        lambda: not lives(child) and answers(database),
        (home.place / "postgres/server.log").read_text,
    )

    assert query(database, "SELECT word FROM kept") == [("still here",)]


def test_a_killed_valkey_is_started_again_for_its_users(home: Home) -> None:
    _, broker = home.client().urls()
    _, child = home.pids("valkey")
    valkey = redis.Redis.from_url(broker)

    def pings() -> bool:
        try:
            return bool(valkey.ping())
        except redis.RedisError:
            return False

    os.kill(child, signal.SIGKILL)
    wait_until(
        lambda: not lives(child) and pings(),
        (home.place / "valkey/server.log").read_text,
    )


def test_the_data_survives_when_everything_is_killed_at_once(home: Home) -> None:
    client = home.client()
    database, _ = client.urls()
    query(database, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')")

    # The supervisor first, so that nobody stops or restarts the server.
    for server in embedded.SERVERS:
        supervisor, child = home.pids(server)
        os.kill(supervisor, signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        os.kill(supervisor, signal.SIGKILL)
    client.kill(signal.SIGKILL)
    home.wait_until_nothing_runs()
    assert (home.place / "postgres/data/postmaster.pid").exists()

    database, _ = home.client().urls()

    assert query(database, "SELECT word FROM kept") == [("still here",)]


def test_a_stale_pid_file_that_names_a_living_process_is_recovered(home: Home) -> None:
    home.run_once()
    stale = home.place / "postgres/data/postmaster.pid"
    # After a restart of the machine the number may belong to any process; here it is this test.
    stale.write_text(f"{os.getpid()}\n{stale.parent}\n1700000000\n5432\n\n\n\n")
    os.chown(stale, stale.parent.stat().st_uid, stale.parent.stat().st_gid)

    database, _ = home.client().urls()

    assert query(database, "SELECT 1") == [(1,)]


def test_a_first_start_that_was_interrupted_is_begun_again(home: Home) -> None:
    half = home.path / "postgres/data.draft"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    database, _ = home.client().urls()

    assert query(database, "SELECT 1") == [(1,)]
