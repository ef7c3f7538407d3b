"""What holds for every page in every view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import axe_playwright_python

# These two views show nearly all that the other two would.
QUICK_VIEWS = ON_A_PHONE, ON_A_SCREEN = ("ja", 320), ("en", 1280)
VIEWS = (*QUICK_VIEWS, ("ja", 1280), ("en", 320))
WIDE = 1280
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# Only the ids come out of the browser: the whole answer takes longer to carry than to find.
GRAVE = """
    axe.run({resultTypes: ["violations"], reporter: "no-passes"}).then(found => found.violations
        .filter(each => ["serious", "critical"].includes(each.impact)).map(each => each.id))
"""
# The ids that something on the page names and that nothing has.
DANGLING = """
    [...document.querySelectorAll("[aria-describedby], [aria-labelledby], [aria-controls], [for]")]
        .flatMap(each => ["aria-describedby", "aria-labelledby", "aria-controls", "for"]
            .flatMap(name => (each.getAttribute(name) || "").split(/\\s+/)))
        .filter(id => id && !document.getElementById(id))
"""
# A form that is refused as long as nothing is typed.
BLANK_FORM = """main form[method=post][novalidate]:visible:has(
    :is(input[type=text], input[type=password], input[inputmode], textarea)[required])"""
IN_TWO_LINES = """
    new Set([...document.querySelectorAll(".bar-in nav li")].map(each => each.offsetTop)).size <= 2
"""


def look_through(
    open_page: Callable[..., Any],
    enter: Callable[[Any], None],
    places: Iterable[str],
    *,
    long_form: bool,
) -> None:
    """Each page holds in each view: in the proof in all four, otherwise in one of the two quick
    views. `enter` makes a fresh page one of somebody who may see the places.
    """
    for turn, (language, width) in enumerate(VIEWS if long_form else QUICK_VIEWS):
        page = open_page(language=language, width=width)
        enter(page)
        page.context.add_init_script(path=AXE)
        for number, place in enumerate(places):
            if long_form or number % len(QUICK_VIEWS) == turn:
                page.goto(place)
                _look_at(page, place, language=language, width=width)
        page.context.close()


def look(page: Any, *, language: str, width: int) -> None:
    """The page that is open has no grave fault, and fits."""
    place = page.url
    assert page.get_attribute("html", "lang") == language, place
    assert page.locator("h1").count() == 1, place
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    assert page.evaluate(GRAVE) == [], (place, language, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, place


def _look_at(page: Any, place: str, *, language: str, width: int) -> None:
    """The page fits, also with its errors and at twice the text, and names nothing that is missing."""
    blank = page.locator(BLANK_FORM)
    if blank.count():
        # The page with its errors has everything that it had without them.
        with page.expect_navigation():
            blank.last.locator("[type=submit]:visible").last.click()
        assert page.locator("[role=alert] a").count(), place
        assert page.locator("main [aria-invalid=true]").count(), place
    look(page, language=language, width=width)
    assert not page.evaluate(DANGLING), place
    assert width < WIDE or page.evaluate(IN_TWO_LINES), f"the menu of {place} is too long"
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, place
