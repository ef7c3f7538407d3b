"""Every function that acts for a person is reached from a command and from a page.

The names that each module uses are followed from the commands, and from the consoles and portals. A
function acts for a person if it takes the `actor` and writes to the audit journal.
"""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("doors")

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("winddown", "accounts", "wallets", "refunds")

# Nobody asks for these: why they need no door of their own.
NOT_ASKED_FOR = {
    "accounts.reset_notices.mail_results.settle": "a loaded file of the mail server does it",
    "refunds.applications.desk_page.one": "it is the page itself",
    "refunds.attribution.claim_rules.set_down": "the set-up file does it, which has both doors",
    "refunds.claims.desk_page.one": "it is the page itself",
    "refunds.claims.appeals.close_after_appeal_time": "the tick does it when the time is over",
    "refunds.claims.ending.move_on": "the tick does it",
    "refunds.payouts.payout_batches.execute_due": "the tick does it on the value date",
    "refunds.payouts.refund_limits.set_down": "the set-up file does it, which has both doors",
    "refunds.payouts.methods.vouchers.reveal": "its holder alone sees a code, on the portal",
    "refunds.payouts.uploads.upload": "a command books the file where it lies",
    "winddown.evidence.refused.note": "every refused permission does it",
    "winddown.evidence.witnessing.witness": "a second person's decision about `ask` does it",
    "winddown.site.reading.disclose": "it is the page itself",
}


@functools.cache
def _modules() -> dict[str, ast.Module]:
    """Returns our modules by name. They are read when a test asks, not by each process of a run."""
    return dict(_read())


def _read() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield name.removesuffix(".__init__"), ast.parse(path.read_text())


def _names(module: str) -> dict[str, str]:
    """Returns what each name of the module stands for, with its module in front."""
    found = {}
    for node in ast.walk(_modules()[module]):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    for statement in _modules()[module].body:
        for name in _defined(statement):
            found[name] = f"{module}.{name}"
    return found


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [each.id for each in targets if isinstance(each, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _dotted(node: ast.AST, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value, names)
        return f"{inner}.{node.attr}" if inner else None
    return None


@functools.cache
def _uses() -> dict[str, set[str]]:
    """Returns what each definition of each module names. A registry names what is added to it."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, tree in _modules().items():
        names = _names(module)
        for statement in tree.body:
            used = {_dotted(node, names) for node in ast.walk(statement)}
            for name in [*(f"{module}.{each}" for each in _defined(statement)), *_filled(used)]:
                found[name] |= {each for each in used if each and each != name}
    return found


def _filled(used: set[str | None]) -> Iterator[str]:
    """Yields the registries that the statement adds something to."""
    for name in used:
        registry, _, verb = (name or "").rpartition(".")
        if verb in ("add", "add_all", "entry") and registry.rpartition(".")[2].isupper():
            yield registry


def _reached(doors: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    waiting = list(doors)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _uses().get(name, ())
    return seen


def _is_page(name: str) -> bool:
    last = name.rpartition(".")[0].rpartition(".")[2]
    return last in ("console", "portal", "app_devices") or last.endswith("_views")


def _acts() -> Iterator[str]:
    for module, tree in _modules().items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                arguments = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
                used = _uses()[f"{module}.{node.name}"]
                writes = {"winddown.evidence.audit.append", "accounts.access_events.tell"} & used
                if "actor" in arguments and writes:
                    yield f"{module}.{node.name}"


def test_every_act_has_a_command() -> None:
    reached = _reached(name for name in _uses() if ".management.commands." in name)
    assert set(_acts()) - reached - set(NOT_ASKED_FOR) == set()


def test_every_act_has_a_page() -> None:
    reached = _reached(filter(_is_page, list(_uses())))
    assert set(_acts()) - reached - set(NOT_ASKED_FOR) == set()


def test_the_functions_that_nobody_asks_for_exist() -> None:
    assert set(NOT_ASKED_FOR) <= set(_acts())
