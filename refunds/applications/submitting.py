"""Applications are drafted, submitted one by one or many at once, and decided by rule."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from django.db import connection, transaction

from accounts import addresses, outbox, person_keys
from accounts.models import Message, User
from refunds.applications import origins, payees
from refunds.applications.origins import UNKNOWN_ORIGIN, Origin
from refunds.applications.payees import PayeeRefused
from refunds.bank_accounts import Account
from refunds.models import Entitlement, OtherEnd, Payee, RefundApplication
from refunds.models.application import draft_place
from refunds.payouts import methods, payable
from refunds.payouts.methods import postal_addresses
from refunds.payouts.methods.postal_addresses import PostalAddress
from winddown import clock, texts
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import IdempotencyConflict, PastDeadline, WinddownError, says
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Capability, Milestone, Programme
from winddown.personal_data import DataClass
from winddown.programme import capabilities

State = RefundApplication.State


class NothingOwed(WinddownError):
    """No refund is owed to account {holder}, or it is not open for an application ({state})."""


class AlreadyApplied(WinddownError):
    """Account {holder} has applied already."""


class AmountDiffers(WinddownError):
    """The amount confirmed is not the amount owed: {confirmed_minor} instead of {owed_minor}."""


class MethodRefused(WinddownError):
    """The amount cannot be paid by {method}: {why}."""


class EndedElsewhere(WinddownError):
    """The amount is with {institution}, {contact}, under the number {reference}: ask there."""


class WindowOver(WinddownError):
    """The window for applications ended at {at}; a late claim needs a reason."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One application as its holder sends it. Without an account, the current payee is paid.

    `op_id` is made before the call. A second submission with the same one gives the first result.
    `confirmed_minor` is the amount that the holder saw. With None it is confirmed later (web
    channel). `method` is an entry of the registry of payout methods, and `fallback_consent` says
    that the next one may be used without asking if it fails. An address is for a letter.
    """

    holder_id: int
    channel: str
    op_id: uuid.UUID
    account: Account | None = None
    confirmed_minor: int | None = None
    late_reason: str = ""
    method: str = methods.BANK
    fallback_consent: bool = False
    address: PostalAddress | None = None

    @property
    def digest(self) -> str:
        account = self.account.fingerprint + self.account.name if self.account else None
        said = [self.holder_id, self.channel, account, self.confirmed_minor, self.late_reason]
        more = [self.method, self.fallback_consent, self.address and asdict(self.address)]
        # Applications from before there were methods have the digest without them.
        usual = [methods.BANK, False, None]
        return approvals.digest_of(said if more == usual else [*said, *more])


@dataclass(slots=True)
class Outcome:
    """What became of one submission: the application and its state, or the refusal."""

    submission: Submission
    application_id: int | None = None
    state: str = ""
    review_reason: str = ""
    refusal: WinddownError | None = None
    again: bool = False
    """The submission was in before, and this is the first result."""


@dataclass(slots=True)
class _Case:
    """One submission while `_take` works on it."""

    outcome: Outcome
    entitlement_id: int
    entitlement_state: str
    amount_minor: int
    draft_id: int | None
    late: bool
    payee_id: int = 0
    application_id: int = 0

    @property
    def submission(self) -> Submission:
        return self.outcome.submission


def save_draft(
    holder: User, *, channel: str, step: int, answers: dict[str, Any], actor: Actor
) -> RefundApplication:
    """The holder's answers so far are kept, encrypted, so that no question is asked twice.

    Anybody else needs `refunds.work_application`.
    """
    if payees.is_another(holder.pk, actor):
        require(actor, "refunds.work_application", action=f"keep answers of {holder.pk}")
    with transaction.atomic():
        capabilities.passed("refund_apply")
        row = _owed([holder.pk], open_states=[*Entitlement.APPLICABLE]).get(holder.pk)
        if row is None:
            raise NothingOwed(holder=holder.pk, state="none")
        draft, _ = RefundApplication.objects.get_or_create(
            entitlement_id=row[0],
            live=True,
            defaults={"applicant": holder, "channel": channel, "started_at": clock.now()},
        )
        if draft.state != State.DRAFT:
            raise AlreadyApplied(holder=holder.pk)
        draft.channel, draft.step = channel, step
        draft.draft_sealed = person_keys.seal(
            json.dumps(answers).encode(),
            place=draft_place(draft.pk),
            person_id=draft.applicant_id,
            data_class=DataClass.BANK_DETAILS,
        )
        draft.save(update_fields=["channel", "step", "draft_sealed"])
        return draft


def draft_answers(application: RefundApplication) -> dict[str, Any]:
    """Returns what the holder answered so far. It is empty if nothing is kept."""
    if application.draft_sealed is None:
        return {}
    answers: dict[str, Any] = json.loads(
        person_keys.unseal(
            application.draft_sealed,
            place=draft_place(application.pk),
            person_id=application.applicant_id,
            data_class=DataClass.BANK_DETAILS,
        )
    )
    return answers


def submit(
    holder: User,
    *,
    channel: str,
    op_id: uuid.UUID,
    actor: Actor,
    account: Account | None = None,
    confirmed_minor: int | None = None,
    late_reason: str = "",
    method: str = methods.BANK,
    fallback_consent: bool = False,
    address: PostalAddress | None = None,
    language: str = "",
    origin: Origin = UNKNOWN_ORIGIN,
) -> RefundApplication:
    """The holder's application is in, and approved when the rules allow it. See `submit_many`.

    `origin` is kept as keyed hashes.
    With a `language` the holder is told in it at the verified address, once. Anybody but the holder
    needs `refunds.work_application`.

    Raises `NothingOwed`, `AlreadyApplied`, `AmountDiffers`, `PayeeRefused`, `MethodRefused`,
    `EndedElsewhere`, `WindowOver`, `CapabilityStopped`, or `IdempotencyConflict` for a used `op_id` with another body.
    """
    if payees.is_another(holder.pk, actor):
        require(actor, "refunds.work_application", action=f"apply for account {holder.pk}")
    submission = Submission(
        holder_id=holder.pk,
        channel=channel,
        op_id=op_id,
        account=account,
        confirmed_minor=confirmed_minor,
        late_reason=late_reason,
        method=method,
        fallback_consent=fallback_consent,
        address=address,
    )
    with transaction.atomic():
        (outcome,) = _take([submission], actor=actor)
        if outcome.refusal is not None:
            raise outcome.refusal
        done = RefundApplication.objects.get(pk=cast("int", outcome.application_id))
        # The rules act in the same transaction, which also records what they did.
        audit.append("application.submit", done.subject, actor=actor, state=done.state)
        if not outcome.again:
            origins.keep(done, origin, address)
        if language and not outcome.again:
            _tell(done, holder, language=language)
        return done


def _tell(application: RefundApplication, holder: User, *, language: str) -> None:
    """The holder hears of the application at the verified address, without the account: reference
    and amount. Somebody who can be reached nowhere hears nothing.
    """
    address = addresses.channel_of(holder)
    if address is not None:
        outbox.queue_many(
            Message.Kind.APPLICATION_IN,
            [outbox.Recipient(address, user=holder)],
            language=language,
            facts={
                "number": application.pk,
                "amount_minor": application.entitlement.amount_minor,
                "currency": Programme.current().currency,
            },
        )


def submit_many(submissions: Sequence[Submission], *, actor: Actor, reason: str) -> list[Outcome]:
    """Each application is in as after `submit`. A refused one does not stop the others. Returns the
    outcomes in the order of the submissions.

    All are one transaction, and each row names its applicant. `submissions` has each holder once.
    A person who enters them needs `refunds.work_application`.
    """
    require(actor, "refunds.work_application", by_system=True, action="enter applications")
    with transaction.atomic():
        outcomes = _take(submissions, actor=actor)
        taken = sum(outcome.refusal is None for outcome in outcomes)
        audit.append(
            "application.submit_many",
            "applications",
            actor=actor,
            reason=reason,
            taken=taken,
            refused=len(outcomes) - taken,
        )
        return outcomes


def _take(submissions: Sequence[Submission], *, actor: Actor) -> list[Outcome]:
    at, past_deadline = _passed()
    outcomes = [Outcome(submission) for submission in submissions]
    _take_turns([submission.holder_id for submission in submissions])
    fresh = _not_seen_before(outcomes)
    cases = _cases(fresh, past_deadline=past_deadline)
    cases = _with_payees(cases, actor=actor)
    if not cases:
        return outcomes
    _write(cases, at=at, actor=actor)
    ids = [case.application_id for case in cases]
    move_rows(RefundApplication, "check_identity", ids, actor=actor)
    in_time = [case for case in cases if not case.late]
    move_rows(Entitlement, "apply", [case.entitlement_id for case in in_time], actor=actor)
    # Who was recognised is known; the web form's applicants are checked by people.
    known = [
        c.application_id for c in in_time if c.submission.channel in RefundApplication.RECOGNISED
    ]
    decide_by_rule(known, at=at)
    written = RefundApplication.objects.in_bulk(ids)
    for case in cases:
        case.outcome.application_id = case.application_id
        case.outcome.state = written[case.application_id].state
        case.outcome.review_reason = written[case.application_id].review_reason
    return outcomes


def _passed() -> tuple[dt.datetime, dt.datetime | None]:
    """Returns the instant, and the end of the window if it is over (rule 40). The switch is locked."""
    try:
        with transaction.atomic():
            at = capabilities.passed("refund_apply").at
    except PastDeadline:
        at = clock.now()
    return at, _window_ended(at)


def _window_ended(at: dt.datetime) -> dt.datetime | None:
    """Returns the end of the window, if it is over at the instant."""
    ended = Milestone.objects.filter(kind=Milestone.Kind.REFUND_WINDOW_ENDS).first()
    return ended.at if ended is not None and at >= ended.at else None


def _take_turns(holders: list[int]) -> None:
    """Submissions of the same holders wait for each other, so that the later one sees the first.
    This is a statement of its own, because only later statements see what it waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = e.wallet_id"
            " WHERE w.account_id = ANY (%s) ORDER BY e.id FOR NO KEY UPDATE OF e",
            [holders],
        )


