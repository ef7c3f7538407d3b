"""Applications are confirmed, corrected, verified, proposed and decided."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from refunds.applications import documents, ending, payees, submitting
from refunds.applications.payees import PayeeRefused
from refunds.applications.submitting import AmountDiffers, NothingOwed, State
from refunds.bank_accounts import Account
from refunds.models import Entitlement, MethodTerms, Payee, RefundApplication
from wallets.models import LedgerAccount
from wallets.movements import posting
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.authority.approvals import SignedList
from winddown.errors import GuardNotMet, WinddownError, says
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_one
from winddown.models import Approval

STAGE = "decide"


def confirm_amount(
    application: RefundApplication, *, confirmed_minor: int, actor: Actor
) -> RefundApplication:
    """The applicant agreed to the amount after the identity check (web channel)."""
    _require_own(application, actor)
    with transaction.atomic():
        owed = Entitlement.objects.get(pk=application.entitlement_id)
        if confirmed_minor != owed.amount_minor:
            raise AmountDiffers(confirmed_minor=confirmed_minor, owed_minor=owed.amount_minor)
        return transition_one(
            application,
            "confirm_amount",
            actor=actor,
            confirmed_minor=confirmed_minor,
        )


def record_consent(
    application: RefundApplication, *, actor: Actor, reason: str
) -> RefundApplication:
    """A member of staff has the applicant's consent to the amount owed, on paper or by telephone."""
    require(actor, "refunds.work_application", action=f"confirm application {application.pk}")
    with transaction.atomic():
        owed = Entitlement.objects.get(pk=application.entitlement_id)
        done = confirm_amount(application, confirmed_minor=owed.amount_minor, actor=actor)
        audit.append("application.confirm_amount", done.subject, actor=actor, reason=reason)
        return done


def correct_payee(
    holder: User, account: Account, *, actor: Actor, reason: str = ""
) -> RefundApplication:
    """The account that the bank could not pay is replaced, and the application is judged again.

    For an application that waits for another account, or whose account the bank refused while it
    was checked: that one goes on where it is. The new payee waits for the cooling-off and
    is checked by the bank like the first one (rules 55 and 57). Anybody but the holder needs
    `refunds.work_application`.
    """
    if payees.is_another(holder.pk, actor):
        require(actor, "refunds.work_application", action=f"correct the account of {holder.pk}")
    with transaction.atomic():
        (outcome,) = _correct([(holder.pk, account)], actor=actor)
        if isinstance(outcome, WinddownError):
            raise outcome
        done = RefundApplication.objects.get(pk=outcome)
        audit.append(
            "application.correct_payee", done.subject, actor=actor, reason=reason, state=done.state
        )
        return done


def try_again(holder: User, *, actor: Actor, reason: str = "") -> RefundApplication:
    """The account that the bank could not pay is tried once more with the same details.

    It is checked and waits like a new one, because nobody knows what was wrong. Raises
    `GuardNotMet` for an account that will never work, and what `correct_payee` raises.
    """
    with transaction.atomic():
        payee = Payee.objects.filter(holder=holder, replaced_at=None).first()
        if payee is None or payee.answer in payees.NEVER_WORK:
            raise GuardNotMet(
                action=says("try the account again"), why=says("it takes no transfers any more")
            )
        return correct_payee(holder, payee.account, actor=actor, reason=reason)


def correct_many(
    entries: Sequence[tuple[int, Account]], *, actor: Actor, reason: str
) -> list[int | WinddownError]:
    """Each payee is corrected as `correct_payee` does. Returns the application or the refusal of
    each. A person who enters them needs `refunds.work_application`.
    """
    require(actor, "refunds.work_application", by_system=True, action="enter accounts of holders")
    with transaction.atomic():
        outcomes = _correct(entries, actor=actor)
        corrected = sum(isinstance(outcome, int) for outcome in outcomes)
        audit.append(
            "application.correct_many",
            "applications",
            actor=actor,
            reason=reason,
            corrected=corrected,
        )
        return outcomes


