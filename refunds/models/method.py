"""Payout methods as data: what each costs, up to which amount, how long it takes and lasts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from winddown.guards import columns_are_fixed, rows_are_kept
from winddown.witness import witnessed


class MethodTerms(models.Model):
    """The terms of one payout method. The source names who laid them down.

    `code` is an entry of the registry of payout methods. `costs` has pairs of the greatest amount
    and the cost of one payout up to it, in minor units, from the smallest amount to the greatest. The
    operator bears the cost.
    """

    BANK = "bank"
    """The method that every programme has, with or without terms."""

    code = models.CharField(max_length=16, unique=True)
    place = models.SmallIntegerField(help_text="The order of the offer, and of the fallback.")
    amount_max_minor = models.BigIntegerField(help_text="The greatest amount that it carries.")
    costs = models.JSONField(help_text="Pairs of the greatest amount and the cost up to it.")
    money_days = models.SmallIntegerField(help_text="Days until the holder has the money.")
    valid_days = models.SmallIntegerField(
        default=0, help_text="Days until it expires if it is not cashed; 0 if it does not."
    )
    source = models.TextField()

    class Meta:
        default_permissions = ()
        triggers = [*witnessed(), rows_are_kept(), columns_are_fixed("code")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_max_minor__gte=1, money_days__gte=0, valid_days__gte=0),
                name="method_terms_within_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.code
