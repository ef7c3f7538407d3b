"""The start of a rehearsal: an empty database, the set-up file, and staff with roles."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import call_command
from django.db import connection

from accounts.models import User
from rehearsal.case import SET_UP_FILE, load_case
from rehearsal.doors import Doors
from winddown import database_roles
from winddown.errors import WinddownError

# The first two are in the set-up file.
PEOPLE = {
    "commander": "incident_commander",
    "deputy": "incident_commander",
    "analyst": "fraud_analyst",
    "supervisor": "fraud_supervisor",
    "supervisor2": "fraud_supervisor",
    "treasury": "treasury_operator",
    "treasury2": "treasury_operator",
    "approver": "treasury_approver",
    "approver2": "treasury_approver",
    "compliance": "compliance",
    "compliance2": "compliance",
    "support": "support",
    "support2": "support",
    "auditor": "auditor",
}

# A hash takes the least memory that a rehearsal may name. The usual ones would keep both processors
# of a small machine busy for a minute and more.
CHEAP_HASHES = {"WINDDOWN_PASSWORD_MEMORY_KIB": "1024"}


class NotARehearsal(WinddownError):
    """The database {name} holds a programme that is not a rehearsal: name another one in
    DATABASE_URL.
    """


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a member of staff signs in with. `secret` is that of the authenticator app."""

    login_id: str
    password: str
    secret: str


@dataclass(frozen=True, slots=True)
class Cast:
    """The staff of the rehearsal by login."""

    enrolled: Mapping[str, Enrolled]

    def __getattr__(self, login: str) -> User:
        return User.objects.get(login_id=login)


def empty_database() -> None:
    """The database holds the present schema and nothing else.

    Raises `NotARehearsal` for a database with a real programme. An earlier rehearsal is deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('winddown_clock') IS NOT NULL AND to_regclass('accounts_user') IS NOT NULL"
        )
        if cursor.fetchone()[0]:
            cursor.execute("SELECT rehearsal FROM winddown_clock")
            marked = cursor.fetchone()
            cursor.execute(
                "SELECT EXISTS (SELECT FROM accounts_user) OR EXISTS (SELECT FROM winddown_programme)"
            )
            if cursor.fetchone()[0] and not (marked and marked[0]):
                raise NotARehearsal(name=connection.settings_dict["NAME"])
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0)
    own_nothing()


def own_nothing() -> None:
    """This process has the role of the loader, and the processes that it starts have that of the
    application. If the login may not take these roles, nothing changes.
    """
    roles = database_roles.apply_for_login()
    if roles is None:
        return
    connection.close()
    connection.settings_dict["OPTIONS"]["options"] += f" -c role={roles.loader}"
    os.environ["WINDDOWN_DATABASE_ROLE"] = roles.application


def set_up(doors: Doors, *, more: str = "") -> Cast:
    """The programme has begun from its set-up file at the launch of the service, and its staff are
    there, each with a role, a password and an authenticator app. `more` is added to the file.

    The first two people bring in the others, as the staff of an operator do. Raises `CommandFailed`.
    """
    launched_at = load_case().programme.launched_at
    with TemporaryDirectory() as directory:
        file = Path(directory) / SET_UP_FILE.name
        file.write_text(f"{SET_UP_FILE.read_text(encoding='utf-8')}\n{more}", encoding="utf-8")
        doors.shell("begin", str(file), "--rehearsal", f"--at={launched_at:%Y-%m-%dT%H:%M}")
    one, two = list(PEOPLE)[:2]
    for number, (login, role) in enumerate(list(PEOPLE.items())[2:], start=3):
        doors.must(
            *("staff", "add", f"--login-id={login}", f"--name={login}"),
            *(f"--email={login}@example.com", f"--staff-number=S{number:03}"),
            by=one,
            reason="staff of the rehearsal",
        )
        asked = doors.must("staff", "roles", login, f"--role={role}", by=one, reason="their work")
        shown = f"--digest={asked['digest']}"
        doors.must("approve", asked["subject"], shown, by=two, reason="their work")
        asked = doors.must("recover_staff", login, by=one, reason="the first password")
        shown = f"--digest={asked['digest']}"
        doors.must("recover_staff", login, "--agree", shown, by=two, reason="handed over")
    return Cast({login: _enrolled(login, printed) for login, printed in _enrol(doors).items()})


def _enrol(doors: Doors) -> dict[str, str]:
    """Everybody has enrolled by the links that were handed over. Returns what was printed to each."""
    printed = doors.program("staff_enrol", *PEOPLE, more=CHEAP_HASHES)
    told = re.split(r"^(\S+) signs in ", printed, flags=re.MULTILINE)[1:]
    return dict(zip(told[::2], told[1::2], strict=True))


def _enrolled(login: str, printed: str) -> Enrolled:
    password = re.search(r"with the password (\S+)", printed)
    secret = re.search(r"the secret (\S+)", printed)
    if password is None or secret is None:
        raise AssertionError("staff_enrol prints a password and the secret of an app")
    return Enrolled(login_id=login, password=password[1], secret=secret[1])
