"""The costs of the password hashes that files brought."""

from __future__ import annotations

from django.db import models

from winddown.guards import append_only


class ImportedHashCost(models.Model):
    """A file brought password hashes of this cost.

    `cost` is the part of a hash that decides its work. Every check of a password does the work of
    all of them, so that its time does not tell which hash an account has.
    """

    cost = models.CharField(max_length=80)
    loaded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = append_only()

    def __str__(self) -> str:
        return self.cost
