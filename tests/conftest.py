"""Fixtures for every test: people in their roles, the switches, wallets, runs, and a database of
its own.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection, connections

from config.embedded import postgres
from tests import factories
from winddown import database_roles
from winddown.database_roles import Roles
from winddown.runs import waking

ROOT = Path(__file__).resolve().parents[1]

# A property is judged by its result, never by the speed of the machine it runs on.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
# The long form, by `--hypothesis-profile proof`: other examples each time; the seed repeats them.
hypothesis.settings.register_profile(
    "proof",
    parent=hypothesis.settings.get_profile("untimed"),
    max_examples=5_000,
    derandomize=False,
    database=None,
    print_blob=True,
)
hypothesis.settings.load_profile("untimed")

# Cluster-wide: the workers of a run share them, and so does every database of the tests.
ROLES = Roles()
ROLE_OPTION = " -c role="

# The reason of a skipped browser test.
NO_BROWSER = "no Chromium on this machine"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Programs that the tests start react to Ctrl-C and hang-ups, even if pytest was told to ignore
    them.

    A shell's `&` and nohup make a process ignore these signals, and its children inherit that. They
    do not inherit a handler.
    """
    if config.option.hypothesis_profile == "proof" and config.option.hypothesis_seed is None:
        # Before Hypothesis and pytest-xdist read it: all workers use the seed that is shown.
        config.option.hypothesis_seed = str(secrets.randbelow(2**31))
    if not os.environ.get("DATABASE_URL"):
        # To the embedded server the tests log in as its owner, who may become each role.
        connections["default"].settings_dict["USER"] = postgres.ROLE
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


