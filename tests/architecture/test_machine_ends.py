"""From every state of the machines about money, edges that verbs make lead to an end."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from refunds.models import (
    Entitlement,
    FraudClaim,
    Payee,
    Payout,
    PayoutBatch,
    Recall,
    ReconciliationBreak,
    RefundApplication,
    Remedy,
    Voucher,
)
from wallets.models import Wallet
from winddown.machines.declare import Stateful
from winddown.models import Programme

ROOT = Path(__file__).resolve().parents[2]
ENDS: dict[type[Stateful], tuple[str, ...]] = {
    Entitlement: Entitlement.ENDED,
    FraudClaim: FraudClaim.SETTLED,
    Payee: Payee.PAYABLE,
    Payout: Payout.ENDED,
    PayoutBatch: (PayoutBatch.State.CLOSED, *PayoutBatch.DEAD),
    Programme: (Programme.State.REPORTED,),
    Recall: Recall.ENDED,
    ReconciliationBreak: (ReconciliationBreak.State.RESOLVED,),
    RefundApplication: RefundApplication.ENDED,
    Remedy: (*Remedy.DONE, *Remedy.GIVEN_UP),
    Voucher: (Voucher.State.CASHED, *Voucher.ENDED),
    Wallet: (*Wallet.DISCHARGED, Wallet.State.EXCLUDED),
}
# A verb puts these names together from what it is told.
BY_WORD = {"ask_customer", "propose_confirm", "propose_reject"}
# No verb makes these.
UNMADE = {
    "Payout.recall": "a recalled transfer comes back in a file of the bank, as a return",
    "Wallet.restore_charges": "charges are not restored after the announcement",
}


@cache
def named() -> frozenset[str]:
    """Every text in the code of the verbs."""
    found = set()
    for app in ("accounts", "refunds", "wallets", "winddown"):
        for path in (ROOT / app).rglob("*.py"):
            if (
                not {"models", "migrations", "panels"} & set(path.parts)
                and "words" not in path.stem
            ):
                found |= {
                    node.value
                    for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.Constant) and isinstance(node.value, str)
                }
    return frozenset(found)


@pytest.mark.parametrize("model", ENDS, ids=lambda model: model.__name__)
def test_from_every_state_edges_of_verbs_lead_to_an_end(model: type[Stateful]) -> None:
    edges = [edge for edge in model.edges() if f"{model.__name__}.{edge.name}" not in UNMADE]
    ended = set(ENDS[model])
    while more := {each.source for each in edges if each.target in ended} - ended:
        ended |= more
    states = {state for edge in model.edges() for state in (edge.source, edge.target)}
    assert states <= ended


def test_every_edge_is_made_by_a_verb() -> None:
    names = {(model.__name__, edge.name) for model in ENDS for edge in model.edges()}
    unmade = {f"{model}.{name}" for model, name in names if name not in named() | BY_WORD}
    assert unmade == set(UNMADE)
