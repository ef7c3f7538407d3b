"""What issuers are asked: submitted as a list, approved by a second person, sent as a file,
answered, followed up."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max, QuerySet

from refunds import remedies, routes
from refunds.bankfiles.calendar import next_bank_business_day
from refunds.issuers import csv_exchange
from refunds.models import AskList, Issuer, IssuerAction, IssuerAnswer, IssuerFile, Remedy
from winddown import clock
from winddown.actors import SYSTEM, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, LoadRefused, PlanChanged
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_set
from winddown.models import Programme

STAGE = "issuer"
ATTEMPTS_MAX = 3

# What an accepted answer does to the action; what is not here leads on to another road.
ANSWERED_AS = {
    "accepted_debit_stopped": "stop_debit",
    "accepted_refunded": "refund",
    "already_charged_back": "charge_back",
    "too_late_will_repay": "miss",
    "too_late_cannot": "miss",
    "cardholder_unknown": "decline",
    "declined": "decline",
    "need_info": "need_info",
}
FAILED_AS = {"miss": Remedy.Failure.TOO_LATE, "decline": Remedy.Failure.DECLINED}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an answer file did: lines applied, lines that were here before, and lines nobody waited
    for."""

    file: IssuerFile
    applied: int
    repeated: int
    not_awaited: int


# --- ask ------------------------------------------------------------------------------------------


def submit(actions: Iterable[IssuerAction], *, actor: Any, reason: str) -> AskList:
    """The drafts wait for a second person as one list with a digest over ids, kinds and amounts."""
    require(actor, "refunds.draft_issuer_action", action="submit issuer actions")
    ids = sorted(action.pk for action in actions)
    if not 0 < len(ids) <= AskList.ACTIONS_MAX:
        raise GuardNotMet(
            action="submit issuer actions", why=f"a list holds 1 to {AskList.ACTIONS_MAX} actions"
        )
    with transaction.atomic():
        rows = IssuerAction.objects.filter(pk__in=ids)
        content = _content(rows)
        asked = AskList.objects.create(
            maker=actor,
            digest=approvals.digest_of(content),
            actions_count=len(ids),
            amount_minor=sum(int(amount) for _, amount in content["actions"].values()),
            submitted_at=clock.now(),
        )
        rows.update(ask_list=asked)
        moved = transition_set(rows, "submit", run=None, actor=actor, reason=reason)
        if moved != len(ids):
            raise GuardNotMet(action="submit issuer actions", why="not all of them are drafts")
        approvals.ask(
            asked.subject,
            stage=STAGE,
            content=content,
            permission="refunds.approve_issuer_action",
            maker=actor,
            reason=reason,
        )
        audit.append(
            "issuer_asks.submit", asked.subject, actor=actor, reason=reason, digest=asked.digest
        )
        return asked


def _content(rows: QuerySet[IssuerAction]) -> dict[str, Any]:
    lines = rows.order_by("pk").values_list("pk", "kind", "amount_minor")
    return {"actions": {str(pk): [kind, str(amount)] for pk, kind, amount in lines}}


def decide(asked: AskList, *, actor: Any, digest: str, reason: str, approve: bool = True) -> int:
    """A second person has agreed to ask for exactly this list, or has sent it back; returns how
    many actions moved."""
    with transaction.atomic():
        approvals.decide(
            asked.subject, stage=STAGE, actor=actor, digest=digest, reason=reason, approve=approve
        )
        standing = IssuerAction.objects.filter(ask_list=asked, state="pending_approval")
        ids = list(
            standing.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)
        )
        rows = IssuerAction.objects.filter(pk__in=ids)
        now = approvals.digest_of(_content(rows))
        if now != digest:
            raise PlanChanged(subject=asked.subject, approved=digest[:12], now=now[:12])
        name = "approve" if approve else "send_back"
        moved = transition_set(rows, name, run=None, actor=actor, reason=reason)
        audit.append(
            "issuer_asks.decide", asked.subject, actor=actor, reason=reason, approve=approve
        )
        return moved


