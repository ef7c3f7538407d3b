"""As which role a process works: its login to the embedded database, which lets each of them in, and
whether it may be the owner in production.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from config.embedded.postgres import ROLE
from winddown.database_roles import Roles

# They make tables, roles or databases, read all that a dump holds, or switch guards off, as the
# benchmarks do; `replay` and `demo` give these rights up once they have made the tables.
OWNERS = frozenset(
    {
        "migrate",
        "database_roles",
        "reseal",
        "witness_rows",
        "backup",
        "restore",
        "open_resolution_pack",
        "replay",
        "rehearse",
        "demo",
    }
)


def may_be_owner(words: Sequence[str]) -> bool:
    """Returns whether the process that was started with these words may work as the owner in
    production. `check` reports such a role itself.
    """
    return _command(words) in OWNERS | {"check"}


def login_of(words: Sequence[str]) -> str:
    """Returns the role of the process that was started with these words."""
    roles = Roles()
    command = _command(words)
    if command in OWNERS or Path(words[0]).parent.name == "benchmarks":
        return ROLE
    if command.startswith("load_") or command == "import_bank_results":
        return roles.loader
    return roles.application


def _command(words: Sequence[str]) -> str:
    """Returns which command of manage.py the words start; empty where they start something else."""
    return words[1] if len(words) > 1 and Path(words[0]).name == "manage.py" else ""
