"""The look-up's card of an account, without personal data."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts import addresses, birth_dates, person_keys, postal_addresses
from accounts.models import ExternalIdentity, Message, RecoveryCase, User
from accounts.models.user import UserQuerySet
from winddown import words
from winddown.actors import Actor, require
from winddown.authority import roles
from winddown.authority.role_words import role_words
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.site.panels import FINDERS, REVEALS, Card, Fact, number_in
from winddown.words import Text, provider

LOGIN_SHOWN = 2
READ_CONTACT = "accounts.read_contact"

REVEALS.add("account.read_contact", _("Contact data of a customer read"))
REVEALS.add("recovery.read_contact", _("Contact data read"))


def accounts_named(typed: str) -> UserQuerySet:
    """Returns the accounts that the text means: a subject, a login ID, the core system's key, or a
    customer's whole e-mail address, telephone number or name.
    """
    if (number := number_in(typed, "account")) is not None:
        return User.objects.get_queryset().filter(pk=number)
    customers = User.objects.get_queryset().customers()
    found = User.objects.named(typed) | User.objects.get_queryset().filter(account_ref=typed)
    found |= customers.filter(Q(display_name=typed) | Q(kana_name=typed))
    if (address := addresses.understood(typed)) is not None:
        found |= addresses.accounts_at(address)
    return found.order_by("pk")


def disclose_contact(account: User, *, actor: Actor, reason: str) -> list[Fact]:
    """Returns a customer's name and addresses in full. The audit journal says that `actor` read
    them, and why. Raises `NotPermitted`, and `GuardNotMet` for a colleague's account.
    """
    require(actor, READ_CONTACT, action=f"read the contact data of account {account.pk}")
    if account.kind != User.Kind.CUSTOMER:
        raise GuardNotMet(
            action=says("read the contact data"), why=says("it is no customer's account")
        )
    with transaction.atomic():
        audit.append("account.read_contact", f"account:{account.pk}", actor=actor, reason=reason)
    return [
        Fact(_("Name"), account.display_name or "–"),
        Fact(_("Name in kana"), account.kana_name or "–"),
        Fact(_("Birth date"), birth_dates.of(account) or "–"),
        Fact(_("Login ID"), account.login_id),
        Fact(_("E-mail address"), account.email or "–"),
        Fact(_("Telephone"), account.phone or "–"),
        Fact(_("Postal address"), str(postal_addresses.of(account) or "–")),
    ]


def masked(typed: str) -> str:
    """Returns an address or a login ID of which only the beginning or the end can be read."""
    if not typed:
        return ""
    found = addresses.understood(typed)
    return found.mask if found else f"{typed[:LOGIN_SHOWN]}***"


@FINDERS.entry("account", place=10)
def _account(typed: str) -> list[Card]:
    return [_card(account) for account in accounts_named(typed)[:5]]


def _card(account: User) -> Card:
    is_staff = account.kind == User.Kind.STAFF
    own = [f"account:{account.pk}", f"staff_recovery:{account.pk}"]
    cases = RecoveryCase.objects.filter(account=account).values_list("pk", flat=True)
    return Card(
        subject=own[0],
        title=_("Staff account") if is_staff else _("Customer's account"),
        facts=[*_who(account, is_staff=is_staff), *_ways_in(account), *_messages(account)],
        subjects=(*own, *(f"recovery_case:{case}" for case in cases)),
        machine="account",
        state="usable" if account.is_active else "shut",
        reveal="" if is_staff else reverse("console:look_up_contact", args=[account.pk]),
    )


def _messages(account: User) -> list[Fact]:
    """Returns how many messages went to the person, and when the last one did."""
    sent = Message.objects.filter(user=account, sent_at__isnull=False)
    told = sent.aggregate(n=Count("pk"), last=Max("sent_at"))
    return [
        Fact(_("Messages sent"), told["n"]),
        *([Fact(_("Last message"), told["last"], "time")] if told["last"] else []),
    ]


def _who(account: User, *, is_staff: bool) -> list[Fact]:
    if is_staff:
        return [
            Fact(_("Login ID"), account.login_id),
            Fact(_("Staff number"), account.staff_number),
            Fact(_("Roles"), role_words(roles.roles_of(account)) or "–"),
        ]
    return [
        Fact(pgettext_lazy("account", "Reference"), account.account_ref or "–"),
        Fact(_("Login ID"), masked(account.login_id)),
        Fact(_("E-mail address"), _channel(account.email, account.email_verified_at)),
        Fact(_("Telephone"), _channel(account.phone, account.phone_verified_at)),
        Fact(_("Registered"), account.registered_at, "time"),
        *(
            Fact(
                format_lazy(_("Deleted: {data_class}"), data_class=words.data_class(code)),
                at,
                "time",
            )
            for code, at in person_keys.deletions(account.pk).items()
        ),
    ]


def _channel(address: str, verified_at: object) -> Text:
    if not address:
        return "–"
    proved = (
        pgettext_lazy("address", "verified")
        if verified_at
        else pgettext_lazy("address", "not verified")
    )
    return f"{masked(address)} ({proved})"


def _ways_in(account: User) -> list[Fact]:
    facts = [Fact(_("Password set"), account.password_set_at, "time")]
    linked = ExternalIdentity.objects.filter(user=account).order_by("provider")
    if names := [str(provider(each.provider)) for each in linked]:
        facts.append(Fact(_("External identities"), gettext(", ").join(names)))
    return facts
