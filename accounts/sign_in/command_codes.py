"""A command that is signed by a person asks for that person's second factor."""

from __future__ import annotations

from django.db import transaction

from accounts.errors import NotProved
from accounts.models import User
from accounts.sign_in import second_factor
from winddown.actors import SYSTEM
from winddown.authority.staff_command import PROOFS
from winddown.evidence import audit


@PROOFS.entry("second factor")
def use_code(person: User, typed: str) -> None:
    """The code is used up. It is one of the person's app, or a recovery code.

    Raises `NotProved` after an audit entry. After several wrong codes none is accepted for a while.
    """
    if second_factor.use_code(person, typed) is None:
        with transaction.atomic():
            audit.append("command.not_proved", f"account:{person.pk}", actor=SYSTEM)
        raise NotProved(login=person.login_id)