def _not_seen_before(outcomes: list[Outcome]) -> list[Outcome]:
    """Returns the submissions whose `op_id` is new. The others have the first result, or the
    conflict.
    """
    earlier = {
        application.op_id: application
        for application in RefundApplication.objects.filter(
            op_id__in=[outcome.submission.op_id for outcome in outcomes]
        )
    }
    fresh = []
    for outcome in outcomes:
        before = earlier.get(outcome.submission.op_id)
        if before is None:
            fresh.append(outcome)
        elif before.body_digest != outcome.submission.digest:
            outcome.refusal = IdempotencyConflict(
                source="application", source_id=before.pk, difference="the body"
            )
        else:
            outcome.application_id, outcome.state, outcome.again = before.pk, before.state, True
    return fresh


def _cases(outcomes: list[Outcome], *, past_deadline: dt.datetime | None) -> list[_Case]:
    """Returns the submissions that may be taken. The others have their refusal."""
    late = past_deadline is not None
    open_states = [*Entitlement.APPLICABLE, *([Entitlement.State.EXCLUDED] if late else [])]
    holders = [outcome.submission.holder_id for outcome in outcomes]
    owed = _owed(holders, open_states=open_states)
    cases = []
    for outcome in outcomes:
        submission = outcome.submission
        row = owed.get(submission.holder_id)
        if row is not None and row[4] is not None and row[4] != State.DRAFT:
            outcome.refusal = AlreadyApplied(holder=submission.holder_id)
        elif row is not None and row[1] in Entitlement.ELSEWHERE:
            outcome.refusal = _ended_elsewhere(row[0])
        elif row is None or row[1] not in open_states:
            outcome.refusal = NothingOwed(
                holder=submission.holder_id, state=row[1] if row else "none"
            )
        elif submission.confirmed_minor not in (None, row[2]):
            outcome.refusal = AmountDiffers(
                confirmed_minor=submission.confirmed_minor, owed_minor=row[2]
            )
        elif past_deadline is not None and texts.is_blank(submission.late_reason):
            outcome.refusal = WindowOver(at=past_deadline.isoformat())
        elif (refusal := refused_method(submission.method, row[2], submission.address)) is not None:
            outcome.refusal = refusal
        else:
            cases.append(_Case(outcome, row[0], row[1], row[2], row[3], late))
    return cases


