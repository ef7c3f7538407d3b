"""Who made a payment out of a victim's wallet, as an analyst named it."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from refunds.models.claim import FraudClaim
from winddown.guards import Guard
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class PaymentPayer(models.Model):
    """The payment was made by the thief, by the holder, or by somebody whom nobody can name.

    A payment without a row is of an unknown payer too. Another answer replaces the row, which
    stays; after the claim is proposed nothing changes.
    """

    class Payer(models.TextChoices):
        THIEF = "thief"
        HOLDER = "holder"
        UNKNOWN = "unknown"

    claim = models.ForeignKey(FraudClaim, on_delete=models.PROTECT, related_name="payers")
    payment = models.ForeignKey("wallets.Payment", on_delete=models.PROTECT, related_name="payers")
    payer = models.CharField(max_length=8, choices=Payer.choices)
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    named_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["payment"], condition=Q(replaced_at=None), name="payment_has_one_payer"
            ),
            models.CheckConstraint(
                condition=Q(payer__in=["thief", "holder", "unknown"]), name="payer_is_known"
            ),
        ]
        triggers = [
            *witnessed(),
            Guard(
                name="payer_named_under_work",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND (
                           OLD.replaced_at IS NOT NULL
                           OR (NEW.claim_id, NEW.payment_id, NEW.payer, NEW.named_at)
                              IS DISTINCT FROM
                              (OLD.claim_id, OLD.payment_id, OLD.payer, OLD.named_at)) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                            MESSAGE = 'who paid is replaced by another answer, never changed';
                    END IF;
                    IF NOT EXISTS (
                        SELECT FROM refunds_fraudclaim c
                        JOIN wallets_payment p ON p.wallet_id = c.wallet_id
                        WHERE c.id = NEW.claim_id AND p.id = NEW.payment_id
                          AND (c.state = ANY ('{{{",".join(FraudClaim.UNDER_WORK)}}}')
                               OR TG_OP = 'UPDATE'
                               AND c.state = '{FraudClaim.State.REJECTED}')) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                            MESSAGE = format('claim %s cannot take this payment', NEW.claim_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"payer of payment {self.payment_id}"
