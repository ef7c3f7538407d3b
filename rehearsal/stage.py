"""The start of a rehearsal: an empty database marked as a rehearsal, staff with roles, the
programme and its switches.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import User
from rehearsal import issuers
from rehearsal.case import Case
from winddown import clock, database_roles
from winddown.actors import SYSTEM
from winddown.errors import WinddownError
from winddown.evidence import audit
from winddown.models import Programme
from winddown.set_up.sections import SECTIONS

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


class NotARehearsal(WinddownError):
    """The database {name} holds a programme that is not a rehearsal: name another one in
    DATABASE_URL.
    """


@dataclass(frozen=True, slots=True)
class Cast:
    """The staff of the rehearsal by login, and the one password they share."""

    people: dict[str, User]
    password: str

    def __getattr__(self, login: str) -> User:
        return self.people[login]


def empty_database() -> None:
    """The database holds the present schema and nothing else, and its clock may be moved.

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
    clock.mark_as_rehearsal()


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


def set_up(case: Case) -> Cast:
    """The programme, its switches and its staff exist at the launch of the service."""
    clock.travel(case.programme.launched_at)
    password = secrets.token_urlsafe(12)
    hashed = make_password(password)
    people = {}
    with transaction.atomic():
        for name, rows in case.declared.items():
            SECTIONS[name].adopt(rows, SYSTEM, "the case begins")
        Programme.objects.create(
            name=case.programme.name,
            currency=case.programme.currency,
            time_zone=str(case.programme.time_zone),
            launched_at=case.programme.launched_at,
        )
        for number, (login, role) in enumerate(PEOPLE.items(), start=1):
            person = User.objects.create(
                login_id=login,
                kind=User.Kind.STAFF,
                is_staff=True,
                staff_number=f"S{number:03}",
                display_name=login,
                password=hashed,
                password_set_at=clock.now(),
            )
            person.groups.add(Group.objects.get(name=role))
            people[login] = person
        issuers.declare()
        audit.append("rehearsal.set_up", "programme", actor=SYSTEM, people=len(people))
    return Cast(people=people, password=password)