def _ended_elsewhere(entitlement: int) -> EndedElsewhere:
    end = OtherEnd.objects.filter(lines__entitlement=entitlement).latest("pk")
    return EndedElsewhere(institution=end.institution, contact=end.contact, reference=end.reference)


def refused_method(
    method: str, amount_minor: int, address: PostalAddress | None
) -> MethodRefused | None:
    """Returns why the amount cannot be paid by the method; None if it can."""
    if method == methods.BANK:
        return None
    offer = methods.offer_of(method, amount_minor)
    if offer is None:
        return MethodRefused(method=method, why=says("it is not offered for this amount"))
    if offer.needs is methods.Needs.ADDRESS and address is None:
        return MethodRefused(method=method, why=says("a postal address is missing"))
    return None


def _owed(
    holders: list[int], *, open_states: list[Entitlement.State]
) -> dict[int, tuple[int, str, int, int | None, str | None]]:
    """Returns holder -> entitlement, its state and amount, and the live application's. Of several
    it is the first part that is open for an application, or the last part if none is.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.account_id, e.id, e.state, e.amount_minor, a.id, a.state
            FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = e.wallet_id
            LEFT JOIN refunds_refundapplication a ON a.entitlement_id = e.id AND a.live
            WHERE w.account_id = ANY (%s)
            ORDER BY CASE WHEN e.state = ANY (%s) AND coalesce(a.state = %s, true)
                THEN -e.part ELSE e.part - 32768 END
            """,
            [holders, open_states, State.DRAFT],
        )
        # The last row of each holder stands.
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _with_payees(cases: list[_Case], *, actor: Actor) -> list[_Case]:
    given = [case for case in cases if case.submission.account is not None]
    entered = payees.enter_many(
        [(case.submission.holder_id, case.submission.account) for case in given],  # type: ignore[misc]
        actor=actor,
    )
    for case, payee in zip(given, entered, strict=True):
        if isinstance(payee, PayeeRefused):
            case.outcome.refusal = payee
        else:
            case.payee_id = payee
    others = [case for case in cases if case.submission.account is None]
    current = dict(
        Payee.objects.filter(
            holder_id__in=[case.submission.holder_id for case in others], replaced_at=None
        ).values_list("holder_id", "pk")
    )
    for case in others:
        case.payee_id = current.get(case.submission.holder_id, 0)
        if not case.payee_id and case.submission.method == methods.BANK:
            case.outcome.refusal = PayeeRefused(field="account", why=says("none was given"))
    return [case for case in cases if case.outcome.refusal is None]


