"""Certificates of deletion: what a run of `shred-personal-data` deleted, and what it does not cover."""

from __future__ import annotations

from django.db import models

from winddown.guards import append_only
from winddown.witness import witnessed


class DeletionCertificate(models.Model):
    """What one run deleted, by class, and what its scan found afterwards. `facts` are those of the
    paper that is printed from it. It names nobody.
    """

    run = models.OneToOneField("winddown.Run", on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    facts = models.JSONField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical facts.")

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"certificate of deletion of run {self.run_id}"
