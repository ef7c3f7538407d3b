"""Shared by the tests of notices: states of notices, the mail server's log, a claimed batch."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

from accounts.models import (
    ResetNotice,
)
from accounts.reset_notices import notice_codes
from tests.owning import as_loader
from winddown import clock
from winddown.loading import loader, outcome
from winddown.models import Batch, Run, RunTransition
from winddown.runs import batches, steps, working

RESET = "reset-all-passwords"


def fresh(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in ResetNotice.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def paused_for(run: Run) -> str:
    log = RunTransition.objects.filter(subject_id=run.pk, transition="pause", actor_id=None)
    return str(log.order_by("-pk").values_list("reason", flat=True).first())


def write_log(path: Path, *rows: tuple[str, str, dt.datetime]) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["message_id", "event", "at"])
        out.writerows((message, event, at.isoformat()) for message, event, at in rows)
    return path


def load(path: Path, **options: Any) -> outcome.Loaded:
    with as_loader():
        return loader.load("mail_results", path, **options)


def result(notice: ResetNotice, event: str = "accepted") -> tuple[str, str, dt.datetime]:
    return notice_codes.message_id(notice.pk), event, clock.now()


def long_ago(*notices: ResetNotice) -> None:
    """The attempts are so old that the mail server's log must hold the mails it accepted."""
    pks = [notice.pk for notice in notices]
    ResetNotice.objects.filter(pk__in=pks).update(
        attempted_at=clock.now() - dt.timedelta(minutes=2)
    )


def far_off() -> float:
    return float("inf")


def claimed(run: Run) -> Batch:
    """Returns the one batch of the run's first wave, claimed."""
    while fresh(run).step != "send_first_wave":
        claim = batches.claim(run.pk, "test")
        if claim is None:
            assert steps.advance(run.pk)
        else:
            while claim is not None:
                claim = working._do(claim, "test", until=far_off())
    claim = batches.claim(run.pk, "test")
    assert claim is not None
    return claim


def begin_first(run: Run) -> ResetNotice:
    from accounts.reset_notices import notices

    first = ResetNotice.objects.filter(run=run, state="queued").order_by("pk")[0]
    begun = notices._begin([first.pk], run=run, at=clock.now())
    assert begun is not None
    return begun


def let_leases_run_out() -> None:
    Batch.objects.filter(state="leased").update(lease_until=dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
