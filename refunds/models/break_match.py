"""Matches: which payouts a movement of our account was, as two people said."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class BreakMatch(models.Model):
    """So much of the movement of a break belongs to a payout. One movement may be several payouts,
    and one payout several movements. Of each, all of it is matched at once.
    """

    approval = models.ForeignKey("winddown.Approval", on_delete=models.PROTECT, related_name="+")
    found = models.ForeignKey(
        "refunds.ReconciliationBreak", on_delete=models.PROTECT, related_name="matches"
    )
    payout = models.ForeignKey(
        "refunds.Payout", on_delete=models.PROTECT, related_name="matches", db_index=False
    )
    amount_minor = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["found", "payout"], name="break_matched_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="match_positive"),
        ]
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="two_match_a_break",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        JOIN accounts_user m ON m.id = a.maker_id
                        WHERE a.id = NEW.approval_id AND s.part = 'approved'
                          AND s.staff_number <> m.staff_number
                          AND a.summary -> 'breaks' @> to_jsonb(NEW.found_id)
                          AND a.summary -> 'payouts' @> to_jsonb(NEW.payout_id))
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'break %s is matched by two people', NEW.found_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} of break {self.found_id} for payout {self.payout_id}"
