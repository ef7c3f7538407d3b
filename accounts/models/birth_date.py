"""When a person was born: sealed, and compared by a keyed fingerprint."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models.person_key import append_only_until_deleted
from winddown.personal_data import DataClass
from winddown.witness import witnessed

WHOSE = "{row}.user_id"
BLANK = {"day_sealed": "''::bytea", "fingerprint": "''"}
"""What takes the place of a day that was deleted."""


class BirthDate(models.Model):
    """One person has one day of birth, as the file of accounts brought it. A mass table.

    `fingerprint` is of the day and the name in kana together, so it is equal for the accounts of
    one person and says nothing about the day.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="birth_date",
    )
    day_sealed = models.BinaryField()
    fingerprint = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only_until_deleted(BLANK, whose=WHOSE, data_class=DataClass.IDENTITY),
            *witnessed(),
        ]

    def __str__(self) -> str:
        return f"birth date of account {self.user_id}"
