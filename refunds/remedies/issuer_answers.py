"""Answers of issuers are imported, matched to requests, and applied."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from refunds.models import (
    Issuer,
    IssuerAction,
    IssuerAnswer,
    IssuerFile,
    QuarantinedLine,
    Remedy,
)
from refunds.remedies import cut_offs, doubts, requests, routes, slots
from refunds.remedies.exchange_lines import AnswerLine, FaultyLine, cells_of, digest_of
from refunds.remedies.transports import transport_of, transport_that_wrote
from winddown import card_numbers, clock
from winddown.actors import Actor, require
from winddown.errors import says
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Programme
from winddown.programme import csv_lines
from winddown.programme.evidence_files import File

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


Why = QuarantinedLine.Why
Line = AnswerLine | FaultyLine
# Request, attempt, answer and its instant: what makes two lines the same line, in any file.
LineKey = tuple[int, int, str, dt.datetime]
FAILED_AS = {"miss": Remedy.Failure.TOO_LATE, "decline": Remedy.Failure.DECLINED}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an answer file did: lines that took effect, lines that were known before, lines that no
    request waited for, and lines that wait in quarantine until two people settle them. Each line
    counts once.
    """

    file: IssuerFile
    applied: int
    repeated: int
    not_awaited: int
    quarantined: list[QuarantinedLine]


@dataclass(frozen=True, slots=True)
class Judged:
    """What an answer file would do, line by line. Each line stands in one of the lists."""

    actions: dict[str, IssuerAction]
    awaited: list[AnswerLine]
    not_awaited: list[AnswerLine]
    repeated: list[int]
    doubtful: list[QuarantinedLine]


def import_answers(
    issuer: Issuer, content: bytes, *, name: str, actor: Actor, reason: str
) -> Imported:
    """Every good answer of the file has taken effect, and the next route is open where a loss needs
    one, all in one transaction. Every other line is in quarantine and changes nothing.

    The same file, or the same line in another file, changes nothing the second time (rule 25). A
    line for a request that no longer waits, such as one whose cut-off has passed, is stored as not
    awaited, and two people decide about it where it does not say what is believed. Raises
    `LoadRefused` for a file in another form, and for one with a card number, which would be kept
    with it.
    """
    require(actor, "refunds.send_issuer_action", by_system=True, action="import issuer answers")
    text = csv_lines.text_of(File(name=name, content=content))
    _refuse_card_numbers(text, name=name)
    lines = _read(issuer, text, name=name)
    with transaction.atomic():
        issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer.pk)
        earlier = _imported_before(text)
        if earlier is not None:
            return Imported(
                file=earlier, applied=0, repeated=len(lines), not_awaited=0, quarantined=[]
            )
        cut_offs.fall_back(issuer)
        at = clock.now()
        judged = judge(issuer, lines, _known(issuer, lines), at=at)
        file = requests.store(
            issuer,
            IssuerFile.Direction.ANSWER,
            text,
            rows=len(lines),
            amount_minor=sum(line.amount_minor for line in lines if isinstance(line, AnswerLine)),
            at=at,
            actor=actor,
        )
        _keep(file, judged.awaited, judged.actions, applied=True)
        _keep(file, judged.not_awaited, judged.actions, applied=False)
        for each in judged.doubtful:
            each.file = file
        _apply(judged.awaited, judged.actions, at=at, actor=actor, reason=reason)
        late = file.answers.filter(applied=False).select_related("action__remedy")
        doubts.note(late.order_by("line"), actor=actor)
        done = Imported(
            file=file,
            applied=len(judged.awaited),
            repeated=len(judged.repeated),
            not_awaited=len(judged.not_awaited),
            quarantined=QuarantinedLine.objects.bulk_create(judged.doubtful),
        )
        _log(done, issuer, actor=actor, reason=reason)
        return done


def foreseen(issuer: Issuer, lines: Sequence[Line]) -> Judged:
    """Returns what the lines would do if they came now. Nothing changes, but the requests that they
    name stay locked until the end of the caller's transaction.
    """
    return judge(issuer, lines, _known(issuer, lines), at=clock.now())


