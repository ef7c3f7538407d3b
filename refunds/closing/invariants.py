"""The invariant of the end: the closing proof is found again."""

from __future__ import annotations

from refunds.closing import proofs
from winddown.evidence.invariants import About, invariant


@invariant(
    "I71",
    "Until something moves, the closing proof is found again in the rows and the ledger",
    about=About.EVIDENCE,
)
def proof_not_found_again() -> list[str]:
    proof = proofs.current()
    if proof is None:
        return []
    return [f"{proof}: {sentence}" for sentence in proofs.found_again(proof)]
