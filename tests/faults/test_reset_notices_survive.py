"""Ten thousand notices go out over a real mail server, whatever dies meanwhile: each once."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import ResetNotice, ResetNoticeTransition
from accounts.reset_notices import mail_results
from tests import factories
from tests.conftest import ROLES
from tests.faults.conftest import ROOT, Fleet
from tests.mail import MailServer
from winddown import clock
from winddown.evidence import audit, invariants
from winddown.models import Failure, Run, RunTransition
from winddown.runs import control, progress

# Ten thousand mails.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_000)]


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path / "mail") as server:
        yield server


@pytest.fixture
def posting_fleet(own_database: Any, broker: Any, mail: MailServer, tmp_path: Path) -> Any:
    """A fleet whose workers know the mail server."""
    logs = tmp_path / "logs"
    logs.mkdir()
    posting = {
        "WINDDOWN_EMAIL_URL": mail.url,
        "WINDDOWN_EMAIL_FROM": "Test <notices@service.example>",
    }
    fleet = Fleet(environment=own_database.environment | posting, broker=broker, logs=logs)
    try:
        fleet.start_worker()
        fleet.start_beat()
        yield fleet
    finally:
        fleet.end()


def make_people(number: int, *, refused_every: int = 0) -> None:
    """There are so many customers with an e-mail address; each n-th mailbox does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_user (login_id, kind, password, is_superuser, is_staff, is_active,
                email, email_verified_at, phone, display_name, kana_name, staff_number,
                registered_at, password_set_at, refused_hash)
            SELECT 'p' || n, 'customer', 'argon2$' || n, false, false, true,
                CASE WHEN %(every)s > 0 AND n %% greatest(%(every)s, 1) = 0
                     THEN 'refused' ELSE 'p' END || n || '@example.com',
                %(at)s, '', '', '', '', %(at)s, %(at)s, ''
            FROM generate_series(1, %(number)s) n
            """,
            {"number": number, "every": refused_every, "at": clock.now()},
        )


@pytest.fixture
def begin(own_database: Any, rehearsal_clock: Any, programme: Any, staff: Any) -> Any:
    """`begin(...)` is a running reset, and the person who planned it."""

    def start(**params: Any) -> tuple[Run, Any]:
        maker, checker = staff("incident_commander"), staff("compliance")
        run = factories.started_run(
            "reset-all-passwords", maker=maker, checker=checker, params=params
        )
        return run, maker

    return start


def state_of(run: Run) -> str:
    return str(Run.objects.values_list("state", flat=True).get(pk=run.pk))


def why_paused(run: Run) -> str:
    log = RunTransition.objects.filter(subject_id=run.pk, transition="pause", actor_id=None)
    return log.order_by("-pk").values_list("reason", flat=True).first() or ""


def while_mails_go_out(goes_on: Callable[[int], bool], fleet: Fleet) -> None:
    """Waits for the condition as long as one notice after the other is begun, however slow the
    machine is.
    """
    seen = -1
    while True:
        begun = ResetNotice.objects.filter(attempts__gt=0).count()
        if not goes_on(begun):
            return
        if begun != seen:
            seen, patience = begun, time.monotonic() + 60
        assert time.monotonic() < patience, fleet.said()
        time.sleep(0.5)


def until_it_rests(run: Run, fleet: Fleet) -> str:
    """Waits until the run stops by itself and returns its state."""
    while_mails_go_out(lambda begun: state_of(run) == "running", fleet)
    return state_of(run)


def load_log(mail: MailServer, maker: Any, fleet: Fleet) -> str:
    """The operator loads the log of the mail server, after begun mails must be in it."""
    newest = ResetNotice.objects.order_by("-attempted_at").exclude(attempted_at=None)
    last = newest.values_list("attempted_at", flat=True).first()
    assert last is not None
    clock.travel(
        max(clock.now(), last + mail_results.AT_THE_SERVER_AFTER + dt.timedelta(seconds=1))
    )
    ran = subprocess.run(
        [
            *(sys.executable, "manage.py", "load_mail_results", str(mail.log)),
            *("--complete-until", clock.now().isoformat()),
            *("--by", maker.login_id, "--reason", "the log of the mail server"),
        ],
        cwd=ROOT,
        env=fleet.environment | {"WINDDOWN_DATABASE_ROLE": ROLES.loader},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_everybody_is_told_once_though_worker_and_broker_are_killed(
    own_database: Any, begin: Any, mail: MailServer, posting_fleet: Fleet, long_form: bool
) -> None:
    fleet = posting_fleet
    people = 10_000 if long_form else 1_200
    in_two_waves = people // 10
    last_wave = people - in_two_waves
    make_people(people)
    run, maker = begin()

    # The first hundred are sent, and no more before the log shows that they were accepted.
    assert until_it_rests(run, fleet) == "paused", fleet.said()
    assert mail.count() == 100
    assert "wave 1 is sent" in why_paused(run)
    load_log(mail, maker, fleet)
    control.resume(run, actor=maker, reason="clean")

    # The second wave is hit half-way: first the worker with all its processes, then the broker.
    while_mails_go_out(lambda begun: begun < in_two_waves // 2, fleet)
    os.killpg(fleet.worker.pid, signal.SIGKILL)
    fleet.broker.kill()
    left_in_the_middle = ResetNotice.objects.filter(state="sending").count()
    fleet.broker.start()
    fleet.start_worker()
    assert until_it_rests(run, fleet) == "paused", fleet.said()
    assert "wave 2 is sent" in why_paused(run)
    assert ResetNotice.objects.filter(state="unknown").count() == left_in_the_middle <= 2
    assert in_two_waves - left_in_the_middle <= mail.count() <= in_two_waves
    load_log(mail, maker, fleet)
    assert not ResetNotice.objects.filter(state="unknown").exists()
    control.resume(run, actor=maker, reason="clean")

    # The last wave loses single slots of the worker.
    for share in (9, 3):
        reached = in_two_waves + last_wave // share
        while_mails_go_out(lambda begun, reached=reached: begun < reached, fleet)
        for child in fleet.children():
            fleet.kill(child.pid)
    ended = until_it_rests(run, fleet)

    unknown = ResetNotice.objects.filter(state="unknown").count()
    open_failures = Failure.objects.filter(run=run, retried_at=None)
    if ended == "partially_failed":
        assert set(open_failures.values_list("reason_code", flat=True)) == {"delivery_unknown"}
        load_log(mail, maker, fleet)
        control.retry_failed(
            Run.objects.get(pk=run.pk),
            reason_code="delivery_unknown", actor=maker, reason="the log is in",
        )  # fmt: skip
        # Failed notices of two waves are retried one wave after the other.
        while until_it_rests(run, fleet) == "partially_failed" and open_failures.exists():
            control.retry_failed(
                Run.objects.get(pk=run.pk),
                reason_code="delivery_unknown", actor=maker, reason="the log is in",
            )  # fmt: skip
    else:
        assert unknown == 0

    assert state_of(run) == "succeeded", fleet.said() + why_paused(run)
    received = mail.recipients()
    assert len(received) == people
    assert len(set(received)) == people
    assert set(ResetNotice.objects.values_list("state", flat=True)) == {"sent"}
    moved = progress.moved(Run.objects.get(pk=run.pk))
    assert [moved[f"send_{each}_wave"] for each in ("first", "second", "last")] == [
        100,
        in_two_waves - 100,
        last_wave,
    ]
    audit.seal()
    assert invariants.breached() == {}


@pytest.mark.long_form
def test_a_run_with_six_bounces_in_a_hundred_pauses_itself_and_can_be_resumed(
    own_database: Any, begin: Any, mail: MailServer, posting_fleet: Fleet
) -> None:
    """Rule 13."""
    fleet = posting_fleet
    make_people(2_000, refused_every=16)
    run, maker = begin()

    assert until_it_rests(run, fleet) == "paused", fleet.said()
    assert why_paused(run).startswith("bounced: 6 of 100 notices (6.0 %, the limit is 5 %)")
    assert mail.count() == 94
    load_log(mail, maker, fleet)

    control.resume(run, actor=maker, reason="old mailboxes; agreed with the mail provider")
    assert until_it_rests(run, fleet) == "paused", "the next hundreds are no better"
    assert why_paused(run).startswith("bounced: ")
    told = mail.count()
    mail.mend()
    control.resume(run, actor=maker, reason="the provider's filter is mended")
    assert until_it_rests(run, fleet) == "paused"
    assert "wave 2 is sent" in why_paused(run)
    load_log(mail, maker, fleet)
    control.resume(run, actor=maker, reason="clean")
    assert until_it_rests(run, fleet) == "succeeded", fleet.said() + why_paused(run)

    received = mail.recipients()
    refused = ResetNotice.objects.filter(state="undeliverable").count()
    assert 94 < told < 2_000
    assert len(received) == len(set(received)) == 2_000 - refused
    begun = ResetNoticeTransition.objects.filter(run_id=run.pk, transition="begin").count()
    assert begun == 2_000, "nobody was asked about twice"
