"""The log of state changes: one narrow, append-only table per machine. Only the machine's trigger
writes it.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from winddown.guards import append_only, written_by_triggers


class TransitionLog(models.Model):
    """One change of state of one row.

    There are no foreign keys. The row comes from the UPDATE's own transition table, so its
    references exist. A key would also cost a lookup per row in a mass transition. `manage.py
    verify` checks the references instead.
    """

    id = models.BigAutoField(primary_key=True)
    subject_id = models.BigIntegerField()
    transition = models.CharField(max_length=60)
    source = models.CharField(max_length=40)
    target = models.CharField(max_length=40)
    actor_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    reason = models.TextField()
    at = models.DateTimeField()
    xact_id = models.BigIntegerField()

    class Meta:
        abstract = True
        default_permissions = ()
        triggers = [*append_only(), written_by_triggers()]
        indexes = [
            models.Index(fields=["subject_id"]),
            BrinIndex(fields=["xact_id"], autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id}: {self.source} -> {self.target}"