# Each is one test or few that take minutes. Whoever begins such a test last works on it alone.
LONGEST = ("tests/stories/", "tests/rehearsal/test_own_data.py", "tests/browser/test_pages.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests begin first."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Every connection of a test is the application's, unless the test says another role. A case
    for the proof alone is skipped elsewhere.
    """
    if item.get_closest_marker("long_form") and not in_long_form(item.config):
        pytest.skip("a line of the proof")
    if item.get_closest_marker("as_owner"):
        connect_as("")
    elif item.get_closest_marker("loads_files"):
        connect_as(ROLES.loader)
    else:
        connect_as(ROLES.application)


def connect_as(role: str) -> None:
    """Every connection that this process opens is the role's; without one the login's own."""
    options = connections["default"].settings_dict["OPTIONS"]
    limits = options["options"].partition(ROLE_OPTION)[0]
    wanted = f"{limits}{ROLE_OPTION}{role}" if role else limits
    if options["options"] != wanted:
        options["options"] = wanted
        connections.close_all()


def pytest_collection_finish() -> None:
    """Importing a test module sets no role in the environment, which commands of other tests
    inherit.
    """
    if role := os.environ.get("WINDDOWN_ROLE"):
        raise pytest.UsageError(f"collecting the tests made this process a {role}: import later")


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.option.hypothesis_seed
    return f"repeated by --hypothesis-seed={seed}" if seed else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line says what was not tested without a browser, and which command installs one."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    # The workers of pytest-xdist report to the one process that has a terminal.
    if reporter is None or hasattr(config, "workerinput"):
        return
    skipped = [
        each for each in reporter.stats.get("skipped", []) if NO_BROWSER in str(each.longrepr)
    ]
    if skipped:
        reporter.write_line(
            f"Not tested: the pages in a browser ({len(skipped)} tests)."
            " On Debian this installs it: apt-get install chromium fonts-noto-cjk",
            yellow=True,
        )


@dataclass(frozen=True, slots=True)
class Database:
    """A database of one test, which may commit to it, connect to it and end its connections."""

    name: str
    url: str
    environment: dict[str, str]
    """Environment of a subprocess that uses this database and the same Redis or Valkey."""

    def connect(self, role: str = ROLES.application) -> psycopg.Connection[Any]:
        """A connection beside Django's, in autocommit, as a person with psql has it.

        The role `none` is the one that the tests log in as, which owns the database.
        """
        return psycopg.connect(self.url, autocommit=True, options=f"-c role={role}")


def _url(name: str) -> str:
    """The database's URL, in the form that `DATABASE_URL` takes."""
    fields = connection.settings_dict
    person = quote(fields["USER"] or "")
    if fields["PASSWORD"]:
        person += ":" + quote(fields["PASSWORD"])
    parameters = {"host": fields["HOST"], "port": str(fields["PORT"] or "")}
    said = urlencode({key: value for key, value in parameters.items() if value}, safe="/")
    return f"postgres://{person + '@' if person else ''}/{quote(name)}" + (
        f"?{said}" if said else ""
    )


def _on_the_server(sql: str) -> None:
    """The statement about a whole database has been carried out, after other connections have left.

    A closed backend takes a moment to leave. Only a superuser can ask an autovacuum worker to
    leave.
    """
    for attempt in range(20):
        try:
            with connection._nodb_cursor() as cursor:
                cursor.execute("SET ROLE NONE")
                cursor.execute(sql)
            return
        except (OperationalError, ProgrammingError):
            if attempt == 19:
                raise
            time.sleep(0.5)


def _migrated_template() -> str:
    """Returns the name of a migrated, empty database. It is made once for each set of migrations
    and kept between runs.

    A migration takes ten seconds of CPU, and a copy of the result a tenth of one.
    """
    digest = hashlib.sha256()
    # Roles and the permissions of transitions are written after a migration, from these files.
    granted = [
        ROOT / "winddown/database_roles.py",
        ROOT / "winddown/authority/roles.py",
        *sorted(ROOT.glob("*/models/*.py")),
    ]
    for path in [ROOT / "requirements.txt", *granted, *sorted(ROOT.glob("*/migrations/*.py"))]:
        digest.update(path.read_bytes())
    name = f"tests_{digest.hexdigest()[:16]}"
    fields = connections["default"].settings_dict
    asked = fields["NAME"]
    with connection._nodb_cursor() as cursor:
        # The workers of one run ask at once: the first makes it, the others wait as long as it
        # takes.
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(7099)")
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tests\\_%'")
        there = {row[0] for row in cursor.fetchall()}
        if name not in there:
            for outdated in there:
                cursor.execute(f'DROP DATABASE IF EXISTS "{outdated}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}_making"')
            try:
                fields["NAME"] = f"{name}_making"
                call_command("migrate", verbosity=0)
                database_roles.apply(Roles(owner=fields["USER"]))
            finally:
                connections.close_all()
                fields["NAME"] = asked
            _on_the_server(f'ALTER DATABASE "{name}_making" RENAME TO "{name}"')
    return name


def _copy(template: str, name: str) -> None:
    """The database exists, with the rows, the privileges and the owner of the template."""
    # Where nothing waits for the disk, a copy of the files takes a tenth of the time.
    way = "file_copy" if _waits_for_no_disk() else "wal_log"
    _on_the_server(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {way}')
    # A copy does not take over who may do what with the whole database.
    _on_the_server("; ".join(database_roles.doors(name, ROLES)))


@functools.cache
def _waits_for_no_disk() -> bool:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SHOW fsync")
        return bool(cursor.fetchone()[0] == "off")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: Any,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """The migrated test database exists; each xdist worker has one of its own.

    Instead of pytest-django's fixture of this name, which migrates anew each time.
    """
    options = connections["default"].settings_dict["OPTIONS"]
    asked = options["options"]
    connect_as("")
    with django_db_blocker.unblock():
        template = _migrated_template()
        name = connection.creation._get_test_db_name()
        _on_the_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        _copy(template, name)
        connections["default"].settings_dict["NAME"] = name
    options["options"] = asked
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        _on_the_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def fresh_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Inside, the `default` connection leads to a fresh copy of the migrated test database, and no run is woken."""

    fields = connections["default"].settings_dict
    template = fields["NAME"]
    assert template.startswith("test_"), template
    name = f"{template[:40]}_{uuid.uuid4().hex[:12]}"
    connections.close_all()
    _copy(template, name)
    fields["NAME"] = name
    url = _url(name)
    redis_url = os.environ.get("REDIS_URL") or settings.REDIS_URL
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv(
        "WINDDOWN_DATABASE_ROLE", fields["OPTIONS"]["options"].partition(ROLE_OPTION)[2]
    )
    monkeypatch.setenv("REDIS_URL", redis_url)
    # Another database's files would say that this one was restored from a backup.
    heads = settings.AUDIT_HEADS_DIR / name
    monkeypatch.setenv("WINDDOWN_AUDIT_HEADS_DIR", str(heads))
    monkeypatch.setattr(settings, "AUDIT_HEADS_DIR", heads)
    monkeypatch.setattr(waking, "wake", lambda run_id, **_: None)
    try:
        yield Database(
            name=name,
            url=url,
            environment={**os.environ, "DATABASE_URL": url, "REDIS_URL": redis_url},
        )
    finally:
        connections.close_all()
        fields["NAME"] = template
        _on_the_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connections.close_all()
        shutil.rmtree(heads, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """What a test, or a module that it imports, sets in the environment ends with the test.

    `config.wsgi` says that its process serves the web; a command that a later test starts is not one.
    """
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def in_long_form(config: pytest.Config) -> bool:
    """Whether this run is a line of the proof, which takes more rows and cases than `make test`."""
    return bool(config.option.hypothesis_profile == "proof")


@pytest.fixture(scope="session")
def long_form(pytestconfig: pytest.Config) -> bool:
    return in_long_form(pytestconfig)


@pytest.fixture(autouse=True)
def small_hashes(settings: Any) -> None:
    """Passwords are hashed by the service's own method, with little memory: thousands sign in here."""
    settings.PASSWORD_HASHERS = [
        "tests.accounts.hashers.SmallArgon2",
        *settings.PASSWORD_HASHERS,
    ]


@pytest.fixture
def own_database(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Database]:
    """The test's `default` connection, in every thread, leads to a fresh copy of the migrated test database.

    Commits are real. Subprocesses find the same database under `DATABASE_URL`. Nothing is woken
    over the broker unless the test says so: `runner.wake` does nothing here, and the test works the
    run off by itself.
    """
    assert request.node.get_closest_marker("django_db") is None, "own_database is not shared"
    with django_db_blocker.unblock(), fresh_database(monkeypatch) as database:
        yield database


@pytest.fixture(autouse=True)
def own_counters(settings: Any) -> None:
    """Attempts of other tests from the same address do not count against the limits of this test."""
    settings.COUNTERS_PREFIX = f"wd-count-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Any:
    """The database of the test: its own one, or the shared one in a transaction that is rolled
    back.
    """
    wanted = request.fixturenames
    found = request.getfixturevalue("own_database" if "own_database" in wanted else "db")
    if "rehearsal_clock" in wanted:
        # Before all other rows: a database that holds a programme can no longer be marked.
        from winddown import clock

        clock.mark_as_rehearsal()
    return found


@pytest.fixture
def staff(database: Any) -> Callable[..., Any]:
    """`staff("incident_commander")` is a new person in that role; `staff_number=` another account of a known one."""
    return factories.make_staff


@pytest.fixture
def customer(database: Any) -> Callable[..., Any]:
    return factories.make_customer


@pytest.fixture
def switches(database: Any) -> None:
    """Every capability has its row and is enabled."""
    factories.declare_switches()


@pytest.fixture
def programme(database: Any, switches: None) -> Any:
    """The one programme of the database, operating, in Japan, with its switches."""
    return factories.make_programme()


@pytest.fixture
def rehearsal_clock(database: Any) -> Any:
    """The clock module, in a database whose clock can be moved."""
    from winddown import clock

    return clock


@pytest.fixture
def wallet(database: Any, switches: None) -> Callable[..., Any]:
    """`wallet(paid_minor=1000, bonus_minor=50, state="charge_frozen")` is a new wallet of a new customer."""
    return factories.make_wallet


@pytest.fixture
def wallets(database: Any, switches: None) -> Callable[..., list[int]]:
    """`wallets(20_000, paid_minor=100)` are the ids of so many new wallets."""
    return factories.make_wallets


@pytest.fixture
def run_to_end() -> Callable[[Any], Any]:
    """Works a run off in this process and returns it as it then is."""
    return factories.worked_off
