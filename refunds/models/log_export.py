"""Which logs left the house for investigators, under pseudonyms."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class LogExport(models.Model):
    """One file of sign-ins and other events, under pseudonyms, that two people let out after a third
    had asked. Its bytes are known by their hash.
    """

    request = models.CharField(
        max_length=40, unique=True, help_text="The subject of its two approvals."
    )
    recipient = models.CharField(max_length=200)
    since = models.DateTimeField()
    until = models.DateTimeField()
    rows = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=F("since")), name="log_export_lasts_forward"
            ),
        ]
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="let_out_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NEW.request NOT LIKE 'log_export:%' OR (
                        SELECT count(DISTINCT s.staff_number) FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.subject = NEW.request AND s.part = 'approved'
                          AND s.digest = a.digest AND s.signer_id <> a.maker_id
                    ) < 2 THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('two people let the logs of %s out', NEW.request);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"logs of {self.request}"
