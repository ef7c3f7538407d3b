"""What holds for every page in every view."""

from __future__ import annotations

from typing import Any

AXE_GRAVE = ("serious", "critical")
# The ids that something on the page names and that nothing has.
DANGLING = """
    [...document.querySelectorAll("[aria-describedby], [aria-labelledby], [aria-controls], [for]")]
        .flatMap(each => ["aria-describedby", "aria-labelledby", "aria-controls", "for"]
            .flatMap(name => (each.getAttribute(name) || "").split(/\\s+/)))
        .filter(id => id && !document.getElementById(id))
"""


def look_at(page: Any, place: str, *, language: str, width: int, axe: Any = None) -> None:
    """The page fits, also with its errors and at twice the text, and names nothing that is missing.
    With `axe` it has no grave fault.
    """
    page.goto(place)
    assert page.get_attribute("html", "lang") == language
    assert page.locator("h1").count() == 1, place
    if page.locator("main form [name=reason]").count():
        # The page with its errors has everything that it had without them.
        with page.expect_navigation():
            page.locator("main form:has([name=reason]) [type=submit]").last.click()
        assert page.locator("[role=alert] a").count(), place
        assert page.locator("main [aria-invalid=true]").count(), place
    assert not page.evaluate(DANGLING), place
    if axe is not None:
        found = axe.run(page).response["violations"]
        grave = [each["id"] for each in found if each["impact"] in AXE_GRAVE]
        assert not grave, (place, language, width, grave)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, place
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, place
