"""Notices are sent one by one to a real mail server; a pause takes effect between two of them."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.db import connections

from accounts.models import (
    ResetNotice,
    ResetNoticeTransition,
)
from accounts.reset_notices import notice_codes
from tests import factories
from tests.accounts.reset_notices.sending import (
    RESET,
    claimed,
    fresh,
    paused_for,
    states,
)
from winddown.evidence import audit, invariants
from winddown.models import Batch
from winddown.runs import batches, control, progress, registry, working

pytestmark = pytest.mark.usefixtures("programme")


# --- one notice ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=False)
class TestOneByOne:
    def test_everybody_gets_one_notice(self, people: Any, mail: Any, reset: Any) -> None:
        """Rule 13."""
        told = people(20)

        run = factories.worked_off(reset())

        assert run.state == "succeeded"
        assert sorted(mail.recipients()) == sorted(person.email for person in told)
        assert states() == {"sent": 20}
        assert progress.moved(run)["send_first_wave"] == 20
        log = ResetNoticeTransition.objects.filter(run_id=run.pk)
        assert log.filter(transition="begin").count() == log.filter(transition="send").count() == 20

    def test_working_on_an_ended_run_again_sends_nothing(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        people(3)
        run = factories.worked_off(reset())

        working.work(run.pk)
        step = registry.get(RESET).step(run, "send_first_wave")

        assert not step.rows(run).exists()
        assert mail.count() == 3

    def test_a_notice_holds_a_code_and_no_link_in_both_languages(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        """UX 11: it says what we never ask for."""
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

    def test_a_mailbox_that_does_not_exist_does_not_stop_the_others(
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
    def test_an_address_that_cannot_be_sent_does_not_stop_the_others(
        self, people: Any, mail: Any, reset: Any, address: str
    ) -> None:
        (bad,) = people(1)
        type(bad).objects.filter(pk=bad.pk).update(email=address)
        people(3)

        run = factories.worked_off(reset())

        assert run.state == "succeeded"
        assert not ResetNotice.objects.filter(user=bad).exists(), "the person is not reached"
        assert run.plans.get().content["locked_out"]["without_channel"] == 1
        assert states() == {"sent": 3}

    def test_a_deferred_mail_is_tried_again_and_then_stored_as_a_failure(
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

    def test_a_connection_cut_before_the_content_sends_no_mail_twice(
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


# --- pause, rate --------------------------------------------------------------------------------


def test_a_pause_takes_effect_between_two_notices(
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
def test_the_rate_holds_a_second_batch_until_its_time(
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
