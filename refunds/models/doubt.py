"""What makes a remedy doubtful, until two people decide what is true."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from refunds.models.issuer_action import IssuerAnswer
from refunds.models.remedy import Remedy
from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Doubt(models.Model):
    """An issuer's later word does not agree with its earlier one, or came when nobody waited for it;
    or a loss was made good by more than it was.

    `remedy` is the one that is doubtful, and `amount_minor` what may be paid twice. Until two people
    have decided, no payout of the operator's own money leaves for its loss. `owner` works on it. The
    verdict is `first` when the earlier word stands, and `last` when the later one does; of what was
    paid twice, `collect` or `waive`.
    """

    class Kind(models.TextChoices):
        CONTRADICTED = "contradicted"
        LATE = "late"
        PAID_TWICE = "paid_twice"

    class Verdict(models.TextChoices):
        FIRST = "first"
        LAST = "last"
        COLLECT = "collect"
        WAIVE = "waive"

    OF_WORDS: ClassVar = (Verdict.FIRST, Verdict.LAST)
    """What is said about an issuer's words."""
    OF_MONEY: ClassVar = (Verdict.COLLECT, Verdict.WAIVE)
    """What is said about money that was paid twice."""

    kind = models.CharField(max_length=12, choices=Kind.choices)
    remedy = models.ForeignKey(Remedy, on_delete=models.PROTECT, related_name="doubts")
    answer = models.OneToOneField(
        IssuerAnswer, null=True, on_delete=models.PROTECT, related_name="doubt"
    )
    amount_minor = models.BigIntegerField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)
    settled_at = models.DateTimeField(null=True)
    approval_subject = models.CharField(max_length=40, blank=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("kind", "remedy_id", "answer_id", "amount_minor", "opened_at"),
            Guard(
                name="doubt_settled_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    IF TG_OP = 'INSERT' AND NEW.verdict = '' THEN
                        RETURN NEW;
                    END IF;
                    IF TG_OP = 'UPDATE' AND NEW.verdict = OLD.verdict AND (OLD.verdict = '' OR
                        (NEW.settled_at, NEW.approval_subject)
                            = (OLD.settled_at, OLD.approval_subject)) THEN
                        RETURN NEW;
                    END IF;
                    IF TG_OP = 'INSERT' OR OLD.verdict <> '' OR NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        JOIN accounts_user m ON m.id = a.maker_id
                        WHERE s.subject = NEW.approval_subject
                            AND s.subject LIKE 'doubt:' || NEW.id || ':%'
                            AND s.part = 'approved' AND s.digest = a.digest
                            AND a.summary ->> 'verdict' = NEW.verdict
                            AND s.staff_number <> m.staff_number
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('doubt %s is settled once, by two people', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="doubt_positive"),
            models.CheckConstraint(
                condition=Q(verdict="", settled_at=None)
                | (~Q(verdict="") & Q(settled_at__isnull=False)),
                name="settled_doubt_has_its_verdict",
            ),
            models.CheckConstraint(
                condition=Q(kind="paid_twice", verdict__in=["", "collect", "waive"])
                | (~Q(kind="paid_twice") & Q(verdict__in=["", "first", "last"])),
                name="verdict_fits_the_doubt",
            ),
            models.CheckConstraint(
                condition=Q(kind="paid_twice") | Q(answer__isnull=False),
                name="doubt_of_a_word_names_it",
            ),
            models.UniqueConstraint(
                fields=["remedy"],
                condition=Q(kind="paid_twice"),
                name="paid_twice_once_per_remedy",
            ),
        ]

    def __str__(self) -> str:
        return f"doubt {self.pk}"

    @property
    def subject(self) -> str:
        return f"doubt:{self.pk}"
