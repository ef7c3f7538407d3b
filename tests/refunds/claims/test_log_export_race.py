"""Logs that are taken by many at one moment are one export, of which everybody has the same file."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Any

from refunds.claims import log_export
from refunds.models import LogExport
from tests.races.crowd import at_once, outcome
from tests.refunds.claims.scene import HIT_AT, Scene
from tests.refunds.conftest import person
from winddown.authority import approvals
from winddown.models import AuditEntry


def test_logs_that_are_taken_four_times_at_once_are_one_export(
    own_database: Any, rehearsal_clock: Any, programme: Any, tmp_path: Path
) -> None:
    rehearsal_clock.travel(HIT_AT, frozen=True)
    analyst = Scene().analyst
    asked = log_export.ask(
        HIT_AT - dt.timedelta(days=1), HIT_AT, "Forensics", actor=analyst, reason="test"
    )
    for permission in log_export.STAGES.values():
        request = approvals.newest(asked.subject)
        approvals.carry_out(
            request, shown=request.digest, actor=person(permission), reason="test", approve=True
        )
    takers = [
        partial(log_export.write, 1, tmp_path / each, actor=analyst, reason="test")
        for each in "abcd"
    ]

    answers = at_once(*takers)

    assert outcome(answers) == {"done": 4}, answers
    assert LogExport.objects.count() == 1
    assert AuditEntry.objects.filter(action="log_export.take").count() == 4
    assert AuditEntry.objects.filter(action="log_export.write").count() == 1
    assert len({path.read_bytes() for path, _done in answers}) == 1
