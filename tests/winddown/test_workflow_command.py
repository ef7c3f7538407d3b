"""A workflow's command: what it understands, what it answers, and what a Ctrl-C leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from tests import factories
from tests.faults.conftest import wait_until
from winddown import runner
from winddown.models import Run

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


def test_every_act_is_told_to_machines(say, wallets, checker):
    wallets(5)
    assert say("--status") == (0, {"message": "freeze-charges was never planned.", "run": None})
    code, planned = say("--plan")
    run = Run.objects.get()
    assert (code, planned["run"], planned["digest"]) == (0, run.pk, run.plan_digest)
    assert planned["plan"]["counts"]["wallets"] == 5
    code, refused = say("--run")
    assert (code, refused["refused"]) == (1, "RunNotFound")
    runner.approve(run, actor=checker, digest=run.plan_digest, reason="test")
    runner.start(run, actor=run.maker)
    assert say("--pause")[1]["state"] == "paused"
    assert say("--status")[1]["state"] == "paused"
    assert say("--resume")[1]["state"] == "running"
    code, done = say("--run")
    assert (code, done["state"], done["moved"]["freeze_wallets"]) == (0, "succeeded", 5)
    assert say("--pause")[0] == say("--resume")[0] == say("--retry", "x")[0] == 1


def test_an_abort_leaves_what_was_planned_undone(say, wallets):
    wallets(2)
    say("--plan")
    assert say("--abort")[1]["state"] == "aborted"
    assert Run.objects.get().state == "aborted"
    assert say("--abort")[0] == 1


def test_the_rate_is_set_and_lifted(say, wallets, maker, checker):
    wallets(3)
    run = factories.started_run("freeze-charges", maker=maker, checker=checker)
    runner.pause(run, actor=maker, reason="test")
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
def test_what_is_not_understood_is_refused_and_changes_nothing(maker, wallets, words):
    wallets(2)
    with pytest.raises(CommandError) as refused:
        call_command("freeze_charges", *words, "--by", maker.login_id, "--reason", "test")
    # A person's shell sees 2; the parser's own refusals come without a code when called from here.
    assert refused.value.returncode in (1, 2)
    assert not Run.objects.exists()


def test_ctrl_c_leaves_a_run_that_is_followed_again(own_database, wallets, maker, checker, say):
    """The worker in the command's process stops between two batches or in one; nothing is twice."""
    ids = wallets(30_000)
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    with own_database.connect() as psql:
        # A row in the middle is held, so that the command stands inside a batch.
        psql.execute("BEGIN")
        psql.execute("SELECT FROM wallets_wallet WHERE id = %s FOR UPDATE", [ids[15_000]])
        command = subprocess.Popen(
            [sys.executable, "manage.py", "freeze_charges", "--run", "--by", maker.login_id],
            cwd=settings.BASE_DIR,
            env=own_database.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_until(lambda: stuck() or command.poll() is not None, "the command works")
        command.send_signal(signal.SIGINT)
        said = command.communicate(timeout=60)[0]
        psql.execute("ROLLBACK")
    assert command.returncode == 130, said
    assert "left to the workers" in said
    assert "Traceback" not in said
    moved = runner.moved(Run.objects.get(pk=run.pk))
    assert 0 < moved["freeze_wallets"] < 30_000
    with connection.cursor() as cursor:
        cursor.execute("UPDATE winddown_batch SET lease_until = clock_timestamp()")
    code, done = say("--run")
    assert (code, done["state"], done["moved"]["freeze_wallets"]) == (0, "succeeded", 30_000)


def stuck() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND application_name = 'winddown-command')"
        )
        return bool(cursor.fetchone()[0])
