"""Refunds end otherwise than by a payout: deposited with the authority, or taken over by another
issuer; and what the institution did with the money afterwards. Two people agree to each list.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.persons import counting
from refunds.models import (
    Entitlement,
    FraudClaim,
    OtherEnd,
    OtherEndLine,
    RefundApplication,
    Successor,
)
from refunds.payouts import payment_blocks, wallet_ends
from wallets.models import LedgerAccount, Wallet
from wallets.movements import posting
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_set
from winddown.models import Approval, NoticeEvidence, Programme
from winddown.programme import csv_lines, evidence_files
from winddown.programme.evidence_files import File

PERMISSION: Final = "winddown.post_exclusion"
COLUMNS: Final = ("wallet_ref", "amount_minor")
# A list is shown and signed whole, so it is short enough to be.
LINES_MAX: Final = 5_000
SUBJECT: Final = "other_end"
STAGE: Final = "other_end"
Kind = OtherEnd.Kind
State = Entitlement.State


@dataclass(frozen=True, slots=True)
class _Way:
    """What happens to a refund in one of these ways: from which states, by which edge, and to which
    account. A claim at the authority moves nothing of ours.
    """

    states: tuple[str, ...]
    edge: str
    account: LedgerAccount | None


# What nobody claimed in time is no longer owed, but it may still be deposited for its holder.
WAYS: Final[dict[str, _Way]] = {
    Kind.DEPOSITED: _Way(
        (*Entitlement.APPLICABLE, State.EXCLUDED), "deposit", LedgerAccount.DEPOSITED
    ),
    Kind.TRANSFERRED: _Way(Entitlement.APPLICABLE, "transfer", LedgerAccount.TRANSFERRED),
    Kind.RETURNED: _Way(Entitlement.ELSEWHERE, "come_back", LedgerAccount.REFUNDS_PAYABLE),
    Kind.CLAIMED: _Way((State.DEPOSITED,), "", None),
}
# On which account the money of a refund stands.
_STANDS_ON: Final[dict[str, LedgerAccount]] = {
    State.EXCLUDED: LedgerAccount.UNCLAIMED,
    State.DEPOSITED: LedgerAccount.DEPOSITED,
    State.TRANSFERRED: LedgerAccount.TRANSFERRED,
}


@dataclass(frozen=True, slots=True)
class Given:
    """What an institution took, as it says."""

    kind: str
    institution: str
    contact: str
    reference: str
    ended_on: dt.date
    refunds: File
    evidence: File


def ask_deposit(given: Given, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the authority has the amounts of these refunds.

    The file has the columns `COLUMNS`, one row for each wallet, with what is owed to it in all.
    Raises `LoadRefused` with the line of a wallet that owes another amount, has an application
    under way, or is not open, and `GuardNotMet` for a day to come or a receipt that was used.
    """
    return _ask(given, actor=actor, reason=reason)


