"""The small faults that `proof.mutation` plants: one change of one line of a module that guards something."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Module or folder of modules -> its tests.
GUARDS: dict[str, tuple[str, ...]] = {
    "winddown/actors.py": ("tests/winddown/authority",),
    "winddown/authority/approvals.py": ("tests/winddown/authority",),
    "winddown/evidence": ("tests/winddown/evidence", "tests/winddown/test_texts.py"),
    "winddown/machines/move.py": ("tests/winddown/machines",),
    "winddown/site/reading.py": ("tests/winddown/site",),
    "winddown/runs/planning.py": ("tests/winddown/runs", "tests/winddown/authority"),
    "wallets/movements": ("tests/wallets", "tests/refunds/test_entitlements.py"),
    "refunds/payouts": ("tests/refunds/payouts",),
    "refunds/applications": ("tests/refunds/applications",),
    "refunds/claims": ("tests/refunds/claims",),
    "accounts/credentials": (
        "tests/accounts/credentials",
        "tests/accounts/sign_in",
        "tests/accounts/attempts",
        "tests/accounts/test_reset_all_passwords.py",
    ),
    "accounts/recovery": ("tests/accounts/recovery", "tests/accounts/test_access_events.py"),
    "accounts/staff_requests.py": ("tests/accounts/recovery",),
    "accounts/staff_roles.py": ("tests/accounts/recovery",),
    "accounts/sign_in": ("tests/accounts/sign_in", "tests/accounts/test_access_events.py"),
}
OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
# A zip of lists of one length, and a weaker lock that is enough: no test can tell them from others.
NEUTRAL = {"strict", "no_key"}
# Characters of either side of a change in a mutant's name.
SHOWN_MAX = 60


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
    """The innermost function around the change; the file outside of any."""
    around: str
    """The innermost function or class around the change; the file outside of any."""
    number: int
    """Counts the changes of one name in the order of the text, from 1."""

    def __str__(self) -> str:
        return f"{self.name} (line {self.line})"

    @property
    def name(self) -> str:
        """Names the mutant however the lines around it move."""
        number = f" #{self.number}" if self.number > 1 else ""
        return f"{self.around}: {_short(self.before)} -> {_short(self.after)}{number}"

    def changed(self, text: bytes) -> bytes:
        """Returns the file's text with the change; every other line keeps its number."""
        lines = "\n" * (self.before.count("\n") - self.after.count("\n"))
        # Behind a statement, or inside the parentheses of an expression.
        place = len(self.after) - self.after.endswith(")")
        after = self.after[:place] + lines + self.after[place:]
        return text[: self.begin] + after.encode() + text[self.end :]


def guarding_files() -> Iterator[Path]:
    """Yields the files in which mutants are planted, in their order."""
    for guarded in GUARDS:
        place = ROOT / guarded
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def all_mutants() -> Iterator[Mutant]:
    """Yields every mutant of the guarding modules, in the order of files and lines."""
    for path in guarding_files():
        yield from _mutants_of(path)


def key_of(outer: str, name: str) -> str:
    """Returns the name by which a function or class is known: its file, and the names around it."""
    return f"{outer}{'.' if ':' in outer else ':'}{name}"


def _mutants_of(path: Path) -> Iterator[Mutant]:
    text = path.read_bytes()
    begins = [0]
    for line in text.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    file = str(path.relative_to(ROOT))
    found = [
        (_place(old, begins), after, old.lineno, function, around)
        for node, function, around in nodes(ast.parse(text), file)
        for old, after in _changes(node)
    ]
    numbers: Counter[tuple[str, str, str]] = Counter()
    for (start, end), after, line_number, function, around in sorted(found):
        before = text[start:end].decode()
        shown = around, _short(before), _short(after)
        numbers[shown] += 1
        yield Mutant(file, line_number, start, end, before, after, function, around, numbers[shown])


def _place(node: ast.expr | ast.stmt, begins: list[int]) -> tuple[int, int]:
    """Returns the bytes of the text that the node stands in, given where each line begins."""
    last, column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return begins[node.lineno - 1] + node.col_offset, begins[last - 1] + column


def nodes(tree: ast.Module, file: str) -> Iterator[tuple[ast.AST, str, str]]:
    """Yields every node that may change, with the innermost function and the innermost function or
    class around it.
    """
    waiting: list[tuple[ast.AST, str, str]] = [(tree, file, file)]
    while waiting:
        node, function, around = waiting.pop(0)
        yield node, function, around
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            around = key_of(around, node.name)
        if isinstance(node, ast.FunctionDef):
            function = around
        waiting += [
            (each, function, around)
            for each in ast.iter_child_nodes(node)
            if not _is_idle(each, node)
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


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN_MAX else f"{words[: SHOWN_MAX - 3]}..."
