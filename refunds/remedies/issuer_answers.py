"""Answers of issuers are imported, matched to requests, and applied."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from refunds.models import Issuer, IssuerAction, IssuerAnswer, IssuerFile, Remedy
from refunds.remedies import cut_offs, requests, routes, slots
from refunds.remedies.exchange_lines import AnswerLine, text_of
from refunds.remedies.transports import transport_of
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import LoadRefused
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Programme

# What the issuer answered -> the transition of the request.
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
    """What an answer file did: lines that took effect, lines that were known before, and lines that
    no request waited for.
    """

    file: IssuerFile
    applied: int
    repeated: int
    not_awaited: int


def import_answers(
    issuer: Issuer, content: bytes, *, name: str, actor: Actor, reason: str
) -> Imported:
    """Every answer of the file has taken effect, and the next route is open where a loss needs one,
    all in one transaction.

    The same file, or the same line in another file, changes nothing the second time (rule 25). A
    line for a request that no longer waits, such as one whose cut-off has passed, is stored as not
    awaited. Raises `LoadRefused` for the
    whole file if one line is not understood, names an unknown request, another issuer or amount, or
    an answer that does not belong to the request.
    """
    require(actor, "refunds.send_issuer_action", by_system=True, action="import issuer answers")
    transport = transport_of(issuer)
    text = text_of(content, transport, name=name)
    answers = transport.read_answers(text, name=name)
    with transaction.atomic():
        issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer.pk)
        earlier = _imported_before(text)
        if earlier is not None:
            return Imported(file=earlier, applied=0, repeated=len(answers), not_awaited=0)
        cut_offs.fall_back(issuer)
        at = clock.now()
        actions = _matched(issuer, answers, name=name)
        fresh, awaited = _sorted_out(answers, actions)
        file = requests.store(
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
        _log(done, issuer, actor=actor, reason=reason)
        return done


def _log(done: Imported, issuer: Issuer, *, actor: Actor, reason: str) -> None:
    audit.append(
        "issuer_asks.import_answers",
        f"issuer_file:{done.file.pk}",
        actor=actor,
        reason=reason,
        issuer=issuer.code,
        sha256=done.file.sha256,
        applied=done.applied,
        repeated=done.repeated,
        not_awaited=done.not_awaited,
    )


def _imported_before(text: str) -> IssuerFile | None:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return IssuerFile.objects.filter(direction=IssuerFile.Direction.ANSWER, sha256=sha256).first()


def _sorted_out(
    answers: Sequence[AnswerLine], actions: Mapping[str, IssuerAction]
) -> tuple[list[AnswerLine], list[AnswerLine]]:
    """Returns the answers that are not stored yet, and those among them for which an action waits."""
    known = _known(actions.values())
    fresh = [
        answer for answer in answers if _line_key(answer, actions[answer.action_ref]) not in known
    ]
    awaited = [
        answer
        for answer in fresh
        if actions[answer.action_ref].state in IssuerAction.ANSWERABLE
        and actions[answer.action_ref].attempt == answer.attempt
    ]
    return fresh, awaited


def _matched(
    issuer: Issuer, answers: Sequence[AnswerLine], *, name: str
) -> dict[str, IssuerAction]:
    """Returns the actions by their references, locked in id order. Raises `LoadRefused` if a line
    does not fit its action.
    """
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
        except routes.NoRoute as error:
            raise LoadRefused(file=name, why=f"{where}: {error}") from error
    return found


def _is_key(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


LineKey = tuple[int, int, str, dt.datetime]


def _line_key(answer: AnswerLine, action: IssuerAction) -> LineKey:
    """Returns the values that make two lines the same line, in any file."""
    return action.pk, answer.attempt, answer.answer_code, answer.answered_at


def _known(actions: Iterable[IssuerAction]) -> set[LineKey]:
    return set(
        IssuerAnswer.objects.filter(action__in=[action.pk for action in actions]).values_list(
            "action_id", "attempt", "code", "answered_at"
        )
    )


def _keep(
    file: IssuerFile,
    answers: Sequence[AnswerLine],
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
    answers: Sequence[AnswerLine],
    actions: dict[str, IssuerAction],
    *,
    at: dt.datetime,
    actor: Actor,
    reason: str,
) -> None:
    """The answers have taken effect. Equal answers to equal requests move as one set."""
    groups: dict[tuple[str, str, str], list[AnswerLine]] = defaultdict(list)
    for answer in answers:
        action = actions[answer.action_ref]
        groups[action.remedy.kind, action.funding, answer.answer_code].append(answer)
    for (kind, funding, code), group in sorted(groups.items()):
        chosen = [actions[answer.action_ref] for answer in group]
        ids = [action.pk for action in chosen]
        _note_answers(group, actions)
        moved = move_rows(IssuerAction, ANSWERED_AS[code], ids, actor=actor, reason=reason)
        if moved != len(chosen):
            raise AssertionError("the actions were locked in a state that takes an answer")
        outcome = routes.after_answer(kind, funding=funding, answer=code)
        asked_for = [action.remedy for action in chosen]
        if outcome.next is not None:
            failure = FAILED_AS[ANSWERED_AS[code]]
            slots.fall_back(asked_for, outcome.next, failure=failure, at=at, actor=actor)
            move_rows(IssuerAction, "open_fallback", ids, actor=actor, reason=reason)
        elif outcome.done == kind:
            slots.finish([each.pk for each in asked_for], at=at, actor=actor, reason=reason)
        elif outcome.done is not None:
            _done_otherwise(asked_for, outcome.done, at=at, actor=actor, reason=reason)


def _done_otherwise(
    asked_for: Sequence[Remedy], kind: str, *, at: dt.datetime, actor: Actor, reason: str
) -> None:
    """The losses are made good by another route than the one that the issuer was asked for."""
    failed = Remedy.Failure.SUPERSEDED
    others = slots.supersede(asked_for, kind, failure=failed, at=at, actor=actor)
    slots.mark_asked([each.pk for each in others], at=at, actor=actor)
    slots.finish([each.pk for each in others], at=at, actor=actor, reason=reason)


def _note_answers(answers: Sequence[AnswerLine], actions: dict[str, IssuerAction]) -> None:
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