def send(issuer: Issuer, *, actor: Any, reason: str, again: bool = False) -> IssuerFile | None:
    """Every approved ask to the issuer is in one frozen file, and its answer is awaited; None when
    there is none.

    With `again`, overdue asks and those the issuer needed more about are repeated under the same
    key, up to three times in all. The file is handed over after the commit (`write_to`).
    """
    require(actor, "refunds.send_issuer_action", by_system=True, action="send issuer actions")
    states = ["need_info", "overdue"] if again else ["approved"]
    with transaction.atomic():
        issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer.pk)
        at = clock.now()
        chosen = list(
            IssuerAction.objects.select_for_update(no_key=True, of=("self",))
            .filter(issuer=issuer, state__in=states, attempt__lt=ATTEMPTS_MAX)
            .select_related("remedy__loss__claim", "remedy__loss__top_up__card")
            .order_by("pk")
        )
        if not chosen:
            return None
        due = _answer_due(issuer, at=at)
        content = csv_exchange.write_asks(_line(each, issuer, due=due) for each in chosen)
        ids = [action.pk for action in chosen]
        IssuerAction.objects.filter(pk__in=ids).update(attempt=F("attempt") + 1)
        move_rows(
            IssuerAction,
            "send",
            ids,
            actor=actor,
            reason=reason,
            sent_at=at,
            answer_due_at=due,
        )
        remedies.asked([action.remedy_id for action in chosen], at=at, actor=actor)
        file = _store(
            issuer,
            IssuerFile.Direction.ASK,
            content,
            rows=len(chosen),
            amount_minor=sum(action.amount_minor for action in chosen),
            at=at,
            actor=actor,
        )
        audit.append(
            "issuer_asks.send",
            f"issuer_file:{file.pk}",
            actor=actor,
            reason=reason,
            issuer=issuer.code,
            rows=file.rows,
            amount_minor=file.amount_minor,
            sha256=file.sha256,
        )
        return file


def write_to(file: IssuerFile, directory: Path) -> Path:
    """The stored ask file stands in `directory`, byte for byte what was sent; a second call writes
    the same."""
    path = directory / f"asks_{file.issuer.code}_{file.sequence:04d}.csv"
    path.write_bytes(file.content.encode())
    return path


def _answer_due(issuer: Issuer, *, at: dt.datetime) -> dt.datetime:
    zone = Programme.current().zone
    day = at.astimezone(zone).date()
    for _ in range(issuer.answer_days):
        day = next_bank_business_day(day)
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)


def _line(action: IssuerAction, issuer: Issuer, *, due: dt.datetime) -> csv_exchange.AskLine:
    loss = action.remedy.loss
    top_up = loss.top_up
    assert top_up is not None, "an issuer is asked about a card top-up"
    card = top_up.card
    assert card is not None, "an issuer is asked about a card top-up"
    programme = Programme.current()
    by = action.deadline_at if action.kind == IssuerAction.Kind.STOP_DEBIT else due
    assert by is not None, "a stop of a debit has its deadline"
    return csv_exchange.AskLine(
        action_ref=str(action.key),
        attempt=action.attempt + 1,
        issuer_code=issuer.code,
        brand=card.brand,
        funding=card.funding,
        card_token=card.card_token,
        bin=card.bin,
        last4=card.last4,
        transaction_at_local=top_up.occurred_at.astimezone(programme.zone).isoformat(),
        transaction_at_utc=top_up.occurred_at.astimezone(dt.UTC).isoformat(),
        amount_minor=action.amount_minor,
        currency=programme.currency,
        rrn=top_up.rrn,
        auth_code=top_up.auth_code,
        arn=top_up.arn,
        asked_action=action.kind,
        answer_by=by.astimezone(programme.zone).isoformat(),
        claim_ref=loss.claim.reference,
    )


