"""Notices that others deliver, and people without a channel, are exported as files."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts import carrier_files
from accounts.models import CarrierFile, ResetNotice
from accounts.reset_notices import notice_codes, notice_files
from tests import factories
from tests.accounts.reset_notices.sending import (
    load,
    result,
    states,
    write_log,
)
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import GuardNotMet

pytestmark = pytest.mark.usefixtures("programme")


@pytest.mark.django_db
class TestFiles:
    def test_notices_by_telephone_are_exported_to_a_file_once(
        self, people: Any, reset: Any, two: Any, tmp_path: Path
    ) -> None:
        phone = {"email": "", "email_verified_at": None, "phone_verified_at": clock.now()}
        first = factories.make_customer(phone="+81-50-1111-2222", **phone)
        factories.make_customer(phone="+815022223333", **phone)
        run = factories.worked_off(reset())
        assert states() == {"queued": 2}
        given = {"channel": "phone", "actor": two[0], "reason": "carrier"}

        done = notice_files.hand_over(run, **given)

        messages, letter = done.files
        rows = list(csv.DictReader(io.StringIO(b"".join(carrier_files.content(messages)).decode())))
        assert done.rows == len(rows) == 2
        notice = ResetNotice.objects.get(user=first)
        assert rows[0]["address"] == "05011112222"
        assert notice_codes.notice_of(rows[0]["code"]) == notice.pk
        words = b"".join(carrier_files.content(letter)).decode()
        assert "{code}" in words
        assert "http" not in words
        assert states() == {"sent": 2}
        assert notice_files.hand_over(run, **given) == done
        for file in done.files:
            carrier_files.take(file, actor=two[0], reason="carrier")
        assert notice_files.hand_over(run, **given).files == ()
        assert run.state == "succeeded"

    def test_whom_only_the_post_reaches_gets_a_letter_with_the_address(
        self, people: Any, reset: Any, two: Any, tmp_path: Path, capsys: Any
    ) -> None:
        """Loaded people without mail and telephone; a file of letters is sealed like every other."""
        nowhere = {"email": "", "email_verified_at": None}
        by_post = factories.make_customer(display_name="山田太郎", **nowhere)
        factories.make_customer(account_ref="lost", **nowhere)
        factories.give_postal_address(by_post, code="530-0001", address="大阪市北区梅田1;旭ビル")
        people(1)
        run = factories.worked_off(reset())
        plan = run.plans.get().content
        assert plan["counts"]["notices_by_letter"] == plan["locked_out"]["without_channel"] == 1
        assert [each.account_ref for each in notice_files.unreachable(run)] == ["lost"]
        notice = ResetNotice.objects.get(user=by_post)

        with code_typed(two[0]):
            call_command(
                "export_notices",
                "--channel=letter",
                f"--out={tmp_path}",
                *("--by", two[0].login_id, "--reason", "by post"),
            )

        (path,) = tmp_path.iterdir()
        assert f"1 notices by letter in {path.name}" in capsys.readouterr().out
        letter = path.read_text()
        assert "〒530-0001<br><bdi>大阪市北区梅田1</bdi><br><bdi>旭ビル</bdi>" in letter
        assert letter.count("<article") == 1
        assert letter.count(notice_codes.code_of(notice.pk)) == 2  # in both languages
        notice.refresh_from_db()
        assert notice.state == "sent"
        assert "梅田".encode() not in bytes(CarrierFile.objects.get().parts.get().content_sealed)

    def test_a_run_that_sends_its_own_mails_exports_none(
        self, people: Any, reset: Any, two: Any, tmp_path: Path
    ) -> None:
        people(2)
        run = reset()

        with pytest.raises(GuardNotMet, match="sends its mails itself"):
            notice_files.hand_over(run, channel="email", actor=two[0], reason="x")

        assert not CarrierFile.objects.exists()

    def test_mails_of_a_planned_handover_are_exported_and_their_results_loaded(
        self, people: Any, reset: Any, two: Any, tmp_path: Path, capsys: Any
    ) -> None:
        people(3)
        factories.worked_off(reset(mail="file"))
        who = ("--by", two[0].login_id, "--reason", "carrier")

        with code_typed(two[0]):
            call_command("export_notices", "--channel", "email", "--out", str(tmp_path), *who)

        assert "3 notices by email in notices-run-" in capsys.readouterr().out
        notices = list(ResetNotice.objects.order_by("pk"))
        load(write_log(tmp_path / "log.csv", result(notices[0]), result(notices[1], "bounced")))
        assert states() == {"sent": 2, "undeliverable": 1}

    def test_people_without_a_channel_are_listed_by_their_key_only(
        self, people: Any, reset: Any, two: Any, tmp_path: Path, capsys: Any
    ) -> None:
        """Rule 12."""
        lost = [factories.make_customer(email="old@example.com") for _ in range(3)]
        people(2)
        run = reset()
        who = ("--by", two[0].login_id, "--reason", "for the help desk")

        with code_typed(two[0]):
            call_command("export_unreachable", "--out", str(tmp_path), *who)

        written = (tmp_path / f"unreachable-run-{run.pk}.csv").read_text().split()
        assert written == ["account_ref", *(person.account_ref for person in lost)]
        assert "3 accounts cannot be reached" in capsys.readouterr().out
        assert run.plans.get().content["locked_out"]["without_channel"] == 3
