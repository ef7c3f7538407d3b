"""The rehearsal acts through the doors of people. What it still calls itself may only shrink."""

from __future__ import annotations

import ast

from rehearsal.direct import DIRECT, doors_missing
from tests.architecture.test_doors import ROOMS, ROOT, _acts, _dotted


def _names(tree: ast.Module) -> dict[str, str]:
    """Returns what each imported name of a module stands for, with its module in front."""
    return {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for each in node.names
    }


def _called() -> set[str]:
    """Returns the functions of the service that the rehearsal names."""
    found = set()
    for path in sorted((ROOT / "rehearsal").rglob("*.py")):
        tree = ast.parse(path.read_text())
        names = _names(tree)
        found |= {_dotted(node, names) for node in ast.walk(tree)}
    return {each for each in found if each and each.partition(".")[0] in ROOMS}


def test_the_rehearsal_acts_through_doors_but_for_the_list() -> None:
    assert _called() & set(_acts()) == DIRECT


def test_the_list_only_shrinks() -> None:
    """The number is that of the day on which the list was begun, or less."""
    assert len(DIRECT) <= 7
    missing = doors_missing()
    assert sum(missing.values()) == len(DIRECT)
    assert {room for room, number in missing.items() if number} <= {
        "refunds.claims",
        "refunds.remedies",
    }
