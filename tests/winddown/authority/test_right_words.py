"""A right and a role are called by their names, on pages and in what a command refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from tests.config.test_every_door import DOORS, OF_STAFF, browser_of
from winddown.authority import role_words, who_can
from winddown.authority.roles import ROLES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("programme")]

CODE = re.compile(
    rf"\b(?:(?:winddown|accounts|wallets|refunds)\.[a-z]+_[a-z_]+|{'|'.join(ROLES)})\b"
)
# Names of roles that are words of the language as well.
WORDS = {"auditor", "compliance", "support"}


class Shown(HTMLParser):
    """The text of a page that people read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.hidden += tag in ("script", "style", "code", "textarea")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style", "code", "textarea")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.text.append(data)


def codes(text: str) -> set[str]:
    return set(CODE.findall(text)) - WORDS


def refused(*words: str) -> str:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*words, "--reason=test", stdout=out)
    assert ended.value.code == 1
    return out.getvalue()


def test_every_right_has_a_name_in_both_languages() -> None:
    known = {each.name for each in who_can.permissions()}
    assert set(role_words.RIGHT_WORDS) == known
    for permission in known:
        with translation.override("en"):
            english = role_words.right_words(permission)
        with translation.override("ja"):
            japanese = role_words.right_words(permission)
        assert english != japanese
        assert not japanese.isascii()
    both = "winddown.approve_run or winddown.plan_run"
    with translation.override("en"):
        assert role_words.right_words(both) == "approve a run or plan a run"


def test_a_refused_command_says_the_right_the_roles_and_who_can_give_one(
    staff: Callable[..., Any],
) -> None:
    clerk, other = staff("support"), staff("support")
    for words, right, roles in (
        (("stop_capability", "spend"), "stop a function", "Fraud analyst"),
        (("freeze_charges", "--plan"), "plan a run", "Treasury operator"),
        (("staff", "roles", other.login_id), "assign roles to colleagues", "Compliance"),
    ):
        said = refused(*words, f"--by={clerk.login_id}")
        assert f"{clerk.login_id} may not" in said
        assert f"The right “{right}” is missing." in said
        assert roles in said.partition("Roles that have it:")[2]
        assert "Who can give a role: Incident commander, Compliance." in said
        assert f"manage.py who_can --person {clerk.login_id}" in said
        assert codes(said) == set()


def test_the_facts_for_machines_keep_the_code(staff: Callable[..., Any]) -> None:
    clerk = staff("support")
    said = refused("stop_capability", "spend", f"--by={clerk.login_id}", "--json")
    assert json.loads(said)["permission"] == "winddown.stop_capability"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_page_shows_a_right_or_a_role_by_its_code(
    staff: Callable[..., Any], language: str
) -> None:
    browsers = [
        browser_of(staff(*roles, **made), headers={"accept-language": language})
        for roles, made in (((), {"is_superuser": True}), (("support",), {}))
    ]
    shown, seen = {}, 0
    for door in DOORS:
        if not door.name.startswith(OF_STAFF):
            continue
        for browser in (*browsers, Client()):
            answer = browser.get(door.address)
            if "html" in answer.headers.get("Content-Type", ""):
                seen += 1
                if found := codes(" ".join(Shown(answer.content.decode()).text)):
                    shown[door.address] = found
    assert shown == {}
    assert seen > 50
