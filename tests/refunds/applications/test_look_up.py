"""The look-up lists the applications of a refund, with a link for those who may open the desk."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House


@pytest.mark.parametrize(("role", "links"), [("support", 1), ("auditor", 0)])
def test_an_application_is_listed_with_state_amount_and_reference(
    house: House, staff: Callable[..., Any], role: str, links: int
) -> None:
    owed = house.entitled(1)[0]
    application = house.apply(owed)
    browser = browser_of(staff(role), headers={"accept-language": "en"})
    typed = {"q": f"account:{owed.wallet.account_id}", "reason": "the customer called"}

    answer = browser.post("/console/look-up/find/", typed, follow=True)

    (listed,) = [each for card in answer.context["seen"].cards for each in card.lists]
    (row,) = listed.rows
    assert (listed.total, row.subject) == (1, application.subject)
    assert (row.state, row.amount_minor) == (application.state, owed.amount_minor)
    said = answer.content.decode()
    page = f"/console/applications/{application.pk}/"
    assert said.count(f'href="{page}"') == links
    assert browser.get(page).status_code == (200 if links else 403)


def test_the_command_lists_it_too(
    house: House,
    staff: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owed = house.entitled(1)[0]
    application = house.apply(owed)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"account:{owed.wallet.account_id}\n"))

    call_command("look_up", "--by", staff("support").login_id, "--reason", "called")

    assert f"{application.subject}: " in capsys.readouterr().out
