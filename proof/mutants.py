"""The small faults that `proof.mutation` plants: one change of one line of a module that guards something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Module or folder of modules -> its tests.
GUARDS: dict[str, tuple[str, ...]] = {
    "winddown/actors.py": ("tests/winddown/authority",),
    "winddown/authority/approvals.py": ("tests/winddown/authority",),
    "winddown/evidence": ("tests/winddown/evidence",),
    "winddown/machines/move.py": ("tests/winddown/machines",),
    "winddown/site/reading.py": ("tests/winddown/site",),
    "winddown/runs/planning.py": ("tests/winddown/runs",),
    "wallets/movements": ("tests/wallets", "tests/refunds/test_entitlements.py"),
    "refunds/payouts": ("tests/refunds/payouts",),
    "refunds/applications": ("tests/refunds/applications",),
    "refunds/claims": ("tests/refunds/claims",),
    "accounts/credentials": ("tests/accounts/credentials",),
    "accounts/recovery": ("tests/accounts/recovery",),
    "accounts/staff_requests.py": ("tests/accounts/recovery",),
    "accounts/staff_roles.py": ("tests/accounts/recovery",),
    "accounts/sign_in": ("tests/accounts/sign_in",),
}
OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
# A zip of lists of one length, and a weaker lock that is enough: no test can tell them from others.
NEUTRAL = {"strict", "no_key"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file: the text between the two places becomes `after`."""

    file: str
    line: int
    begin: int
    end: int
    before: str
    after: str
    function: str
    """The innermost function around the change, as `reached` names it; the file outside of any."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.change}"

    @property
    def change(self) -> str:
        return f"{_one_line(self.before)} -> {_one_line(self.after)}"


def guarding_files() -> Iterator[Path]:
    """Yields the files in which mutants are planted, in their order."""
    for guarded in GUARDS:
        place = ROOT / guarded
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def all_mutants() -> Iterator[Mutant]:
    """Yields every mutant of the guarding modules, in the order of files and lines."""
    for path in guarding_files():
        yield from _mutants_of(path)


def function_key(file: str, line: int) -> str:
    """Returns the name by which a function is known: its file and the line of its `def`."""
    return f"{file}:{line}"


def _mutants_of(path: Path) -> Iterator[Mutant]:
    text = path.read_bytes()
    begins = [0]
    for line in text.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    file = str(path.relative_to(ROOT))
    for node, function in _nodes(ast.parse(text), file):
        for old, after in _changes(node):
            begin = begins[old.lineno - 1] + old.col_offset
            end = begins[(old.end_lineno or old.lineno) - 1] + (old.end_col_offset or 0)
            before = text[begin:end].decode()
            yield Mutant(file, old.lineno, begin, end, before, after, function)


def _nodes(tree: ast.Module, file: str) -> Iterator[tuple[ast.AST, str]]:
    """Yields every node that may change, with the innermost function around it."""
    waiting: list[tuple[ast.AST, str]] = [(tree, file)]
    while waiting:
        node, function = waiting.pop(0)
        yield node, function
        if isinstance(node, ast.FunctionDef):
            function = function_key(file, node.lineno)
        waiting += [
            (each, function) for each in ast.iter_child_nodes(node) if not _is_idle(each, node)
        ]


def _is_idle(node: ast.AST, parent: ast.AST) -> bool:
    """Whether a change inside the node alters nothing that a test could see."""
    # Keywords such as `@dataclass(frozen=True)`.
    of_a_class = isinstance(parent, ast.ClassDef) and node in parent.decorator_list
    return of_a_class or (isinstance(node, ast.keyword) and node.arg in NEUTRAL)


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yields the parts of the node that are replaced, and their replacements."""
    match node:
        case ast.Expr(value=ast.Call(func=called)) if _is_guard(ast.unparse(called)):
            yield node, "pass"
        case ast.Raise():
            yield node, "pass"
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare):
            yield test, f"(not ({ast.unparse(test)}))"
        case ast.Compare(ops=[operator]) if type(operator) in OTHER:
            other = ast.Compare(node.left, [OTHER[type(operator)]()], node.comparators)
            yield node, f"({ast.unparse(other)})"
        case ast.BoolOp(op=operator, values=values):
            word = " or " if isinstance(operator, ast.And) else " and "
            yield node, f"({word.join(f'({ast.unparse(value)})' for value in values)})"
        case ast.Constant(value=bool() as value):
            yield node, str(not value)
        case _:
            pass


def _is_guard(called: str) -> bool:
    """Whether a call that returns nothing is there to refuse."""
    return (
        called.rpartition(".")[2].lstrip("_").startswith(("require", "refuse", "check", "passed"))
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
