"""Judges detection by a generated case: the findings of the rules beside the truth."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from accounts.attacks import attack_windows, counting
from accounts.models import AttackWindow, User
from refunds.claims import victim_rules, victims
from wallets.models import Wallet


@dataclass(frozen=True, slots=True)
class Score:
    """How many wallets were named, how many of them were robbed, and how many were robbed in all.
    If none was named, precision is 1. If none was robbed, recall is 1.
    """

    name: str
    found: int
    right: int
    true: int

    @property
    def wrong(self) -> int:
        return self.found - self.right

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The scores of each rule, of all suspicions and of the candidates, and the attack's windows."""

    rules: list[Score]
    suspected: Score
    candidates: Score
    accounts: int
    windows: list[AttackWindow]
    in_order: bool

    @property
    def false_share(self) -> float:
        """Returns the wallets that wrongly became candidates, as a share of all customers."""
        return self.candidates.wrong / self.accounts if self.accounts else 0.0


def judge(truth: Path, *, as_of: dt.datetime) -> Judgement:
    """Returns what the rules find as of an instant, beside the wallets that were robbed by then.

    `truth` is truth/victims.csv of a generated case. No claim is opened and nothing is held.
    """
    counting.count_attempts(until=as_of)
    robbed = _robbed(truth, as_of=as_of)
    hits = victims.all_matches(as_of=as_of)
    by_rule = {
        rule.code: {hit.wallet_id for hit in hits if hit.rule.code == rule.code}
        for rule in victim_rules.RULES
    }
    found = attack_windows.finding(as_of=as_of)
    return Judgement(
        rules=[_score(code, wallets, robbed) for code, wallets in by_rule.items()],
        suspected=_score("suspected", {hit.wallet_id for hit in hits}, robbed),
        candidates=_score("candidates", victims.together(hits), robbed),
        accounts=User.objects.filter(kind=User.Kind.CUSTOMER).count(),
        windows=found.windows,
        in_order=found.in_order,
    )


def _robbed(truth: Path, *, as_of: dt.datetime) -> set[int]:
    with truth.open(encoding="utf-8", newline="") as file:
        refs = {
            row["wallet_ref"]
            for row in csv.DictReader(file)
            if dt.datetime.fromisoformat(row["hit_at"]) <= as_of
        }
    return set(Wallet.objects.filter(wallet_ref__in=refs).values_list("pk", flat=True))


def _score(name: str, wallets: Iterable[int], robbed: set[int]) -> Score:
    found = set(wallets)
    return Score(name=name, found=len(found), right=len(found & robbed), true=len(robbed))
