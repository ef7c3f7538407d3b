"""The look-up's card of an account, without personal data."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts import addresses
from accounts.models import ExternalIdentity, RecoveryCase, User
from accounts.models.user import UserQuerySet
from winddown.authority import roles
from winddown.authority.role_words import role_words
from winddown.site.panels import FINDERS, Card, Fact, number_in
from winddown.words import Text, provider

LOGIN_SHOWN = 2


def accounts_named(typed: str) -> UserQuerySet:
    """Returns the accounts that the text means: a subject, a login ID, or the core system's key."""
    if (number := number_in(typed, "account")) is not None:
        return User.objects.get_queryset().filter(pk=number)
    return User.objects.named(typed) | User.objects.get_queryset().filter(account_ref=typed)


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
        facts=[*_who(account, is_staff=is_staff), *_ways_in(account)],
        subjects=(*own, *(f"recovery_case:{case}" for case in cases)),
        machine="account",
        state="usable" if account.is_active else "shut",
    )


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
