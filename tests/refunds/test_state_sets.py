"""Every state belongs to the sets that the refunds use: a new one must be added to them."""

from __future__ import annotations

from collections import Counter

import pytest

from refunds.models import (
    Entitlement,
    Payee,
    Payout,
    PayoutBatch,
    Recall,
    ReconciliationBreak,
    RefundApplication,
)

E, P, B, A, K = (
    Entitlement.State,
    Payout.State,
    PayoutBatch.State,
    RefundApplication.State,
    Payee.State,
)
PARTITIONS = {
    "who still gets an amount": (E, [Entitlement.UNPAID, Entitlement.ENDED]),
    "the buckets of invariant I60": (
        E,
        [Entitlement.OWED, [E.PAYING], [E.EXCLUDED], Entitlement.DISCHARGED],
    ),
    "where a payout's money is": (P, [Payout.IN_FLIGHT, [P.SETTLED], Payout.DEAD]),
    "whether a payout has a result": (
        P,
        [Payout.OUTSIDE_BATCHES, Payout.LEAVING, Payout.ENDED],
    ),
    "whether a batch holds its payouts": (B, [[B.OPEN], PayoutBatch.HOLDING, PayoutBatch.DEAD]),
    "who agreed to a batch": (
        B,
        [
            [B.OPEN, B.SEALED, B.SUBMITTED_FOR_APPROVAL, B.REJECTED, B.VOIDED],
            PayoutBatch.SIGNED,
        ],
    ),
    "which applications are over": (A, [RefundApplication.LIVE, RefundApplication.ENDED]),
    "what the bank said about a payee": (K, [[K.ENTERED, K.ASKED], Payee.PAYABLE, [K.REFUSED]]),
    "whether a recall is open": (Recall.State, [Recall.OPEN, Recall.ENDED]),
    "whether a break is explained": (
        ReconciliationBreak.State,
        [[ReconciliationBreak.State.OPEN], [ReconciliationBreak.State.RESOLVED]],
    ),
}


@pytest.mark.parametrize("question", PARTITIONS)
def test_every_state_has_exactly_one_answer(question: str) -> None:
    states, sets = PARTITIONS[question]
    assert Counter(str(state) for each in sets for state in each) == Counter(states.values)
