"""People: customers and staff in one table, never in one role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class UserManager(BaseUserManager["User"]):
    """Makes people; `get_by_natural_key` ignores the case of the login id."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(login_id=(username or "").lower())

    def create_staff(
        self, login_id: str, *, staff_number: str, password: str, **fields: Any
    ) -> User:
        """A member of staff who can sign in and sign approvals as the person `staff_number`."""
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

    account_ref = models.CharField(
        max_length=64, null=True, unique=True, help_text="The core system's key."
    )
    login_id = models.CharField(max_length=254, unique=True, help_text="In lower case.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUSTOMER)
    email = models.EmailField(blank=True)
    email_verified_at = models.DateTimeField(null=True)
    phone = models.CharField(max_length=20, blank=True)
    phone_verified_at = models.DateTimeField(null=True)
    display_name = models.CharField(max_length=100, blank=True)
    kana_name = models.CharField(max_length=100, blank=True)
    staff_number = models.CharField(
        max_length=40, blank=True, help_text="The person behind a staff account."
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    registered_at = models.DateTimeField(null=True)
    password_set_at = models.DateTimeField(
        null=True, help_text="What the credential fence compares."
    )
    password_removed_at = models.DateTimeField(
        null=True, help_text="When a mass reset made the password unusable."
    )
    refused_hash = models.CharField(
        max_length=128,
        blank=True,
        help_text="The password that a mass reset took away: it never signs in, and cannot be chosen again.",
    )

    USERNAME_FIELD = "login_id"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    objects = UserManager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(login_id=Lower("login_id")), name="login_id_in_lower_case"
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
        ]

    def __str__(self) -> str:
        return f"account {self.pk}"
