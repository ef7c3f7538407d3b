"""Movements that name no payout are matched by two people: one to many, or many to one.

Nothing is guessed: the movements and the payouts must come to the same amount, to the unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from refunds.bankfiles.answers import ReturnReason
from refunds.models import (
    BankFile,
    BreakMatch,
    MethodTerms,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
)
from refunds.payouts import answer_lines, payout_batches, transfer_results
from refunds.payouts.answer_lines import Verdict
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import transition_one
from winddown.models import Approval

PERMISSION: Final = "refunds.reconcile"
STAGE: Final = "match_breaks"
_Kind = ReconciliationBreak.Kind
MATCHABLE: Final = (_Kind.UNKNOWN_CREDIT, _Kind.UNKNOWN_DEBIT)
FITTING_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Match:
    """Movements of one direction beside payouts, and by how much they differ. Amounts are in minor
    units.
    """

    breaks: tuple[ReconciliationBreak, ...]
    payouts: tuple[Payout, ...]

    @property
    def moved_minor(self) -> int:
        return sum(each.amount_minor for each in self.breaks)

    @property
    def matched_minor(self) -> int:
        return sum(each.amount_minor for each in self.payouts)

    @property
    def missing_minor(self) -> int:
        """What payouts are missing for; below 0 what movements are missing for. At 0 it is whole."""
        return self.moved_minor - self.matched_minor

    @property
    def came_back(self) -> bool:
        """Whether the money came in, so that the payouts are returns."""
        return all(each.kind == _Kind.UNKNOWN_CREDIT for each in self.breaks)

    def parts(self) -> Iterator[tuple[ReconciliationBreak, Payout, int]]:
        """Yields how much of each movement belongs to which payout, in the order of their numbers."""
        left = {each.pk: each.amount_minor for each in self.payouts}
        for found in self.breaks:
            open_minor = found.amount_minor
            for payout in self.payouts:
                part = min(open_minor, left[payout.pk])
                if part:
                    yield found, payout, part
                    open_minor -= part
                    left[payout.pk] -= part


def chosen(breaks: Sequence[int], payouts: Sequence[int]) -> Match:
    """Returns the match of these numbers. Raises `GuardNotMet` for what cannot be matched."""
    found = tuple(ReconciliationBreak.objects.filter(pk__in=breaks).order_by("pk"))
    taken = tuple(
        Payout.objects.filter(pk__in=payouts).select_related("batch", "entitlement").order_by("pk")
    )
    matched = Match(found, taken)
    for each in found:
        if each.state != ReconciliationBreak.State.OPEN or each.kind not in MATCHABLE:
            _refuse(says("break {number} is no open movement", number=each.pk))
    if len({each.kind for each in found}) > 1:
        _refuse(says("money that came in and money that left are not matched together"))
    for payout in taken:
        if not _fits(payout, came_back=matched.came_back):
            _refuse(says("payout {number} is not at the bank", number=payout.pk))
    return matched


def _refuse(why: str) -> None:
    raise GuardNotMet(action=says("match movements with payouts"), why=why)


def _fits(payout: Payout, *, came_back: bool) -> bool:
    batch = payout.batch
    if batch is None or batch.state not in PayoutBatch.ANSWERABLE:
        return False
    if payout.method != MethodTerms.BANK or batch.value_date > payout_batches.today():
        return False
    if payout.state == Payout.State.SETTLED:
        return came_back
    return payout.state in Payout.LEAVING


def fitting(match: Match) -> list[Payout]:
    """Returns payouts that may still be missing, the largest first."""
    if not match.breaks or match.missing_minor <= 0:
        return []
    states = [*Payout.LEAVING, *(Payout.ARRIVED if match.came_back else ())]
    rows = (
        Payout.objects.filter(
            state__in=states,
            amount_minor__lte=match.missing_minor,
            method=MethodTerms.BANK,
            batch__state__in=PayoutBatch.ANSWERABLE,
        )
        .exclude(pk__in=[each.pk for each in match.payouts])
        .select_related("batch", "entitlement")
        .order_by("-amount_minor", "pk")
    )
    return [each for each in rows[:FITTING_MAX] if _fits(each, came_back=match.came_back)]


def ask_match(
    breaks: Sequence[int], payouts: Sequence[int], *, actor: Actor, reason: str
) -> Approval:
    """A second person is asked to agree that the movements were these payouts.

    Raises `GuardNotMet` with the amount that is still missing, and for what cannot be matched.
    """
    require(actor, PERMISSION, action="match movements with payouts")
    with transaction.atomic():
        match = _whole(breaks, payouts)
        subject = approvals.next_subject(f"break_match:{match.breaks[0].pk}")
        content = _content(match)
        approvals.refuse_repeated(subject, stage=STAGE, content=content, maker=actor, reason=reason)
        request = approvals.ask(
            subject,
            stage=STAGE,
            content=content,
            permission=PERMISSION,
            maker=actor,
            reason=reason,
        )
        audit.append("break.ask_match", match.breaks[0].subject, actor=actor, reason=reason)
    return request


def _whole(breaks: Sequence[int], payouts: Sequence[int]) -> Match:
    match = chosen(breaks, payouts)
    if len(match.breaks) != len(set(breaks)) or len(match.payouts) != len(set(payouts)):
        _refuse(says("a number is of no break or payout"))
    if not match.breaks or not match.payouts or match.missing_minor:
        _refuse(
            says(
                "movements come to {moved}, payouts to {matched}: {missing} is missing",
                moved=f"{match.moved_minor:,}",
                matched=f"{match.matched_minor:,}",
                missing=f"{abs(match.missing_minor):,}",
            )
        )
    return match


def _content(match: Match) -> dict[str, object]:
    return {
        "breaks": [each.pk for each in match.breaks],
        "payouts": [each.pk for each in match.payouts],
        "came_back": match.came_back,
        "amount_minor": match.moved_minor,
    }


def _decided(said: approvals.Decided) -> object:
    """The second person agreed: the payouts are returned or settled, and the breaks are cleared."""
    subject = f"break_match:{said.key}"
    with transaction.atomic():
        locks.take(Lock.BANK_ANSWER)
        asked = approvals.standing(subject, stage=STAGE)
        if asked is None:
            raise NothingToDecide(subject=subject)
        match = _whole(asked.summary["breaks"], asked.summary["payouts"])
        approvals.decide(
            subject,
            stage=STAGE,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            _book(match, asked, actor=said.actor, reason=said.reason)
        return audit.append(
            "break.match" if said.approve else "break.keep_unmatched",
            match.breaks[0].subject,
            actor=said.actor,
            reason=said.reason,
            breaks=[each.pk for each in match.breaks],
            payouts=[each.pk for each in match.payouts],
            amount_minor=match.moved_minor,
        )


approvals.DECIDERS.add("break_match", _decided)


def _book(match: Match, asked: Approval, *, actor: Actor, reason: str) -> None:
    verdict = Verdict.RETURN if match.came_back else Verdict.SETTLE
    code = ReturnReason.OTHER.value if match.came_back else ""
    answer_lines.load(
        "number, reference, payout_id, payee_id, amount_minor, code, verdict, again, batch_id,"
        " entitlement_id, remedy_id",
        (
            (
                number,
                payout.reference,
                payout.pk,
                payout.payee_id,
                payout.amount_minor,
                code,
                verdict,
                payout.state == Payout.State.SETTLED,
                payout.batch_id,
                payout.entitlement_id,
                payout.remedy_id,
            )
            for number, payout in enumerate(match.payouts, start=1)
        ),
    )
    newest = match.breaks[-1]
    file = BankFile.objects.get(pk=newest.file_id)
    transfer_results.book(file, actor, reason, source=("break", newest.pk))
    answer_lines.execute("DELETE FROM refunds_answerline")
    BreakMatch.objects.bulk_create(
        BreakMatch(approval=asked, found=found, payout=payout, amount_minor=part)
        for found, payout, part in match.parts()
    )
    numbers = ", ".join(str(each.pk) for each in match.payouts)
    for found in match.breaks:
        transition_one(
            found,
            "resolve",
            actor=actor,
            reason=reason,
            resolution=f"payouts {numbers}"[:500],
            resolved_at=clock.now(),
        )
