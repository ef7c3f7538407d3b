"""Notices of a reset: sent once, in waves, over a real mail server; what is unknown stays unknown."""

from __future__ import annotations

import csv
import datetime as dt
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from accounts.models import (
    AccessRequest,
    MailReport,
    NoticeWave,
    ResetNotice,
    ResetNoticeTransition,
)
from accounts.reset_notices import mail_results, notice_codes, notice_files, waves
from tests import factories
from tests.mail import MailServer
from winddown import clock
from winddown.errors import GuardNotMet, LoadRefused, NotPermitted
from winddown.evidence import audit, invariants
from winddown.loading import loader
from winddown.models import Batch, Run, RunTransition
from winddown.programme import public_notice
from winddown.runs import batches, control, progress, registry, steps, working
from winddown.runs.leases import Lease, LeaseLost

pytestmark = pytest.mark.usefixtures("programme")

RESET = "reset-all-passwords"


@pytest.fixture
def mail(tmp_path: Path, settings: Any) -> Any:
    """A mail server, and the settings that lead to it."""
    with MailServer(tmp_path / "mail") as server:
        settings.EMAIL_BACKEND = "winddown.mail.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 10
        settings.DEFAULT_FROM_EMAIL = "Test <notices@service.example>"
        yield server


@pytest.fixture
def people(switches: None) -> Any:
    """`people(3, "refused")` are three customers with addresses like refused7@example.com."""

    def make(number: int, word: str = "p", **fields: Any) -> list[Any]:
        return [
            factories.make_customer(
                email=f"{word}{factories.unique('x')}@example.com",
                email_verified_at=clock.now(),
                password="argon2$old",
                password_set_at=clock.now(),
                **fields,
            )
            for _ in range(number)
        ]

    return make


@pytest.fixture
def reset(two: Any) -> Any:
    """`reset()` is a running run of which nothing is done."""

    def start(**params: Any) -> Run:
        return factories.started_run(RESET, maker=two[0], checker=two[1], params=params)

    return start


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


def load(path: Path, **options: Any) -> loader.Loaded:
    return loader.load("mail_results", path, **options)


def result(notice: ResetNotice, event: str = "accepted") -> tuple[str, str, dt.datetime]:
    return notice_codes.message_id(notice.pk), event, clock.now()


def long_ago(*notices: ResetNotice) -> None:
    """The notices were attempted long enough ago for the mail server to have them or not."""
    pks = [notice.pk for notice in notices]
    ResetNotice.objects.filter(pk__in=pks).update(
        attempted_at=clock.now() - dt.timedelta(minutes=2)
    )


