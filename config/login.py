"""As which role a process logs in to the embedded database, which lets each of them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from config.embedded.postgres import ROLE
from winddown.database_roles import Roles

# They make tables, roles or databases, read all that a dump holds, or switch guards off, as the
# benchmarks do; `replay` and `demo` give these rights up once they have made the tables.
OWNERS = frozenset({"migrate", "database_roles", "reseal", "backup", "restore", "replay", "demo"})


def login_of(words: Sequence[str]) -> str:
    """Returns the role of the process that was started with these words."""
    roles = Roles()
    program = Path(words[0])
    command = words[1] if len(words) > 1 and program.name == "manage.py" else ""
    if command in OWNERS or program.parent.name == "benchmarks":
        return ROLE
    if command.startswith("load_") or command == "import_bank_results":
        return roles.loader
    return roles.application
