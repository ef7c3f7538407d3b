"""Second reviews: a claim of a list that another supervisor than the one who decides looked at."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models

from refunds.models.claim import FraudClaim, worked
from refunds.models.claim_decision import ClaimDecision
from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class ClaimReview(models.Model):
    """A supervisor who did not work on the claim found that its evidence bears the verdict of its
    list, or does not. The audit journal has the reason.
    """

    decision = models.ForeignKey(ClaimDecision, on_delete=models.PROTECT, related_name="reviews")
    claim = models.ForeignKey(FraudClaim, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    agrees = models.BooleanField()
    reviewed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "claim"], name="one_review_per_claim_of_a_list"
            ),
        ]
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="reviewed_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (SELECT FROM refunds_fraudclaim c
                        WHERE c.id = NEW.claim_id AND c.decision_id = NEW.decision_id
                          AND c.state IN ('proposed_confirm', 'proposed_reject'))
                       OR EXISTS (
                        SELECT FROM ({worked("SELECT NEW.claim_id")}) w
                        JOIN accounts_user u ON u.id = w.actor_id
                        JOIN accounts_user r ON r.id = NEW.reviewer_id
                            AND r.staff_number = u.staff_number
                        WHERE w.makes OR w.before_appeal) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.SAME_PERSON}', MESSAGE = format(
                            'claim %s is not for this person to review', NEW.claim_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"review of claim {self.claim_id}"
