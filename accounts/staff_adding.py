"""A colleague gets an account, without a role and without a password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff_roles
from accounts.credentials.passwords import NO_PASSWORD
from accounts.models import User
from accounts.models.staff_number import is_visible, one_spelling
from winddown import locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock


class LoginIdField(forms.CharField):
    """What a member of staff types to sign in, in its one spelling: lower case."""

    default_validators = [
        RegexValidator(
            r"^[a-z0-9][a-z0-9._@+-]*$", _("Letters a to z, digits and . _ @ + - are expected.")
        )
    ]

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").lower()


def add(
    *, login_id: str, name: str, email: str, staff_number: str, actor: Actor, reason: str
) -> User:
    """The person has an account that opens nothing yet.

    Two people give it its roles (`staff_roles`), and two hand over the link for the first password
    (`staff_recovery`), so nobody makes a second self alone. Raises `NotPermitted`, and what `make`
    raises.
    """
    require(actor, staff_roles.PERMISSION, action="add a member of staff")
    with transaction.atomic():
        person = make(login_id=login_id, name=name, email=email, staff_number=staff_number)
        audit.append("staff.add", f"account:{person.pk}", actor=actor, reason=reason)
        return person


def make(*, login_id: str, name: str, email: str, staff_number: str) -> User:
    """The person has an account without a password.

    Raises `GuardNotMet` if the login or the staff number has an account already, or if the number
    holds a character that nobody sees. The transaction is the caller's.
    """
    number = one_spelling(staff_number)
    if not is_visible(number):
        raise GuardNotMet(
            action=says("add {login_id}", login_id=login_id),
            why=says("the staff number holds a space or an invisible character"),
        )
    locks.take(Lock.STAFF)
    if User.objects.named(login_id).exists():
        raise GuardNotMet(
            action=says("add {login_id}", login_id=login_id),
            why=says("this login has an account already"),
        )
    holder = User.objects.filter(kind=User.Kind.STAFF, staff_number=number).first()
    if holder is not None:
        raise GuardNotMet(
            action=says("add {login_id}", login_id=login_id),
            why=says(
                "{login_id} has the staff number {staff_number} already",
                login_id=holder.login_id,
                staff_number=staff_number,
            ),
        )
    return User.objects.create(
        login_id=login_id,
        kind=User.Kind.STAFF,
        is_staff=True,
        staff_number=number,
        display_name=name,
        email=email,
        password=NO_PASSWORD,
    )
