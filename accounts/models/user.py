"""People: customers and staff in one table, never in one role."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Lower, Trim

from accounts.models import reach
from accounts.models.postal_address import PostalAddress
from accounts.models.staff_number import Normalized, StaffNumberField, in_one_spelling
from winddown import clock

LOGIN_ID_MAX = 254
# An empty hash, or an unusable one as Django writes it.
WITHOUT_PASSWORD = Q(password="") | Q(password__startswith="!")  # noqa: S106


def _one_spelling(login_id: Any) -> Lower:
    """Returns the SQL of the one spelling of a login id: NFKC, without spaces around it, in lower
    case.
    """
    return Lower(Trim(Normalized(login_id)))


class UserQuerySet(models.QuerySet["User"]):
    """Sets of people by what the business calls them."""

    def named(self, typed: str) -> UserQuerySet:
        """Returns the account with the login id, in whatever width or case it was typed.

        The database gives it the spelling in which login ids are loaded.
        """
        storable = typed.replace("\0", "\N{REPLACEMENT CHARACTER}")[:LOGIN_ID_MAX]
        return self.filter(login_id=_one_spelling(Value(storable, models.TextField())))

    def customers(self) -> UserQuerySet:
        return self.filter(kind=User.Kind.CUSTOMER)

    def registered_by(self, at: dt.datetime) -> UserQuerySet:
        """Returns the people who had an account at `at`. Accounts without a date of registration
        count.
        """
        return self.filter(Q(registered_at=None) | Q(registered_at__lte=at))

    def with_password(self) -> UserQuerySet:
        return self.exclude(WITHOUT_PASSWORD)

    def without_password(self) -> UserQuerySet:
        return self.filter(WITHOUT_PASSWORD)

    def with_channel(self, *, verified_by: dt.datetime) -> UserQuerySet:
        """Returns the people who can be reached: by an e-mail address or a telephone that was
        verified by then, or by a letter to an address that was here by then.
        `addresses.channels_of` says the same of one person.
        """
        return self.filter(_channel(verified_by))

    def without_channel(self, *, verified_by: dt.datetime) -> UserQuerySet:
        return self.exclude(_channel(verified_by))


def _channel(verified_by: dt.datetime) -> Q:
    return by_mail(verified_by) | by_telephone(verified_by) | by_letter(verified_by)


def by_mail(verified_by: dt.datetime) -> Q:
    """Returns the people whom our mail reaches at an address that was verified by then."""
    return Q(mail_address__isnull=False, email_verified_at__lte=verified_by)


def by_telephone(verified_by: dt.datetime) -> Q:
    """Returns the people whom a message reaches at a number that was verified by then."""
    return Q(phone_number__isnull=False, phone_verified_at__lte=verified_by)


def by_letter(loaded_by: dt.datetime) -> Q:
    """Returns the people whose postal address was here by then. Nobody has verified it."""
    known = PostalAddress.objects.filter(user=OuterRef("pk"), loaded_at__lte=loaded_by)
    return Q(Exists(known))


class UserManager(BaseUserManager["User"]):
    """Makes people; `get_by_natural_key` ignores the case of the login id."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def customers(self) -> UserQuerySet:
        return self.get_queryset().customers()

    def named(self, typed: str) -> UserQuerySet:
        return self.get_queryset().named(typed)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.named(username or "").get()

    def create_staff(
        self, login_id: str, *, staff_number: str, password: str, **fields: Any
    ) -> User:
        """Returns a new member of staff, who signs in and signs approvals as the person
        `staff_number`.
        """
        user = self.model(
            login_id=login_id,
            kind=User.Kind.STAFF,
            is_staff=True,
            staff_number=staff_number,
            **fields,
        )
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, login_id: str, password: str, **fields: Any) -> User:
        fields.setdefault("staff_number", login_id)
        return self.create_staff(login_id, password=password, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """One account: a customer of the service, or a member of the operator's staff."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer"
        STAFF = "staff"

    account_ref = models.CharField(  # noqa: DJ001  unique, and staff have none
        max_length=64, null=True, unique=True, help_text="The core system's key."
    )
    login_id = models.CharField(max_length=LOGIN_ID_MAX, unique=True, help_text="In lower case.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUSTOMER)
    email = models.EmailField(blank=True)
    email_verified_at = models.DateTimeField(null=True)
    phone = models.CharField(max_length=20, blank=True)
    phone_verified_at = models.DateTimeField(null=True)
    mail_address = reach.mail_field()
    phone_number = reach.number_field()
    display_name = models.CharField(max_length=100, blank=True)
    kana_name = models.CharField(max_length=100, blank=True)
    staff_number = StaffNumberField(
        max_length=40, blank=True, help_text="The person behind a staff account."
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    registered_at = models.DateTimeField(null=True)
    password_set_at = models.DateTimeField(
        null=True, help_text="What the credential fence compares."
    )
    password_removed_at = models.DateTimeField(
        null=True, help_text="When a mass reset last made a password of the account unusable."
    )
    channel_changed_at = models.DateTimeField(
        null=True,
        help_text="When another address took the place of the old one; money waits a day after it.",
    )
    refused_hash = models.CharField(
        max_length=128,
        blank=True,
        help_text="The password a mass reset took away: it never signs in, nor is chosen again.",
    )
    sessions_end_before = models.DateTimeField(
        null=True,
        help_text="Sessions and device tokens issued before this instant are not accepted.",
    )

    USERNAME_FIELD = "login_id"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    # `credentials.sign_in` sets this on the user whom it lets in. The session that is opened next
    # needs it.
    admission: Any = None

    class Meta:
        default_permissions = ()
        # People type their address when they cannot sign in. Loaded accounts may share one.
        indexes = [
            models.Index(
                fields=["mail_address"],
                name="account_of_email",
                condition=Q(mail_address__isnull=False),
            ),
            models.Index(
                fields=["phone_number"],
                name="account_of_phone",
                condition=Q(phone_number__isnull=False),
            ),
            models.Index(
                fields=["staff_number"], name="accounts_of_person", condition=~Q(staff_number="")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(login_id=_one_spelling(models.F("login_id"))),
                name="login_id_in_one_spelling",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="staff")
                | models.Q(is_staff=False, is_superuser=False, staff_number=""),
                name="customer_is_not_staff",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="customer") | ~models.Q(staff_number=""),
                name="staff_has_a_number",
            ),
            in_one_spelling("staff_number", name="staff_number_in_one_spelling"),
        ]

    def __str__(self) -> str:
        return f"account {self.pk}"

    def set_password(self, raw_password: str | None) -> None:
        """The object's password is `raw_password`, set now. The caller saves it."""
        super().set_password(raw_password)
        self.password_set_at = clock.now()

    def check_password(self, raw_password: str | None) -> bool:
        """Returns whether `raw_password` is the account's password. Only a sign-in renews a hash."""
        return check_password(raw_password, self.password)
