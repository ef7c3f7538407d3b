"""Passwords that attackers have: the fingerprints of published lists."""

from __future__ import annotations

from django.db import models
from django.db.models import Func, Q
from django.db.models.lookups import Exact


class BreachedPassword(models.Model):
    """One password that nobody may choose, as its SHA-1. Such lists are published as SHA-1.

    A row is twenty bytes and their index, because lists have tens of millions of rows and a check
    is one look-up. SHA-1 protects nothing here. It is only the format of the lists.
    """

    sha1 = models.BinaryField(primary_key=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    Exact(
                        Func("sha1", function="octet_length", output_field=models.IntegerField()),
                        20,
                    )
                ),
                name="fingerprint_of_twenty_bytes",
            ),
        ]

    def __str__(self) -> str:
        return "breached password"
