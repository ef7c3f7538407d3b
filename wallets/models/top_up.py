"""Top-ups: value put into a wallet from a funding source."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from wallets.models.funding_card import FundingCard
from winddown.guards import Guard, columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import FundingSource, TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

_FIXED = (
    "top_up_ref",
    "wallet_id",
    "source",
    "card_id",
    "amount_minor",
    "occurred_at",
)
_OF_CARDS = ", ".join(f"'{kind.value}'" for kind in FundingSource.OF_CARDS)


class TopUp(Stateful):
    """authorised -> posted -> reversed; authorised -> pending_reversal -> reversed.

    `switch_version` is the version of `top_up:<source>` that let it through. It is None for a
    top-up that was loaded from another system: there its own time decides.
    """

    class State(models.TextChoices):
        AUTHORISED = "authorised"
        POSTED = "posted"
        PENDING_REVERSAL = "pending_reversal"
        REVERSED = "reversed"

    AWAITING_POSTING = (State.AUTHORISED,)
    """The source let the charge through; the value is not in the wallet yet."""
    CHARGED = (State.POSTED,)
    """The value came into the wallet, and the charge was not undone since."""
    AWAITING_REVERSAL = (State.PENDING_REVERSAL,)
    """The value never came into the wallet; the source must undo the charge."""
    UNDONE = (State.REVERSED,)
    """The source undid the charge."""
    LET_THROUGH = (*AWAITING_POSTING, *CHARGED)
    """The value came into the wallet, or still may: no such charge is dated after a stop."""
    NOT_POSTED = (*AWAITING_POSTING, *AWAITING_REVERSAL)
    """The value is not in the wallet and was never there."""

    initial_states = (State.AUTHORISED, State.POSTED)

    top_up_ref = models.CharField(max_length=64, unique=True)
    wallet = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, related_name="top_ups")
    source = models.CharField(max_length=20)
    card = models.ForeignKey(
        FundingCard, null=True, on_delete=models.PROTECT, related_name="top_ups"
    )
    amount_minor = models.BigIntegerField()
    state = state_field(State, initial=State.POSTED)
    occurred_at = models.DateTimeField()
    switch_version = models.IntegerField(null=True)
    rrn = models.CharField(max_length=12, blank=True)
    auth_code = models.CharField(max_length=6, blank=True)
    arn = models.CharField(max_length=30, blank=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            columns_are_fixed(*_FIXED),
            *witnessed(*_FIXED, "rrn", "auth_code", "arn"),
            Guard(
                name="source_is_declared",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                declare=[("wrong", "text")],
                func=f"""
                    SELECT min(a.source) INTO wrong
                    FROM after a LEFT JOIN winddown_fundingsource f ON f.code = a.source
                    WHERE f.id IS NULL OR (a.card_id IS NOT NULL AND f.kind NOT IN ({_OF_CARDS}));
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_DECLARED}', MESSAGE = format(
                            '%s is no funding source of the programme that fits the top-up', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="top_up_positive"),
        ]

    def __str__(self) -> str:
        return f"top-up {self.pk}"

    @transition(
        field="state",
        source="authorised",
        target="posted",
        permission="wallets.freeze_wallet",
        custom={"system": True},
    )
    def post(self) -> None:
        """The value is in the wallet."""

    @transition(
        field="state",
        source="authorised",
        target="pending_reversal",
        permission="wallets.freeze_wallet",
        custom={"system": True},
    )
    def withhold(self) -> None:
        """Charges were frozen before the value was posted; the authorisation must be reversed."""

    @transition(
        field="state",
        source=["pending_reversal", "posted"],
        target="reversed",
        permission="wallets.freeze_wallet",
        custom={"system": True},
    )
    def reverse(self) -> None:
        """The charge was undone at its source."""


class TopUpTransition(TransitionLog):
    pass
