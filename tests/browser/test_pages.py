"""Console and portal in a real browser: both languages, narrow and wide, by keyboard, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import places
from tests.browser.checks import look_through
from tests.browser.conftest import (
    PASSWORD,
    Site,
    entering,
    next_code,
    sign_in,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser pages")]


def test_every_page_is_accessible_fits_and_logs_no_error(
    site: Site, open_browser: Callable[..., Any], long_form: bool
) -> None:
    for person, addresses in places.of_the_site(site):
        look_through(open_browser, entering(site, person), addresses, long_form=long_form)


def test_a_person_signs_in_by_keyboard_alone(site: Site, open_browser: Callable[..., Any]) -> None:
    page = open_browser()
    page.goto("/console/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "id_login_id"
    page.keyboard.type(site.deputy)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#id_code").wait_for()
    # The link to the content moves the focus: the field is next.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "id_code"
    page.keyboard.type(next_code(site.secrets[site.deputy]))
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert page.url.partition("#")[0] == f"{site.address}/console/"
    assert page.locator("h1").inner_text().startswith("Incident")


def test_the_pages_work_without_javascript(site: Site, open_browser: Callable[..., Any]) -> None:
    page = open_browser(java_script_enabled=False)
    sign_in(page, site, site.deputy)
    page.click("text=日本語")
    assert page.locator("h1").inner_text().startswith("インシデント")
    page.click("text=English")

    page.click("#run-shut-down-by-deadline")
    page.click("#decide-approve")
    page.fill("#id_reason", "counted")
    page.click("button:text-is('Approve')")
    assert "Approved, not started" in page.inner_text("h1")

    page.goto("/console/switches/payout/stop/")
    page.fill("#id_reason", "the bank called")
    page.click("button:text-is('Stop')")
    assert "Stopped" in page.inner_text("h1")


def test_the_incident_page_stays_live_and_keeps_the_focus(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    page = open_browser()
    sign_in(page, site, site.deputy)
    assert "no tick seen" in page.inner_text("#clockwork")
    page.focus("#tile-money")
    with site.database.connect() as connection:
        connection.execute(
            "INSERT INTO winddown_worker (name, seen_at) VALUES ('tick', clock_timestamp())"
        )

    page.locator("#clockwork", has_text="last tick").wait_for(timeout=60_000)

    assert page.evaluate("document.activeElement.id") == "tile-money"
    assert page.is_hidden("#stale")


def test_errors_are_summarised_linked_and_in_the_title(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    page = open_browser()
    sign_in(page, site, site.deputy)
    page.goto("/console/switches/spend/stop/")
    page.click("button:text-is('Stop')")

    assert page.title().startswith("Error: ")
    page.click("[role=alert] a")
    assert page.evaluate("document.activeElement.id") == "id_reason"