def _write(cases: list[_Case], *, at: dt.datetime, actor: Actor) -> None:
    """Every case has its row in the state submitted. A draft has become what its holder sent."""
    drafted = [case for case in cases if case.draft_id is not None]
    for case in drafted:
        case.application_id = case.draft_id or 0
        move_rows(
            RefundApplication,
            "submit",
            [case.application_id],
            actor=actor,
            draft_sealed=None,
            **_columns(case, at),
        )
    others = [case for case in cases if case.draft_id is None]
    rows = RefundApplication.objects.bulk_create(
        RefundApplication(
            entitlement_id=case.entitlement_id,
            applicant_id=case.submission.holder_id,
            state=State.SUBMITTED,
            started_at=at,
            **{"payee_id" if k == "payee" else k: v for k, v in _columns(case, at).items()},
        )
        for case in others
    )
    for case, row in zip(others, rows, strict=True):
        case.application_id = row.pk
    _tell_of_vouchers([case.submission.holder_id for case in cases if not _by_bank(case)])
    for case in cases:
        if (address := case.submission.address) is not None:
            RefundApplication.objects.filter(pk=case.application_id).update(
                address_sealed=postal_addresses.sealed(
                    address, case.application_id, applicant_id=case.submission.holder_id
                )
            )


def _by_bank(case: _Case) -> bool:
    return case.submission.method == methods.BANK