def _correct(entries: Sequence[tuple[int, Account]], *, actor: Actor) -> list[int | WinddownError]:
    at = clock.now()
    holders = [holder for holder, _ in entries]
    refused = set(
        Payee.objects.filter(
            holder_id__in=holders, replaced_at=None, state=Payee.State.REFUSED
        ).values_list("holder_id", flat=True)
    )
    # A holder whose balance became owed in parts may have several.
    waiting: dict[int, list[RefundApplication]] = defaultdict(list)
    for application in (
        RefundApplication.objects.filter(applicant_id__in=holders, live=True)
        .order_by("pk")
        .select_for_update(no_key=True)
    ):
        if application.state == State.NEEDS_INFO or (
            application.applicant_id in refused and application.state in RefundApplication.SENT
        ):
            waiting[application.applicant_id].append(application)
    outcomes: list[int | WinddownError] = []
    kept: list[tuple[int, Account]] = []
    for holder, account in entries:
        if holder in waiting:
            outcomes.append(waiting[holder][0].pk)
            kept.append((holder, account))
        else:
            outcomes.append(NothingOwed(holder=holder, state="no account is asked for"))
    entered = dict(zip([h for h, _ in kept], payees.enter_many(kept, actor=actor), strict=True))
    good: list[RefundApplication] = []
    for index, (holder, _) in enumerate(entries):
        payee = entered.get(holder)
        if isinstance(payee, PayeeRefused):
            outcomes[index] = payee
        elif payee is not None:
            for application in waiting[holder]:
                application.payee_id = payee
                good.append(application)
    for application in good:
        RefundApplication.objects.filter(pk=application.pk).update(
            payee_id=application.payee_id, method=MethodTerms.BANK
        )
    approved = [each.pk for each in good if each.state == State.APPROVED]
    move_rows(
        RefundApplication,
        "ask_again",
        approved,
        actor=SYSTEM,
        asked_for=RefundApplication.BANK_ACCOUNT,
    )
    asked = [each for each in good if each.state in RefundApplication.PAYOUT_MADE]
    go_on(asked, at=at, actor=actor)
    return outcomes


def go_on(waiting: Sequence[RefundApplication], *, at: dt.datetime, actor: Actor) -> None:
    """Applications that waited for a way to the money are judged again.

    An applicant who has proved to be the holder need not prove it again. An approval by two people
    stays valid.
    """
    move_rows(RefundApplication, "answer", [a.pk for a in waiting], actor=actor, asked_for="")
    move_rows(Entitlement, "apply", [a.entitlement_id for a in waiting], actor=actor)
    decided = [a for a in waiting if a.decided_at is not None]
    submitting.decide_by_rule([a.pk for a in decided if a.decided_by_id is None], at=at)
    by_people = [a for a in decided if a.decided_by_id is not None]
    for name in ("verify", "confirm_amount"):
        move_rows(RefundApplication, name, [a.pk for a in by_people], actor=SYSTEM)
    move_rows(RefundApplication, "approve", [a.pk for a in by_people], actor=SYSTEM, decided_at=at)
    move_rows(Entitlement, "approve", [a.entitlement_id for a in by_people], actor=SYSTEM)


def override_payee(payee: Payee, *, actor: Actor, digest: str, reason: str) -> Payee:
    """A payee that the bank refused can be paid, because a second person agreed. Its application
    goes on.

    Raises `SamePerson` for the one who asked (`payees.ask_override`); rule 56.
    """
    with transaction.atomic():
        payees.decide(payee, stage=payees.OVERRIDE, actor=actor, digest=digest, reason=reason)
        done = transition_one(payee, "override", actor=actor, reason=reason)
        waiting = RefundApplication.objects.filter(
            applicant_id=done.holder_id,
            live=True,
            state=State.NEEDS_INFO,
            asked_for=RefundApplication.BANK_ACCOUNT,
        )
        if done.replaced_at is None:
            go_on(list(waiting), at=clock.now(), actor=SYSTEM)
        audit.append("payee.override", f"payee:{done.pk}", actor=actor, reason=reason)
        return done


def withdraw(
    application: RefundApplication, *, actor: Actor, reason: str = ""
) -> RefundApplication:
    """The holder took the application back. This is possible until a payout is under way."""
    _require_own(application, actor)
    with transaction.atomic():
        done = transition_one(application, "withdraw", actor=actor, reason=reason, live=False)
        ending.leave(done, actor=actor, reason=reason)
        audit.append("application.withdraw", done.subject, actor=actor, reason=reason)
        return done


def _require_own(application: RefundApplication, actor: Actor) -> None:
    if payees.is_another(application.applicant_id, actor):
        require(actor, "refunds.work_application", action=f"act for application {application.pk}")


def verify(application: RefundApplication, *, actor: Actor, reason: str) -> RefundApplication:
    """A member of staff found the applicant to be the holder (web channel)."""
    return _staff(application, "verify", actor=actor, reason=reason)


def ask_for_info(
    application: RefundApplication, *, asked_for: str, actor: Actor, reason: str
) -> RefundApplication:
    """The applicant must give something more before the identity is clear, or another account for
    an approved application that the bank cannot pay.
    """
    name = "ask_again" if application.state == State.APPROVED else "ask"
    return _staff(application, name, actor=actor, reason=reason, asked_for=asked_for)


def answer_info(
    application: RefundApplication, *, actor: Actor, reason: str = ""
) -> RefundApplication:
    """The applicant gave what was asked for, which is not another bank account: that one is
    entered. Raises `GuardNotMet` otherwise.
    """
    _require_own(application, actor)
    with transaction.atomic():
        if application.asked_for in RefundApplication.NOT_PAID:
            raise GuardNotMet(
                action=says("record the answer"), why=says("another bank account is missing")
            )
        done = transition_one(application, "answer", actor=actor, reason=reason, asked_for="")
        audit.append("application.answer", done.subject, actor=actor, reason=reason)
        return done


