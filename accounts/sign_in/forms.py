"""The forms of signing in, and of the second factor."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth import authenticate
from django.utils.translation import gettext_lazy as _

from accounts.sign_in import second_factor


class SignInForm(forms.Form):
    """Login id and password; one answer for every refusal, whatever its reason."""

    login_id = forms.CharField(
        label=_("Login ID"),
        max_length=254,
        strip=True,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username webauthn",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Enter your login ID.")},
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )
    remember = forms.BooleanField(label=_("Stay signed in here for 30 days"), required=False)

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: Any = None

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "login_id" in given and "password" in given:
            self.user = authenticate(
                self.request, username=given["login_id"], password=given["password"]
            )
            if self.user is None:
                raise forms.ValidationError(_("The login ID or the password is not right."))
        return given


class CodeForm(AuthenticateForm):
    """A code of the authenticator app, or a recovery code."""

    reauthenticated = False
    code = forms.CharField(
        label=_("Code"),
        max_length=12,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter the code.")},
    )

    def clean_code(self) -> str:
        """The code is right, and is used up with this."""
        code: str = self.cleaned_data["code"]
        found = second_factor.use_code(self.user, code)
        if found is None:
            raise forms.ValidationError(_("The code is not right."))
        self.authenticator: Authenticator = found
        return code

    def save(self) -> None:
        post_authentication(
            context.request, self.authenticator, reauthenticated=self.reauthenticated
        )


class FreshCodeForm(CodeForm):
    """The same, for somebody who is signed in already."""

    reauthenticated = True
