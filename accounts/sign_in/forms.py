"""The forms of signing in, and of the second factor."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as webauthn
from cryptography.exceptions import InvalidSignature
from django import forms
from django.contrib.auth import authenticate
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.sign_in import second_factor
from accounts.sign_in.origins import network_of
from winddown import texts

# The errors that allauth and fido2 raise for an unexpected passkey answer.
_MALFORMED = (ArithmeticError, AttributeError, InvalidSignature, LookupError, TypeError, ValueError)


class SignInForm(forms.Form):
    """Login id and password. Every refusal has the same answer."""

    login_id = forms.CharField(
        label=_("Login ID"),
        max_length=254,
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
        """Returns the code, which is right and is now used up."""
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
    """The same form for a person who is signed in already."""

    reauthenticated = True


class PasskeyField(forms.JSONField):
    """The browser's answer about a passkey: one JSON object."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            said = texts.read_json(value or "")
        except ValueError as error:
            raise forms.ValidationError(_("This passkey cannot be read.")) from error
        if not isinstance(said, dict):
            raise forms.ValidationError(_("This passkey cannot be read."))
        return said


class _PasskeyForm(forms.Form):
    """A passkey that cannot be read is refused like the passkey of another person. Both are noted."""

    credential = PasskeyField()

    def full_clean(self) -> None:
        super().full_clean()
        if "credential" in self.errors and self.data.get("credential"):
            self.note_refused()

    def note_refused(self) -> None:
        """The audit journal has the refused passkey."""
        raise NotImplementedError

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _MALFORMED as error:
            raise forms.ValidationError(_("This passkey cannot be read.")) from error


class _OwnersPasskeyForm(_PasskeyForm):
    """A refused passkey leaves an entry in the audit journal of the person who should show one."""

    user: User

    def note_refused(self) -> None:
        second_factor.note_refused_passkey(self.user)


class PasskeyForm(_OwnersPasskeyForm, webauthn.AuthenticateWebAuthnForm):
    """A passkey as the second factor."""


class PasskeySignInForm(_PasskeyForm, webauthn.LoginWebAuthnForm):
    """A passkey alone. Nobody knows whose a refused one is."""

    def note_refused(self) -> None:
        second_factor.note_unknown_passkey(network_of(context.request))


class FreshPasskeyForm(_OwnersPasskeyForm, webauthn.ReauthenticateWebAuthnForm):
    """A passkey of somebody who is signed in already."""


class AddPasskeyForm(webauthn.AddWebAuthnForm):
    """A new passkey, and the name that its owner gives it."""

    credential = PasskeyField()

    def clean(self) -> dict[str, Any]:
        try:
            return dict(super().clean())
        except _MALFORMED as error:
            raise forms.ValidationError(_("This passkey cannot be read.")) from error
