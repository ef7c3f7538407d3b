"""Files for the carriers of messages, which are stored until somebody takes them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from winddown.guards import append_only, columns_are_fixed, rows_are_kept


class CarrierFile(models.Model):
    """A file whose rows have codes that open accounts. One person takes it, once. After that only
    two people can let it be taken again, because a copy in other hands is a key to each account.
    """

    name = models.CharField(max_length=100, unique=True)
    rows = models.IntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Empty until it is complete.")
    made_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_at=None, taken_by=None)
                | Q(taken_at__isnull=False, taken_by__isnull=False),
                name="taken_file_names_who_took_it",
            ),
        ]
        triggers = [
            rows_are_kept(),
            columns_are_fixed(
                "name", "rows", "sha256", "made_at", once="OLD.sha256 <> ''", name="file_is_fixed"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """Names the file in the audit journal and in requests."""
        return f"carrier_file:{self.pk}"


class CarrierFilePart(models.Model):
    """A piece of a file, encrypted because it has addresses and codes."""

    file = models.ForeignKey(
        CarrierFile, on_delete=models.PROTECT, related_name="parts", db_index=False
    )
    number = models.IntegerField()
    content_sealed = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="part_once_per_carrier_file")
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"part {self.number} of file {self.file_id}"


def part_place(file_id: int, number: int) -> str:
    """Returns the place that the encryption of a part is bound to."""
    return f"accounts_carrierfilepart/content/{file_id}.{number}"
