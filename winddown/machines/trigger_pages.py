"""Every trigger as Markdown: its table, when it fires, and the text of its function.

Triggers are printed as the models declare them, and functions as the migrations create them. So no
database is needed. Tests compare both with a database: only white space differs.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent, fill, indent

import pgtrigger
from django.apps import apps
from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from winddown.machines.declare import Stateful
from winddown.sqlstates import SqlState

_WIDTH = 100
_FUNCTION = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\(.*?(?:\$\$.*?\$\$[^;]*;|RETURN .*?;)", re.DOTALL
)
_DROPPED = re.compile(r"DROP FUNCTION (?:IF EXISTS )?(\w+)")
# A long line is broken before one of these, otherwise after a comma.
_BREAKS_BEFORE = ("AND ", "OR ", "THEN ", "ELSE ", "FROM ", "IS DISTINCT ", "MESSAGE ")


@dataclass(frozen=True, slots=True)
class PrintedTrigger:
    """One trigger as it is declared, in the parts that a page shows."""

    name: str
    table: str
    model: type[Model]
    fires: str
    statement: str
    body: str

    @property
    def refusals(self) -> list[SqlState]:
        """Returns the codes that its function raises, also through the function for edges."""
        found = {SqlState(code) for code in re.findall(r"\bWD\d{3}\b", self.body)}
        if "winddown_refuse_edge(" in self.body:
            found.add(SqlState.EDGE_NOT_DECLARED)
        return sorted(found)

    @property
    def functions(self) -> list[str]:
        return sorted(set(re.findall(r"\b(winddown_\w+)\(", self.body)) & set(_functions()))


def pages() -> dict[str, str]:
    """Returns the text of every page by the name of its file, the same for the same declarations."""
    by_table = defaultdict(list)
    for trigger in _triggers():
        by_table[trigger.table].append(trigger)
    found = {f"{table}.md": _table_page(table, declared) for table, declared in by_table.items()}
    found["functions.md"] = _functions_page([t for group in by_table.values() for t in group])
    found["README.md"] = _index(by_table)
    return found


def _triggers() -> list[PrintedTrigger]:
    found = []
    for model, trigger in pgtrigger.registered():
        sql = trigger.compile(model).sql
        part = {**sql.defaults, **sql.kwargs}
        _, body, _ = str(sql).split("$$")
        found.append(
            PrintedTrigger(
                name=str(trigger.name),
                table=model._meta.db_table,
                model=apps.get_model(model._meta.label),
                fires=_fires(part),
                statement=_statement(part),
                body=_laid_out(part["declare"], part["func"], whole=body),
            )
        )
    return sorted(found, key=lambda each: (each.table, each.name))


def _fires(part: dict[str, str]) -> str:
    level = "for each row" if part["level"] == "ROW" else "once for each statement"
    at_commit = ", when the transaction commits" if part["timing"] else ""
    event = part["operation"].replace('"', "")
    return f"{part['when'].capitalize()} {event}, {level}{at_commit}."


def _statement(part: dict[str, str]) -> str:
    lines = [
        f"CREATE {part['constraint']} TRIGGER {part['pgid']}",
        f"{part['when']} {part['operation']} ON {part['table']}",
        part["timing"],
        part["referencing"],
        f"FOR EACH {part['level']} {part['condition']}",
        f"EXECUTE FUNCTION {part['execute']};",
    ]
    first, *rest = [" ".join(line.split()) for line in lines if line]
    return "\n".join([first, *(piece for line in rest for piece in _wrapped("    " + line))])


def _laid_out(declare: str, function: str, *, whole: str) -> str:
    """Returns the function's text with a line for each declaration, and no line that is too long."""
    lines = []
    if declare:
        names = _split_outside_quotes(declare.removeprefix("DECLARE "), "; ")
        lines = ["DECLARE", *(f"    {name}" for name in names)]
    text = indent(_dedented(function), "    ")
    lines += ["BEGIN", *text.splitlines(), "END;"]
    printed = "\n".join(piece for line in lines for piece in _wrapped(line))
    if "".join(printed.split()) != "".join(whole.split()):
        raise AssertionError(f"the text changed: {printed}")
    return printed


def _dedented(text: str) -> str:
    return dedent(text).strip("\n").rstrip()


