"""What a row said when it was last written, as a digest that the audit chain covers."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.expressions import RawSQL

from winddown.guards import append_only, written_by_triggers


class RowDigest(models.Model):
    """One writing of one row. Only the witness triggers write it; the last one of a row holds."""

    id = models.BigAutoField(primary_key=True)
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)
    xact_id = models.BigIntegerField(db_default=RawSQL("pg_current_xact_id()::text::bigint", ()))

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), written_by_triggers()]
        indexes = [BrinIndex(fields=["xact_id"], name="row_digest_by_xact", autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_id}"
