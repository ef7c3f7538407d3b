"""Approvals: what was asked for, and who signed. A person signs a subject once, so the maker is
never the checker.
"""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models

from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Approval(models.Model):
    """A request that a second person decide about exactly what `digest` covers.

    `subject` names it across apps ("run:12", "capability:top_up:points:3", "payout_batch:9"). Only
    the latest request of a subject and stage can be signed.
    """

    subject = models.CharField(max_length=120)
    stage = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    summary = models.JSONField()
    permission = models.CharField(max_length=80, help_text="What the person who decides must hold.")
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        indexes = [models.Index(fields=["subject", "stage"], name="approval_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject} {self.stage}"


class Signature(models.Model):
    """One person's part in one subject: maker of a request, or checker who approved or rejected it.

    The database refuses a second signature of one person (staff number) on one subject, at any
    stage. It also refuses a checker's signature on a request that is expired or superseded, or that
    covers another digest.
    """

    class Part(models.TextChoices):
        MAKER = "maker"
        APPROVED = "approved"
        REJECTED = "rejected"

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="signatures")
    subject = models.CharField(max_length=120)
    stage = models.CharField(max_length=40)
    part = models.CharField(max_length=10, choices=Part.choices)
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    staff_number = models.CharField(max_length=40, help_text="The person behind the account.")
    digest = models.CharField(max_length=64)
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "staff_number"], name="one_signature_per_person_and_subject"
            ),
        ]
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="signature_fits",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("asked", "winddown_approval"), ("latest", "bigint")],
                func=f"""
                    SELECT * INTO asked FROM winddown_approval WHERE id = NEW.approval_id;
                    SELECT coalesce(u.staff_number, '') INTO NEW.staff_number
                    FROM accounts_user u WHERE u.id = NEW.signer_id;
                    IF NEW.staff_number = '' THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.SIGNER_REFUSED}',
                            MESSAGE = 'a signature needs a member of staff';
                    END IF;
                    NEW.subject := asked.subject;
                    NEW.stage := asked.stage;
                    NEW.at := winddown_now();
                    IF NEW.digest <> asked.digest THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.ANOTHER_PLAN}',
                            MESSAGE = 'the signature covers another plan than the request';
                    END IF;
                    IF NEW.part = 'maker' THEN
                        IF NEW.signer_id <> asked.maker_id THEN
                            RAISE EXCEPTION USING ERRCODE = '{SqlState.SIGNER_REFUSED}',
                                MESSAGE = 'the maker signs the own request';
                        END IF;
                        RETURN NEW;
                    END IF;
                    SELECT max(id) INTO latest FROM winddown_approval
                    WHERE subject = asked.subject AND stage = asked.stage;
                    IF latest <> asked.id THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.ANOTHER_PLAN}',
                            MESSAGE = 'the request was superseded by a later one';
                    END IF;
                    IF winddown_now() >= asked.expires_at THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.REQUEST_EXPIRED}',
                            MESSAGE = 'the request has expired';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.part}"
