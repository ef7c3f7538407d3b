"""A state is named by its model, and a new state of a machine is always noticed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from winddown.machines.declare import all_machines

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "winddown", "accounts", "wallets", "refunds", "rehearsal", "benchmarks")
MACHINES = list(all_machines())


# --- what counts as a state -----------------------------------------------------------------------


def models_with_states() -> list[Any]:
    """Returns the machines and the other models whose rows have a `State`."""
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in PACKAGES and hasattr(model, "State")
    ]


def states_of(*kinds: Any) -> set[str]:
    return {str(value) for kind in kinds for value in kind.State.values}


EVERY_STATE = states_of(*models_with_states())
BY_TABLE = {model._meta.db_table: states_of(model) for model in models_with_states()}


# --- quoted states --------------------------------------------------------------------------------

NAMES_A_STATE = re.compile(r"(^|_)states?(__in|__exact|__ne)?$")
QUOTED = re.compile(r"'([a-z_]+)'")
IN_SQL = re.compile(
    r"\b(?:\w+_)?state\b\s*(?:=|<>|!=|NOT\s+IN|IN|=\s*ANY)\s*(\([^()]*\)|'[a-z_]+')", re.IGNORECASE
)
OTHER_COLUMN = re.compile(r"\b(?!\w*state\b)\w+\s*(=|<>|!=)\s*$")
STATEMENT = re.compile(r"\b(SELECT|INSERT INTO|UPDATE)\b")


def quoted_states(source: str, *, own: set[str] = frozenset()) -> Iterator[tuple[int, str]]:  # type: ignore[assignment]
    """(line, state) of every quoted state in Python and in the SQL inside it, but not those of
    `own`, nor those in the text of a trigger: it takes no parameters, a migration holds it as it
    is, and docs/triggers shows it.
    """
    found = set()
    tree = ast.parse(source)
    of_triggers = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Guard"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in of_triggers:
            continue
        found |= {(line, state) for line, state in _in_python(node) if state in EVERY_STATE - own}
        found |= {(line, state) for line, state in _in_sql(node) if state in EVERY_STATE - own}
    yield from sorted(found)


def _in_python(node: ast.AST) -> Iterator[tuple[int, str]]:
    """A keyword, a comparison, an assignment or a dictionary's key says `state`."""
    if isinstance(node, ast.keyword) and node.arg and NAMES_A_STATE.search(node.arg):
        yield from _strings(node.value)
    if isinstance(node, ast.Compare) and any(map(_is_a_state, [node.left, *node.comparators])):
        for side in [node.left, *node.comparators]:
            yield from _strings(side)
    if isinstance(node, ast.Assign) and any(map(_is_a_state, node.targets)):
        yield from _strings(node.value)
    if isinstance(node, ast.AnnAssign) and node.value and _is_a_state(node.target):
        yield from _strings(node.value)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        found = list(_strings(node))
        words = {word for _, word in found}
        if len(words) > 1 and any(words <= states for states in BY_TABLE.values()):
            yield from found
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            named = isinstance(key, ast.Constant) and isinstance(key.value, str)
            if named and NAMES_A_STATE.search(key.value):  # type: ignore[union-attr, arg-type]
                yield from _strings(value)


def _is_a_state(node: ast.AST) -> bool:
    name = {ast.Attribute: "attr", ast.Name: "id"}.get(type(node))
    return name is not None and bool(NAMES_A_STATE.search(str(getattr(node, name)).lower()))


def _strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts of the value itself, of a list, or of either branch; not those of a call."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        for each in node.elts:
            yield from _strings(each)
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)


def _in_sql(node: ast.AST) -> Iterator[tuple[int, str]]:
    """A text compares or sets a state, or is a statement about a table and quotes one of its
    states.
    """
    text = _text(node)
    if text is None:
        return
    line: int = node.lineno  # type: ignore[attr-defined]
    for match in IN_SQL.finditer(text):
        for state in QUOTED.findall(match[1]):
            yield line, state
    if STATEMENT.search(text):
        for table, states in BY_TABLE.items():
            if re.search(rf"\b{table}\b", text):
                for match in QUOTED.finditer(text):
                    if match[1] in states and not OTHER_COLUMN.search(text[: match.start()]):
                        yield line, match[1]


