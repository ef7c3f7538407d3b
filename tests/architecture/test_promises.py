"""docs/promises.md says what enforces each promise, and all of it exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from winddown.evidence import invariants

PAGE = Path(__file__).resolve().parents[2] / "docs" / "promises.md"
CELL = re.compile(r"none|`[a-zA-Z0-9_.]+`(?:, `[a-zA-Z0-9_.]+`)*")
KINDS = ("constraint", "trigger", "invariant")


def promises(text: str) -> dict[str, dict[str, set[str]]]:
    """Returns the names by promise and kind."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| promise "):
            promise, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
            assert len(cells) == len(KINDS), line
            assert all(CELL.fullmatch(cell) for cell in cells), line
            assert promise not in found, promise
            found[promise] = {
                kind: set(re.findall(r"`([^`]+)`", cell))
                for kind, cell in zip(KINDS, cells, strict=True)
            }
    return found


def absent(text: str) -> set[str]:
    """Returns the names that neither the catalogue nor the list of invariants has."""
    named = promises(text).values()
    return {
        name for said in named for kind in KINDS for name in said[kind] if name not in known()[kind]
    }


def known() -> dict[str, set[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " UNION SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"
        )
        constraints = {name for (name,) in cursor}
        cursor.execute(
            "SELECT tgrelid::regclass || '.' || regexp_replace(tgname, '^pgtrigger_(.*)_\\w+$', '\\1')"
            " FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        )
        triggers = {name for (name,) in cursor}
    return {
        "constraint": constraints,
        "trigger": triggers,
        "invariant": {each.code for each in invariants.known()},
    }


def test_everything_that_enforces_a_promise_exists(database: Any) -> None:
    assert promises(PAGE.read_text())
    assert absent(PAGE.read_text()) == set()


@pytest.mark.parametrize(
    "cells",
    [
        "`no_such_constraint` | none | none",
        "none | `wallets_posting.nothing` | none",
        "none | `wallets_wallet.journals_balance` | none",
        "none | none | `I999`",
    ],
)
def test_a_name_that_does_not_exist_is_found(database: Any, cells: str) -> None:
    assert len(absent(f"| A promise | {cells} |")) == 1


def test_every_promise_about_money_victims_and_evidence_has_something_behind_it() -> None:
    bare = [promise for promise, by in promises(PAGE.read_text()).items() if not any(by.values())]
    assert bare == []


def test_every_invariant_that_guards_the_release_of_money_is_on_the_page() -> None:
    named = {code for by in promises(PAGE.read_text()).values() for code in by["invariant"]}
    guarding = {each.code for each in invariants.known() if each.guards_release}
    assert guarding - named == set()
