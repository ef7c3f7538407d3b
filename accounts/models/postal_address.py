"""Where the post reaches a person: sealed, and compared by a keyed fingerprint."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL

from accounts.models.person_key import append_only_until_deleted
from winddown.personal_data import DataClass
from winddown.witness import witnessed

WHOSE = "{row}.user_id"
BLANK = {"address_sealed": "''::bytea", "fingerprint": "''"}
"""What takes the place of an address that was deleted."""


class PostalAddress(models.Model):
    """One person has one address, as the file of accounts brought it. Only letters show it. A mass
    table.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="postal_address",
    )
    address_sealed = models.BinaryField()
    fingerprint = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only_until_deleted(BLANK, whose=WHOSE, data_class=DataClass.CONTACT),
            *witnessed(),
        ]

    def __str__(self) -> str:
        return f"postal address of account {self.user_id}"