def _store(
    issuer: Issuer,
    direction: str,
    content: str,
    *,
    rows: int,
    amount_minor: int,
    at: dt.datetime,
    actor: Any,
) -> IssuerFile:
    """The file is kept; the issuer's row must be locked, so that sequence numbers have no gap."""
    last = IssuerFile.objects.filter(issuer=issuer, direction=direction).aggregate(
        last=Max("sequence")
    )["last"]
    return IssuerFile.objects.create(
        issuer=issuer,
        direction=direction,
        sequence=(last or 0) + 1,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        content=content,
        rows=rows,
        amount_minor=amount_minor,
        at=at,
        actor_id=actor.pk,
    )


# --- answers --------------------------------------------------------------------------------------


def import_answers(
    issuer: Issuer, content: bytes, *, name: str, actor: Any, reason: str
) -> Imported:
    """Every answer of the file has taken effect, with the next road opened where one is needed, in
    one transaction.

    The same file, or the same line in another file, changes nothing the second time (rule 25). A
    line for an action that no longer waits is kept as not awaited. Raises `LoadRefused` for the
    whole file on a line that is not understood, names an unknown ask, another issuer or amount, or
    an answer that does not belong to the ask.
    """
    require(actor, "refunds.send_issuer_action", by_system=True, action="import issuer answers")
    answers = csv_exchange.read_answers(content, name=name)
    text = content.decode("utf-8-sig")
    with transaction.atomic():
        issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer.pk)
        earlier = IssuerFile.objects.filter(
            direction=IssuerFile.Direction.ANSWER, sha256=hashlib.sha256(text.encode()).hexdigest()
        ).first()
        if earlier is not None:
            return Imported(file=earlier, applied=0, repeated=len(answers), not_awaited=0)
        at = clock.now()
        actions = _matched(issuer, answers, name=name)
        known = _known(actions.values())
        fresh = [
            answer
            for answer in answers
            if _line_key(answer, actions[answer.action_ref]) not in known
        ]
        awaited = [
            answer
            for answer in fresh
            if actions[answer.action_ref].state in IssuerAction.ANSWERABLE
            and actions[answer.action_ref].attempt == answer.attempt
        ]
        file = _store(
            issuer,
            IssuerFile.Direction.ANSWER,
            text,
            rows=len(answers),
            amount_minor=sum(answer.amount_minor for answer in answers),
            at=at,
            actor=actor,
        )
        _keep(file, fresh, actions, awaited={answer.line for answer in awaited})
        _apply(awaited, actions, at=at, actor=actor, reason=reason)
        done = Imported(
            file=file,
            applied=len(awaited),
            repeated=len(answers) - len(fresh),
            not_awaited=len(fresh) - len(awaited),
        )
        audit.append(
            "issuer_asks.import_answers",
            f"issuer_file:{file.pk}",
            actor=actor,
            reason=reason,
            issuer=issuer.code,
            sha256=file.sha256,
            applied=done.applied,
            repeated=done.repeated,
            not_awaited=done.not_awaited,
        )
        return done


def _matched(
    issuer: Issuer, answers: Sequence[csv_exchange.AnswerLine], *, name: str
) -> dict[str, IssuerAction]:
    """Action by its reference, locked in id order; every line fits its action."""
    refs = [answer.action_ref for answer in answers if _is_key(answer.action_ref)]
    found = {
        str(action.key): action
        for action in IssuerAction.objects.select_for_update(no_key=True, of=("self",))
        .filter(issuer=issuer, key__in=refs)
        .select_related("remedy")
        .order_by("pk")
    }
    currency = Programme.current().currency
    for answer in answers:
        action = found.get(answer.action_ref)
        where = f"line {answer.line}"
        if action is None or answer.issuer_code != issuer.code:
            raise LoadRefused(file=name, why=f"{where}: {issuer.code} was not asked this")
        if (answer.amount_minor, answer.currency) != (action.amount_minor, currency):
            raise LoadRefused(file=name, why=f"{where}: another amount was asked about")
        try:
            routes.after_answer(
                action.remedy.kind, funding=action.funding, answer=answer.answer_code
            )
        except routes.NoRoad as error:
            raise LoadRefused(file=name, why=f"{where}: {error}") from error
    return found


