"""Additions of accounts to the pages: the words of their workflows."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import CredentialFence, ExternalIdentity, RecoveryCase, User
from accounts.sign_in.adapters import ask_again
from winddown import words
from winddown.site import audit_page, pages, panels
from winddown.site.panels import Panel, SubjectPage
from winddown.words import StateWord, Text

State = RecoveryCase.State

pages.FRESHNESS.add("second factor or password", ask_again)


@panels.SUBJECTS.entry("credential_fence")
def credential_fence(subject: str) -> SubjectPage:
    return _of_reset(subject, _("Lifting of credential fence"))


@panels.SUBJECTS.entry("carrier_file")
def carrier_file(subject: str) -> SubjectPage:
    return _of_reset(subject, _("File for a carrier"))


def _of_reset(subject: str, title: Text) -> SubjectPage:
    number = subject.split(":")[1]
    return SubjectPage(title=format_lazy("{} {}", title, number), url=reverse("console:reset"))


@panels.CONTENTS.entry("carrier_file")
def carrier_file_content(signed: dict[str, Any]) -> list[panels.Change]:
    return [panels.Change(_("Messages"), signed["rows"])]


@panels.SUBJECTS.entry("staff_recovery")
def staff_recovery(subject: str) -> SubjectPage:
    return _of_member(subject, _("Account recovery for a colleague"))


@panels.SUBJECTS.entry("staff_roles")
def staff_roles(subject: str) -> SubjectPage:
    return _of_member(subject, _("Roles of a colleague"))


def _of_member(subject: str, title: Text) -> SubjectPage:
    number = subject.split(":")[1]
    return SubjectPage(
        title=format_lazy("{} ({})", title, number), url=reverse("staff:member", args=[number])
    )


@panels.SUBJECTS.entry("recovery_case")
def recovery_case(subject: str) -> SubjectPage:
    number = subject.partition(":")[2]
    return SubjectPage(
        title=format_lazy("{} {}", _("Assisted recovery"), number),
        url=reverse("cases:case", args=[number]),
    )


@panels.HOME_PANELS.entry("set_password", place=60)
def set_password(customer: User) -> Panel | None:
    """Tells a customer who only has an external login how to get a password while that login works."""
    return None if customer.has_usable_password() else Panel("accounts/_set_password.html")


words.STATES.add(
    "credential_fence",
    {
        CredentialFence.State.STANDING: StateWord(pgettext_lazy("fence", "Standing"), "bad"),
        CredentialFence.State.LIFTED: StateWord(pgettext_lazy("fence", "Lifted"), "off"),
        CredentialFence.State.SUPERSEDED: StateWord(pgettext_lazy("fence", "Superseded"), "off"),
    },
)
words.STATES.add(
    "recovery_case",
    {
        State.OPENED: StateWord(pgettext_lazy("case", "Opened"), "wait"),
        State.COLLECTING: StateWord(pgettext_lazy("case", "Proofs are collected"), "run"),
        State.PROPOSED: StateWord(pgettext_lazy("case", "Waits for a second person"), "wait"),
        State.APPROVED: StateWord(pgettext_lazy("case", "Approved"), "run"),
        State.COMPLETED: StateWord(pgettext_lazy("case", "Completed"), "on"),
        State.REJECTED: StateWord(pgettext_lazy("case", "Not accepted"), "off"),
    },
)
words.STATES.add(
    "account",
    {
        "usable": StateWord(pgettext_lazy("account", "Active"), "on"),
        "shut": StateWord(pgettext_lazy("account", "Disabled"), "off"),
    },
)
words.STATES.add(
    "external_identity",
    {
        ExternalIdentity.State.ACTIVE: StateWord(
            pgettext_lazy("external sign-in", "Possible"), "on"
        ),
        ExternalIdentity.State.SUSPENDED: StateWord(
            pgettext_lazy("external sign-in", "Suspended"), "off"
        ),
    },
)
audit_page.WITHHELD.add("recovery.proof", _("What was seen stands in the case."))
words.REFUSALS.add_all(
    {
        "DataDeleted": _("These data of the person were deleted on {on}."),
        "AuthorityFenced": _(
            "The link is from before the reset of all passwords. Ask for a new one."
        ),
        "PasswordReused": _("This password was used for the account before. Choose another."),
        "PasswordChangedMeanwhile": _("The password was changed at this moment. Try again."),
        "AddressTaken": _("There is an account with this address already. Use “Cannot sign in?”."),
        "StaffOnlyByStaff": _("Two colleagues of the person do this, never the person."),
        "NotForOneself": _(
            "Nobody asks for their own roles or decides about them: two colleagues do."
        ),
        "OwnAccount": _("Nobody disables their own account: a colleague does."),
        "RolesExclude": _("One person may not hold two roles that exclude each other: {why}."),
        "LinkDead": _("The link or code is used, too old, or no longer fits. Ask for a new one."),
        "TooManyTokens": _("The account has {most} devices already. Remove one first."),
        "ProviderNotTrusted": _("The service you signed in with is stopped. Ask for help instead."),
    }
)


words.STEPS.add_all(
    {
        "remove_passwords": _("Make old passwords unusable"),
        "remove_sessions": _("Remove old sessions"),
        "revoke_device_tokens": _("Revoke old device tokens"),
        "queue_first_notices": _("Queue the notices to victims and holders"),
        "queue_next_notices": _("Queue the notices to active customers"),
        "queue_notices": _("Queue the other notices"),
        "send_first_wave": _("Send the first wave"),
        "send_second_wave": _("Send the second wave"),
        "send_last_wave": _("Send the last wave"),
        "suspend_identities": _("Suspend external identities"),
        "restore_identities": _("Restore external identities"),
    }
)
words.PLAN_LINES.add_all(
    {
        "customers": _("Customers"),
        "passwords": _("Passwords that end"),
        "notices": _("Notices to customers"),
        "notices_by_email": _("Notices by e-mail"),
        "notices_by_phone": _("Notices by text message"),
        "notices_by_letter": _("Notices by letter"),
        "wave_1": _("First wave"),
        "wave_2": _("Second wave"),
        "wave_3": _("Last wave"),
        "mail": _("Mail is sent"),
        "bounced_at_most": _("Pauses above bounces of"),
        "complained_at_most": _("Pauses above complaints of"),
        "failed_resets_at_most": _("Pauses above failed resets of"),
        "limits_counted_from": _("Shares count from"),
        "limits_source": _("Source of these limits"),
        "told_first": _("Victims and holders, told first"),
        "told_next": _("Active customers, told next"),
        "staff": _("Staff"),
        "told_by_an_earlier_reset": _("Told by an earlier reset"),
        "without_channel": _("Without a verified channel"),
        "only_external_login": _("With external login only"),
        "only_external_login_without_channel": _(
            "With external login only and no verified channel"
        ),
        "fence": _("The fence holds for"),
        "sessions": _("Open sessions"),
        "device_tokens": _("Device tokens"),
        "identities": _("External identities"),
        "identities_suspended_already": _("Identities suspended already"),
        "identities_to_restore": _("Suspended identities to restore"),
        "identities_active_already": _("Identities active already"),
    }
)
words.PLAN_LINES_OF.add(
    "identities_",
    lambda code: format_lazy(_("Identities of {provider}"), provider=words.provider(code)),
)
words.PLAN_VALUES.add_all(
    {
        "fence:customers": _("customers, not staff"),
        "mail:smtp": _("by the run, over SMTP, in waves"),
        "mail:file": _("by a carrier, from a file"),
    }
)
