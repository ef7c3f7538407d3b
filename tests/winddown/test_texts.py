"""Text from outside is made storable at every entrance, and a blank reason is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from tests.config.test_every_door import browser_of
from tests.conftest import ROOT, Database
from tests.owning import as_loader
from winddown import texts
from winddown.errors import ReasonBlank
from winddown.evidence import audit
from winddown.models import AuditEntry, Capability
from winddown.runs.params_form import ParamsForm
from winddown.site.forms import ReasonForm, plan_form

BLANK = ("", " ", "\t\n", "\u3000", "\u200b", "\u2060\ufeff ", "\u3164", "\u00a0")
# "Emergency stop" as a Shift_JIS terminal sends it.
SHIFT_JIS = b"\x8b\xd9\x8b}\x92\xe2\x8e~"


@given(st.text(st.characters(exclude_categories=())))
def test_unstorable_characters_are_replaced_and_others_kept(text: str) -> None:
    stored = texts.storable(text)
    stored.encode()
    assert "\0" not in stored
    assert len(stored) == len(text)
    assert all(new in (old, "\ufffd") for old, new in zip(text, stored, strict=True))


@pytest.mark.django_db
def test_a_loaded_name_that_turns_the_line_is_shown_harmlessly(programme: Any, staff: Any) -> None:
    """A row that no form of ours wrote may hold anything that the database can store."""
    person = staff("auditor", display_name="Ito\u202e=evil")
    browser = browser_of(person, headers={"accept-language": "en"})
    for _ in range(2):
        page = browser.get("/console/audit/").content.decode()
    assert "<bdi>Ito\ufffd=evil</bdi>" in page
    assert "\u202e" not in page

    User.objects.filter(pk=person.pk).update(display_name="\u202e=cmd()")
    file = browser.get("/console/audit/file/").content.decode("utf-8-sig")
    assert "\u202e" not in file
    assert "\ufffd=cmd()" in file


def test_a_text_is_no_formula_in_a_spreadsheet() -> None:
    for text in ("=1", " +1", "@a", "-1", "＝1"):
        assert texts.safe_in_spreadsheet(text).startswith("'")


def test_what_turns_or_hides_a_text_is_replaced_and_what_belongs_to_words_stays() -> None:
    for hidden in ("\u202e", "\u2066", "\u200f", "\u061c", "\x1b", "\x7f", "\x85", "\x08"):
        assert texts.storable(f"a{hidden}b") == "a\ufffdb"
    kept = "a\tb\r\nc ם नि\u200dन é \U0001f469\u200d\U0001f4bb"
    assert texts.storable(kept) == kept


@pytest.mark.django_db
def test_a_reason_typed_on_a_page_cannot_turn_the_line_that_shows_it(
    programme: Any, staff: Any
) -> None:
    browser = browser_of(staff("incident_commander"))
    browser.post("/console/switches/spend/stop/", {"reason": "ok \u202e now\x1b"})

    assert AuditEntry.objects.get(action="capability.stop").reason == "ok \ufffd now\ufffd"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 60 + "]" * 60,
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": 99999999999999999999}',
        '{"a": 1e999}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        b'{"a": "\xff"}',
        "",
        "{",
    ],
)
def test_unstorable_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="."):
        texts.read_json(text)


def test_texts_inside_json_are_made_storable() -> None:
    assert texts.read_json(r'{"a\u0000": ["\ud800", 1, null]}') == {"a\ufffd": ["\ufffd", 1, None]}


@pytest.mark.parametrize("reason", BLANK)
def test_a_blank_reason_is_refused_by_every_form_command_and_journal(
    reason: str, staff: Any, switches: None
) -> None:
    person = staff("incident_commander")
    assert ReasonForm({"reason": reason}).errors["reason"]
    assert plan_form(ParamsForm)({"reason": reason}).errors["reason"]
    with pytest.raises(CommandError, match="--reason is missing"):
        call_command("stop_capability", "spend", by=person.login_id, reason=reason)
    assert Capability.objects.get(code="spend").state == Capability.State.ENABLED
    if reason:
        with pytest.raises(ReasonBlank), transaction.atomic():
            audit.append("act", "subject", actor=person, reason=reason)


def test_a_stop_takes_effect_with_any_bytes_in_its_reason(
    own_database: Database, switches: None, staff: Any
) -> None:
    person = staff("incident_commander")
    words: list[str | bytes] = ["manage.py", "stop_capability", "transfer"]
    words += ["--by", person.login_id, "--reason", SHIFT_JIS]

    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, **own_database.environment, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert b"transfer is stopped" in done.stdout
    assert b"was replaced" in done.stderr
    connection.close()
    switch = Capability.objects.get(code="transfer")
    assert switch.state == Capability.State.DISABLED
    assert switch.reason == texts.storable(os.fsdecode(SHIFT_JIS))
    assert "\ufffd" in AuditEntry.objects.get(action="capability.stop").reason


def test_a_file_with_an_unreadable_name_is_loaded_under_a_readable_one(
    programme: Any, staff: Any, tmp_path: Any
) -> None:
    path = tmp_path / os.fsdecode(SHIFT_JIS + b".csv")
    path.write_text(
        "account_ref,login_id,email,email_verified_at,phone,phone_verified_at,display_name,"
        "kana_name,registered_at,password_hash\n"
        "x-1,x.one,,,,,,,2019-08-10T10:00:00+09:00,\n"
    )

    with as_loader():
        call_command("load_accounts", str(path), by=staff("treasury_operator").login_id)

    assert AuditEntry.objects.get(action="load.accounts").facts["file"] == texts.name_of(path)
