"""On every page, also with errors: a field names its hint and its errors, and the language switch
keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from tests.config.test_every_door import DOORS, OF_STAFF, browser_of
from winddown.models import AuditEntry, Capability

pytestmark = pytest.mark.django_db

LEAVING = {"sign_out", "sign_out_everywhere", "end_session"}
CONTROLS = ("input", "select", "textarea")
UNBOUND = ("hidden", "submit", "radio")
SECRET = ("password", "file")


class Page(HTMLParser):
    """The ids of a page, and which elements describe which controls."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.described: set[str] = set()
        self.labels: set[str] = set()
        self.controls: dict[str, dict[str, str | None]] = {}
        self.texts: set[str] = set()
        self.form: str | None = None
        self.kept: dict[str, str | None] = {}
        self.switches: str | None = None
        self.feed(text)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.form = given.get("id") or "another"
        if given.get("name") == "switch_language":
            self.switches = given.get("form")
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.described |= set((given.get("aria-describedby") or "").split())
        if tag == "label":
            self.labels.add(str(given.get("for")))
        if tag in CONTROLS and given.get("type") not in UNBOUND and "hidden" not in given:
            self.controls[str(given.get("name"))] = given
            if given.get("type") not in SECRET and given.get("autocomplete") != "one-time-code":
                self.kept[str(given.get("name"))] = self.form
        if "hint" in (given.get("class") or "").split():
            self.texts.add(str(given.get("id")))

    def wrong(self) -> Iterator[str]:
        """Yields what is not bound: to no text, to no control, or twice the same id."""
        yield from (f"{each} describes, and is not there" for each in self.described - {*self.ids})
        yield from (f"{each} describes nothing" for each in self.texts - self.described)
        ends = {each for each in self.ids if each.endswith("-error")}
        yield from (f"{each} describes nothing" for each in ends - self.described)
        if len(self.ids) != len(set(self.ids)):
            yield f"twice the same id: {sorted(self.ids)}"
        for name, given in self.controls.items():
            if given.get("id") not in self.labels and not given.get("aria-label"):
                yield f"{name} has no label"


def test_every_field_names_its_hint_and_its_errors(
    programme: Any, staff: Callable[..., Any], customer: Callable[..., Any]
) -> None:
    clerk, holder = browser_of(staff(is_superuser=True)), browser_of(customer())
    wrong, errors = [], 0
    for door in DOORS:
        if door.name in LEAVING:
            continue
        browsers = [clerk] if door.name.startswith(OF_STAFF) else [holder, Client()]
        for browser in browsers:
            for method in ("GET", "POST"):
                answer = browser.generic(method, door.address)
                if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
                    continue
                page = Page(answer.content.decode())
                errors += 'class="field-error"' in answer.content.decode()
                wrong += [f"{method} {door.address}: {each}" for each in page.wrong()]
    assert wrong == []
    assert errors >= 3


def test_the_language_switch_of_every_page_sends_every_field_of_it(
    programme: Any, staff: Callable[..., Any], customer: Callable[..., Any]
) -> None:
    clerk, holder = browser_of(staff(is_superuser=True)), browser_of(customer())
    lost, kept = [], set()
    for door in DOORS:
        if door.name in LEAVING:
            continue
        browsers = [clerk] if door.name.startswith(OF_STAFF) else [holder, Client()]
        for browser in browsers:
            answer = browser.get(door.address)
            if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
                continue
            page = Page(answer.content.decode())
            for name, form in page.kept.items():
                kept.add(door.name)
                if form != "typed" or page.switches != "typed":
                    lost.append(f"{door.address}: {name}")
    assert lost == []
    assert {"console:audit", "console:look_up", "staff:who_can", "cases:list"} <= kept


@pytest.mark.parametrize("address", ["/console/audit/", "/console/approvals/"])
def test_a_filter_is_kept_and_asked_for_in_the_other_language(
    programme: Any, staff: Callable[..., Any], address: str
) -> None:
    browser = browser_of(staff("auditor"), headers={"accept-language": "ja"})
    typed = {"since": "2019-07-04", "until": "", "person": "A & B", "switch_language": "en"}

    answer = browser.get(address, typed)

    assert answer["Location"] == f"{address}?since=2019-07-04&person=A+%26+B"
    said = browser.get(answer["Location"]).content.decode()
    assert 'value="2019-07-04"' in said
    assert 'value="A &amp; B"' in said
    assert '<html lang="en"' in said
    assert browser.get(address, {"switch_language": "ja"})["Location"] == address
    assert browser.get(address, {"switch_language": "xx"}).status_code == 200


def test_the_search_for_a_person_is_kept_and_looks_nothing_up(
    programme: Any, staff: Callable[..., Any]
) -> None:
    browser = browser_of(staff("auditor"), headers={"accept-language": "ja"})
    before = AuditEntry.objects.count()

    answer = switched(browser, "/console/look-up/find/", q="hanako@", reason="an au")

    said = answer.content.decode()
    assert 'value="hanako@"' in said
    assert "an au" in said
    assert '<html lang="en"' in said
    assert "field-error" not in said
    assert AuditEntry.objects.count() == before


def switched(browser: Client, address: str, **typed: Any) -> Any:
    return browser.post(address, {"switch_language": "en", **typed})


def test_the_language_switch_keeps_what_was_typed_and_does_nothing(
    programme: Any, staff: Callable[..., Any]
) -> None:
    browser = browser_of(staff("incident_commander"), headers={"accept-language": "ja"})
    address = "/console/switches/spend/stop/"
    shown = browser.get(address).content.decode()
    assert 'form="typed"' in shown
    assert 'id="typed"' in shown

    answer = switched(browser, address, reason="half a sentence", digest="forged")

    said = answer.content.decode()
    assert answer.status_code == 200
    assert "half a sentence" in said
    assert "forged" not in said
    assert 'lang="en"' in said
    assert "field-error" not in said
    assert Capability.objects.get(code="spend").state == "enabled"
    assert 'lang="en"' in browser.get("/console/").content.decode()


def test_choices_and_several_fields_are_kept(programme: Any, staff: Callable[..., Any]) -> None:
    browser = browser_of(staff("compliance"))

    answer = switched(
        browser, "/console/switches/stop/", codes=["spend", "transfer"], reason="because"
    )

    page = answer.content.decode()
    assert page.count("checked") == 2
    assert "because" in page
    notice = switched(browser, "/console/programme/publish-notice/", issuer_name="A & B KK")
    assert "A &amp; B KK" in notice.content.decode()


def test_no_password_and_no_code_is_shown_again(programme: Any) -> None:
    answer = switched(Client(), "/sign-in/", login_id="hanako", password="Secret-word-1")

    said = answer.content.decode()
    assert 'value="hanako"' in said
    assert "Secret-word-1" not in said


def test_a_forged_switch_is_refused_and_an_unknown_language_is_a_form(
    programme: Any, staff: Callable[..., Any]
) -> None:
    person = staff("incident_commander")
    forged = switched(browser_of(person, enforce_csrf_checks=True), "/console/switches/spend/stop/")
    assert forged.status_code == 403

    address = "/console/switches/spend/stop/"
    sent = browser_of(person).post(address, {"switch_language": "xx", "reason": "an attack"})

    assert sent.status_code == 302
    assert Capability.objects.get(code="spend").state == "disabled"
