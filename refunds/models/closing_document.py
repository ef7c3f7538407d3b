"""Closing documents: what must be shown at the end, and what an outsider needs to finish the work."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from winddown.guards import append_only
from winddown.models import NoticeEvidence
from winddown.witness import witnessed

PACK_EXPORTED: Final = "resolution_pack.export"
"""The act by which a resolution pack leaves the house."""


class ClosingDocument(models.Model):
    """One document with its file. It counts once a second person has confirmed it. Append-only.

    The newest confirmed one of a kind and subject holds. The first four kinds are duties before the
    completion; the others are what a resolution pack consists of (FCA CASS 10A, UK, 7 May 2026).
    """

    class Kind(models.TextChoices):
        RESIDUAL = "residual"
        HOSTING = "hosting"
        PORTAL = "portal"
        SUCCESSOR = "successor"
        INSTITUTION = "institution"
        AGREEMENT = "agreement"
        INSURER = "insurer"
        POLICY = "policy"
        AGENT = "agent"
        GROUP_MEMBER = "group_member"
        THIRD_PARTY = "third_party"
        RESPONSIBLE = "responsible"
        PROCEDURE = "procedure"
        RECONCILIATION = "reconciliation"
        RECIPIENT = "recipient"

    DUTIES = (Kind.RESIDUAL, Kind.HOSTING, Kind.PORTAL, Kind.SUCCESSOR)
    """What must be shown before the programme is completed."""
    UNTIL = (Kind.HOSTING, Kind.PORTAL)
    """It holds until a day."""
    OF_THE_PACK = (
        Kind.INSTITUTION,
        Kind.AGREEMENT,
        Kind.INSURER,
        Kind.POLICY,
        Kind.AGENT,
        Kind.GROUP_MEMBER,
        Kind.THIRD_PARTY,
        Kind.RESPONSIBLE,
        Kind.PROCEDURE,
        Kind.RECONCILIATION,
    )
    """A complete resolution pack has at least one of each."""

    class Retrieval(models.TextChoices):
        AT_ONCE = "at_once"
        TWO_DAYS = "two_days"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=120, help_text="Whom or what it is about.")
    owner = models.CharField(max_length=120, help_text="Who keeps it up to date.")
    contact = models.CharField(max_length=200, blank=True)
    retrieval = models.CharField(max_length=8, choices=Retrieval.choices)
    reviewed_on = models.DateField(help_text="When it was last found right.")
    until_on = models.DateField(null=True, help_text="The last day on which it holds.")
    amount_minor = models.BigIntegerField(null=True, help_text="What was withdrawn.")
    evidence = models.ForeignKey(NoticeEvidence, on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(condition=~Q(subject=""), name="document_has_its_subject"),
            models.CheckConstraint(condition=~Q(owner=""), name="document_has_its_owner"),
            models.CheckConstraint(
                condition=Q(kind__in=["hosting", "portal"], until_on__isnull=False)
                | ~Q(kind__in=["hosting", "portal"]) & Q(until_on=None),
                name="document_holds_until_a_day",
            ),
            models.CheckConstraint(
                condition=Q(kind="residual", amount_minor__gte=0)
                | ~Q(kind="residual") & Q(amount_minor=None),
                name="document_has_the_residual",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["successor", "recipient"]) | ~Q(contact=""),
                name="document_says_how_to_reach",
            ),
        ]

    def __str__(self) -> str:
        return f"closing document {self.pk}"

    @property
    def approval_subject(self) -> str:
        return f"closing_document:{self.pk}"
