"""Imported files by their SHA-256. A second load of the same file is recognised as a repetition."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL

from winddown.guards import append_only
from winddown.witness import witnessed


class LoadedFile(models.Model):
    """One file that was loaded whole. Written in the transaction that loaded it, never changed.

    Of its `rows`, `inserted` were new; the others already existed with the same values.
    """

    kind = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    file_name = models.TextField()
    encoding = models.CharField(max_length=20)
    rows = models.BigIntegerField()
    inserted = models.BigIntegerField()
    sum_minor = models.BigIntegerField(null=True)
    loaded_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["kind", "sha256"], name="file_loaded_once"),
            models.CheckConstraint(
                condition=models.Q(inserted__gte=0, rows__gte=models.F("inserted")),
                name="file_inserted_of_rows",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"
