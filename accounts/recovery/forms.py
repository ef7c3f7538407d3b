"""The forms of recovery: who the person is, a code, a new password, and the data of an assisted
case.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.utils.translation import gettext_lazy as _

from accounts import addresses
from accounts.addresses import Address
from accounts.models import User
from winddown.authority.role_words import ROLE_WORDS
from winddown.authority.roles import ROLES
from winddown.site.forms import ReasonForm, SayingField, ToldField

_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class OnceForm(forms.Form):
    """A form that acts once: the page gives each form a key, and a second sending has the same key."""

    once = forms.CharField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)

    def key(self) -> str:
        """Returns the form's key. It is empty when the browser sent none."""
        return str(self.cleaned_data["once"]) if self.is_valid() else ""


class WhoForm(OnceForm):
    """A login id, an e-mail address or a telephone number."""

    who = forms.CharField(
        label=_("Login ID, e-mail address or telephone number"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", **_PLAIN}),
        error_messages={"required": _("Enter your login ID, e-mail address or telephone number.")},
    )


class AddressForm(forms.Form):
    """One address: for a new account, or of a person who wrote to support."""

    address: Address

    who = forms.CharField(
        label=_("E-mail address or telephone number"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "email", **_PLAIN}),
        error_messages={"required": _("Enter an e-mail address or a telephone number.")},
    )

    def clean_who(self) -> str:
        typed: str = self.cleaned_data["who"]
        found = addresses.understood(typed)
        if found is None:
            raise forms.ValidationError(
                _(
                    "This is neither an e-mail address nor a telephone number."
                    " For example: name@example.com, 090-1234-5678"
                )
            )
        self.address = found
        return typed


class RegisterForm(OnceForm, AddressForm):
    """The address of a new account."""


class OwnAddressForm(OnceForm):
    """The e-mail address of one's own account. Staff type it. A customer's is the stored one."""

    address: Address

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "email", **_PLAIN}),
        error_messages={"required": _("Enter an e-mail address.")},
    )

    def __init__(self, given: Any, *, user: User) -> None:
        super().__init__(given, initial={"email": user.email})
        self.user = user
        if user.kind != User.Kind.STAFF:
            del self.fields["email"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        typed = given.get("email", self.user.email)
        found = addresses.understood(typed)
        if found is None or found.channel != addresses.EMAIL:
            raise forms.ValidationError(
                _("This is no e-mail address. For example: name@example.com")
            )
        self.address = found
        return given


class CodeForm(forms.Form):
    """The code that was sent to a telephone."""

    code = forms.CharField(
        label=_("Code from the message"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("Enter the code of 8 digits.")},
    )


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password = forms.CharField(
        label=_("New password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Enter a new password.")},
    )
    again = forms.CharField(
        label=_("New password again"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Enter the new password once more.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.rules = password_validators_help_texts()

    def clean_password(self) -> str:
        given: str = self.cleaned_data["password"]
        validate_password(given, self.user)
        return given

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "password" in given and "again" in given and given["password"] != given["again"]:
            self.add_error("again", _("The two passwords are not the same."))
        return given


class HelpForm(AddressForm):
    """The data that support needs to begin an assisted case."""

    name = SayingField(
        label=_("Your name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name.")},
    )
    account = forms.CharField(
        label=_("What you remember of your account"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs=_PLAIN),
    )
    story = ToldField(
        label=_("What happened"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write in a few words what happened.")},
    )
    field_order = ("name", "who", "account", "story")


class ReferenceForm(forms.Form):
    """The reference of an assisted case."""

    reference = forms.CharField(
        label=_("Reference"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter the reference of your case.")},
    )


# --- staff --------------------------------------------------------------------------------------


class ProofForm(forms.Form):
    """One proof: its kind, and a note of what was checked. The note does not repeat the data."""

    kind = forms.ChoiceField(label=_("Kind of proof"))
    note = ToldField(
        label=_("What was seen"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write what was seen.")},
    )

    def __init__(self, *args: Any, kinds: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["kind"]).choices = kinds


class ProposeForm(ReasonForm):
    """The account that the proposal names."""

    account = forms.CharField(
        label=_("Login ID or account reference"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", **_PLAIN}),
        error_messages={"required": _("Name the account.")},
    )
    second_factor_lost = forms.TypedChoiceField(
        label=_("Second factor"),
        choices=(
            ("kept", _("Stays, if there is one")),
            ("lost", _("Is lost: app, passkeys and recovery codes are removed")),
        ),
        coerce=lambda chosen: chosen == "lost",
        required=False,
    )
    field_order = ("account", "second_factor_lost", "reason")


class StaffRecoveryForm(ReasonForm):
    """What a colleague has lost."""

    second_factor_lost = forms.TypedChoiceField(
        label=_("What is lost"),
        choices=(
            ("kept", _("The password")),
            ("lost", _("The second factor, or both")),
        ),
        coerce=lambda chosen: chosen == "lost",
    )
    field_order = ("second_factor_lost", "reason")


class RolesForm(ReasonForm):
    """The roles that a colleague is to have, and no other."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        required=False,
        choices=[(role, ROLE_WORDS[role]) for role in ROLES],
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("roles", "reason")


class RejectionForm(ReasonForm):
    """The reason, as a code whose words the person is told."""

    code = forms.ChoiceField(label=_("What the person is told"))
    field_order = ("code", "reason")

    def __init__(self, *args: Any, codes: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["code"]).choices = codes


class QueueForm(forms.Form):
    """Which cases of the queue are shown."""

    state = forms.ChoiceField(label=_("State"), required=False)
    days = forms.IntegerField(
        label=_("At least so many days old"),
        required=False,
        min_value=0,
        max_value=10_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, states: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["state"]).choices = states