# --- one notice ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=False)
class TestOneByOne:
    def test_everybody_is_told_once(self, people: Any, mail: Any, reset: Any) -> None:
        """Rule 13."""
        told = people(20)

        run = factories.worked_off(reset())

        assert run.state == "succeeded"
        assert sorted(mail.recipients()) == sorted(person.email for person in told)
        assert states() == {"sent": 20}
        assert progress.moved(run)["send_first_wave"] == 20
        log = ResetNoticeTransition.objects.filter(run_id=run.pk)
        assert log.filter(transition="begin").count() == log.filter(transition="send").count() == 20

    def test_a_second_look_at_an_ended_run_sends_nothing(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        people(3)
        run = factories.worked_off(reset())

        working.work(run.pk)
        step = registry.get(RESET).step(run, "send_first_wave")

        assert not step.rows(run).exists()
        assert mail.count() == 3

    def test_what_a_person_reads(self, people: Any, mail: Any, reset: Any) -> None:
        """UX 11: no link, what we never ask, and a code, in both languages."""
        (person,) = people(1)
        run = factories.worked_off(reset())

        (letter,) = mail.mails()
        body = letter.get_content()

        notice = ResetNotice.objects.get()
        assert letter["From"] == "Test <notices@service.example>"
        assert letter["To"] == person.email
        assert letter["Message-ID"] == notice_codes.message_id(notice.pk)
        assert person.email not in letter["Message-ID"]
        assert letter["Auto-Submitted"] == "auto-generated"
        assert "http" not in body
        assert "www" not in body
        assert "@" not in body
        codes = re.findall(r"^    (\S+)\s*$", body, re.MULTILINE)
        assert len(codes) == 2
        assert {notice_codes.notice_of(code) for code in codes} == {notice.pk}
        assert "ログインできない方" in body
        assert "Cannot sign in?" in body
        assert "お尋ねすることはありません" in body
        assert "We never ask" in body
        assert "Test" in letter["Subject"]
        assert run.state == "succeeded"

    def test_a_mailbox_that_does_not_exist_stops_nobody_else(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        (bad,) = people(1, "refused")
        good = people(5)

        run = factories.worked_off(reset())

        assert run.state == "succeeded"
        assert ResetNotice.objects.get(user=bad).state == "undeliverable"
        assert ResetNotice.objects.get(user=bad).answer == "550"
        assert sorted(mail.recipients()) == sorted(person.email for person in good)

    @pytest.mark.parametrize("address", ["x@exa\nmple.com", "<>@,", "@"])
    def test_an_address_that_no_server_can_be_told_stops_nobody_else(
        self, people: Any, mail: Any, reset: Any, address: str
    ) -> None:
        (bad,) = people(1)
        type(bad).objects.filter(pk=bad.pk).update(email=address)
        people(3)

        run = factories.worked_off(reset())

        assert run.state == "succeeded"
        assert ResetNotice.objects.get(user=bad).state == "undeliverable"
        assert states() == {"undeliverable": 1, "sent": 3}

    def test_what_is_put_off_is_tried_again_and_then_stored_as_a_failure(
        self, people: Any, mail: Any, reset: Any, two: Any
    ) -> None:
        (later,) = people(1, "later")
        people(1, "once")
        people(2)

        run = factories.worked_off(reset())

        assert run.state == "partially_failed"
        notice = ResetNotice.objects.get(user=later)
        assert (notice.state, notice.attempts, notice.answer) == ("queued", 3, "451")
        assert progress.failures_by_reason(run) == {"mail_deferred": 1}
        assert mail.count() == 3

        mail.mend()
        assert (
            control.retry_failed(run, reason_code="mail_deferred", actor=two[0], reason="up") == 1
        )
        run = factories.worked_off(fresh(run))

        assert run.state == "succeeded"
        assert states() == {"sent": 4}
        assert len(set(mail.recipients())) == mail.count() == 4

    def test_a_connection_cut_before_the_content_tells_nobody_twice(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        people(1, "cut")
        people(3)

        run = factories.worked_off(reset())

        assert progress.failures_by_reason(run) == {"mail_deferred": 1}
        assert states() == {"sent": 3, "queued": 1}
        assert mail.count() == 3

    def test_a_silent_mail_server_pauses_the_run_with_the_reason(
        self, people: Any, mail: Any, reset: Any, two: Any, settings: Any
    ) -> None:
        people(3)
        settings.EMAIL_PORT = 1
        run = factories.worked_off(reset())

        assert run.state == "paused"
        assert "ConnectionRefusedError" in paused_for(run)
        assert states() == {"queued": 3}

        settings.EMAIL_PORT = mail.port
        control.resume(run, actor=two[0], reason="it is back")
        assert factories.worked_off(run).state == "succeeded"
        assert mail.count() == 3


# --- what nobody knows --------------------------------------------------------------------------


@pytest.mark.django_db
class TestUnknown:
    def test_a_mail_that_may_have_been_taken_is_never_sent_again_blindly(
        self, people: Any, mail: Any, reset: Any, two: Any
    ) -> None:
        people(1, "taken")
        people(2)
        run = factories.worked_off(reset())
        assert run.state == "partially_failed"
        assert states() == {"unknown": 1, "sent": 2}
        assert progress.failures_by_reason(run) == {"delivery_unknown": 1}

        control.retry_failed(run, reason_code="delivery_unknown", actor=two[0], reason="again")
        run = factories.worked_off(fresh(run))

        assert run.state == "partially_failed", "a retry alone knows no more"
        assert mail.count() == 3

    def test_the_mail_servers_log_says_that_it_was_sent(
        self, people: Any, mail: Any, reset: Any, two: Any
    ) -> None:
        people(1, "taken")
        run = factories.worked_off(reset())

        load(mail.log, expect_rows=1)
        assert states() == {"sent": 1}
        control.retry_failed(run, reason_code="delivery_unknown", actor=two[0], reason="log is in")
        run = factories.worked_off(fresh(run))

        assert run.state == "succeeded"
        assert progress.moved(run)["send_first_wave"] == 1
        assert mail.count() == 1

    def test_what_the_complete_log_does_not_hold_is_sent_again(
        self, people: Any, mail: Any, reset: Any, two: Any, tmp_path: Path
    ) -> None:
        people(1, "taken")
        people(1)
        run = factories.worked_off(reset())
        unknown = ResetNotice.objects.get(state="unknown")
        known = ResetNotice.objects.get(state="sent")
        long_ago(unknown, known)
        load(write_log(tmp_path / "log.csv", result(known)))

        done = mail_results.settle(complete_until=clock.now(), actor=two[0], reason="log")

        assert done.queued_again == 1
        assert states() == {"queued": 1, "sent": 1}
        mail.mend()
        control.retry_failed(run, reason_code="delivery_unknown", actor=two[0], reason="log")
        assert factories.worked_off(fresh(run)).state == "succeeded"
        assert ResetNotice.objects.get(pk=unknown.pk).attempts == 2

    def test_a_worker_that_died_leaves_one_unknown_notice_and_no_more(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        people(5)
        run = reset()
        batch = claimed(run)
        with Lease(batch, until=far_off()) as lease, lease.turn():
            begun = begin_first(run)
        let_leases_run_out()

        run = factories.worked_off(run)

        assert run.state == "partially_failed"
        assert ResetNotice.objects.get(pk=begun.pk).state == "unknown"
        assert states() == {"unknown": 1, "sent": 4}
        assert mail.count() == 4
        assert progress.moved(run)["send_first_wave"] == 4

    def test_a_worker_that_was_given_up_writes_no_result(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        people(2)
        run = reset()
        batch = claimed(run)
        let_leases_run_out()
        later = batches.claim(run.pk, "another")
        assert later is not None
        assert later.pk == batch.pk

        with pytest.raises(LeaseLost), Lease(batch, until=far_off()) as lease, lease.turn():
            pytest.fail("a turn of a lost lease begins")

    def test_the_settlement_needs_a_log_that_holds_what_the_server_took(
        self, people: Any, mail: Any, reset: Any, two: Any
    ) -> None:
        people(1, "taken")
        people(2)
        factories.worked_off(reset())
        long_ago(*ResetNotice.objects.all())

        with pytest.raises(GuardNotMet, match="lacks 2 notices"):
            mail_results.settle(complete_until=clock.now(), actor=two[0], reason="empty log")

        assert states() == {"unknown": 1, "sent": 2}
        assert not MailReport.objects.exists()

    def test_the_settlement_waits_until_a_begun_mail_must_be_there(
        self, people: Any, mail: Any, reset: Any, two: Any
    ) -> None:
        people(1, "taken")
        factories.worked_off(reset())

        done = mail_results.settle(complete_until=clock.now(), actor=two[0], reason="too early")

        assert (done.queued_again, done.still_unknown) == (0, 1)
        with pytest.raises(GuardNotMet, match="is in the future"):
            mail_results.settle(
                complete_until=clock.now() + dt.timedelta(hours=1), actor=two[0], reason="guess"
            )


def far_off() -> float:
    return float("inf")


def claimed(run: Run) -> Batch:
    """The run stands at its first wave, with the one batch of it claimed."""
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


# --- the mail server's log ----------------------------------------------------------------------


@pytest.mark.django_db
class TestLog:
    def test_a_second_load_changes_nothing(self, people: Any, mail: Any, reset: Any) -> None:
        people(3)
        factories.worked_off(reset())
        assert load(mail.log, expect_rows=3).inserted == 3
        before = list(ResetNotice.objects.order_by("pk").values())

        assert load(mail.log).repeated
        same = mail.log.with_name("same.csv")
        same.write_text(mail.log.read_text() + "\r\n")
        assert load(same).inserted == 0

        assert list(ResetNotice.objects.order_by("pk").values()) == before

    @pytest.mark.parametrize("wrong", ["foreign", "unsent", "early", "event", "form"])
    def test_a_wrong_log_is_refused_whole(
        self, people: Any, mail: Any, reset: Any, tmp_path: Path, wrong: str
    ) -> None:
        people(2)
        factories.worked_off(reset())
        first, second = ResetNotice.objects.order_by("pk")
        message, event, at = result(second)
        if wrong == "unsent":
            other = factories.make_customer()
            second = ResetNotice.objects.create(
                user=other, run_id=first.run_id, channel="email", queued_at=at
            )
        row = {
            "foreign": ("<20190730.1@service.example>", event, at),
            "unsent": (notice_codes.message_id(second.pk), event, at),
            "early": (message, event, at - dt.timedelta(hours=1)),
            "event": (message, "delivered", at),
            "form": ("no message id", event, at),
        }[wrong]

        with pytest.raises(LoadRefused):
            load(write_log(tmp_path / "log.csv", result(first, "bounced"), row))

        assert not ResetNotice.objects.exclude(reported_at=None).exists()
        assert not ResetNotice.objects.filter(state="undeliverable").exists()

    def test_a_bounce_that_comes_later_makes_a_sent_notice_undeliverable(
        self, people: Any, mail: Any, reset: Any, tmp_path: Path
    ) -> None:
        people(2)
        factories.worked_off(reset())
        first, second = ResetNotice.objects.order_by("pk")

        load(
            write_log(tmp_path / "log.csv", result(first), result(first, "bounced"), result(second))
        )

        assert states() == {"undeliverable": 1, "sent": 1}
        assert ResetNotice.objects.get(pk=first.pk).bounced_at is not None

    def test_the_command_loads_and_settles(
        self, people: Any, mail: Any, reset: Any, two: Any, capsys: Any
    ) -> None:
        people(1, "taken")
        people(1)
        factories.worked_off(reset())
        who = ("--by", two[0].login_id, "--reason", "log of today")

        call_command(
            "load_mail_results", str(mail.log), "--expect-rows", "2",
            "--complete-until", clock.now().isoformat(), *who,
        )  # fmt: skip

        said = capsys.readouterr().out
        assert "2 mail results loaded" in said
        assert "0 unknown notices were not in the log" in said
        assert states() == {"sent": 2}


# --- waves --------------------------------------------------------------------------------------


def test_the_ramp_is_a_hundredth_a_tenth_and_the_rest() -> None:
    assert waves.sizes(100_000, least=100) == (1_000, 9_000, 90_000)
    assert waves.sizes(2_000, least=100) == (100, 100, 1_800)
    assert waves.sizes(60, least=100) == (60, 0, 0)
    assert waves.sizes(0, least=100) == (0, 0, 0)


LIMITS = {"counted_from": 10, "source": "test"}


@pytest.mark.django_db
class TestWaves:
    def test_victims_and_holders_first_then_the_active_then_the_rest(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        from accounts.models import AuthEvent
        from wallets.models import Wallet

        rest, active, holders = people(3), people(2), people(2)
        for person in active:
            AuthEvent.objects.create(
                occurred_at=clock.now(), login_id=person.login_id, user_id=person.pk,
                outcome="success", method="password",
            )  # fmt: skip
        for person, paid in (*((each, 5) for each in holders), (rest[0], 0)):
            wallet = factories.make_wallet(paid_minor=paid)
            Wallet.objects.filter(pk=wallet.pk).update(account=person)

        factories.worked_off(reset())

        order = mail.recipients()
        assert set(order[:2]) == {person.email for person in holders}
        assert set(order[2:4]) == {person.email for person in active}
        assert set(order[4:]) == {person.email for person in rest}

    def test_the_next_wave_opens_only_when_the_log_shows_that_the_last_was_clean(
        self, people: Any, mail: Any, reset: Any, two: Any, capsys: Any
    ) -> None:
        people(40)
        run = factories.worked_off(reset(limits=LIMITS))
        assert (run.state, mail.count()) == ("paused", 10)
        assert "wave 1 is sent" in paused_for(run)
        call_command("reset_all_passwords", "--status")
        assert "is paused: " in (said := capsys.readouterr().out)
        assert "Paused: wave 1 is sent" in said

        control.resume(run, actor=two[0], reason="impatient")
        assert factories.worked_off(fresh(run)).state == "paused"
        assert mail.count() == 10, "a resume alone opens no wave"

        load(mail.log)
        mail_results.settle(complete_until=clock.now(), actor=two[0], reason="log")
        control.resume(fresh(run), actor=two[0], reason="clean")
        run = factories.worked_off(fresh(run))

        assert run.state == "succeeded"
        assert mail.count() == len(set(mail.recipients())) == 40
        assert [wave.size for wave in NoticeWave.objects.order_by("number")] == [10, 0, 30]

    def test_bounces_in_the_log_keep_the_next_wave_shut_until_a_person_has_seen_them(
        self, people: Any, mail: Any, reset: Any, two: Any, tmp_path: Path
    ) -> None:
        people(40)
        run = factories.worked_off(reset(limits=LIMITS))
        sent = list(ResetNotice.objects.filter(state="sent"))
        log = [result(notice) for notice in sent] + [result(sent[0], "bounced")]
        load(write_log(tmp_path / "log.csv", *log))
        mail_results.settle(complete_until=clock.now(), actor=two[0], reason="log")

        control.resume(run, actor=two[0], reason="log is in")
        run = factories.worked_off(fresh(run))

        assert (run.state, mail.count()) == ("paused", 10)
        assert paused_for(run) == "bounced: 1 of 10 notices (10.0 %, the limit is 5 %)"
        control.resume(run, actor=two[0], reason="one old mailbox")
        assert factories.worked_off(fresh(run)).state == "succeeded"
        assert mail.count() == len(set(mail.recipients())) == 40

    def test_a_retry_of_an_early_wave_does_not_shut_one_that_was_open(
        self, people: Any, mail: Any, reset: Any, two: Any, tmp_path: Path
    ) -> None:
        for number in (9, 29):
            people(number)
            people(1, "taken")

        def report() -> None:
            long_ago(*ResetNotice.objects.filter(attempts__gt=0))
            rows = [result(notice) for notice in ResetNotice.objects.filter(state="sent")]
            load(write_log(tmp_path / "log.csv", *rows))
            mail_results.settle(complete_until=clock.now(), actor=two[0], reason="log")

        run = factories.worked_off(reset(limits=LIMITS))
        report()
        control.resume(run, actor=two[0], reason="log is in")
        run = factories.worked_off(fresh(run))
        assert (run.state, states()) == (
            "partially_failed",
            {"queued": 1, "sent": 38, "unknown": 1},
        )
        report()
        mail.mend()
        for _wave in (1, 3):
            code = "delivery_unknown"
            assert control.retry_failed(run, reason_code=code, actor=two[0], reason="log") == 1
            run = factories.worked_off(fresh(run))

        assert run.state == "succeeded", paused_for(run)
        assert states() == {"sent": 40}

    def test_six_percent_of_bounces_pause_the_run_and_a_resume_tells_nobody_twice(
        self, people: Any, mail: Any, reset: Any, two: Any
    ) -> None:
        """Rule 13."""
        everybody = []
        for place in range(200):
            everybody += people(1, "refused" if place % 16 == 5 else "p")
        limits = {"counted_from": 100, "source": "test"}

        run = factories.worked_off(reset(limits=limits))

        assert run.state == "paused"
        assert re.match(r"bounced: 6 of 100 notices \(6.0 %, the limit is 5 %\)", paused_for(run))
        assert mail.count() == 94
        long_ago(*ResetNotice.objects.filter(attempts__gt=0))
        load(mail.log)
        mail_results.settle(complete_until=clock.now(), actor=two[0], reason="log")
        mail.mend()
        control.resume(run, actor=two[0], reason="old mailboxes; the rest is clean")
        run = factories.worked_off(fresh(run))

        assert run.state == "succeeded", paused_for(run)
        assert mail.count() == len(set(mail.recipients())) == 194
        assert states() == {"sent": 194, "undeliverable": 6}

    def test_complaints_in_a_log_pause_a_run_that_is_running(
        self, people: Any, mail: Any, reset: Any, two: Any, tmp_path: Path, capsys: Any
    ) -> None:
        people(30)
        run = reset(limits={"counted_from": 30, "source": "test"})
        batch = claimed(run)
        working._do(batch, "test", until=far_off())
        assert (fresh(run).state, mail.count()) == ("running", 30)
        path = write_log(
            tmp_path / "log.csv", result(ResetNotice.objects.order_by("pk")[0], "complained")
        )

        call_command("load_mail_results", str(path), "--by", two[0].login_id)

        assert fresh(run).state == "paused"
        assert paused_for(run).startswith("complained: 1 of 30 notices (3.3 %")

    def test_failed_resets_pause_it(self, people: Any, mail: Any, reset: Any) -> None:
        """Of a hundred people who asked for a link, four got none."""
        people(5)
        run = reset()
        at = clock.now()
        AccessRequest.objects.bulk_create(
            AccessRequest(
                purpose="recover", typed_sealed=b"", language="ja", asked_at=at, answered_at=at,
                answer="failed" if number < 4 else "links",
            )
            for number in range(100)
        )  # fmt: skip

        run = factories.worked_off(run)

        assert run.state == "paused"
        assert paused_for(run) == "failed resets: 4 of 100 resets (4.0 %, the limit is 3 %)"

    def test_few_cases_make_no_share(self, people: Any, mail: Any, reset: Any) -> None:
        people(3, "refused")
        people(3)

        assert factories.worked_off(reset()).state == "succeeded"

    def test_limits_come_with_a_source_and_stand_in_the_plan(self, plan_of: Any) -> None:
        content = plan_of(
            RESET, limits={"bounced_percent": 8, "source": "agreed with the provider"}
        )

        assert content["terms"]["bounced_at_most"] == "8 %"
        assert content["terms"]["limits_source"] == "agreed with the provider"
        for wrong in ({"bounced_percent": 8}, {"bounces": 8}, {"bounced_percent": "8"}, 8):
            with pytest.raises(GuardNotMet, match="limits"):
                plan_of(RESET, limits=wrong)
        with pytest.raises(GuardNotMet, match="smtp or file"):
            plan_of(RESET, mail="pigeon")

    def test_the_plan_shows_the_waves(self, people: Any, plan_of: Any) -> None:
        people(30)
        people(2, phone="0900", phone_verified_at=None)

        counts = plan_of(RESET, limits=LIMITS)["counts"]

        assert (counts["wave_1"], counts["wave_2"], counts["wave_3"]) == (10, 0, 22)
        assert counts["notices_by_email"] == 32


# --- pause, rate --------------------------------------------------------------------------------


def test_a_pause_takes_hold_between_two_notices(
    own_database: Any, people: Any, mail: Any, reset: Any, two: Any
) -> None:
    people(90)
    run = reset()

    def work() -> None:
        try:
            factories.worked_off(run)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    while mail.count() < 5:
        pass
    control.pause(run, actor=two[0], reason="wait")
    worker.join()
    told = mail.count()

    assert 5 <= told < 90, "the batch of ninety was left in its middle"
    assert states() == {"sent": told, "queued": 90 - told}
    assert Batch.objects.get(step="send_first_wave").state == "waiting"
    assert progress.moved(fresh(run))["send_first_wave"] == told

    control.resume(run, actor=two[0], reason="on")
    assert factories.worked_off(run).state == "succeeded"
    assert mail.count() == len(set(mail.recipients())) == 90
    assert progress.moved(fresh(run))["send_first_wave"] == 90
    audit.seal()
    assert invariants.breached() == {}


@pytest.mark.django_db
def test_the_rate_lets_no_second_batch_go_before_its_turn(
    people: Any, mail: Any, reset: Any, two: Any, monkeypatch: Any
) -> None:
    people(30)
    from accounts.workflows import reset_all_passwords

    monkeypatch.setattr(reset_all_passwords, "SEND_ROWS", 10)
    run = reset()
    claim = claimed(run)
    batches.put_back(claim)
    control.set_rate(run, rows_s_max=1, actor=two[0], reason="slow mail server")

    working.work(run.pk, seconds_max=2)
    control.pause(run, actor=two[0], reason="look")

    assert mail.count() == 10, "ten are one second's worth ten times"


# --- what others carry, and whom nobody reaches -------------------------------------------------


@pytest.mark.django_db
class TestFiles:
    def test_notices_by_phone_leave_in_a_file_once(
        self, people: Any, reset: Any, two: Any, tmp_path: Path
    ) -> None:
        phone = {"email": "", "email_verified_at": None, "phone_verified_at": clock.now()}
        first = factories.make_customer(phone="+81501111", **phone)
        factories.make_customer(phone="+81502222", **phone)
        run = factories.worked_off(reset())
        assert states() == {"queued": 2}
        given = {"channel": "phone", "to": tmp_path, "actor": two[0], "reason": "carrier"}

        done = notice_files.hand_over(run, **given)

        with (tmp_path / done.files[0]).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert done.rows == len(rows) == 2
        notice = ResetNotice.objects.get(user=first)
        assert rows[0]["address"] == "+81501111"
        assert notice_codes.notice_of(rows[0]["code"]) == notice.pk
        words = (tmp_path / done.files[1]).read_text()
        assert "{code}" in words
        assert "http" not in words
        assert states() == {"sent": 2}
        assert notice_files.hand_over(run, **given).rows == 0
        assert run.state == "succeeded"

    def test_a_run_that_sends_its_mails_itself_hands_none_over(
        self, people: Any, reset: Any, two: Any, tmp_path: Path
    ) -> None:
        people(2)
        run = reset()

        with pytest.raises(GuardNotMet, match="sends its mails itself"):
            notice_files.hand_over(run, channel="email", to=tmp_path, actor=two[0], reason="x")

        assert list(tmp_path.iterdir()) == []

    def test_mails_of_a_planned_handover_leave_in_a_file_and_are_reported_like_others(
        self, people: Any, reset: Any, two: Any, tmp_path: Path, capsys: Any
    ) -> None:
        people(3)
        factories.worked_off(reset(mail="file"))
        who = ("--by", two[0].login_id, "--reason", "carrier")

        call_command("export_notices", "--channel", "email", "--out", str(tmp_path), *who)

        assert "3 notices by email in notices-run-" in capsys.readouterr().out
        notices = list(ResetNotice.objects.order_by("pk"))
        load(write_log(tmp_path / "log.csv", result(notices[0]), result(notices[1], "bounced")))
        assert states() == {"sent": 2, "undeliverable": 1}

    def test_people_whom_nobody_reaches_are_named_by_their_key_alone(
        self, people: Any, reset: Any, two: Any, tmp_path: Path, capsys: Any
    ) -> None:
        """Rule 12."""
        lost = [factories.make_customer(email="old@example.com") for _ in range(3)]
        people(2)
        run = reset()
        who = ("--by", two[0].login_id, "--reason", "for the help desk")

        call_command("export_unreachable", "--out", str(tmp_path), *who)

        written = (tmp_path / f"unreachable-run-{run.pk}.csv").read_text().split()
        assert written == ["account_ref", *(person.account_ref for person in lost)]
        assert "3 accounts cannot be reached" in capsys.readouterr().out
        assert run.plans.get().content["locked_out"]["without_channel"] == 3


# --- the code, and the page on which it is checked ------------------------------------------------


def test_a_code_names_its_notice_however_it_is_typed() -> None:
    for number in (1, 2, 31, 370_000, 2**30 - 1):
        code = notice_codes.code_of(number)
        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}", code)
        typed = (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} ",
                 code.replace("0", "O").replace("1", "l"))  # fmt: skip
        assert {notice_codes.notice_of(each) for each in typed} == {number}


def test_a_code_that_was_changed_in_any_place_names_nothing() -> None:
    code = notice_codes.code_of(4_711)
    for place, letter in enumerate(code):
        if letter != "-":
            other = "Z" if letter != "Z" else "Y"
            assert notice_codes.notice_of(code[:place] + other + code[place + 1 :]) is None
    for nothing in ("", "1234", code + "0", "漢字" * 6, "U" * 12):
        assert notice_codes.notice_of(nothing) is None


def test_codes_of_neighbours_have_nothing_in_common(settings: Any) -> None:
    codes = [notice_codes.code_of(number) for number in range(1, 2_001)]
    assert len({code[:6] for code in codes}) > 1_900
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert notice_codes.notice_of(codes[0]) == 1, "notices outlive a change of the key"
    settings.SECRET_KEY_FALLBACKS = []
    assert notice_codes.notice_of(codes[0]) is None


@pytest.mark.django_db
class TestPage:
    @pytest.fixture(autouse=True)
    def english(self, client: Any) -> None:
        client.cookies["django_language"] = "en"

    def ask(self, client: Any, code: str) -> str:
        answer = client.post("/is-this-notice-from-us/", {"code": code})
        assert answer.status_code == 200
        return str(answer.content.decode())

    def test_it_says_what_is_from_us_and_what_is_not(
        self, client: Any, people: Any, mail: Any, reset: Any
    ) -> None:
        people(1)
        factories.worked_off(reset())
        notice = ResetNotice.objects.get()

        assert "This notice is from us; we sent it by e-mail on" in self.ask(
            client, notice_codes.code_of(notice.pk)
        )
        for made_up in ("0000-0000-0000", notice_codes.code_of(notice.pk + 1), "nonsense"):
            assert "We sent no notice with this code" in self.ask(client, made_up)

    def test_a_notice_that_is_still_queued_is_not_from_us_yet(
        self, client: Any, people: Any, reset: Any
    ) -> None:
        people(1)
        factories.worked_off(reset(mail="file"))

        code = notice_codes.code_of(ResetNotice.objects.get().pk)

        assert "We sent no notice with this code" in self.ask(client, code)

    def test_it_states_date_sender_and_number_and_asks_for_no_password(
        self, client: Any, people: Any, reset: Any, staff: Any, settings: Any
    ) -> None:
        settings.DEFAULT_FROM_EMAIL = "Test <notices@service.example>"
        before = client.get("/is-this-notice-from-us/").content.decode()
        assert "We have not reset passwords" in before
        people(1)
        factories.worked_off(reset(mail="file"))
        officer = staff("compliance")
        call_command(
            "publish_contact", "--phone", "0120-000-000", "--by", officer.login_id,
            "--reason", "announced",
        )  # fmt: skip

        page = client.get("/is-this-notice-from-us/").content.decode()

        assert "notices@service.example" in page
        assert "0120-000-000" in page
        assert "made every customer's password unusable" in page
        assert 'type="password"' not in page

    def test_who_guesses_codes_is_soon_refused(
        self, client: Any, people: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Twenty by the shared counter; only where it did not answer, five more by the process."""
        answers = (self.ask(client, f"{number:012}") for number in range(26))
        passed = next(
            number for number, said in enumerate(answers) if "Too many codes were tried" in said
        )

        counted_alone = any(
            record.name == "accounts.attempts.counters" for record in caplog.records
        )
        assert passed == 20 or (counted_alone and 5 <= passed <= 25)

    def test_the_contact_is_published_by_who_may(self, staff: Any) -> None:
        with pytest.raises(NotPermitted):
            public_notice.publish_contact("0120", actor=staff("support"), reason="x")
        with pytest.raises(GuardNotMet):
            public_notice.publish_contact("call us", actor=staff("compliance"), reason="x")