def _text(node: ast.AST) -> str | None:
    """The text as it is written, with `{}` where a value is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(getattr(part, "value", "{}")) if isinstance(part, ast.Constant) else "{}"
                       for part in node.values)  # fmt: skip
    return None


def files_with_quoted_states() -> dict[str, list[str]]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if "migrations" in path.parts:
                continue
            module = name.removesuffix(".py").replace("/", ".")
            own = states_of(*(each for each in models_with_states() if each.__module__ == module))
            quoted = [f"{line} {state}" for line, state in quoted_states(path.read_text(), own=own)]
            if quoted:
                found[name] = quoted
    return found


def test_no_state_is_quoted_outside_its_model() -> None:
    assert files_with_quoted_states() == {}


def test_no_state_is_quoted_in_a_template() -> None:
    quoted = {
        str(path.relative_to(ROOT)): found
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if (found := re.findall(r"\bstate (?:==|!=|in) \"\w+\"", path.read_text()))
    }
    assert quoted == {}


@pytest.mark.parametrize(
    "line",
    [
        'Wallet.objects.filter(state="active")',
        'Wallet.objects.exclude(wallet__state__in=["closed", "held_closed"])',
        'if wallet.state == "active": pass',
        'if wallet.state in ("active", "held"): pass',
        'OPEN_STATES = ("active", "held")',
        'STARTED = ("running", "paused")',
        'counts = {"state": "active"}',
        'progress.latest(name, states=("approved", "running"))',
        "sql = \"UPDATE x SET state = 'active'\"",
        "sql = \"SELECT 1 FROM x r WHERE r.state NOT IN ('active', 'held')\"",
        "sql = f\"WHERE {inner} AND w.state = 'active'\"",
        "sql = \"INSERT INTO wallets_wallet (id, state) SELECT 1, 'active'\"",
        'Run(state="paused" if held else "running")',
    ],
)
def test_a_quoted_state_outside_its_model_is_found(line: str) -> None:
    assert list(quoted_states(line))


@pytest.mark.parametrize(
    "line",
    [
        "Wallet.objects.filter(state=Wallet.State.ACTIVE)",
        'sql = "UPDATE x SET state = %s WHERE state = ANY (%s)"',
        'audit.append("run.closed", reason="active")',
        "sql = \"SELECT 1 FROM wallets_wallet w JOIN x ON x.part = 'active'\"",
        'account.kind == "active"',
        'Guard(name="x", func="IF NEW.state = \'active\' THEN RETURN NULL; END IF;")',
    ],
)
def test_a_state_named_by_its_model_is_not_reported(line: str) -> None:
    assert not list(quoted_states(line))


# --- a new state ----------------------------------------------------------------------------------


def sets_of(model: Any) -> dict[str, set[str]]:
    """Returns the named sets of the model's states: every tuple of states that it declares in
    capitals.
    """
    states = states_of(model)
    return {
        name: {str(state) for state in value}
        for name, value in vars(model).items()
        if name.isupper() and isinstance(value, tuple) and value
        and {str(state) for state in value} <= states
    }  # fmt: skip


def without_a_set(model: Any) -> list[str]:
    """One sentence per state that no named set of the model holds, and per state that is said to be
    asked for alone and is in a set all the same.
    """
    sets = sets_of(model)
    alone = sets.pop("ALONE", set())
    grouped = set().union(*sets.values())
    return [
        f"state {state} of {model.__name__} belongs to no set: put it into each named set whose"
        " meaning it shares, or into ALONE"
        for state in sorted(states_of(model) - grouped - alone)
    ] + [
        f"state {state} of {model.__name__} is in ALONE and in a set"
        for state in sorted(alone & grouped)
    ]


per_machine = pytest.mark.parametrize("model", MACHINES, ids=lambda model: model._meta.label)


@per_machine
def test_every_state_belongs_to_a_named_set(model: Any) -> None:
    assert without_a_set(model) == []


def copy_of(model: Any, *, more: str) -> Any:
    """A class with the model's states and sets, and one state more. It is no model: a model would
    join the application.
    """
    copied = {name: value for name, value in vars(model).items() if name.isupper()}
    values = [*model.State.values, more]
    states: Any = models.TextChoices("State", [(value.upper(), value) for value in values])
    return type(model.__name__, (), copied | {"State": states})


@per_machine
def test_a_state_added_to_a_machine_is_noticed(model: Any) -> None:
    assert without_a_set(copy_of(model, more="unheard_of")) == [
        f"state unheard_of of {model.__name__} belongs to no set: put it into each named set whose"
        " meaning it shares, or into ALONE"
    ]


@per_machine
def test_no_set_is_computed_from_all_states(model: Any) -> None:
    """A set that is computed from `State` would include a new state silently."""
    file = ROOT / (model.__module__.replace(".", "/") + ".py")
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Assign) and all(
            isinstance(target, ast.Name) and target.id.isupper() for target in node.targets
        ):
            computed = [
                inner for inner in ast.walk(node.value)
                if isinstance(inner, ast.comprehension | ast.Call | ast.BinOp)
                and "State" in ast.unparse(inner)
            ]  # fmt: skip
            assert not computed, f"{file.name} line {node.lineno}: name the states one by one"