def _refuse_card_numbers(text: str, *, name: str) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        if card_numbers.told_in(line):
            raise csv_lines.refused(
                name, number, says("it has a card number: ask the issuer for the file without it")
            )


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What one line of a file would do, and why a doubtful one would wait in quarantine."""

    line: int
    verdict: str
    why: str = ""
    cell: str = ""


def preview(issuer: Issuer, content: bytes, *, name: str, actor: Actor) -> list[Foreseen]:
    """Returns what each line of the file would do now: `new` takes effect, `known` was here before,
    `conflicting` answers what nobody waits for, `quarantined` is doubtful. Nothing changes.

    Raises what `import_answers` raises.
    """
    require(actor, "refunds.send_issuer_action", action="preview issuer answers")
    text = csv_lines.text_of(File(name=name, content=content))
    _refuse_card_numbers(text, name=name)
    lines = _read(issuer, text, name=name)
    with transaction.atomic():
        cut_offs.fall_back(issuer)
        done = foreseen(issuer, lines)
        known = _imported_before(text) is not None
        transaction.set_rollback(True)
    if known:
        return [Foreseen(line.line, "known") for line in lines]
    found = [
        *(Foreseen(line.line, "new") for line in done.awaited),
        *(Foreseen(line.line, "conflicting") for line in done.not_awaited),
        *(Foreseen(line, "known") for line in done.repeated),
        *(Foreseen(each.line, "quarantined", each.why, each.cell) for each in done.doubtful),
    ]
    return sorted(found, key=lambda each: each.line)


def _read(issuer: Issuer, text: str, *, name: str) -> list[Line]:
    transport = transport_that_wrote(text, usual=transport_of(issuer))
    return transport.read_answers(text, name=name, zone=Programme.current().zone)


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
        quarantined=len(done.quarantined),
    )


def _imported_before(text: str) -> IssuerFile | None:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return IssuerFile.objects.filter(direction=IssuerFile.Direction.ANSWER, sha256=sha256).first()


@dataclass(frozen=True, slots=True)
class Known:
    """What is here before a file: the requests that it names, by their references, with the answers
    to them, and the digests of its lines that are in quarantine.
    """

    actions: dict[str, IssuerAction]
    answers: set[LineKey]
    quarantined: set[str]
    currency: str


def _known(issuer: Issuer, lines: Sequence[Line]) -> Known:
    """Returns what is here, with the actions locked in id order."""
    actions = _asked(issuer, [line for line in lines if isinstance(line, AnswerLine)])
    answers = IssuerAnswer.objects.filter(action__in=[action.pk for action in actions.values()])
    quarantined = QuarantinedLine.objects.filter(digest__in=[_digest(issuer, x) for x in lines])
    return Known(
        actions=actions,
        answers=set(answers.values_list("action_id", "attempt", "code", "answered_at")),
        quarantined=set(quarantined.values_list("digest", flat=True)),
        currency=Programme.current().currency,
    )


def judge(issuer: Issuer, lines: Sequence[Line], known: Known, *, at: dt.datetime) -> Judged:
    """Returns what the lines would do. It reads no database."""
    new: dict[str, Line] = {_digest(issuer, line): line for line in reversed(lines)}
    for digest in known.quarantined:
        new.pop(digest, None)
    fresh, doubts = list[AnswerLine](), dict[int, str]()
    for line in new.values():
        if isinstance(line, FaultyLine):
            doubts[line.line] = Why.FORM
            continue
        action = known.actions.get(line.action_ref)
        if why := _doubt(line, action, issuer, currency=known.currency, at=at):
            doubts[line.line] = why
        elif action is not None and _line_key(line, action) not in known.answers:
            fresh.append(line)
    said = Counter((each.action_ref, each.attempt) for each in fresh)
    for each in fresh:
        if said[each.action_ref, each.attempt] > 1:
            doubts[each.line] = Why.TWICE
    sound = sorted((each for each in fresh if each.line not in doubts), key=lambda each: each.line)
    doubtful = [
        _quarantined(line, digest, doubts[line.line], known.actions, at=at)
        for digest, line in new.items()
        if line.line in doubts
    ]
    counted = {each.line for each in sound} | {each.line for each in doubtful}
    waits = {each.line for each in sound if _waits(each, known.actions[each.action_ref])}
    return Judged(
        actions=known.actions,
        awaited=[each for each in sound if each.line in waits],
        not_awaited=[each for each in sound if each.line not in waits],
        repeated=[line.line for line in lines if line.line not in counted],
        doubtful=sorted(doubtful, key=lambda each: each.line),
    )


def _digest(issuer: Issuer, line: Line) -> str:
    cells = line.digest if isinstance(line, FaultyLine) else digest_of(cells_of(line))
    return hashlib.sha256(f"{issuer.code}:{cells}".encode()).hexdigest()


def _quarantined(
    line: Line, digest: str, why: str, actions: Mapping[str, IssuerAction], *, at: dt.datetime
) -> QuarantinedLine:
    """Returns the row of the line, which has no file yet."""
    row = QuarantinedLine(line=line.line, digest=digest, why=why, found_at=at)
    if isinstance(line, FaultyLine):
        row.cell = line.column
    else:
        row.action = actions.get(line.action_ref)
    return row


def _asked(issuer: Issuer, answers: Sequence[AnswerLine]) -> dict[str, IssuerAction]:
    """Returns what the issuer was asked, by its references, locked in id order."""
    refs = [answer.action_ref for answer in answers if _is_key(answer.action_ref)]
    return {
        str(action.key): action
        for action in IssuerAction.objects.select_for_update(no_key=True, of=("self",))
        .filter(issuer=issuer, key__in=refs)
        .select_related("remedy")
        .order_by("pk")
    }


def _doubt(
    answer: AnswerLine,
    action: IssuerAction | None,
    issuer: Issuer,
    *,
    currency: str,
    at: dt.datetime,
) -> str | None:
    """Returns why the answer decides nothing before two people have looked at it."""
    if answer.issuer_code != issuer.code:
        return Why.ISSUER
    if action is None or answer.attempt > action.attempt:
        return Why.STRANGER
    if (answer.amount_minor, answer.currency) != (action.amount_minor, currency):
        return Why.AMOUNT
    if not _asked_at(action, answer.attempt) <= answer.answered_at <= at:
        return Why.TIME
    try:
        routes.after_answer(action.remedy.kind, funding=action.funding, answer=answer.answer_code)
    except routes.NoRoute:
        return Why.ANSWER
    return None


def _asked_at(action: IssuerAction, attempt: int) -> dt.datetime:
    """Returns the instant before which nobody can have answered the attempt. Issuers write whole
    seconds. Of an attempt that was repeated, only the draft's instant is known.
    """
    latest = action.sent_at if attempt == action.attempt else None
    return (latest or action.drafted_at).replace(microsecond=0)


def _waits(answer: AnswerLine, action: IssuerAction) -> bool:
    return action.state in IssuerAction.ANSWERABLE and action.attempt == answer.attempt


def _is_key(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _line_key(answer: AnswerLine, action: IssuerAction) -> LineKey:
    return action.pk, answer.attempt, answer.answer_code, answer.answered_at


def _keep(
    file: IssuerFile,
    answers: Sequence[AnswerLine],
    actions: Mapping[str, IssuerAction],
    *,
    applied: bool,
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
            applied=applied,
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
