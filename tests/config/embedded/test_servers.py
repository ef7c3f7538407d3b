"""The embedded servers start with the first process, are shared, and stop after the last one."""

import signal
import stat
import subprocess
import sys
import time

import psycopg
import pytest
import redis

from config import embedded
from config.embedded import limits
from tests.config.embedded.homes import ROOT, Home, query


def test_a_second_start_finds_the_data_of_the_first(home: Home) -> None:
    client = home.client()
    database, broker = client.urls()
    query(database, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')")
    redis.Redis.from_url(broker).set("kept", "still here")
    client.kill(signal.SIGTERM)
    home.wait_until_nothing_runs()

    database, broker = home.client().urls()

    assert query(database, "SELECT word FROM kept") == [("still here",)]
    assert redis.Redis.from_url(broker).get("kept") == b"still here"


def test_postgresql_18_and_valkey_9_run_with_durable_settings(home: Home) -> None:
    database, broker = home.client(WINDDOWN_THROWAWAY_DATA="0").urls()

    assert query(database, "SHOW server_version")[0][0].startswith("18.")  # type: ignore[attr-defined]
    assert query(database, "SHOW fsync") == [("on",)]
    assert query(database, "SHOW listen_addresses") == [("",)]
    assert str(redis.Redis.from_url(broker).info("server")["valkey_version"]).startswith("9.")
    valkey = redis.Redis.from_url(embedded.Valkey(home.place).url_of("administrator"))
    assert valkey.config_get("appendonly") == {"appendonly": "yes"}
    assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert valkey.config_get("port") == {"port": "0"}


def test_a_server_whose_data_is_thrown_away_does_not_wait_for_the_disk(home: Home) -> None:
    database, _ = home.client().urls()

    assert query(database, "SHOW fsync") == [("off",)]
    assert query(database, "SHOW synchronous_commit") == [("on",)]


def test_the_sockets_are_closed_to_other_users(home: Home) -> None:
    home.client().urls()

    for kind in embedded.SERVERS.values():
        room = kind(home.place).socket.parent
        assert stat.S_IMODE(room.stat().st_mode) == 0o700


def test_processes_that_start_together_share_one_server(home: Home) -> None:
    clients = [home.client() for _ in range(4)]

    urls = {client.urls() for client in clients}

    assert len(urls) == 1
    assert sum("-D" in line for line in home.runs()) == 1
    assert sum("supervise postgres" in line for line in home.runs()) == 1


def test_the_server_stays_for_the_second_process_when_the_first_has_left(home: Home) -> None:
    first, second = home.client(), home.client()
    first.urls()
    database, broker = second.urls()
    before = home.pids("postgres")

    first.kill(signal.SIGTERM)
    time.sleep(limits.GRACE_S * 2)

    assert query(database, "SELECT 1") == [(1,)]
    assert redis.Redis.from_url(broker).ping()
    assert home.pids("postgres") == before


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        signal.SIGKILL,
        pytest.param(signal.SIGINT, marks=pytest.mark.long_form),
        pytest.param(signal.SIGHUP, marks=pytest.mark.long_form),
    ],
)
def test_the_servers_stop_when_the_last_user_dies(home: Home, number: signal.Signals) -> None:
    client = home.client()
    client.urls()
    assert home.runs()

    client.kill(number)

    home.wait_until_nothing_runs()


def test_the_server_stops_though_a_session_is_open(home: Home) -> None:
    client = home.client()
    database, _ = client.urls()

    with psycopg.connect(database):
        client.kill(signal.SIGKILL)
        home.wait_until_nothing_runs()


def test_status_and_stop_print_what_a_person_can_read(home: Home) -> None:
    client = home.client()
    client.urls()

    def say(verb: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "config.embedded", verb, "--place", str(home.place)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert "PostgreSQL: runs under supervisor" in say("status")
    assert say("stop") == "PostgreSQL: stopped\nValkey: stopped\n"
    assert say("status") == "PostgreSQL: stopped\nValkey: stopped\n"
    assert say("stop") == "PostgreSQL: was not running\nValkey: was not running\n"
    client.kill(signal.SIGTERM)
    home.wait_until_nothing_runs()


def test_the_folder_runs_with_only_python_installed(home: Home) -> None:
    home.client().urls()

    def say(verb: str) -> str:
        # -I and -S: no package of the virtual environment and no directory of ours can be imported.
        return subprocess.run(
            [sys.executable, "-I", "-S", "config/embedded", verb, "--place", str(home.place)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert "PostgreSQL: runs under supervisor" in say("status")
    assert say("remove") == "PostgreSQL: stopped\nValkey: stopped\n"
    assert [name for name in embedded.SERVERS if (home.place / name).exists()] == []
