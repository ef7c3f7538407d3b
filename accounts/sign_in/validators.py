"""Rules for a new password, asked by every form of Django's own as well."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.credentials import passwords
from accounts.models import User
from accounts.sign_in import breached


class PasswordLengthValidator:
    """A password is long enough for its account. There is no other rule about its characters.

    Eight characters for a customer, fifteen for staff (OWASP ASVS 6.2.1, which advises fifteen).
    """

    def __init__(self, customers: int = 8, staff: int = 15) -> None:
        self.customers = customers
        self.staff = staff

    def validate(self, password: str, user: Any = None) -> None:
        of_staff = getattr(user, "kind", "") == User.Kind.STAFF
        least = self.staff if of_staff else self.customers
        if len(password) < least:
            raise ValidationError(
                ngettext_lazy(
                    "This password is too short. It must contain at least %(least)d character.",
                    "This password is too short. It must contain at least %(least)d characters.",
                    "least",
                ),
                code="password_too_short",
                params={"least": least},
            )

    def get_help_text(self) -> str:
        return str(
            _("Your password must contain at least %(customers)d characters (staff: %(staff)d).")
            % {"customers": self.customers, "staff": self.staff}
        )


class BreachedPasswordValidator:
    """The password is in no loaded list of breached passwords. No other service is asked."""

    def validate(self, password: str, user: Any = None) -> None:
        if breached.is_breached(password):
            raise ValidationError(
                _(
                    "This password is in a published list of stolen passwords. People who have the"
                    " list try it first. Choose another."
                ),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        return str(_("Your password can't be one of the passwords known to be stolen."))


class UnusedPasswordValidator:
    """The password is not the account's present one, and not the one that a mass reset removed."""

    def validate(self, password: str, user: Any = None) -> None:
        seen = User.objects.filter(pk=user.pk).first() if user is not None and user.pk else None
        if seen is not None and passwords.is_refused(seen, password):
            raise ValidationError(
                _("This password was used for the account before. Choose another."),
                code="password_used_before",
            )

    def get_help_text(self) -> str:
        return str(_("Your password can't be one that the account had before a reset."))
