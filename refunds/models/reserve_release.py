"""What two people released of the reserve for a disputed claim."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from refunds.models.claim import FraudClaim
from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class ReserveRelease(models.Model):
    """Of the reserve for a claim this amount is free, because two people agreed to it.

    What is disputed beyond all releases of the claim stays reserved.
    """

    claim = models.ForeignKey(FraudClaim, on_delete=models.PROTECT, related_name="reserve_releases")
    amount_minor = models.BigIntegerField()
    approval = models.ForeignKey(
        "winddown.Approval", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    released_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="reserve_release_positive"
            ),
            models.UniqueConstraint(
                fields=["approval", "claim"], name="one_release_per_claim_and_approval"
            ),
        ]
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="released_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE a.id = NEW.approval_id AND s.part = 'approved'
                          AND s.digest = a.digest AND s.signer_id <> a.maker_id
                          AND a.subject LIKE 'claim_reserve:%'
                          AND (a.summary->'claims'->>(NEW.claim_id::text))::bigint
                              = NEW.amount_minor
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('the reserve of claim %s is released by two people',
                                NEW.claim_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"release {self.pk} of the reserve of claim {self.claim_id}"
