"""Answers of issuers that work without files: typed at the desk with their evidence, and counted when
a second person agrees."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import transaction

from refunds.models import IssuerAction
from refunds.remedies import issuer_answers, quarantine
from refunds.remedies.exchange_lines import AnswerLine, answers_of, cells_of
from refunds.remedies.transports import transport_of
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval, Programme

STAGE: Final = "answer_by_hand"


def ask(
    action: IssuerAction,
    *,
    answer_code: str,
    answered_at: dt.datetime,
    statement_on: dt.date | None,
    refund_arn: str,
    evidence: str,
    sha256: str = "",
    actor: Actor,
    reason: str,
) -> Approval:
    """A second person is asked to count what the issuer answered. `evidence` says where the answer
    is, such as the number of a letter, and `sha256` is of its copy, if there is one.

    Raises `GuardNotMet` for an answer that would not take effect.
    """
    require(actor, "refunds.send_issuer_action", action="type an answer of an issuer")
    digest = f" (SHA-256 {sha256})" if sha256 else ""
    line = AnswerLine(
        line=2,
        action_ref=str(action.key),
        attempt=action.attempt,
        issuer_code=action.issuer.code,
        amount_minor=action.amount_minor,
        currency=Programme.current().currency,
        answer_code=answer_code,
        answered_at=answered_at,
        statement_on=statement_on,
        refund_arn=refund_arn,
        note=f"{evidence}{digest}",
    )
    with transaction.atomic():
        _refuse_idle(line, action)
        content = {"action": action.pk, "cells": cells_of(line)}
        subject = approvals.next_subject(f"answer_by_hand:{action.pk}")
        approvals.refuse_repeated(subject, stage=STAGE, content=content, maker=actor, reason=reason)
        asked = approvals.ask(
            subject,
            stage=STAGE,
            content=content,
            permission="refunds.approve_issuer_action",
            maker=actor,
            reason=reason,
        )
        audit.append("by_hand.ask", subject, actor=actor, reason=reason, answer=answer_code)
        return asked


def _refuse_idle(line: AnswerLine, action: IssuerAction) -> None:
    done = issuer_answers.foreseen(action.issuer, [line])
    if done.awaited:
        return
    doubts = [quarantine.WHY[each.why] for each in done.doubtful]
    raise GuardNotMet(
        action=says("type an answer of an issuer"),
        why=says("it is doubtful: {why}", why=doubts[0])
        if doubts
        else says("this request does not wait for an answer"),
    )


def _decided(said: approvals.Decided) -> object:
    """After an approval the answer has taken effect, as a file of one line."""
    subject = f"answer_by_hand:{said.key}"
    with transaction.atomic():
        asked = approvals.standing(subject, stage=said.stage)
        if asked is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=said.stage,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            _count(asked.summary, actor=said.actor, reason=said.reason)
        verb = "approve" if said.approve else "reject"
        return audit.append(f"by_hand.{verb}", subject, actor=said.actor, reason=said.reason)


def _count(content: dict[str, Any], *, actor: Actor, reason: str) -> None:
    action = IssuerAction.objects.select_related("issuer").get(pk=content["action"])
    (line,) = answers_of([(2, content["cells"])], zone=Programme.current().zone)
    if not isinstance(line, AnswerLine):
        raise AssertionError("the form checked the cells")
    transport = transport_of(action.issuer)
    done = issuer_answers.import_answers(
        action.issuer,
        transport.write_answers([line]).encode(transport.encoding),
        name=f"by hand, request {action.pk}",
        actor=actor,
        reason=reason,
    )
    if done.applied != 1:
        raise GuardNotMet(
            action=says("count an answer of an issuer"),
            why=says("this request does not wait for an answer"),
        )


approvals.DECIDERS.add("answer_by_hand", _decided)
