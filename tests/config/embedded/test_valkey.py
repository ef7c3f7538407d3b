"""Our Valkey takes the commands of our processes and no others."""

import stat

import pytest
import redis

from config import embedded
from config.embedded.valkey import RIGHTS
from tests.config.embedded.homes import Home


def test_valkey_refuses_a_connection_without_a_password(home: Home) -> None:
    _, broker = home.client().urls()
    address = f"unix://{broker.partition('@')[2]}"
    password = embedded.Valkey(home.place).url_of("winddown").split("@")[0].split(":")[-1]

    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(address).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(address, password=password).ping()
    assert password not in " ".join(home.runs())
    for user in RIGHTS:
        kept = home.place / "valkey" / f"{user}.password"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert password not in (home.place / "valkey/data/users.acl").read_text()


@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL", "FLUSHDB", "CONFIG GET dir", "SHUTDOWN NOSAVE", "KEYS *", "ACL LIST", "SAVE",
        "MODULE LIST", "BGSAVE", "BGREWRITEAOF", "MONITOR", "REPLICAOF NO ONE", "SWAPDB 0 1",
        "CLIENT LIST", "FUNCTION LIST", "DEBUG SLEEP 0",
    ],
)  # fmt: skip
def test_valkey_refuses_dangerous_commands_of_our_processes(valkey: str, command: str) -> None:
    with pytest.raises(redis.ResponseError, match="no permissions|not allowed"):
        redis.Redis.from_url(valkey).execute_command(*command.split())


def test_a_script_has_no_more_rights_than_its_caller(valkey: str) -> None:
    client = redis.Redis.from_url(valkey)

    assert client.eval("return redis.call('INCR', KEYS[1])", 1, "counted") == 1
    with pytest.raises(redis.ResponseError, match="no permissions"):
        client.eval("return redis.call('FLUSHALL')", 0)
    assert client.get("counted") == b"1"
