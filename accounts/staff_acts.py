"""What a member of staff does about colleagues, as one declaration for command and page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import staff_adding, staff_roles
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, SayingField


class NewMemberForm(ReasonForm):
    login_id = staff_adding.LoginIdField(label=_("Login ID"), max_length=150)
    name = SayingField(label=_("Name"), max_length=100)
    email = forms.EmailField(label=_("E-mail address"))
    staff_number = SayingField(
        label=_("Staff number"), max_length=32, help_text=_("One number for one person.")
    )


STAFF: dict[str, Act] = {
    "add": Act(
        title=pgettext_lazy("verb", "Add a member of staff"),
        effect=_(
            "The account has no role and no password yet. Two people give the roles, and two hand"
            " over the link for the first password."
        ),
        permission=staff_roles.PERMISSION,
        form=NewMemberForm,
        do=lambda actor, given: staff_adding.add(
            login_id=given["login_id"],
            name=given["name"],
            email=given["email"],
            staff_number=given["staff_number"],
            actor=actor,
            reason=given["reason"],
        ),
        tone="main",
    ),
}
