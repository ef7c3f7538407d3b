"""The page of the bank codes: the list in force, those that wait, and what they would change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from refunds.models import BankDataset
from refunds.payouts import bank_codes
from refunds.payouts.bank_code_acts import BANK_CODES
from refunds.payouts.bank_codes import Changes
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval
from winddown.site import acts
from winddown.site.decisions import Decision

SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """A list that waits for a second person, and what it would change."""

    dataset: BankDataset
    request: Approval
    changes: Changes


@dataclass(frozen=True, slots=True)
class BankCodesPage:
    """All lists, the newest first, and those that wait for a decision."""

    at: dt.datetime
    lists: list[BankDataset]
    waiting: list[Waiting]
    decisions: list[Decision]


def look(*, actor: Actor) -> BankCodesPage:
    """Returns the page as `actor` sees it."""
    lists = list(BankDataset.objects.order_by("-pk")[:SHOWN_MAX])
    by_subject = {f"bank_dataset:{each.pk}": each for each in lists}
    asked = [
        (by_subject[stem], request)
        for request in approvals.open_requests()
        if (stem := request.subject.rpartition(":")[0]) in by_subject
    ]
    return BankCodesPage(
        at=clock.now(),
        lists=lists,
        waiting=[
            Waiting(dataset, request, bank_codes.changes(dataset, shown_max=SHOWN_MAX))
            for dataset, request in asked
        ],
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in BANK_CODES.items()],
    )
