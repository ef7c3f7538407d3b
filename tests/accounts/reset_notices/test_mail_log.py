"""An unknown result stays unknown until the mail server's log names it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import (
    MailReport,
    ResetNotice,
)
from accounts.reset_notices import mail_results, notice_codes
from tests import factories
from tests.accounts.reset_notices.sending import (
    begin_first,
    claimed,
    far_off,
    fresh,
    let_leases_run_out,
    load,
    long_ago,
    result,
    states,
    write_log,
)
from winddown import clock
from winddown.errors import GuardNotMet, LoadRefused
from winddown.runs import batches, control, progress
from winddown.runs.leases import Lease, LeaseLost

pytestmark = pytest.mark.usefixtures("programme")


# --- what nobody knows --------------------------------------------------------------------------


@pytest.mark.django_db
class TestUnknown:
    def test_a_mail_with_an_unknown_result_is_not_sent_again_by_a_retry(
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

    def test_an_unknown_mail_that_the_log_holds_is_marked_sent(
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

    def test_an_unknown_mail_that_the_complete_log_lacks_is_sent_again(
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

    def test_a_dead_worker_leaves_only_one_unknown_notice(
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

    def test_a_worker_that_lost_its_lease_writes_no_result(
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

    def test_the_settlement_requires_a_log_that_holds_the_accepted_mails(
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

    def test_the_settlement_waits_until_a_mail_under_way_must_be_in_the_log(
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
    def test_a_wrong_log_is_refused_as_a_whole(
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

    def test_a_later_bounce_makes_a_sent_notice_undeliverable(
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

    @pytest.mark.loads_files
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
