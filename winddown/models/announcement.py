"""What the operator tells everybody, in versions that two people sign."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL

from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

_NOW = RawSQL("winddown_now()", ())


class Announcement(models.Model):
    """One version of a text, in two languages. It may name what the programme fills in."""

    class Kind(models.TextChoices):
        BANNER = "banner"
        POLICY = "policy"
        MERCHANT = "merchant"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    version = models.IntegerField()
    title_ja = models.CharField(max_length=200)
    body_ja = models.TextField()
    title_en = models.CharField(max_length=200)
    body_en = models.TextField()
    drafted_at = models.DateTimeField(db_default=_NOW)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="one_text_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"

    @property
    def subject(self) -> str:
        return f"public_text:{self.pk}"


class AnnouncementRelease(models.Model):
    """Everybody can read the version since then. A second person has signed it."""

    announcement = models.OneToOneField(
        Announcement, on_delete=models.PROTECT, related_name="release"
    )
    released_at = models.DateTimeField(db_default=_NOW)

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="released_by_signature",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        WHERE s.subject = 'public_text:' || NEW.announcement_id
                          AND s.part = 'approved'
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = 'an announcement takes the signature of a second person';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"release of announcement {self.announcement_id}"
