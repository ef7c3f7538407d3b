"""Japanese is complete, and what is committed for machines without gettext is what the texts say."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages import mofile, pofile
from babel.messages.extract import extract
from django.apps import apps
from django.utils.translation.template import templatize

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from winddown import words

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "locale" / "ja" / "LC_MESSAGES" / "django"
ROOMS = ("config", "winddown", "accounts", "wallets", "refunds", "rehearsal")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "says": None,
    # The statement of an invariant; its code is no text.
    "invariant": (2,),
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def sources() -> Iterator[tuple[Path, str]]:
    """Every file with texts for people, as Python that calls gettext."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text()
    templates = ROOT / "templates"
    for path in sorted([*templates.rglob("*.html"), *templates.rglob("*.txt")]):
        calls = templatize(path.read_text(), origin=str(path))
        # It keeps the indentation of the template, which Python does not accept.
        yield path, "\n".join(line.strip() for line in calls.splitlines())


def texts() -> set[tuple[str | None, str]]:
    found = set()
    for _path, source in sources():
        for _line, message, _comments, context in extract(
            "python", io.BytesIO(source.encode()), keywords=KEYWORDS
        ):
            message_id = message[0] if isinstance(message, tuple) else message
            if message_id:
                found.add((context, message_id))
    return found


def catalogue(kind: Any, suffix: str) -> dict[tuple[str | None, str], Any]:
    with CATALOGUE.with_suffix(suffix).open("rb") as file:
        messages = kind(file)
    return {
        (_text(each.context), each.id if isinstance(each.id, str) else each.id[0]): each
        for each in messages
        if each.id
    }


def _text(context: Any) -> str | None:
    """A compiled catalogue's contexts are bytes."""
    return context.decode() if isinstance(context, bytes) else context


def test_no_text_is_translated_inside_another_one() -> None:
    """What is between the braces of an f-string is not found by those who collect the texts."""
    inside = [
        f"{path}:{call.lineno}"
        for path, source in sources()
        if path.suffix == ".py"
        for whole in ast.walk(ast.parse(source))
        if isinstance(whole, ast.JoinedStr)
        for call in ast.walk(whole)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in KEYWORDS
    ]
    assert not inside


def test_every_text_has_a_japanese_translation() -> None:
    known = catalogue(pofile.read_po, ".po")

    missing = sorted(str(text) for text in texts() - known.keys())

    assert not missing, "\n".join(missing)


def test_no_japanese_text_is_empty_or_fuzzy() -> None:
    known = catalogue(pofile.read_po, ".po")

    unfinished = [
        str(key)
        for key, each in known.items()
        if each.fuzzy or not each.string or not all(each.string)
    ]

    assert not unfinished


def test_the_compiled_texts_match_the_source() -> None:
    written = catalogue(pofile.read_po, ".po")
    compiled = catalogue(mofile.read_mo, ".mo")

    assert {key: plain(each) for key, each in compiled.items()} == {
        key: plain(each) for key, each in written.items()
    }


def plain(message: Any) -> str:
    return message.string if isinstance(message.string, str) else message.string[0]


@pytest.mark.parametrize("mark", [r"%\((\w+)\)s", r"\{(\w+)\}"])
def test_a_translation_has_the_same_placeholders(mark: str) -> None:
    for (_context, text), each in catalogue(pofile.read_po, ".po").items():
        assert sorted(set(re.findall(mark, text))) == sorted(set(re.findall(mark, plain(each)))), (
            text
        )


def test_every_state_that_a_page_shows_has_its_word() -> None:
    """Otherwise a page shows the name of the code in both languages."""
    shown = set()
    for path in (ROOT / "templates").rglob("*.html"):
        shown |= set(re.findall(r'{% state "(\w+)"', path.read_text()))
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            shown |= set(re.findall(r'machine="(\w+)"', path.read_text()))
    machines = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower(): model
        for model in apps.get_models()
        if hasattr(model, "State")
    }
    wordless = {
        f"{name}: {state}"
        for name in shown & set(machines)
        for state in machines[name].State.values  # type: ignore[attr-defined]
        if state not in (words.STATES.get(name) or {})
    }
    assert not wordless
    assert len(shown & set(machines)) > 10
