"""Notices are sent in waves, and a wave with too many bounces stops the next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, load_command_class
from django.db import transaction

from accounts.models import (
    AccessRequest,
    NoticeWave,
    ResetNotice,
)
from accounts.reset_notices import mail_results, waves
from tests import factories
from tests.accounts.reset_notices.sending import (
    RESET,
    claimed,
    far_off,
    fresh,
    load,
    long_ago,
    paused_for,
    result,
    states,
    write_log,
)
from tests.owning import as_loader
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.runs import control, registry, working

pytestmark = pytest.mark.usefixtures("programme")


def test_the_ramp_is_a_hundredth_a_tenth_and_the_rest() -> None:
    assert waves.sizes(100_000, least=100) == (1_000, 9_000, 90_000)
    assert waves.sizes(2_000, least=100) == (100, 100, 1_800)
    assert waves.sizes(60, least=100) == (60, 0, 0)
    assert waves.sizes(0, least=100) == (0, 0, 0)


LIMITS = {"counted_from": 10, "source": "test"}


@pytest.mark.django_db
class TestWaves:
    def test_victims_and_holders_come_first_then_the_active_then_the_rest(
        self, people: Any, mail: Any, reset: Any
    ) -> None:
        from accounts.models import AuthEvent

        rest, active, holders = people(3), people(2), people(2)
        for person in active:
            AuthEvent.objects.create(
                occurred_at=clock.now(), login_id=person.login_id, user_id=person.pk,
                outcome="success", method="password",
            )  # fmt: skip
        for person, paid in (*((each, 5) for each in holders), (rest[0], 0)):
            wallet = factories.make_wallet(paid_minor=paid)
            with transaction.atomic():
                past_the_guards(
                    f"UPDATE wallets_wallet SET account_id = {person.pk} WHERE id = {wallet.pk}"
                )

        factories.worked_off(reset())

        order = mail.recipients()
        assert set(order[:2]) == {person.email for person in holders}
        assert set(order[2:4]) == {person.email for person in active}
        assert set(order[4:]) == {person.email for person in rest}

    def test_the_next_wave_opens_only_after_the_log_shows_few_bounces(
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

    def test_bounces_in_the_log_keep_the_next_wave_closed_until_a_person_resumes(
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

    def test_a_retry_of_an_early_wave_does_not_close_a_later_one(
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

    def test_six_percent_of_bounces_pause_the_run_and_a_resume_sends_nothing_twice(
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

        with as_loader():
            call_command("load_mail_results", str(path), "--by", two[0].login_id)

        assert fresh(run).state == "paused"
        assert paused_for(run).startswith("complained: 1 of 30 notices (3.3 %")

    def test_failed_recoveries_pause_the_run(self, people: Any, mail: Any, reset: Any) -> None:
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

    def test_few_bounces_do_not_pause_the_run(self, people: Any, mail: Any, reset: Any) -> None:
        people(3, "refused")
        people(3)

        assert factories.worked_off(reset()).state == "succeeded"

    def test_the_plan_states_each_limit_with_its_source(self, plan_of: Any) -> None:
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


@pytest.mark.parametrize("number", [10_001, 10**30, 1.5, True, "9"])
def test_a_number_of_cases_that_could_never_be_reached_is_refused(number: object) -> None:
    limits = {"counted_from": number, "source": "test"}
    with pytest.raises(GuardNotMet, match=r"number"):
        registry.get("reset-all-passwords").check_params({"limits": limits})
    usual = registry.get("reset-all-passwords").check_params(
        {"limits": {"counted_from": 10_000, "source": "test"}}
    )
    assert usual["limits"]["counted_from"] == 10_000


def test_the_help_of_the_command_nests_the_limits_as_its_parameters_do() -> None:
    command = load_command_class("accounts", "reset_all_passwords")
    said = " ".join(command.create_parser("manage.py", "reset_all_passwords").format_help().split())
    before, _, within = said.partition("limits: an object of {")
    assert "mail: Mail is sent" in before
    assert "counted_from: " not in before
    assert "counted_from: " in within.partition("}")[0]
