"""Every cited rule has an entry in docs/rules.md, and every entry is true."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.apps import apps

from accounts.attacks import rules as attack_rules
from refunds.claims import victims
from winddown.evidence import invariants

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "rules.md"
READ = ("winddown", "accounts", "wallets", "refunds", "rehearsal", "config", "benchmarks")
READ = (*READ, "tests", "templates", "static", "docs")
ENDINGS = {".py", ".html", ".txt", ".md", ".css", ".js"}
OURS = {"winddown", "accounts", "wallets", "refunds"}

_LIST = r"(\d+(?:(?:\s*,\s*|\s*,?\s+and\s+|\s+to\s+|-)\d+)*)"
RULES = re.compile(rf"\b[Rr]ules?\s+{_LIST}\b")
FAULTS = re.compile(rf"\b[Ff]aults?\s+{_LIST}\b")
ASVS = re.compile(r"\bASVS\s+(\d+\.\d+\.\d+(?:,\s*\d+\.\d+\.\d+)*)")
UX = re.compile(r"\bUX\s+(?:[a-z]+\s+)?(\d+)\b")
# A P or L with a number in quotes is a row of a test's file, not a citation.
LETTERED = re.compile(
    r"(?<!\w)(?:(?<![\"'-])|(?<=\"{3}))([LP]\d{1,2})(?![\w\"'-])|\b(I\d{1,2}[a-z]?|S\d{1,2})\b"
)


class Entry(NamedTuple):
    """One line of a table: the code, the rule, and the names and tests it refers to."""

    code: str
    statement: str
    names: list[str]
    tests: list[str]


# --- reading ------------------------------------------------------------------------------------


def _cells(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith(("| Code ", "| Rule ")):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def entries(text: str) -> list[Entry]:
    found = []
    for cells in _cells(text):
        spans = re.findall(r"`([^`]+)`", " ".join(cells[2:]))
        versioned = cells[1].isdigit()
        found.append(
            Entry(
                code=cells[0],
                statement=cells[2] if versioned else cells[1],
                names=[span for span in spans if "::" not in span and " " not in span],
                tests=[span for span in spans if "::" in span],
            )
        )
    return found


def _numbers(text: str) -> Iterator[int]:
    for first, last in re.findall(r"(\d+)(?:\s*(?:-|\sto\s)\s*(\d+))?", text):
        yield from range(int(first), int(last or first) + 1)


def citations(text: str) -> set[str]:
    """Returns the codes that a text cites, as docs/rules.md spells them."""
    found = {str(number) for cited in RULES.findall(text) for number in _numbers(cited)}
    found |= {f"Fault {number}" for cited in FAULTS.findall(text) for number in _numbers(cited)}
    found |= {f"ASVS {one.strip()}" for cited in ASVS.findall(text) for one in cited.split(",")}
    found |= {f"UX {number}" for number in UX.findall(text)}
    return found | {"".join(pair) for pair in LETTERED.findall(text)}


def _files() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    for name in READ:
        yield from sorted(
            path
            for path in (ROOT / name).rglob("*")
            if path.suffix in ENDINGS and path not in (PAGE, Path(__file__))
        )


def _without_entry(text: str, known: set[str]) -> set[str]:
    return citations(text) - known


LAW = entries(PAGE.read_text())
CODES = {entry.code for entry in LAW}


# --- citations ----------------------------------------------------------------------------------


def test_every_cited_rule_has_an_entry() -> None:
    unknown = {
        str(path.relative_to(ROOT)): sorted(missing)
        for path in _files()
        if (missing := _without_entry(path.read_text(), CODES))
    }
    assert unknown == {}


def test_every_rule_that_the_page_itself_cites_has_an_entry() -> None:
    sources = " ".join(cells[2] for cells in _cells(PAGE.read_text()))
    assert _without_entry(sources, CODES) == set()


def test_every_entry_is_cited_somewhere() -> None:
    """An entry that is never cited is no rule of this code, or its code is mistyped."""
    cited: set[str] = set().union(*(citations(path.read_text()) for path in _files()))
    rules = {entry.code for entry in LAW if "-" not in entry.code}
    assert rules - cited == set()


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ('"""Rule 98."""', {"98"}),
        ("# (rules 1,\n    97 and 98)", {"97", "98"}),
        ("<!-- rules 96 to 98 -->", {"96", "97", "98"}),
        ("holds (I99z) for all", {"I99z"}),
        ('("I98", "a breach")', {"I98"}),
        ("must be announced (L99)", {"L99"}),
        ('"""P98: one of two."""', {"P98"}),
        ("Signals S98 and S99-much", {"S98", "S99"}),
        ("UX portal 99", {"UX 99"}),
        ("(ASVS 9.9.9, 6.2.1)", {"ASVS 9.9.9"}),
        ("Faults 1-3 and 99", {"Fault 99"}),
        ('{"payment_ref": "P98"}  # noqa: S608', set()),
    ],
)
def test_a_citation_of_an_unknown_rule_is_found(planted: str, found: set[str]) -> None:
    assert _without_entry(planted, CODES) == found


# --- entries ------------------------------------------------------------------------------------


def test_every_code_has_one_entry() -> None:
    assert len(LAW) == len(CODES)


def _guards() -> set[str]:
    """Returns constraints by name, triggers by model and name, and functions of the database by
    name.
    """
    found = set()
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            found |= {constraint.name for constraint in model._meta.constraints}
            triggers = getattr(model._meta, "triggers", ())
            found |= {f"{model.__name__}.{trigger.name}" for trigger in triggers}
    for path in ROOT.glob("*/migrations/*.py"):
        found |= set(re.findall(r"FUNCTION (winddown_\w+)", path.read_text()))
    return found


def _exists(name: str, guards: set[str]) -> bool:
    if name in guards:
        return True
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            thing = getattr(thing, part, None)
        return thing is not None
    return False


def test_everything_that_is_listed_as_enforcing_a_rule_exists() -> None:
    guards = _guards()
    missing = {
        entry.code: absent
        for entry in LAW
        if (absent := [name for name in entry.names if not _exists(name, guards)])
    }
    assert missing == {}
    assert [entry.code for entry in LAW if not entry.names and entry.code[:1] != "S"] == []


@pytest.mark.parametrize(
    "planted",
    ["wallets.movements.nothing", "no_such_constraint", "Snapshot.no_trigger", "nowhere.at_all"],
)
def test_a_name_that_does_not_exist_is_found(planted: str) -> None:
    assert not _exists(planted, _guards())


def _is_test(named: str) -> bool:
    path, _, test = named.partition("::")
    file = ROOT / path
    return file.is_file() and f"def {test}(" in file.read_text()


def test_every_test_that_is_listed_for_a_rule_exists() -> None:
    missing = {
        entry.code: absent
        for entry in LAW
        if (absent := [test for test in entry.tests if not _is_test(test)])
    }
    assert missing == {}
    assert not _is_test("tests/architecture/test_rules.py::test_nothing")


def test_every_rule_has_a_test() -> None:
    """Detection rules are excepted: their table names no tests."""
    versioned = {rule.code for rule in (*attack_rules.RULES, *victims.RULES)}
    bare = {entry.code for entry in LAW if not entry.tests}
    assert bare == versioned


# --- the same words in both places --------------------------------------------------------------


def test_every_registered_invariant_is_listed_with_its_statement() -> None:
    written = {entry.code: (entry.statement, entry.names) for entry in LAW}
    for each in invariants.known():
        statement, names = written[each.code]
        assert statement == each.statement, each.code
        assert f"{each.breaches.__module__}.{each.breaches.__qualname__}" in names, each.code


def test_every_detection_rule_is_listed_with_its_statement() -> None:
    written = {entry.code: entry.statement for entry in LAW}
    declared = (*attack_rules.RULES, *victims.RULES)
    assert {rule.code: rule.source for rule in declared} == {
        rule.code: written.get(rule.code) for rule in declared
    }