def _tell_of_vouchers(holders: Sequence[int]) -> None:
    """Those who gave an account before are told that it is not paid any more."""
    known = Payee.objects.filter(holder__in=holders, replaced_at=None)
    payees.tell_of_change(list(known.values_list("holder_id", flat=True)))


def _columns(case: _Case, at: dt.datetime) -> dict[str, Any]:
    submission = case.submission
    return {
        "payee": case.payee_id or None,
        "channel": submission.channel,
        "op_id": submission.op_id,
        "body_digest": submission.digest,
        "late": case.late,
        "late_reason": submission.late_reason if case.late else "",
        "confirmed_minor": submission.confirmed_minor,
        "method": submission.method,
        "fallback_consent": submission.fallback_consent,
        "submitted_at": at,
    }


def decide_by_rule(application_ids: Sequence[int], *, at: dt.datetime) -> int:
    """The applications that the rules allow are approved. The others have the reason why people
    must decide.

    The applicants are known. An application without a confirmed amount stays
    verified. Returns how many were approved.
    """
    reasons = payable.reasons_for_people(application_ids)
    move_rows(RefundApplication, "verify", application_ids, actor=SYSTEM)
    confirmed = list(
        RefundApplication.objects.filter(
            pk__in=application_ids, confirmed_minor__isnull=False
        ).values_list("pk", flat=True)
    )
    move_rows(RefundApplication, "confirm_amount", confirmed, actor=SYSTEM)
    for reason in sorted(set(reasons.values())):
        RefundApplication.objects.filter(
            pk__in=[pk for pk, why in reasons.items() if why == reason]
        ).update(review_reason=reason)
    allowed = [pk for pk in confirmed if pk not in reasons]
    approved = move_rows(RefundApplication, "approve", allowed, actor=SYSTEM, decided_at=at)
    owed = RefundApplication.objects.filter(pk__in=allowed).values_list("entitlement_id", flat=True)
    move_rows(Entitlement, "approve", list(owed), actor=SYSTEM)
    ask_for_accounts(allowed)
    return approved


def ask_for_accounts(application_ids: Sequence[int]) -> int:
    """Those of the approved applications whose current payee the bank refused in the meantime wait
    for another account. Returns how many. Must run inside the caller's transaction.
    """
    refused = RefundApplication.objects.filter(
        pk__in=application_ids,
        state=State.APPROVED,
        method=methods.BANK,
        applicant__payees__replaced_at=None,
        applicant__payees__state=Payee.State.REFUSED,
    )
    return move_rows(
        RefundApplication,
        "ask_again",
        list(refused.values_list("pk", flat=True)),
        actor=SYSTEM,
        asked_for=RefundApplication.BANK_ACCOUNT,
    )


def expire_drafts() -> int:
    """Once the window is over, no draft is left: its answers are gone, and its holder may send a
    late claim. Returns how many drafts ended; a second call finds none.
    """
    with transaction.atomic():
        if _window_ended(clock.now()) is None:
            return 0
        drafts = RefundApplication.objects.filter(live=True, state=State.DRAFT).order_by("pk")
        ended = move_rows(
            RefundApplication,
            "withdraw",
            list(drafts.values_list("pk", flat=True)),
            actor=SYSTEM,
            reason="the window is over",
            live=False,
            draft_sealed=None,
        )
        if ended:
            audit.append("application.expire_drafts", "applications", actor=SYSTEM, drafts=ended)
        return ended


def late_applications(switch: Capability) -> int:
    """Returns how many applications were submitted after the stop. The number must be 0."""
    return RefundApplication.objects.filter(submitted_at__gte=switch.since).count()


capabilities.LEAKS.add("refund_apply", late_applications)
