"""A row that kills the process that touches it is found and parked, and every other row is moved."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection, connections

from tests import factories
from tests.faults.conftest import wait_until
from tests.owning import as_owner
from tests.winddown import freeze_and_hold
from wallets.models import Wallet, WalletTransition
from winddown.evidence import invariants
from winddown.models import Batch, Failure, Run
from winddown.runs import failing, progress, waking, working
from winddown.runs.leases import LEASE_S

SHOW_LIMITS = (
    "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS']['options'])"
)

pytestmark = pytest.mark.faults


def in_a_process_of_its_own(act) -> int:
    """Returns the signal that ended the process, or 0."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def let_leases_run_out():
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE winddown_batch SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE state = 'leased'"
        )


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(0, marks=pytest.mark.long_form),
        137,
        pytest.param(299, marks=pytest.mark.long_form),
    ],
)
def test_only_the_row_that_kills_its_worker_is_parked(
    own_database, programme, wallets, staff, place
):
    """Fault 4: the workers do not crash again and again, and no other row is parked."""
    ids = wallets(300)
    poison = ids[place]
    with freeze_and_hold.registered() as workflow:
        workflow.batch_rows = 100
        workflow.before = lambda batch, rows: (
            os.kill(os.getpid(), signal.SIGKILL)
            if batch.step == "freeze" and rows.filter(pk=poison).exists()
            else None
        )
        maker, checker = staff("incident_commander"), staff("compliance")
        run = factories.started_run("test-freeze-and-hold", maker=maker, checker=checker)
        deaths = 0
        while run.pk in waking.owed():
            ended_by = in_a_process_of_its_own(lambda: working.work(run.pk))
            assert ended_by in (0, signal.SIGKILL)
            deaths += ended_by == signal.SIGKILL
            assert deaths < 12, "a crash loop"
            let_leases_run_out()
        assert Run.objects.get(pk=run.pk).state == "partially_failed"
        failure = Failure.objects.get(run=run)
        assert (failure.subject_id, failure.reason_code) == (poison, "worker_died")
        assert progress.moved(run) == {"freeze": 299, "hold": 299}
        assert Wallet.objects.exclude(state="held").get().pk == poison
        assert WalletTransition.objects.filter(run_id=run.pk).count() == 598
        assert not Batch.objects.filter(state__in=["waiting", "leased"]).exists()
        assert deaths >= failing.ATTEMPTS_MAX
        assert invariants.breached() == {}


def test_the_rows_of_a_stopped_worker_are_free_after_its_lease(
    own_database, programme, wallets, staff
):
    """The worker is stopped within a batch, and its transaction is open."""
    wallets(20)
    limits = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", SHOW_LIMITS],
        env=own_database.environment | {"WINDDOWN_ROLE": "worker"},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"-c idle_in_transaction_session_timeout={LEASE_S}s" in limits.stdout
    with freeze_and_hold.registered() as workflow:
        run = factories.started_run(
            "test-freeze-and-hold", maker=staff("incident_commander"), checker=staff("compliance")
        )
        connections.close_all()
        child = os.fork()
        if child == 0:
            workflow.before = stand_still
            try:
                working.work(run.pk)
            finally:
                os._exit(0)
        assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
        wait_until(nobody_is_in_a_transaction, "the server lets the rows go")
        let_leases_run_out()
        assert factories.worked_off(run).state == "succeeded"
        os.kill(child, signal.SIGCONT)
        os.waitpid(child, 0)
    assert progress.moved(run) == {"freeze": 20, "hold": 20}
    assert WalletTransition.objects.filter(run_id=run.pk).count() == 40
    assert not Failure.objects.exists()


def stand_still(batch, rows):
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
    list(rows.select_for_update())
    os.kill(os.getpid(), signal.SIGSTOP)


def nobody_is_in_a_transaction():
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND state = 'idle in transaction')"
        )
        return cursor.fetchone()[0]
