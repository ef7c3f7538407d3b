"""The code on a notice, and the page on which it is checked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import (
    ResetNotice,
)
from accounts.reset_notices import notice_codes
from tests import factories
from winddown.errors import GuardNotMet, NotPermitted
from winddown.programme import public_notice

pytestmark = pytest.mark.usefixtures("programme")


def test_a_code_names_its_notice_in_any_spelling() -> None:
    for number in (1, 2, 31, 370_000, 2**30 - 1):
        code = notice_codes.code_of(number)
        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}", code)
        typed = (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} ",
                 code.replace("0", "O").replace("1", "l"))  # fmt: skip
        assert {notice_codes.notice_of(each) for each in typed} == {number}


def test_a_code_with_any_changed_digit_names_no_notice() -> None:
    code = notice_codes.code_of(4_711)
    for place, letter in enumerate(code):
        if letter != "-":
            other = "Z" if letter != "Z" else "Y"
            assert notice_codes.notice_of(code[:place] + other + code[place + 1 :]) is None
    for nothing in ("", "1234", code + "0", "漢字" * 6, "U" * 12):
        assert notice_codes.notice_of(nothing) is None


def test_codes_of_consecutive_notices_have_nothing_in_common(settings: Any) -> None:
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

    def test_the_page_says_whether_a_notice_is_from_us(
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

    def test_the_page_states_date_sender_and_number_and_asks_for_no_password(
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

    def test_a_visitor_who_guesses_codes_is_refused_after_a_few(
        self, client: Any, people: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The shared counter allows twenty. Without it, a process allows five more."""
        answers = (self.ask(client, f"{number:012}") for number in range(26))
        passed = next(
            number for number, said in enumerate(answers) if "Too many codes were tried" in said
        )

        counted_alone = any(
            record.name == "accounts.attempts.counters" for record in caplog.records
        )
        assert passed == 20 or (counted_alone and 5 <= passed <= 25)

    def test_only_a_person_with_the_permission_publishes_the_contact(self, staff: Any) -> None:
        with pytest.raises(NotPermitted):
            public_notice.publish_contact("0120", actor=staff("support"), reason="x")
        with pytest.raises(GuardNotMet):
            public_notice.publish_contact("call us", actor=staff("compliance"), reason="x")