def _is_key(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


LineKey = tuple[int, int, str, dt.datetime]


def _line_key(answer: csv_exchange.AnswerLine, action: IssuerAction) -> LineKey:
    """What makes two lines the same line, in whichever file they come."""
    return action.pk, answer.attempt, answer.answer_code, answer.answered_at


def _known(actions: Iterable[IssuerAction]) -> set[LineKey]:
    return set(
        IssuerAnswer.objects.filter(action__in=[action.pk for action in actions]).values_list(
            "action_id", "attempt", "code", "answered_at"
        )
    )


def _keep(
    file: IssuerFile,
    answers: Sequence[csv_exchange.AnswerLine],
    actions: dict[str, IssuerAction],
    *,
    awaited: set[int],
) -> None:
    IssuerAnswer.objects.bulk_create(
        IssuerAnswer(
            file=file,
            line=answer.line,
            action=actions[answer.action_ref],
            attempt=answer.attempt,
            code=answer.answer_code,
            answered_at=answer.answered_at,
            statement_on=answer.statement_on,
            refund_arn=answer.refund_arn,
            note=answer.note,
            applied=answer.line in awaited,
        )
        for answer in answers
    )


def _apply(
    answers: Sequence[csv_exchange.AnswerLine],
    actions: dict[str, IssuerAction],
    *,
    at: dt.datetime,
    actor: Any,
    reason: str,
) -> None:
    """Equal answers to equal asks move as one set."""
    groups: dict[tuple[str, str, str], list[csv_exchange.AnswerLine]] = defaultdict(list)
    for answer in answers:
        action = actions[answer.action_ref]
        groups[action.remedy.kind, action.funding, answer.answer_code].append(answer)
    for (kind, funding, code), group in sorted(groups.items()):
        chosen = [actions[answer.action_ref] for answer in group]
        ids = [action.pk for action in chosen]
        _note_answers(group, actions)
        moved = move_rows(IssuerAction, ANSWERED_AS[code], ids, actor=actor, reason=reason)
        assert moved == len(chosen), "the actions were locked in a state that takes an answer"
        outcome = routes.after_answer(kind, funding=funding, answer=code)
        asked_for = [action.remedy for action in chosen]
        if outcome.next is not None:
            failure = FAILED_AS[ANSWERED_AS[code]]
            remedies.fall_back(asked_for, outcome.next, failure=failure, at=at, actor=actor)
            move_rows(IssuerAction, "open_fallback", ids, actor=actor, reason=reason)
        elif outcome.done == kind:
            remedies.finish([each.pk for each in asked_for], at=at, actor=actor, reason=reason)
        elif outcome.done is not None:
            _done_otherwise(asked_for, outcome.done, at=at, actor=actor, reason=reason)


def _done_otherwise(
    asked_for: Sequence[Remedy], kind: str, *, at: dt.datetime, actor: Any, reason: str
) -> None:
    """The issuer made the losses good by another road than the one it was asked for."""
    failed = Remedy.Failure.SUPERSEDED
    others = remedies.supersede(asked_for, kind, failure=failed, at=at, actor=actor)
    remedies.asked([each.pk for each in others], at=at, actor=actor)
    remedies.finish([each.pk for each in others], at=at, actor=actor, reason=reason)


def _note_answers(
    answers: Sequence[csv_exchange.AnswerLine], actions: dict[str, IssuerAction]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE refunds_issueraction a
            SET answered_at = n.answered_at, refund_arn = n.refund_arn,
                statement_on = n.statement_on
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::date[])
                AS n (id, answered_at, refund_arn, statement_on)
            WHERE a.id = n.id
            """,
            [
                [actions[answer.action_ref].pk for answer in answers],
                [answer.answered_at for answer in answers],
                [answer.refund_arn for answer in answers],
                [answer.statement_on for answer in answers],
            ],
        )


# --- follow up ------------------------------------------------------------------------------------


def mark_overdue() -> int:
    """Asks whose answer was due are overdue and stand in the queue (rule 26); returns how many."""
    with transaction.atomic():
        due = IssuerAction.objects.filter(
            state__in=["sent", "acknowledged"], answer_due_at__lte=clock.now()
        )
        moved = transition_set(due, "fall_overdue", run=None)
        if moved:
            audit.append("issuer_asks.overdue", "issuer_actions", actor=SYSTEM, n=moved)
        return moved


def overdue() -> list[tuple[IssuerAction, dt.timedelta]]:
    """What waits for an issuer longer than it may, with its age, the oldest first."""
    at = clock.now()
    late = IssuerAction.objects.filter(
        state__in=["sent", "acknowledged", "overdue", "escalated"], answer_due_at__lte=at
    )
    return [
        (action, at - action.answer_due_at)
        for action in late.select_related("issuer").order_by("answer_due_at", "pk")
        if action.answer_due_at is not None
    ]


def escalate(actions: Iterable[IssuerAction], *, actor: Any, reason: str) -> int:
    """The silence is taken up with the issuers by name."""
    require(actor, "refunds.send_issuer_action", action="escalate issuer actions")
    with transaction.atomic():
        ids = [action.pk for action in actions]
        moved = move_rows(IssuerAction, "escalate", ids, actor=actor, reason=reason)
        if moved:
            audit.append(
                "issuer_asks.escalate", "issuer_actions", actor=actor, reason=reason, n=moved
            )
        return moved


def give_up_unsent(*, actor: Any = SYSTEM) -> int:
    """Stops of a debit that were not sent before the issuer's cut-off are closed, and their losses
    take the next road (rule 18); returns how many."""
    with transaction.atomic():
        at = clock.now()
        waiting = (
            IssuerAction.objects.select_for_update(no_key=True, of=("self",))
            .filter(
                kind=IssuerAction.Kind.STOP_DEBIT,
                state__in=["draft", "pending_approval", "approved"],
                deadline_at__lte=at,
            )
            .select_related("remedy__loss__issuer")
            .order_by("pk")
        )
        zone = Programme.current().zone
        passed = [each for each in waiting if remedies.cut_off(each.remedy.loss, zone=zone) <= at]
        if not passed:
            return 0
        remedies.fall_back(
            [action.remedy for action in passed],
            routes.UNANSWERED[routes.STOP_DEBIT],
            failure=Remedy.Failure.TOO_LATE,
            at=at,
            actor=actor,
        )
        ids = [action.pk for action in passed]
        moved = move_rows(IssuerAction, "close", ids, actor=actor, reason="cut-off passed")
        audit.append("issuer_asks.give_up_unsent", "issuer_actions", actor=actor, n=moved)
        return moved


def verify_and_close() -> int:
    """Done asks that statement or reference shows to be done are verified, and what needs nothing
    more is closed.

    A stopped debit is verified once the statement's day has come without the line, a refund by its
    reference number. Returns how many were closed.
    """
    with transaction.atomic():
        today = clock.now().astimezone(Programme.current().zone).date()
        stopped = IssuerAction.objects.filter(
            state=IssuerAction.State.DEBIT_STOPPED, statement_on__lte=today
        )
        refunded = IssuerAction.objects.filter(state=IssuerAction.State.REFUNDED).exclude(
            refund_arn=""
        )
        transition_set(stopped, "verify", run=None)
        transition_set(refunded, "verify", run=None)
        over = IssuerAction.objects.filter(
            state__in=["verified", "charged_back", "fallback_opened"]
        )
        moved = transition_set(over, "close", run=None)
        if moved:
            audit.append("issuer_asks.close", "issuer_actions", actor=SYSTEM, n=moved)
        return moved


def follow_up() -> dict[str, int]:
    """What time alone changes has changed: missed cut-offs, overdue answers, done asks. A second
    call changes nothing."""
    return {
        "fell_back": give_up_unsent(),
        "overdue": mark_overdue(),
        "closed": verify_and_close(),
    }


def _decided(said: approvals.Decided) -> object:
    return decide(
        AskList.objects.get(pk=int(said.key)),
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS["ask_list"] = _decided