def ask_transfer(given: Given, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that another issuer took the amounts of these refunds over.

    As `ask_deposit`. `given.institution` is a successor of the set-up file; a line above its caps
    for one person, in the day or in all, is refused. It ends the refund once. A line may have less
    than what is owed to the wallet: the rest stays owed, as a refund of its own.
    """
    return _ask(given, actor=actor, reason=reason)


def ask_return(given: Given, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the institution gave the amounts of these refunds back
    to us. They are owed again then, and may be applied for, excluded, or deposited anew.

    As `ask_deposit`, for refunds that this institution has and nobody claimed there.
    """
    return _ask(given, actor=actor, reason=reason)


def ask_claimed(given: Given, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the authority paid the amounts of these refunds to the
    people who claimed them there. They stay deposited, and the register lists them no longer.

    As `ask_return`.
    """
    return _ask(given, actor=actor, reason=reason)


def _ask(given: Given, *, actor: Actor, reason: str) -> Approval:
    require(actor, PERMISSION, action="end refunds otherwise")
    action = says("end the refunds")
    if given.ended_on > _today():
        raise GuardNotMet(action=action, why=says("the day lies in the future"))
    if OtherEnd.objects.filter(
        kind=given.kind, institution=given.institution, reference=given.reference
    ).exists():
        raise GuardNotMet(action=action, why=says("the receipt was recorded before"))
    rows = _read(given.refunds)
    with transaction.atomic():
        lines = _judged(given, rows)
        _refuse_above_caps(given.kind, given.institution, given.ended_on, lines)
        kept = evidence_files.keep(given.evidence, action=action)
        content = {
            "kind": given.kind,
            "institution": given.institution,
            "contact": given.contact,
            "reference": given.reference,
            "ended_on": given.ended_on.isoformat(),
            "evidence": kept.pk,
            "sha256": kept.sha256,
            "items": len(lines),
            "total_minor": sum(amount for _each, amount in lines),
            "refunds": [each.pk for each, _amount in lines],
            "amounts": [amount for _each, amount in lines],
        }
        subject = approvals.next_subject(SUBJECT)
        approvals.refuse_repeated(subject, stage=STAGE, content=content, maker=actor, reason=reason)
        asked = approvals.ask(
            subject,
            stage=STAGE,
            content=content,
            permission=PERMISSION,
            maker=actor,
            reason=reason,
            valid_for=dt.timedelta(days=14),
        )
        audit.append(
            f"other_end.ask_{given.kind}",
            subject,
            actor=actor,
            reason=reason,
            sha256=kept.sha256,
            items=content["items"],
            total_minor=content["total_minor"],
        )
        return asked


def _today() -> dt.date:
    return clock.now().astimezone(Programme.current().zone).date()


def _read(file: File) -> list[tuple[str, int]]:
    lines = csv_lines.read(file, COLUMNS, most=LINES_MAX)
    if not lines:
        raise csv_lines.refused(file.name, 1, says("1 to {most} rows expected", most=LINES_MAX))
    found: dict[str, int] = {}
    for number, cells in lines:
        if not (cells[1].isascii() and cells[1].isdigit()):
            raise csv_lines.refused(file.name, number, says("a wallet and an amount expected"))
        if cells[0] in found:
            raise csv_lines.refused(file.name, number, says("the wallet was named before"))
        found[cells[0]] = int(cells[1])
    return list(found.items())


def last_of(field: str) -> Subquery:
    """Returns a column of the newest list that names the refund."""
    lines = OtherEndLine.objects.filter(entitlement=OuterRef("pk")).order_by("-pk")
    return Subquery(lines.values(f"end__{field}")[:1])


def _open(kind: str, institution: str) -> QuerySet[Entitlement]:
    """Returns the refunds to which this can happen: nothing is under way for them, or the
    institution has them.
    """
    found = Entitlement.objects.filter(state__in=WAYS[kind].states)
    if kind in OtherEnd.AFTERWARDS:
        return found.annotate(last_kind=last_of("kind"), at=last_of("institution")).filter(
            last_kind__in=OtherEnd.ENDS, at=institution
        )
    applied = RefundApplication.objects.filter(live=True).exclude(
        state=RefundApplication.State.DRAFT
    )
    found = found.exclude(pk__in=applied.values("entitlement_id"))
    if kind == Kind.TRANSFERRED:
        # Whoever is paid nothing gets nothing through a successor.
        undecided = FraudClaim.objects.filter(state__in=FraudClaim.UNDECIDED).values("wallet")
        found = found.exclude(wallet__in=undecided).exclude(
            payment_blocks.nobody_pays("wallet__account")
        )
    return found


def _judged(given: Given, rows: list[tuple[str, int]]) -> list[tuple[Entitlement, int]]:
    """Returns the refunds of the rows, and how much of each. Raises `LoadRefused` with the first
    line that is wrong.
    """
    name = given.refunds.name
    owed: dict[str, list[Entitlement]] = defaultdict(list)
    found = _open(given.kind, given.institution).filter(
        wallet__wallet_ref__in=[ref for ref, _amount in rows]
    )
    for each in found.select_related("wallet").order_by("pk"):
        owed[each.wallet.wallet_ref].append(each)
    lines = []
    for number, (ref, amount) in enumerate(rows, start=2):
        if not owed[ref]:
            raise csv_lines.refused(
                name, number, says("nothing of this wallet can end in this way")
            )
        total = sum(each.amount_minor for each in owed[ref])
        in_part = given.kind == Kind.TRANSFERRED and 0 < amount < total
        if amount != total and not in_part:
            raise csv_lines.refused(name, number, says("{owed} is owed", owed=total))
        for each in owed[ref]:
            taken = min(amount, each.amount_minor)
            amount -= taken
            if taken:
                lines.append((each, taken))
    return lines


def _refuse_above_caps(
    kind: str, institution: str, ended_on: dt.date, lines: list[tuple[Entitlement, int]]
) -> None:
    """No person hands more over to the successor than its caps, in the day and in all. Raises
    `GuardNotMet`, also for one that the set-up file does not name. Lists of one successor wait for
    each other.
    """
    if kind != Kind.TRANSFERRED:
        return
    successor = Successor.objects.select_for_update(no_key=True).filter(name=institution).first()
    if successor is None:
        raise GuardNotMet(
            action=says("end the refunds"), why=says("the set-up file names no such successor")
        )
    persons = counting.persons_of({each.wallet.account_id for each, _taken in lines})
    # A person has the number of one of the accounts, by which the refusal names it.
    first: dict[int, int] = {}
    for account, person in sorted(counting.accounts_in({*persons.values()}).items()):
        first.setdefault(person, account)
        persons[account] = person
    now: dict[int, int] = defaultdict(int)
    for each, taken in lines:
        now[_holder(each.wallet.account_id, persons, first)] += taken
    before = OtherEndLine.objects.filter(
        end__kind=kind,
        end__institution=institution,
        entitlement__wallet__account__in={*now, *persons},
    ).values(holder=F("entitlement__wallet__account"))
    sums = before.annotate(
        total=Sum("entitlement__amount_minor", default=0),
        day=Sum("entitlement__amount_minor", filter=Q(end__ended_on=ended_on), default=0),
    )
    earlier: dict[int, tuple[int, int]] = {}
    for row in sums:
        holder = _holder(row["holder"], persons, first)
        day, total = earlier.get(holder, (0, 0))
        earlier[holder] = (day + row["day"], total + row["total"])
    for holder, amount in now.items():
        day, total = earlier.get(holder, (0, 0))
        for sum_minor, cap in (
            (day + amount, successor.day_max_minor),
            (total + amount, successor.person_max_minor),
        ):
            if sum_minor > cap:
                raise GuardNotMet(
                    action=says("end the refunds"),
                    why=says(
                        "account {number} would come to {amount}, and the cap of the successor is"
                        " {cap}",
                        number=holder,
                        amount=sum_minor,
                        cap=cap,
                    ),
                )


def _holder(account: int, persons: dict[int, int], first: dict[int, int]) -> int:
    """Returns the account that stands for the person of this one."""
    return first[persons[account]] if account in persons else account


def _decided(said: approvals.Decided) -> object:
    """The verdict is in the journal. After an approval the refunds have ended, and the ledger says so.

    Raises `GuardNotMet` if one of them can no longer end like this: nothing is changed then, and a
    new list is made.
    """
    subject = f"{SUBJECT}:{said.key}"
    with transaction.atomic():
        asked = approvals.standing(subject, stage=STAGE)
        if asked is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=STAGE,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            _carry_out(asked, actor=said.actor, reason=said.reason)
        return audit.append(
            "other_end.approve" if said.approve else "other_end.reject",
            subject,
            actor=said.actor,
            reason=said.reason,
        )


def _carry_out(asked: Approval, *, actor: Actor, reason: str) -> None:
    content: dict[str, Any] = asked.summary
    kind, way = content["kind"], WAYS[content["kind"]]
    amounts = dict(zip(content["refunds"], content["amounts"], strict=True))
    locked = list(
        Entitlement.objects.select_for_update(no_key=True, of=("self",))
        .select_related("wallet")
        .filter(pk__in=content["refunds"])
        .order_by("pk")
    )
    # A part that a hold sets free meanwhile gets its number after the rest of this one.
    wallets = list(
        Wallet.objects.select_for_update(no_key=True)
        .filter(pk__in=[each.wallet_id for each in locked])
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    still = _open(kind, content["institution"]).filter(pk__in=content["refunds"])
    if still.count() != content["items"]:
        raise GuardNotMet(
            action=says("end the refunds"),
            why=says(
                "{n} of them were applied for or ended meanwhile: reject this list and ask anew",
                n=content["items"] - still.count(),
            ),
        )
    ended_on = dt.date.fromisoformat(content["ended_on"])
    taken = [(each, amounts[each.pk]) for each in locked]
    _refuse_above_caps(kind, content["institution"], ended_on, taken)
    end = OtherEnd.objects.create(
        kind=kind,
        institution=content["institution"],
        contact=content["contact"],
        reference=content["reference"],
        ended_on=ended_on,
        evidence=NoticeEvidence.objects.get(pk=content["evidence"]),
        items=content["items"],
        total_minor=content["total_minor"],
        approval_subject=asked.subject,
    )
    for each, amount in taken:
        rest = _rest(each, each.amount_minor - amount)
        OtherEndLine.objects.create(
            end=end, entitlement=each, rest=rest, taken_minor=amount if rest else None
        )
    if way.account is None:
        return
    move_rows(Entitlement, way.edge, [each.pk for each in locked], actor=actor, reason=reason)
    sums: dict[LedgerAccount, int] = defaultdict(int)
    for each, amount in taken:
        sums[_STANDS_ON.get(each.state, LedgerAccount.REFUNDS_PAYABLE)] -= amount
        if amount != each.amount_minor:
            Entitlement.objects.filter(pk=each.pk).update(amount_minor=amount)
    posting.post(
        [
            *((account, None, amount) for account, amount in sums.items()),
            (way.account, None, end.total_minor),
        ],
        source="other_end",
        source_id=end.pk,
        kind=f"refund_{way.edge}",
        occurred_at=clock.now(),
        actor=actor,
    )
    if kind == Kind.RETURNED:
        gone = Wallet.objects.filter(pk__in=wallets, state__in=Wallet.DISCHARGED)
        transition_set(gone, "owe_again", run=None, actor=actor, reason=reason)
    wallet_ends.follow(wallets, actor=actor, reason=reason)


def _rest(owed: Entitlement, amount_minor: int) -> Entitlement | None:
    """Returns the new refund of what is not taken, if there is any: the next part of its wallet."""
    if not amount_minor:
        return None
    return Entitlement.objects.create(
        wallet_id=owed.wallet_id,
        part=1 + Entitlement.objects.filter(wallet_id=owed.wallet_id).count(),
        snapshot_id=owed.snapshot_id,
        amount_minor=amount_minor,
        notice_undeliverable=owed.notice_undeliverable,
    )


approvals.DECIDERS.add(SUBJECT, _decided)
