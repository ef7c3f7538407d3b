"""An error in the code becomes a stored failure or a pause with its place: no run stays running."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection

from tests.winddown.runs.states import fresh, totals
from wallets.models import Wallet
from winddown.evidence import invariants
from winddown.models import AuditEntry, Batch, Failure
from winddown.runs import control, working

pytestmark = pytest.mark.usefixtures("programme", "workflow")
SECRET = "Yamada Taro 1234567"


@pytest.mark.parametrize(
    "bug", [RuntimeError, AssertionError, MemoryError, KeyError, RecursionError]
)
def test_a_row_on_which_the_code_breaks_is_a_stored_failure(
    start, wallets, workflow, maker, run_to_end, bug
):
    ids = wallets(30)

    def breaks(batch, rows):
        if batch.step == "freeze" and rows.filter(pk=ids[4]).exists():
            raise bug(SECRET)

    workflow.before = breaks
    run = run_to_end(start())
    assert run.state == "partially_failed"
    assert totals(run)["freeze"] == (29, 1)
    failure = Failure.objects.get(run=run)
    assert (failure.subject_id, failure.reason_code) == (ids[4], f"bug_{bug.__name__}")
    assert failure.detail.startswith(f"{bug.__name__} at test_bugs.py:")
    assert SECRET not in failure.detail

    workflow.before = lambda batch, rows: None
    control.retry_failed(run, reason_code=failure.reason_code, actor=maker, reason="mended")
    assert run_to_end(run).state == "succeeded"
    assert invariants.breached() == {}


def test_code_that_breaks_on_every_row_pauses_the_run(start, wallets, workflow, maker, run_to_end):
    wallets(100)

    def breaks(batch, rows):
        raise RuntimeError(SECRET)

    workflow.before = breaks
    run = run_to_end(start())
    assert run.state == "paused"
    assert AuditEntry.objects.get(action="run.pause").reason.startswith("circuit breaker")
    assert not Wallet.objects.exclude(state="active").exists()


@pytest.mark.parametrize("place", ["rows", "verify", "reason_to_pause"])
def test_code_that_breaks_outside_the_rows_pauses_the_run(
    start, wallets, workflow, maker, run_to_end, monkeypatch, caplog, place
):
    """The rows of a step, the check at the end, the question whether to pause."""
    wallets(12)
    run = start()

    def breaks(run):
        raise RuntimeError(SECRET)

    with monkeypatch.context() as planted:
        if place == "rows":
            planted.setattr(workflow, "_rows", lambda state: breaks)
        else:
            planted.setattr(workflow, place, breaks)
        run = run_to_end(run)
    assert run.state == "paused"
    reason = AuditEntry.objects.get(action="run.pause").reason
    assert reason.startswith("error in the code: RuntimeError at test_bugs.py:")
    assert SECRET not in reason
    assert SECRET not in caplog.text
    assert not Batch.objects.filter(run=run, state=Batch.State.LEASED).exists()
    control.resume(run, actor=maker, reason="mended")
    assert run_to_end(run).state == "succeeded"


def test_sql_that_breaks_outside_the_rows_pauses_the_run(
    start, wallets, workflow, maker, run_to_end
):
    wallets(3)
    run = start()

    def breaks(_run):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    workflow.verify = breaks
    assert run_to_end(run).state == "paused"
    assert ProgrammingError.__name__ in AuditEntry.objects.get(action="run.pause").reason
    assert working.work(run.pk) == 0
    assert fresh(run).state == "paused"
