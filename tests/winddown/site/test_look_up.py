"""The look-up of one account or wallet shows how it stands and what happened, and no personal data."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from accounts.sign_in import second_factor
from tests.signing_in import code_typed
from tests.winddown.site.readings import entry, table
from winddown.models import AuditEntry
from winddown.site import look_up_page, reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(browser: Client) -> Client:
    """The auditor has given a reason for what they look up in this session."""
    session = browser.session
    session[look_up_page.REASON] = "an audit"
    session.save()
    return browser


def find(browser: Client, typed: str, *, reason: str = "an audit") -> Any:
    """The answer to what was typed, at the end of its redirect."""
    typed_in = {"q": typed, "reason": reason}
    return browser.post("/console/look-up/find/", typed_in, follow=True)


def test_an_account_and_its_wallet_are_found_without_personal_data(
    browser: Client, holder: Any
) -> None:
    account = f"account:{holder.account_id}"
    for typed in (account, "HANAKO@example.jp", holder.account.account_ref):
        answer = find(browser, typed)
        assert answer.redirect_chain == [
            (f"/console/look-up/?q=account%3A{holder.account_id}", 302)
        ]
        said = answer.content.decode()
        assert [card.subject for card in answer.context["seen"].cards] == [
            account,
            f"wallet:{holder.pk}",
        ]
        for shown in ("h***@e***.jp", "***-678", "JPY 12,345"):
            assert shown in said
        for personal in ("hanako", "1234-5678", "Suzuki"):
            assert personal not in said
    by_wallet = find(browser, holder.wallet_ref)
    assert [card.subject for card in by_wallet.context["seen"].cards] == [f"wallet:{holder.pk}"]
    assert f'href="/console/look-up/?q=account%3A{holder.account_id}"' in by_wallet.content.decode()


def test_nobody_is_found_by_a_part_and_nothing_typed_is_kept(browser: Client, holder: Any) -> None:
    unknown = find(browser, "hanako@")
    assert unknown.redirect_chain == []
    assert 'value="hanako@"' in unknown.content.decode()
    assert unknown.content.decode().count("There is no such account or wallet.") == 2
    assert "Enter a reference" in find(browser, " ").content.decode()
    assert AuditEntry.objects.filter(action="look_up.read", subject="look_up").count() == 1
    find(browser, "hanako@example.jp")
    subject = f"account:{holder.account_id}"
    file = table(browser.get("/console/look-up/file/", {"q": subject}))

    assert file[1] == ["Query", f"/console/look-up/?q=account%3A{holder.account_id}"]
    assert "hanako" not in str(file)
    for read in AuditEntry.objects.filter(action="look_up.read"):
        assert "hanako" not in str(read.facts)
    newest = AuditEntry.objects.filter(action="look_up.read").latest("seq")
    assert newest.subject == f"account:{holder.account_id}"


def test_a_search_whose_result_is_not_opened_is_in_the_journal(
    browser: Client, holder: Any
) -> None:
    """The address of the redirect says already that there is such an account."""
    typed = {"q": "hanako@example.jp", "reason": "curious"}
    answer = browser.post("/console/look-up/find/", typed)
    assert answer.status_code == 302
    read = AuditEntry.objects.filter(action="look_up.read").latest("seq")
    assert (read.subject, read.reason) == (f"account:{holder.account_id}", "curious")


def test_the_history_of_a_wallet_is_one_list_in_pages(
    browser: Client, holder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        entry("test.act", f"wallet:{holder.pk}", reason=f"{number}")
    everything = browser.get(f"/console/look-up/?q=wallet:{holder.pk}").context["seen"].lines
    assert {line.code.partition(".")[0] for line in everything} == {"test", "wallet"}
    assert [line.at for line in everything] == sorted((e.at for e in everything), reverse=True)
    held = next(line for line in everything if line.code.startswith("wallet."))
    assert str(held.result) == "Being checked"

    for rows in (1, 2):
        monkeypatch.setattr(reading, "PAGE_ROWS", rows)
        keys, query = [], f"q=wallet:{holder.pk}"
        while query:
            seen = browser.get(f"/console/look-up/?{query}").context["seen"]
            keys += [line.key for line in seen.lines if line.code != "look_up.read"]
            query = seen.older_query if seen.older else ""
        assert keys == [line.key for line in everything]


def test_a_filter_keeps_the_account_that_was_found(browser: Client, holder: Any) -> None:
    subject = f"account:{holder.account_id}"
    wrong = browser.get("/console/look-up/", {"q": subject, "since": "x"}).content.decode()

    assert f'<input type="hidden" name="q" value="{subject}">' in wrong
    assert f'href="/console/look-up/?q={subject.replace(":", "%3A")}"' in wrong
    assert wrong.count('name="q"') == 1
    assert 'href="/console/look-up/"' in wrong


def test_an_address_of_a_page_names_no_person(browser: Client, holder: Any) -> None:
    answer = browser.get("/console/look-up/", {"q": "hanako@example.jp"})
    assert answer.context["seen"].cards == []
    assert "There is a problem" in answer.content.decode()


@pytest.mark.parametrize("key", ["9" * 18, "9" * 17 + "-1-1", "1-1", "-1-1-1", "x"])
def test_a_key_that_is_none_is_said(browser: Client, holder: Any, key: str) -> None:
    answer = browser.get(f"/console/look-up/?q=wallet:{holder.pk}&before={key}")

    assert answer.status_code == 200
    assert "There is a problem" in answer.content.decode()
    latest = browser.get(f"/console/look-up/?q=wallet:{holder.pk}&before={'9' * 16}-1-1")
    assert latest.context["seen"].lines


def test_a_colleague_is_found_with_number_and_roles(
    browser: Client, staff: Callable[..., Any]
) -> None:
    colleague = staff("support")
    second_factor.add_app(colleague)

    said = find(browser, colleague.login_id).content.decode()

    assert colleague.staff_number in said
    assert "Support" in said
    assert colleague.authenticator_set.get().data["secret"] not in said


# --- customers, by those who help them -------------------------------------------------------------


@pytest.mark.parametrize("typed", ["HANAKO@example.jp", "090 1234 5678", "Suzuki Hanako"])
def test_support_finds_a_customer_for_a_reason_and_reads_no_personal_data(
    holder: Any, staff: Callable[..., Any], signed_in: Callable[..., Client], typed: str
) -> None:
    helper = staff("support")
    browser = signed_in(helper)
    subject = f"account:{holder.account_id}"
    assert "Give the reason" in find(browser, typed, reason=" ").content.decode()
    assert browser.get("/console/look-up/", {"q": subject}).context["seen"].cards == []
    assert not AuditEntry.objects.filter(action="look_up.read", subject=subject).exists()

    answer = find(browser, typed, reason="the customer called")

    assert answer.context["seen"].cards[0].subject == subject
    said = answer.content.decode()
    assert "h***@e***.jp" in said
    for personal in ("hanako@", "1234-5678", "Suzuki"):
        assert personal not in said
    assert f'href="/console/look-up/{holder.account_id}/contact/"' in said
    read = AuditEntry.objects.filter(action="look_up.read").latest("seq")
    assert (read.subject, read.actor, read.reason) == (subject, helper, "the customer called")


def test_accounts_that_share_a_name_are_offered_without_it(
    browser: Client, holder: Any, customer: Callable[..., Any]
) -> None:
    other = customer(display_name="Suzuki Hanako")

    answer = find(browser, "Suzuki Hanako")

    said = answer.content.decode()
    assert "Several accounts share" in said
    for found in (holder.account, other):
        assert f'href="/console/look-up/?q=account%3A{found.pk}"' in said
    assert AuditEntry.objects.filter(action="look_up.read", subject="look_up").count() == 1


def test_contact_data_is_shown_once_for_a_reason_and_the_auditor_sees_how_often(
    browser: Client, holder: Any, staff: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    helper = staff("support", display_name="Mori")
    address = f"/console/look-up/{holder.account_id}/contact/"
    support = signed_in(helper)
    assert "hanako" not in support.get(address).content.decode()
    assert "Give the reason" in support.post(address, {"reason": ""}).content.decode()
    assert browser.get(address).status_code == 403

    shown = support.post(address, {"reason": "call back"}).content.decode()

    for personal in ("hanako@example.jp", "090-1234-5678", "Suzuki Hanako"):
        assert personal in shown
    (entry,) = AuditEntry.objects.filter(action="account.read_contact")
    assert (entry.subject, entry.reason) == (f"account:{holder.account_id}", "call back")
    assert "hanako" not in str(entry.facts)
    page = browser.get("/console/look-up/")
    assert [(str(who), day, week) for who, day, week in page.context["reveals"]] == [("Mori", 1, 1)]
    assert "Who read personal data in full" in page.content.decode()
    assert "reveals" not in support.get("/console/look-up/").context


def test_the_command_looks_up_for_the_same_people(
    holder: Any,
    staff: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    helper, subject = staff("support"), f"account:{holder.account_id}"

    def look_up(by: Any, text: str, *more: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        call_command("look_up", "--by", by.login_id, "--reason", "called", *more)
        return capsys.readouterr().out

    with translation.override("ja"):
        said = look_up(helper, "hanako@example.jp\n")
    assert subject in said
    assert said.isascii(), "a command speaks English"
    assert f"wallet:{holder.pk}" in said
    assert "Suzuki" not in said

    with code_typed(helper):
        code = sys.stdin.readline()
    assert "Suzuki Hanako" in look_up(helper, f"{code}{subject}\n", "--contact")
    with pytest.raises(SystemExit):
        look_up(staff("treasury_operator"), "hanako@example.jp\n")
    with pytest.raises(SystemExit):
        look_up(helper, "nobody\n")
