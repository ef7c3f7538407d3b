"""Lines in quarantine are settled by two people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from refunds.models import QuarantinedLine
from refunds.remedies.transports import transport_of, transport_that_wrote
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, PlanChanged, says
from winddown.evidence import audit
from winddown.models import Approval
from winddown.words import Text

STAGE: Final = "settle_lines"
WHY: Final[dict[str, Text]] = {
    QuarantinedLine.Why.FORM: _("It is not understood"),
    QuarantinedLine.Why.STRANGER: _("We did not ask this"),
    QuarantinedLine.Why.ISSUER: _("It names another issuer"),
    QuarantinedLine.Why.AMOUNT: _("It names another amount"),
    QuarantinedLine.Why.ANSWER: _("It does not answer what was asked"),
    QuarantinedLine.Why.TIME: _("It was not answered between our request and now"),
    QuarantinedLine.Why.TWICE: _("The file says something else about the same request"),
}


def waiting() -> QuerySet[QuarantinedLine]:
    """Returns the lines that nobody has settled, the oldest first."""
    return (
        QuarantinedLine.objects.filter(settled_at=None)
        .select_related("file__issuer", "action")
        .order_by("found_at", "pk")
    )


def text_of(line: QuarantinedLine) -> str:
    """Returns the line as it came, without what a note has behind a line break. It is empty after
    the file was deleted.
    """
    text = line.file.content
    usual = transport_of(line.file.issuer)
    return transport_that_wrote(text, usual=usual).line_of(text, line.line) if text else ""


def ask(lines: Iterable[QuarantinedLine], *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to settle the lines: what they say has been dealt with otherwise, or
    means nothing. Raises `GuardNotMet` for a line that is settled.
    """
    require(actor, "refunds.send_issuer_action", action="settle quarantined lines")
    ids = sorted(line.pk for line in lines)
    with transaction.atomic():
        content = _content(ids)
        if len(content["lines"]) != len(ids):
            raise GuardNotMet(
                action=says("settle quarantined lines"), why=says("one of them is settled")
            )
        subject = approvals.next_subject(f"quarantined:{ids[0]}")
        approvals.refuse_repeated(subject, stage=STAGE, content=content, maker=actor, reason=reason)
        asked = approvals.ask(
            subject,
            stage=STAGE,
            content=content,
            permission="refunds.approve_issuer_action",
            maker=actor,
            reason=reason,
            valid_for=dt.timedelta(days=14),
        )
        audit.append("quarantine.ask", subject, actor=actor, reason=reason, lines=ids)
        return asked


def _content(ids: list[int]) -> dict[str, Any]:
    """Returns why each of the lines that still wait is in quarantine, by its number."""
    rows = waiting().filter(pk__in=ids).select_for_update(no_key=True, of=("self",))
    return {"lines": {str(line.pk): line.why for line in rows.order_by("pk")}}


def _decided(said: approvals.Decided) -> object:
    """After an approval the lines are settled. After a rejection they wait on."""
    subject = f"quarantined:{said.key}"
    with transaction.atomic():
        signature = approvals.decide(
            subject,
            stage=said.stage,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        ids = [int(number) for number in signature.approval.summary["lines"]]
        if said.approve:
            now = approvals.digest_of(_content(ids))
            if now != said.digest:
                raise PlanChanged(subject=subject, approved=said.digest[:12], now=now[:12])
            QuarantinedLine.objects.filter(pk__in=ids).update(
                settled_at=clock.now(), settled_by_id=said.actor.pk
            )
        verb = "settle" if said.approve else "keep"
        return audit.append(
            f"quarantine.{verb}", subject, actor=said.actor, reason=said.reason, lines=ids
        )


approvals.DECIDERS.add("quarantined", _decided)
