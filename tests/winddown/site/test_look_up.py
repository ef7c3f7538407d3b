"""The look-up of one account or wallet shows how it stands and what happened, and no personal data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.sign_in import second_factor
from tests.winddown.site.readings import entry, table
from winddown.models import AuditEntry
from winddown.site import reading

pytestmark = pytest.mark.django_db


def find(browser: Client, typed: str) -> Any:
    """The answer to what was typed, at the end of its redirect."""
    return browser.post("/console/look-up/find/", {"q": typed}, follow=True)


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
    assert f'href="?q=account%3A{holder.account_id}"' in by_wallet.content.decode()


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
    assert wrong.count('id="id_q"') == 1


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