def _staff(
    application: RefundApplication, name: str, *, actor: Actor, reason: str, **columns: Any
) -> RefundApplication:
    with transaction.atomic():
        done = transition_one(application, name, actor=actor, reason=reason, **columns)
        audit.append(f"application.{name}", done.subject, actor=actor, reason=reason)
        return done


def propose(application: RefundApplication, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to decide about an application that the rules left to people. Only
    somebody who may approve late claims can decide about a late claim (rule 40).
    """
    require(actor, "refunds.work_application", action=f"propose application {application.pk}")
    with transaction.atomic():
        fresh = RefundApplication.objects.select_related("entitlement").get(pk=application.pk)
        if fresh.state != State.AMOUNT_CONFIRMED:
            raise GuardNotMet(
                action=says("propose approval"), why=says("it is {state}", state=fresh.state)
            )
        documents.refuse_incomplete(fresh)
        request = _signed(fresh).ask(maker=actor, reason=reason)
        audit.append("application.propose", fresh.subject, actor=actor, reason=reason)
        return request


def _signed(application: RefundApplication) -> SignedList:
    late = application.late
    return SignedList(
        subject=application.subject,
        stage=STAGE,
        permission="refunds.approve_late_claim" if late else "refunds.decide_application",
        content=lambda: _content(application),
    )


def _content(application: RefundApplication) -> dict[str, Any]:
    return {
        "application": application.pk,
        "amount_minor": application.entitlement.amount_minor,
        "payee": application.payee_id,
        "late": application.late,
        "late_reason": application.late_reason,
        "review_reason": application.review_reason,
    }


def approve(
    application: RefundApplication, *, actor: Actor, digest: str, reason: str
) -> RefundApplication:
    """A second person agreed, and the amount may be paid.

    A late claim can be approved once exclusion is posted: its amount returns from the unclaimed
    ones to those owed. Raises `SamePerson` for the one who proposed, and `PlanChanged` when the
    application is no longer the one that was proposed.
    """
    with transaction.atomic():
        fresh = (
            RefundApplication.objects.select_for_update(no_key=True, of=("self",))
            .select_related("entitlement")
            .get(pk=application.pk)
        )
        documents.refuse_incomplete(fresh)
        _signed(fresh).decide(actor=actor, digest=digest, reason=reason)
        done = transition_one(
            fresh,
            "approve_late" if fresh.late else "approve",
            actor=actor,
            reason=reason,
            decided_at=clock.now(),
            decided_by=actor,
        )
        if fresh.late:
            _reinstate(fresh, actor=actor, reason=reason)
        else:
            # Somebody who may decide about the application may also decide about the entitlement.
            move_rows(Entitlement, "approve", [fresh.entitlement_id], actor=actor, reason=reason)
        submitting.ask_for_accounts([done.pk])
        audit.append("application.approve", done.subject, actor=actor, reason=reason, digest=digest)
        return RefundApplication.objects.get(pk=done.pk)


def decline(
    application: RefundApplication, *, actor: Actor, digest: str, reason: str
) -> RefundApplication:
    """A second person did not agree to what was proposed. It may be proposed again, or rejected."""
    with transaction.atomic():
        fresh = (
            RefundApplication.objects.select_for_update(no_key=True, of=("self",))
            .select_related("entitlement")
            .get(pk=application.pk)
        )
        _signed(fresh).decide(actor=actor, digest=digest, reason=reason, approve=False)
        audit.append("application.decline", fresh.subject, actor=actor, reason=reason)
        return fresh


def _reinstate(application: RefundApplication, *, actor: Actor, reason: str) -> None:
    """An excluded amount is owed again (late claim)."""
    entitlement = application.entitlement
    if entitlement.state != Entitlement.State.EXCLUDED:
        raise GuardNotMet(
            action=says("approve a late claim"), why=says("the exclusion is not posted yet")
        )
    transition_one(entitlement, "approve_late", actor=actor, reason=reason)
    posting.post(
        [
            (LedgerAccount.UNCLAIMED, None, -entitlement.amount_minor),
            (LedgerAccount.REFUNDS_PAYABLE, None, entitlement.amount_minor),
        ],
        source="application",
        source_id=application.pk,
        kind="refund_reinstate",
        occurred_at=clock.now(),
        actor=actor,
    )


def reject(
    application: RefundApplication, *, rejection: str, actor: Actor, reason: str
) -> RefundApplication:
    """The application ended unpaid, and the applicant is told the reason. The holder may apply
    again.
    """
    with transaction.atomic():
        done = transition_one(
            application, "reject", actor=actor, reason=reason, rejection=rejection, live=False
        )
        ending.leave(done, actor=actor, reason=reason)
        audit.append(
            "application.reject", done.subject, actor=actor, reason=reason, rejection=rejection
        )
        return done
