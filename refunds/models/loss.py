"""What a thief took: a charge, or the part of a payment that came out of the holder's own value."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from refunds.models.claim import FraudClaim
from refunds.models.claim_terms import ClaimTerms
from winddown.guards import Guard
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

_OVER = (
    FraudClaim.State.REMEDIED,
    FraudClaim.State.REJECTED,
    FraudClaim.State.CLOSED,
    FraudClaim.State.EXPIRED,
)


_BONUS = "bonus"


def _listed(*states: str) -> str:
    """Returns the states as SQL quotes them in a list."""
    return ", ".join(f"'{state}'" for state in states)


class Loss(models.Model):
    """One line of a claim: a top-up that a thief made from the holder's card or points, or the part
    of a thief's payment that took the holder's own value.

    `sources` says for such a part which value it was: the top-up (or another journal) that brought
    it in, and how much of it, in minor units. `tracing` is the policy by which payments of unknown
    payers took their value, in the version `terms` of the rules; without terms the default held.
    Bonus value is a line of its own, because it comes back as bonus.

    A movement is in at most one claim. Signed losses cannot change: rows are added and dropped only
    while the claim is under work, and a confirmed loss can never be dropped.
    """

    class Funding(models.TextChoices):
        CREDIT = "credit"
        DEBIT = "debit"
        POINTS = "points"
        OWN_BALANCE = "own_balance"
        BONUS = _BONUS

    SPENT_BY_THIEF = (Funding.OWN_BALANCE, Funding.BONUS)
    """The holder's value in the wallet, lost by a payment."""

    claim = models.ForeignKey(FraudClaim, on_delete=models.PROTECT, related_name="losses")
    top_up = models.ForeignKey(
        "wallets.TopUp", null=True, on_delete=models.PROTECT, related_name="losses"
    )
    payment = models.ForeignKey(
        "wallets.Payment", null=True, on_delete=models.PROTECT, related_name="losses"
    )
    amount_minor = models.BigIntegerField()
    sources = models.JSONField(
        default=list, help_text="Which value of the holder a payment took: lots and amounts."
    )
    tracing = models.CharField(max_length=12, choices=ClaimTerms.Tracing.choices, blank=True)
    terms = models.ForeignKey(ClaimTerms, null=True, on_delete=models.PROTECT, related_name="+")
    funding = models.CharField(max_length=12, choices=Funding.choices)
    issuer = models.ForeignKey(
        "refunds.Issuer", null=True, on_delete=models.PROTECT, related_name="losses"
    )
    hit_at = models.DateTimeField(help_text="When the movement happened.")
    confirmed_at = models.DateTimeField(null=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()
    dropped_at = models.DateTimeField(null=True)
    dropped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    drop_reason = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(top_up__isnull=False, payment__isnull=True)
                | Q(
                    top_up__isnull=True,
                    payment__isnull=False,
                    funding__in=["own_balance", "bonus"],
                ),
                name="loss_is_one_movement",
            ),
            models.CheckConstraint(
                condition=Q(payment__isnull=False) | ~Q(funding__in=["own_balance", "bonus"]),
                name="own_balance_is_lost_by_payment",
            ),
            models.CheckConstraint(
                condition=Q(issuer__isnull=True) | Q(funding__in=["credit", "debit"]),
                name="only_a_card_loss_has_an_issuer",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="loss_positive"),
            models.CheckConstraint(
                condition=Q(dropped_at=None) | Q(confirmed_at=None),
                name="confirmed_loss_not_dropped",
            ),
            models.UniqueConstraint(
                fields=["top_up"],
                condition=Q(top_up__isnull=False, dropped_at=None),
                name="top_up_lost_once",
            ),
            models.UniqueConstraint(
                fields=["payment", "funding"],
                condition=Q(payment__isnull=False, dropped_at=None, confirmed_at=None),
                name="payment_lost_once",
            ),
        ]
        triggers = [
            *witnessed(
                older=(
                    {
                        "sources": "'[]'::jsonb",
                        "tracing": "''",
                        "terms_id": "NULL",
                        "dropped_by_id": "NULL",
                    },
                    {"dropped_by_id": "NULL"},
                )
            ),
            Guard(
                name="loss_fits_its_movement",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[
                    ("wallet", "bigint"),
                    ("most", "bigint"),
                    ("happened", "timestamptz"),
                    ("explained", "bigint"),
                ],
                func=f"""
                    IF NEW.top_up_id IS NOT NULL THEN
                        SELECT wallet_id, amount_minor, occurred_at INTO wallet, most, happened
                        FROM wallets_topup WHERE id = NEW.top_up_id;
                    ELSE
                        SELECT p.wallet_id, p.occurred_at, CASE NEW.funding
                            WHEN '{_BONUS}' THEN p.bonus_part_minor
                            ELSE p.paid_part_minor END
                            - (SELECT coalesce(sum(l.amount_minor), 0) FROM refunds_loss l
                               WHERE l.payment_id = p.id AND l.funding = NEW.funding
                                 AND l.dropped_at IS NULL)
                        INTO wallet, happened, most
                        FROM wallets_payment p
                        JOIN refunds_paymentpayer y ON y.payment_id = p.id
                            AND y.claim_id = NEW.claim_id AND y.payer = 'thief'
                            AND y.replaced_at IS NULL
                        WHERE p.id = NEW.payment_id;
                        SELECT sum((part->>'amount_minor')::bigint) INTO explained
                        FROM jsonb_array_elements(NEW.sources) AS part;
                        IF explained IS DISTINCT FROM NEW.amount_minor THEN
                            most := NULL;
                        END IF;
                    END IF;
                    NEW.hit_at := happened;
                    IF NOT EXISTS (SELECT FROM refunds_fraudclaim c WHERE c.id = NEW.claim_id
                        AND c.wallet_id = wallet
                                   AND c.state NOT IN ({_listed(*FraudClaim.PROPOSED)},
                                       {_listed(*FraudClaim.OWED)},
                                                       {_listed(*_OVER)}))
                       OR most IS NULL OR NEW.amount_minor > most OR NEW.confirmed_at IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                            MESSAGE = format('claim %s cannot take this loss', NEW.claim_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="loss_stays_as_signed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'DELETE' THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                            MESSAGE = 'a loss is dropped, never deleted';
                    END IF;
                    IF (NEW.claim_id, NEW.amount_minor, NEW.funding, NEW.hit_at, NEW.sources,
                           NEW.tracing)
                           IS DISTINCT FROM (OLD.claim_id, OLD.amount_minor, OLD.funding,
                               OLD.hit_at, OLD.sources, OLD.tracing)
                       OR NEW.terms_id IS DISTINCT FROM OLD.terms_id
                       OR NEW.top_up_id IS DISTINCT FROM OLD.top_up_id
                           OR NEW.payment_id IS DISTINCT FROM OLD.payment_id
                       OR (OLD.confirmed_at IS NOT NULL
                           AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at)
                       OR (OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL
                           AND NOT EXISTS (
                               SELECT FROM refunds_fraudclaim c
                               WHERE c.id = NEW.claim_id AND c.state = '{FraudClaim.State.CONFIRMED}'))
                       OR (OLD.dropped_at IS NOT NULL
                           AND NEW.dropped_at IS DISTINCT FROM OLD.dropped_at)
                       OR (NEW.dropped_by_id IS DISTINCT FROM OLD.dropped_by_id
                           AND (OLD.dropped_at IS NOT NULL OR NEW.dropped_at IS NULL))
                       OR (NEW.dropped_at IS DISTINCT FROM OLD.dropped_at AND EXISTS (
                               SELECT FROM refunds_fraudclaim c WHERE c.id = NEW.claim_id
                               AND c.state IN ({_listed(*FraudClaim.PROPOSED)}))) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                            MESSAGE = format('loss %s stays as it was signed', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"loss {self.pk}"
