"""Rules for a new password that every form of Django's own asks too."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import credentials
from accounts.models import User


class UnusedPasswordValidator:
    """The password is not the account's present one, nor the one a mass reset took away."""

    def validate(self, password: str, user: Any = None) -> None:
        seen = User.objects.filter(pk=user.pk).first() if user is not None and user.pk else None
        if seen is not None and credentials.is_refused(seen, password):
            raise ValidationError(
                _("This password was used for the account before. Choose another."),
                code="password_used_before",
            )

    def get_help_text(self) -> str:
        return str(_("Your password can't be one that the account had before a reset."))
