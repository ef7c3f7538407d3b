"""A workflow's command: its options, its output, and the run after a Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from tests import factories
from tests.faults.conftest import wait_until
from tests.owning import as_owner
from winddown.models import AuditEntry, Failure, Run
from winddown.runs import control, planning, progress

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def maker(staff):
    return staff("incident_commander")


@pytest.fixture
def checker(staff):
    return staff("compliance")


@pytest.fixture
def say(maker, capsys):
    """`say("--plan")` is the exit code of the command and the JSON object it printed."""

    def spoken(*words):
        capsys.readouterr()
        try:
            call_command(
                "freeze_charges", *words, "--json", "--by", maker.login_id, "--reason", "test"
            )
        except SystemExit as ended:
            return ended.code, json.loads(capsys.readouterr().out)
        return 0, json.loads(capsys.readouterr().out)

    return spoken


def test_every_act_is_reported_as_json(say, wallets, checker):
    wallets(5)
    assert say("--status") == (0, {"message": "freeze-charges was never planned.", "run": None})
    code, planned = say("--plan")
    run = Run.objects.get()
    assert (code, planned["run"], planned["digest"]) == (0, run.pk, run.plan_digest)
    assert planned["plan"]["counts"]["wallets"] == 5
    code, refused = say("--run")
    assert (code, refused["refused"]) == (1, "RunNotFound")
    planning.approve(run, actor=checker, digest=run.plan_digest, reason="test")
    planning.start(run, actor=run.maker)
    assert say("--pause")[1]["state"] == "paused"
    assert say("--status")[1]["state"] == "paused"
    assert say("--resume")[1]["state"] == "running"
    code, done = say("--run")
    assert (code, done["state"], done["moved"]["freeze_wallets"]) == (0, "succeeded", 5)
    assert (
        say("--pause")[0] == say("--resume")[0] == say("--retry", "x", "--of", str(run.pk))[0] == 1
    )


def test_an_abort_leaves_what_was_planned_undone(say, wallets):
    wallets(2)
    say("--plan")
    assert say("--abort")[1]["state"] == "aborted"
    assert Run.objects.get().state == "aborted"
    assert say("--abort")[0] == 1


def test_a_retry_names_its_run_and_its_class(say, wallets, maker, checker):
    """The newest run is not always the intended one."""
    ids = wallets(2)
    runs = []
    for pk in ids:
        run = factories.started_run("freeze-charges", maker=maker, checker=checker)
        Failure.objects.create(
            run=run, step="freeze_wallets", subject_id=pk, reason_code="A", at=run.started_at
        )
        factories.worked_off(run)
        runs.append(str(run.pk))
    with pytest.raises(CommandError, match="--of RUN") as unnamed:
        say("--retry", "A")
    assert unnamed.value.returncode == 2
    code, refused = say("--retry", "B", "--of", runs[0])
    assert (code, refused["refused"]) == (1, "GuardNotMet")
    assert say("--retry", "A", "--of", "0")[1]["refused"] == "RunNotFound"
    code, told = say("--retry", "A", "--of", runs[0])
    assert (code, told["run"], told["code"], told["rows"]) == (0, int(runs[0]), "A", 1)
    assert AuditEntry.objects.get(action="run.retry").facts["reason_code"] == "A"
    assert set(Failure.objects.filter(retried_at=None).values_list("run_id", flat=True)) == {
        int(runs[1])
    }


def test_the_rate_is_set_and_lifted(say, wallets, maker, checker):
    wallets(3)
    run = factories.started_run("freeze-charges", maker=maker, checker=checker)
    control.pause(run, actor=maker, reason="test")
    for word, rate in (("600", 600), ("off", None)):
        assert say("--run", "--rate", word)[0] == 0
        assert Run.objects.get().rate_rows_s_max == rate


@pytest.mark.parametrize(
    "words",
    [
        ("--run", "--rate", "0"),
        ("--run", "--rate", "-5"),
        ("--run", "--rate", "fast"),
        ("--plan", "--params", "[1]"),
        ("--plan", "--params", "{"),
        ("--plan", "--run"),
        (),
    ],
)
def test_an_unknown_option_is_refused_and_changes_nothing(maker, wallets, words):
    wallets(2)
    with pytest.raises(CommandError) as refused:
        call_command("freeze_charges", *words, "--by", maker.login_id, "--reason", "test")
    # A shell sees exit code 2; refusals of the parser come without a code when called from here.
    assert refused.value.returncode in (1, 2)
    assert not Run.objects.exists()


def test_a_terminal_shows_progress_and_ctrl_c_leaves_a_run_that_can_be_followed(
    own_database, wallets, maker, checker, say
):
    """The process of the command stops inside a batch. Another continues, and no row is moved
    twice.
    """
    ids = wallets(30_000)
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    with own_database.connect() as psql:
        # A row in the middle is locked, so that the command waits inside a batch.
        psql.execute("BEGIN")
        psql.execute("SELECT FROM wallets_wallet WHERE id = %s FOR UPDATE", [ids[15_000]])
        terminal = Terminal(
            "freeze_charges", "--run", "--by", maker.login_id, env=own_database.environment
        )
        wait_until(lambda: stuck() and "15000/30000" in terminal.shown, terminal)
        terminal.command.send_signal(signal.SIGINT)
        code = terminal.command.wait(60)
        psql.execute("ROLLBACK")
    assert code == 130, terminal.shown
    assert re.search(r"freeze_wallets .*15000/30000.* \d:\d\d:\d\d", terminal.shown)
    assert "left to the workers" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert progress.moved(Run.objects.get(pk=run.pk))["freeze_wallets"] == 15_000
    with connection.cursor() as cursor:
        cursor.execute("UPDATE winddown_batch SET lease_until = clock_timestamp()")
    code, done = say("--run")
    assert (code, done["state"], done["moved"]["freeze_wallets"]) == (0, "succeeded", 30_000)


class Terminal:
    """`manage.py` on its own terminal, and its output so far."""

    def __init__(self, *words, env):
        self.end, inside = pty.openpty()
        self.command = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=settings.BASE_DIR,
            env=env | {"TERM": "xterm", "COLUMNS": "120"},
            stdin=inside,
            stdout=inside,
            stderr=inside,
        )
        os.close(inside)
        self.shown = ""
        threading.Thread(target=self._read, daemon=True).start()

    def __str__(self):
        return f"the command works: {self.shown}"

    def _read(self):
        # A terminal whose other end is closed answers with an error.
        with contextlib.suppress(OSError):
            while said := os.read(self.end, 65_536):
                # Without colours and movements of the cursor.
                self.shown += re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", said.decode(errors="replace"))


def stuck() -> bool:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND application_name = 'winddown-command')"
        )
        return bool(cursor.fetchone()[0])
