"""What holds for every page in every view."""

from __future__ import annotations

from typing import Any

WIDE = 1280
AXE_GRAVE = ("serious", "critical")
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


def in_view(*, number: int, turn: int, long_form: bool) -> bool:
    """Returns whether a page is looked at in this view: in every one in the proof, and otherwise in
    one of the two quick views.
    """
    return long_form or number % 2 == turn


def reads(axe: Any, *, number: int, turn: int, long_form: bool) -> Any:
    """Axe reads a page in every view in the proof, and otherwise in one of the two quick views."""
    return axe if in_view(number=number, turn=turn, long_form=long_form) else None


def look_at(page: Any, place: str, *, language: str, width: int, axe: Any = None) -> None:
    """The page fits, also with its errors and at twice the text, and names nothing that is missing.
    With `axe` it has no grave fault.
    """
    page.goto(place)
    assert page.get_attribute("html", "lang") == language
    assert page.locator("h1").count() == 1, place
    blank = page.locator(BLANK_FORM)
    if blank.count():
        # The page with its errors has everything that it had without them.
        with page.expect_navigation():
            blank.last.locator("[type=submit]:visible").last.click()
        assert page.locator("[role=alert] a").count(), place
        assert page.locator("main [aria-invalid=true]").count(), place
    assert not page.evaluate(DANGLING), place
    if axe is not None:
        found = axe.run(page).response["violations"]
        grave = [each["id"] for each in found if each["impact"] in AXE_GRAVE]
        assert not grave, (place, language, width, grave)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, place
    assert width < WIDE or page.evaluate(IN_TWO_LINES), f"the menu of {place} is too long"
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, place
