"""A member of staff of a rehearsal enrols in a shell, by the one-time link that was handed over."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.db import transaction

from accounts.models import OneTimeLink, User
from accounts.recovery import by_link, links
from accounts.sign_in import second_factor
from winddown import clock
from winddown.errors import GuardNotMet


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the person of a rehearsal signs in with."""

    login_id: str
    password: str
    secret: str
    """What an authenticator app takes. Empty if the person has one already."""


def enrol(login_id: str) -> Enrolled:
    """The person's link is used: a new password is chosen, and an authenticator app is set up.

    Raises `GuardNotMet` outside a rehearsal, and for somebody without a link that works.
    """
    _refuse_real(f"enrol {login_id}")
    with transaction.atomic():
        handed = OneTimeLink.objects.filter(
            user__login_id=login_id.lower(), purpose=OneTimeLink.Purpose.STAFF
        )
        link = next((each for each in handed.order_by("-pk") if links.lives(each)), None)
        if link is None:
            raise GuardNotMet(
                action=f"enrol {login_id}",
                why="no link of theirs works now. Of the first people, a second `begin` renews it;"
                " for the others two colleagues run recover_staff",
            )
        password = secrets.token_urlsafe(12)
        person = by_link.choose_password(link, password)
        has_app = second_factor.current_code(person) is not None
        secret = "" if has_app else second_factor.add_app(person)
        return Enrolled(login_id=person.login_id, password=password, secret=secret)


def code_of(login_id: str) -> str:
    """Returns the code that the person's app shows now.

    Raises `GuardNotMet` outside a rehearsal, and for somebody without an app.
    """
    action = f"show a code of {login_id}"
    _refuse_real(action)
    person = User.objects.filter(login_id=login_id.lower(), kind=User.Kind.STAFF).first()
    code = second_factor.current_code(person) if person else None
    if code is None:
        raise GuardNotMet(action=action, why="they have no authenticator app")
    return code


def _refuse_real(action: str) -> None:
    if not clock.is_rehearsal():
        raise GuardNotMet(
            action=action,
            why="this database is not a rehearsal. Each person enrols alone in a browser, and reads"
            " codes from their own app",
        )