def _wrapped(line: str) -> Iterator[str]:
    """The line in pieces of at most 100 characters, where it can be broken outside of quotes."""
    line = line.rstrip()
    margin = " " * (len(line) - len(line.lstrip()) + 4)
    if len(line) > _WIDTH and "CASE WHEN " in line:
        first, *cases = _split_outside_quotes(line, " WHEN ")
        yield first
        for case in cases:
            yield from _wrapped(margin + case)
        return
    while len(line) > _WIDTH and (place := _break(line, after=len(margin))):
        yield line[:place]
        line = margin + line[place + 1 :]
    yield line


def _break(line: str, *, after: int) -> int:
    """Returns the best space to break the line at, 0 where there is none."""
    quoted, good, last = False, 0, 0
    for place in range(after, len(line)):
        if place > _WIDTH and (good or last):
            break
        quoted ^= line[place] == "'"
        if line[place] == " " and not quoted:
            last = place
            if line[place - 1] == "," or line[place + 1 :].startswith(_BREAKS_BEFORE):
                good = place
    return good or last


def _split_outside_quotes(text: str, separator: str) -> list[str]:
    """Returns the pieces of `text`, each with the separator's own mark: `; ` ends a piece, a word
    begins one.
    """
    pieces: list[str] = []
    begun, quoted = 0, False
    for place, character in enumerate(text):
        quoted ^= character == "'"
        if not quoted and place > begun and text.startswith(separator, place):
            end = place + 1 if separator == "; " else place
            pieces.append(text[begun:end].strip(" ") if pieces else text[begun:end])
            begun = place + 1
    return [*pieces, text[begun:].strip(" ")]


# --- Functions ---------------------------------------------------------------------------------


@functools.cache
def _functions() -> dict[str, str]:
    """Returns the last text of every function that a migration creates and no later one drops."""
    found: dict[str, str] = {}
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    in_order = [node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf)]
    for node in dict.fromkeys(in_order):
        for operation in graph.nodes[node].operations:
            if isinstance(operation, RunSQL):
                sql = str(operation.sql)
                for name in _DROPPED.findall(sql):
                    found.pop(name, None)
                found |= {match[1]: match[0] for match in _FUNCTION.finditer(sql)}
    return found


# --- Pages -------------------------------------------------------------------------------------


def _table_page(table: str, triggers: list[PrintedTrigger]) -> str:
    model = triggers[0].model
    parts = [
        f"# {table}",
        _paragraph(f"The table of `{model._meta.label}`. Written by `manage.py triggers`."),
    ]
    if issubclass(model, Stateful):
        parts.append(
            f"Its states are drawn in [{model.__name__}](../machines/{model.__name__}.svg)."
        )
    for trigger in triggers:
        parts += [f"## {trigger.name}", _paragraph(trigger.fires)]
        if trigger.refusals:
            parts.append(
                _paragraph("Refuses with " + ", ".join(map(_named, trigger.refusals)) + ".")
            )
        if trigger.functions:
            links = (f"[{name}](functions.md#{name})" for name in trigger.functions)
            parts.append("Calls " + ",\n".join(links) + ".")
        parts += [_sql(trigger.statement), _sql(trigger.body)]
    return _document(parts)


def _functions_page(triggers: list[PrintedTrigger]) -> str:
    parts = [
        "# Functions",
        _paragraph(
            "The SQL functions that triggers and statements call. Written by `manage.py triggers`."
        ),
    ]
    for name, text in sorted(_functions().items()):
        callers = sorted({each.name for each in triggers if name in each.functions})
        parts.append(f"## {name}")
        if callers:
            parts.append(
                _paragraph("Triggers that call it: " + ", ".join(f"`{c}`" for c in callers) + ".")
            )
        lines = (piece for line in _dedented(text).splitlines() for piece in _wrapped(line))
        parts.append(_sql("\n".join(lines)))
    return _document(parts)


def _index(by_table: dict[str, list[PrintedTrigger]]) -> str:
    parts = [
        "# Triggers",
        _paragraph(
            "What the database refuses, and what it writes by itself, whoever changes a table."
            " Written by `manage.py triggers`; `--check` says whether it is up to date."
        ),
        "The functions that several of them call: [functions.md](functions.md).",
        "| Table | Triggers |\n| --- | --- |\n"
        + "\n".join(
            f"| [{table}]({table}.md) | {', '.join(each.name for each in triggers)} |"
            for table, triggers in sorted(by_table.items())
        ),
    ]
    return _document(parts)


def _named(code: SqlState) -> str:
    return f"{code.value} ({code.name.lower().replace('_', ' ')})"


def _paragraph(text: str) -> str:
    return fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _sql(text: str) -> str:
    return f"```sql\n{text}\n```"


def _document(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"
