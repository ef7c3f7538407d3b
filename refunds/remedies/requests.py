"""Requests to issuers are submitted, approved and sent."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from django.db import transaction
from django.db.models import F, Max, QuerySet

from refunds.bankfiles.calendar import next_bank_business_day
from refunds.models import Issuer, IssuerAction, IssuerFile, RequestList
from refunds.remedies import cut_offs, slots
from refunds.remedies.exchange_lines import RequestLine
from refunds.remedies.transports import transport_of, transport_that_wrote
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.files import write_once
from winddown.machines.move import move_rows, transition_set
from winddown.models import Programme
from winddown.programme.evidence_files import File

STAGE = "issuer"
ATTEMPTS_MAX = 3


class Content(TypedDict):
    """The signed content: kind and amount of every action, by its id."""

    actions: dict[str, list[str]]


def submit(actions: Iterable[IssuerAction], *, actor: Actor, reason: str) -> RequestList:
    """The drafts wait for a second person as one list with a digest over ids, kinds and amounts."""
    require(actor, "refunds.draft_issuer_action", action="submit issuer actions")
    ids = sorted(action.pk for action in actions)
    if not 0 < len(ids) <= RequestList.ACTIONS_MAX:
        raise GuardNotMet(
            action=says("submit issuer actions"),
            why=says("a list holds 1 to {most} actions", most=RequestList.ACTIONS_MAX),
        )
    with transaction.atomic():
        rows = IssuerAction.objects.filter(pk__in=ids)
        content = _content(rows)
        listed = RequestList.objects.create(
            maker_id=actor.pk,
            digest=approvals.digest_of(content),
            actions_count=len(ids),
            amount_minor=sum(int(amount) for _, amount in content["actions"].values()),
            submitted_at=clock.now(),
        )
        rows.update(request_list=listed)
        moved = transition_set(rows, "submit", run=None, actor=actor, reason=reason)
        if moved != len(ids):
            raise GuardNotMet(
                action=says("submit issuer actions"), why=says("not all of them are drafts")
            )
        _signed_list(listed, rows).ask(maker=actor, reason=reason)
        audit.append(
            "issuer_asks.submit", listed.subject, actor=actor, reason=reason, digest=listed.digest
        )
        return listed


def _signed_list(listed: RequestList, rows: QuerySet[IssuerAction]) -> approvals.SignedList:
    """Returns what two people sign about the requests of `rows`."""
    return approvals.SignedList(
        subject=listed.subject,
        stage=STAGE,
        permission="refunds.approve_issuer_action",
        content=lambda: _content(rows),
    )


def _content(rows: QuerySet[IssuerAction]) -> Content:
    lines = rows.order_by("pk").values_list("pk", "kind", "amount_minor")
    return {"actions": {str(pk): [kind, str(amount)] for pk, kind, amount in lines}}


def decide(
    listed: RequestList, *, actor: Actor, digest: str, reason: str, approve: bool = True
) -> int:
    """A second person has agreed to exactly this list of requests, or has sent it back. Returns how
    many actions moved.
    """
    with transaction.atomic():
        standing = IssuerAction.objects.filter(
            request_list=listed, state=IssuerAction.State.PENDING_APPROVAL
        )
        ids = list(
            standing.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)
        )
        rows = IssuerAction.objects.filter(pk__in=ids)
        _signed_list(listed, rows).decide(
            actor=actor, digest=digest, reason=reason, approve=approve
        )
        name = "approve" if approve else "send_back"
        moved = transition_set(rows, name, run=None, actor=actor, reason=reason)
        audit.append(
            "issuer_asks.decide", listed.subject, actor=actor, reason=reason, approve=approve
        )
        return moved


def send(
    issuer: Issuer, *, actor: Actor, reason: str, again: bool = False, written_as: str = ""
) -> IssuerFile | None:
    """Every approved request to the issuer is in one frozen file, and its answer is awaited.

    Returns the file, or None if there is no such request. A stop of a debit that is past its
    cut-off does not leave: its loss takes the next route at once. With `again`, the file repeats the
    requests that are overdue or about which the issuer needed more information. They keep their key
    and are sent at most three times. `written_as` names a transport other than the issuer's usual
    one.
    """
    require(actor, "refunds.send_issuer_action", by_system=True, action="send issuer actions")
    with transaction.atomic():
        issuer = Issuer.objects.select_for_update(no_key=True).get(pk=issuer.pk)
        cut_offs.fall_back(issuer)
        at = clock.now()
        chosen = _to_send(issuer, again=again)
        if not chosen:
            return None
        due = _answer_due(issuer, at=at)
        content = transport_of(issuer, written_as).write_requests(
            (_line(each, issuer, due=due) for each in chosen),
            sequence=_next_sequence(issuer, IssuerFile.Direction.ASK),
        )
        ids = [action.pk for action in chosen]
        IssuerAction.objects.filter(pk__in=ids).update(attempt=F("attempt") + 1)
        move_rows(
            IssuerAction, "send", ids, actor=actor, reason=reason, sent_at=at, answer_due_at=due
        )
        slots.mark_asked([action.remedy_id for action in chosen], at=at, actor=actor)
        file = store(
            issuer,
            IssuerFile.Direction.ASK,
            content,
            rows=len(chosen),
            amount_minor=sum(action.amount_minor for action in chosen),
            at=at,
            actor=actor,
        )
        _log("issuer_asks.send", file, actor=actor, reason=reason)
        return file


def _to_send(issuer: Issuer, *, again: bool) -> list[IssuerAction]:
    """Returns the requests that the next file to the issuer holds, locked in id order."""
    states = IssuerAction.SENT_AGAIN if again else (IssuerAction.State.APPROVED,)
    return list(
        IssuerAction.objects.select_for_update(no_key=True, of=("self",))
        .filter(issuer=issuer, state__in=states, attempt__lt=ATTEMPTS_MAX)
        .select_related("remedy__loss__claim", "remedy__loss__top_up__card")
        .order_by("pk")
    )


def send_into(
    issuer: Issuer,
    directory: Path,
    *,
    actor: Actor,
    reason: str,
    again: bool = False,
    written_as: str = "",
) -> tuple[IssuerFile, Path] | None:
    """As after `send`, and the file is in `directory`. Both happen, or neither: requests whose file
    could not be written are not sent. Raises what `write_once` raises.
    """
    with transaction.atomic():
        file = send(issuer, actor=actor, reason=reason, again=again, written_as=written_as)
        return None if file is None else (file, _written(file, directory))


def hand_out(file: IssuerFile, *, actor: Actor, reason: str) -> File:
    """The stored file of requests was given to the person once more, byte for byte as it was sent.
    The audit journal says to whom, when, and with which digest.

    Raises `GuardNotMet` for a file of answers.
    """
    require(actor, "refunds.send_issuer_action", action="hand out issuer actions")
    if file.direction != IssuerFile.Direction.ASK:
        raise GuardNotMet(
            action=says("hand out issuer actions"), why=says("the issuer wrote this file itself")
        )
    with transaction.atomic():
        _log("issuer_asks.hand_out", file, actor=actor, reason=reason)
    return as_sent(file)


def hand_into(file: IssuerFile, directory: Path, *, actor: Actor, reason: str) -> Path:
    """As after `hand_out`, and the file is in `directory`."""
    with transaction.atomic():
        hand_out(file, actor=actor, reason=reason)
        return _written(file, directory)


def as_sent(file: IssuerFile) -> File:
    """Returns the stored file of requests with the name and the bytes that its issuer gets."""
    transport = transport_that_wrote(file.content, usual=transport_of(file.issuer))
    name = f"asks_{file.issuer.code}_{file.sequence:04d}{transport.suffix}"
    return File(name=name, content=file.content.encode(transport.encoding))


def _written(file: IssuerFile, directory: Path) -> Path:
    sent = as_sent(file)
    return write_once(directory, sent.name, [sent.content])


def _log(action: str, file: IssuerFile, *, actor: Actor, reason: str) -> None:
    audit.append(
        action,
        f"issuer_file:{file.pk}",
        actor=actor,
        reason=reason,
        issuer=file.issuer.code,
        rows=file.rows,
        amount_minor=file.amount_minor,
        sha256=file.sha256,
    )


def _answer_due(issuer: Issuer, *, at: dt.datetime) -> dt.datetime:
    zone = Programme.current().zone
    day = at.astimezone(zone).date()
    for _ in range(issuer.answer_days):
        day = next_bank_business_day(day)
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)


def _line(action: IssuerAction, issuer: Issuer, *, due: dt.datetime) -> RequestLine:
    loss = action.remedy.loss
    top_up = loss.top_up
    if top_up is None:
        raise AssertionError("an issuer is asked about a card top-up")
    card = top_up.card
    if card is None:
        raise AssertionError("an issuer is asked about a card top-up")
    programme = Programme.current()
    by = action.deadline_at if action.kind == IssuerAction.Kind.STOP_DEBIT else due
    if by is None:
        raise AssertionError("a stop of a debit has its deadline")
    return RequestLine(
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


def _next_sequence(issuer: Issuer, direction: str) -> int:
    files = IssuerFile.objects.filter(issuer=issuer, direction=direction)
    return int(files.aggregate(last=Max("sequence"))["last"] or 0) + 1


def store(
    issuer: Issuer,
    direction: str,
    content: str,
    *,
    rows: int,
    amount_minor: int,
    at: dt.datetime,
    actor: Actor,
) -> IssuerFile:
    """The file is stored under the issuer's next number. The issuer's row must be locked, so that
    the numbers have no gap.
    """
    return IssuerFile.objects.create(
        issuer=issuer,
        direction=direction,
        sequence=_next_sequence(issuer, direction),
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        content=content,
        rows=rows,
        amount_minor=amount_minor,
        at=at,
        actor_id=actor.pk,
    )


def _decided(said: approvals.Decided) -> object:
    return decide(
        RequestList.objects.get(pk=int(said.key)),
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add("ask_list", _decided)
