"""The page that begins the programme, in a real browser, on a phone and on a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser import places
from tests.browser.checks import ON_A_PHONE, ON_A_SCREEN, look
from tests.browser.conftest import served

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Site:
    """A served database without a programme, and the code that begins one."""

    address: str
    database: Any
    log: Path
    code: str


def _print_code() -> dict[str, Any]:
    from winddown.set_up import page_code

    return {"code": page_code.issue()}


@pytest.fixture
def site(own_database: Any, tmp_path: Path) -> Iterator[Site]:
    with served(own_database, tmp_path / "web.log", _print_code) as (address, made):
        yield Site(address=address, database=own_database, log=tmp_path / "web.log", **made)


def test_somebody_begins_the_programme_on_a_page(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    for language, width in (ON_A_PHONE, ON_A_SCREEN):
        page = open_browser(language=language, width=width)
        page.goto("/")
        page.click(f"main a[href='{places.BEGIN}']")
        look(page, language=language, width=width)
        content = page.input_value("[name=content]")
        page.fill("[name=content]", content.replace('"JPY"', '"JPX"'))
        # A guess is told nothing about the file, and the file is kept.
        for code, is_said in (("guess", False), (site.code, True)):
            page.fill("[name=code]", code)
            with page.expect_navigation():
                page.click("main form button[type=submit]")
            look(page, language=language, width=width)
            assert ("programme.currency" in page.inner_text("main [role=alert]")) is is_said
            assert page.input_value("[name=code]") == code
    page.fill("[name=code]", site.code)
    page.fill("[name=content]", content)
    with page.expect_navigation():
        page.click("main form button[type=submit]")
    look(page, language=language, width=width)
    assert "hana enrols" in page.inner_text("main")
