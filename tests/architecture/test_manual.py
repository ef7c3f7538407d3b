"""The operator manual names commands and pages that exist, with options that they take, and both
languages name the same ones.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

DOCS = Path(__file__).resolve().parents[2] / "docs"
MANUALS = (DOCS / "operator-manual.md", DOCS / "operator-manual.ja.md")
# What the text shortens on purpose.
ELLIPSES = ("...", "…", "--help")

per_manual = pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)


def lines(text: str) -> list[list[str]]:
    """Returns the words of each command that stands in a block of the manual."""
    blocks = re.sub(r"\\\n\s*", " ", text)
    found = re.findall(r"^ {4}.*?manage\.py (.+?)(?:\s+[#>].*)?$", blocks, re.MULTILINE)
    return [shlex.split(part) for line in found for part in line.split("&& manage.py ")]


def commands(text: str) -> set[str]:
    return set(re.findall(r"manage\.py ([a-z][a-z_]+)", text))


def pages(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])/(?:console|account|sign-in)/[\w/-]*", text))


def misread(words: list[str]) -> str:
    """Returns why the command would not understand its words, or an empty text."""
    name, *rest = words
    app = get_commands().get(name)
    if app is None:
        return f"there is no command {name}"
    parser = load_command_class(app, name).create_parser("manage.py", name)
    try:
        parser.parse_args(rest)
    except SystemExit:
        return f"{name} does not take {' '.join(rest)}"
    except Exception as error:
        return f"{name}: {error}"
    return ""


@per_manual
def test_every_command_of_the_manual_is_understood(manual: Path) -> None:
    found = lines(manual.read_text())
    assert len(found) > 30
    told = [words for words in found if not set(words) & set(ELLIPSES)]
    assert [why for words in told if (why := misread(words))] == []


@per_manual
def test_every_page_of_the_manual_exists(manual: Path) -> None:
    named = pages(manual.read_text())
    assert len(named) > 5
    missing = []
    for page in named:
        try:
            # A part in capitals stands for a number.
            number = re.sub(r"[A-Z]+", "1", page)
            resolve(number if number.endswith("/") else f"{number}/")
        except Resolver404:
            missing.append(page)
    assert missing == []


def test_both_languages_name_the_same_commands_and_pages() -> None:
    english, japanese = (manual.read_text() for manual in MANUALS)
    assert commands(english) == commands(japanese)
    assert pages(english) == pages(japanese)
    headings = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in (english, japanese)]
    assert headings[0] == headings[1]
