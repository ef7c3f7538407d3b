"""The documents are true: the things they name exist, and their lines fit the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from tests.architecture.test_rules import _exists
from wallets.models import LedgerAccount
from winddown import command_page
from winddown.authority import roles

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 100
TOP = {path.name for path in ROOT.iterdir()} - {".local", ".venv", ".git"}
OURS = ("winddown", "accounts", "wallets", "refunds", "rehearsal", "config", "benchmarks")
OUR_NAME = re.compile(rf"(?:{'|'.join(OURS)})(?:\.\w+)+")
HELD = {permission for held in roles.ROLES.values() for permission in held}
LABELS = {model._meta.label for model in apps.get_models()}
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

per_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


# --- lines --------------------------------------------------------------------------------------


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """Returns the lines that a person reads as text: no table and no code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith(("|", "    ")):
            yield number, line


def too_long(text: str) -> list[int]:
    """Returns the numbers of the lines that are too long and could be broken."""
    return [
        number
        for number, line in _prose(text)
        if len(line) > WIDTH and " " in line.lstrip(" -*>")[: WIDTH - 10].strip()
    ]


@per_document
def test_prose_is_wrapped(document: Path) -> None:
    assert too_long(document.read_text()) == []


def test_a_line_that_is_too_long_is_found_except_in_tables_and_code() -> None:
    words = "word " * 30
    text = f"{words}\n\n| {words} |\n\n    {words}\n\n```\n{words}\n```\n- {words}\n{'x' * 120}\n"
    assert too_long(text) == [1, 10]


# --- names --------------------------------------------------------------------------------------


def _spans(text: str) -> Iterator[str]:
    """Returns the texts between back quotes, outside fenced code."""
    kept, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            kept.append(line)
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", "\n".join(kept)))


def _is_path(span: str) -> bool:
    return bool(re.fullmatch(r"[\w.*/-]+", span)) and (
        ("/" in span and span.split("/")[0] in TOP)
        or (span in TOP and "." in span)
        or ("/" not in span and span.endswith((".py", ".md", ".toml")))
    )


def absent(text: str, folder: Path) -> list[str]:
    """Returns paths, links, modules and commands that a document names and that do not exist."""
    found = []
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and not (folder / target).exists():
            found.append(target)
    found.extend(span for span in _spans(text) if not _is_true(span, folder))
    known = {command.command for command in command_page.listed()} | {
        "migrate",
        "createsuperuser",
    }
    found.extend(set(re.findall(r"manage\.py ([a-z][a-z_]+)", text)) - known - {"check"})
    return sorted(found)


def _is_true(span: str, folder: Path) -> bool:
    """A span that looks like a path or one of our modules is one."""
    path = span.partition("::")[0]
    if _is_path(path):
        return any(True for _ in _matches(path, folder))
    return not OUR_NAME.fullmatch(span) or _is_name(span)


def _matches(path: str, folder: Path) -> Iterator[Path]:
    for start in (ROOT, folder):
        if "*" in path:
            yield from start.glob(path)
        elif (start / path).exists():
            yield start / path


def _tasks() -> set[str]:
    """Returns the names of the Celery tasks, which are quoted beside their functions."""
    sources = "".join((ROOT / app / "tasks.py").read_text() for app in ("winddown", "accounts"))
    return set(re.findall(r"\"([a-z]+\.[a-z_]+)\"", sources))


def _is_name(span: str) -> bool:
    return span in HELD | LABELS | _tasks() or span.endswith((".py", ".md")) or _exists(span, set())


@per_document
def test_everything_that_a_document_names_exists(document: Path) -> None:
    assert absent(document.read_text(), document.parent) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("see `winddown/runner.py`", ["winddown/runner.py"]),
        ("see `wallets/workflows/*.py`", []),
        ("see `wallets/nothing/*.py`", ["wallets/nothing/*.py"]),
        ("[rules](nowhere.md)", ["nowhere.md"]),
        ("[rules](docs/rules.md#l-the-law)", []),
        ("`accounts.attack.rules`", ["accounts.attack.rules"]),
        ("`refunds.decide_claim` and `winddown.clock`", []),
        ("run `manage.py freeze_everything`", ["freeze_everything"]),
        ("    manage.py verify --json", []),
        ("`tests/stories/test_replay.py::test_x`", []),
        ("`no_such_file.py`", ["no_such_file.py"]),
    ],
)
def test_a_name_that_does_not_exist_is_found(planted: str, found: list[str]) -> None:
    assert absent(planted, ROOT) == found


# --- the data model -----------------------------------------------------------------------------

DATA_MODEL = ROOT / "docs" / "data-model.md"


def test_the_data_model_has_every_table_and_no_other() -> None:
    tables = {
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.app_label in OURS
        and not model._meta.proxy
        and not model.__name__.endswith("Transition")
    }
    drawn = set(
        re.findall(r"\b((?:winddown|accounts|wallets|refunds)_[a-z]+)\b", DATA_MODEL.read_text())
    )
    accounts = {account.value for account in LedgerAccount}
    steps = {"refunds_payable", "wallets_wallettransition"}
    assert drawn - accounts - steps == tables


def test_the_data_model_has_every_account_of_the_ledger() -> None:
    named = set(_spans(DATA_MODEL.read_text()))
    assert {account.value for account in LedgerAccount} - named == set()


# --- alarms -------------------------------------------------------------------------------------

RUNBOOKS = ROOT / "docs" / "runbooks"
ALARMING = ("winddown/alarm_kinds.py", "winddown/site/alarm_finders.py")
ALARMING = (*ALARMING, "accounts/alarms.py", "refunds/alarms.py")


def _shown(node: ast.expr) -> Iterator[str]:
    """Returns the sentences in an expression, with an ellipsis for each filled-in value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.sub(r"%\(\w+\)s", "…", node.value)


def sentences(source: str) -> set[str]:
    """Returns the sentences of the functions of a module that return alarms."""
    found = set()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        returned = ast.unparse(function.returns) if function.returns else ""
        if "AlarmCondition" not in returned:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "_":
                found.update(sentence for each in node.args for sentence in _shown(each))
    return found


def test_every_alarm_has_its_runbook() -> None:
    pages = " ".join(
        " ".join(path.read_text().split())
        for path in RUNBOOKS.glob("*.md")
        if path.name != "README.md"
    )
    for module in ALARMING:
        said = sentences((ROOT / module).read_text())
        assert said, module
        assert [each for each in said if " ".join(each.split()) not in pages] == [], module


def test_alarms_come_only_from_the_listed_modules() -> None:
    """So that no module is missing from the list above."""
    sounding = {
        str(path.relative_to(ROOT))
        for app in OURS[:4]
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"\bAlarmCondition\(|@ALARM_FINDERS\.", path.read_text())
    }
    assert sounding
    assert sounding - set(ALARMING) == set()


def test_every_runbook_has_its_sections_and_is_listed() -> None:
    listed = (RUNBOOKS / "README.md").read_text()
    pages = [path for path in RUNBOOKS.glob("*.md") if path.name != "README.md"]
    assert pages
    for page in pages:
        heads = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert heads == ["What it says", "Why it sounds", "First command", "Then"], page.name
        assert f"]({page.name})" in listed, page.name
