"""`manage.py database_roles`: the roles of the database, printed as SQL or applied."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import fields
from typing import Any, ClassVar

from winddown import database_roles
from winddown.database_roles import Roles
from winddown.terminal import RecordedCommand

FOR = {
    "owner": "the role that migrates and owns the tables",
    "application": "the role of web, worker, beat and commands",
    "loader": "the role of the commands that load files: the application with temporary tables",
    "reader": "the role that reads, without personal data",
}


class Command(RecordedCommand):
    help = """
    Print the SQL that gives the database an owner and three roles that own nothing. Run it as the
    server's administrator the first time, and as the owner after each migration.
    """
    examples = (
        "database_roles",
        "database_roles --apply",
    )
    exits: ClassVar[dict[int, str]] = {0: "printed, or applied", 1: "failed, and nothing changed"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--apply", action="store_true", help="carry the statements out in one transaction"
        )
        parser.add_argument(
            "--for-login",
            action="store_true",
            help="apply them with the superuser that is connected as the owner, for a server of one"
            " developer; for another login nothing is done",
        )
        for field in fields(Roles):
            parser.add_argument(
                f"--{field.name}",
                default=field.default,
                metavar="NAME",
                help=f"{FOR[field.name]} (default %(default)s)",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["for_login"]:
            applied = database_roles.apply_for_login()
            self.stdout.write("The roles stand." if applied else "The login is no superuser's.")
            return
        roles = Roles(**{field.name: options[field.name] for field in fields(Roles)})
        if options["apply"]:
            database_roles.apply(roles)
            self.stdout.write("The roles have their privileges, and no others.")
            return
        for statement in database_roles.statements(roles):
            self.stdout.write(f"{statement};")
