"""A customer at a telephone who uses the keyboard alone: the tabulator and Enter."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import PASSWORD

AT = "/account/refund/"
FAR = 80


def press(page: Any, name: str) -> None:
    """The focus goes by the tabulator to what has this name, and Enter presses it."""
    for _ in range(FAR):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == name:
            break
    else:
        raise AssertionError(f"no way to {name}")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def fill(page: Any, **typed: str) -> None:
    """The focus goes to each field in turn, and the text is typed."""
    for name, value in typed.items():
        for _ in range(FAR):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == name:
                break
        else:
            raise AssertionError(f"no way to {name}")
        page.keyboard.insert_text(value)


def apply_by_keyboard(
    page: Any, login: str, *, bank: str, number: str = "７６５４３２１"
) -> list[str]:
    """The customer has signed in and applied for 1,234 yen. Returns the addresses of the pages after
    the one on which the sign-in ended.
    """
    screens: list[str] = []
    page.on("framenavigated", lambda frame: screens.append(frame.url.partition("?")[0]))
    page.goto(AT)
    fill(page, login_id=login, password=PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    screens.clear()
    assert "1,234円" in page.inner_text("main")
    press(page, "始める")
    press(page, bank)
    fill(page, branch="001", number=number)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    fill(page, family="やまだ", given="たろう")
    press(page, "次へ進む")
    assert "ﾔﾏﾀﾞ ﾀﾛｳ" in page.inner_text("main")
    press(page, "払戻しを申し出る")
    return screens
