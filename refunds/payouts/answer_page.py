"""The pages of the bank's answers: what waits, what a file would change, and what it did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from refunds.models import BankFile, ReconciliationBreak, UploadedAnswer, VoidedFile
from refunds.payouts import uploads, voiding
from refunds.payouts.answer_acts import ANSWERS
from refunds.payouts.break_kinds import KINDS
from refunds.payouts.results import Part, Preview
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.errors import WinddownError
from winddown.models import Approval
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.site.pages import told
from winddown.words import Text

SHOWN_MAX = 200
_Kind = BankFile.Kind
_ANSWERS = (_Kind.CHECK_ANSWERED, _Kind.RESULTS, _Kind.REPORT, _Kind.STATEMENT)
KIND_WORDS: dict[str, Text] = {
    _Kind.CHECK_ANSWERED: _("Account-name checks"),
    _Kind.RESULTS: _("Results of transfers"),
    _Kind.REPORT: _("Status report"),
    _Kind.STATEMENT: _("Statement of our account"),
}


@dataclass(frozen=True, slots=True)
class BookedRow:
    """A file that was booked."""

    file: BankFile

    @property
    def kind(self) -> Text:
        return KIND_WORDS.get(self.file.kind, self.file.kind)


@dataclass(frozen=True, slots=True)
class AnswersPage:
    """The bank's answers, the newest first: those that wait, and those that were booked."""

    at: dt.datetime
    waiting: Sequence[UploadedAnswer]
    booked: list[BookedRow]
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Conflict:
    """So many lines that would become, or became, breaks of this kind."""

    title: Text
    part: Part


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """One file: what it would change, or did. `not_now` says why it cannot be booked now."""

    at: dt.datetime
    sha256: str
    uploaded: UploadedAnswer | None
    booked: BankFile | None
    preview: Preview | None
    not_now: str
    conflicts: list[Conflict]
    voided: VoidedFile | None
    waiting: Approval | None
    """The request to void it that waits for a second person."""
    decisions: list[Decision]

    @property
    def query(self) -> str:
        """Fills the form of its verb in."""
        if self.booked is not None:
            return f"?number={self.booked.pk}"
        shown = "" if self.preview is None else self.preview.digest
        return f"?sha256={self.sha256}&digest={shown}"


def answers(*, actor: Actor) -> AnswersPage:
    """Returns the list of files as `actor` sees it."""
    booked = BankFile.objects.filter(kind__in=_ANSWERS).select_related("actor").order_by("-pk")
    return AnswersPage(
        at=clock.now(),
        waiting=uploads.waiting(),
        booked=[BookedRow(each) for each in booked[:SHOWN_MAX]],
        decisions=[acts.decision("upload", ANSWERS["upload"], actor=actor)],
    )


def answer(sha256: str, *, actor: Actor) -> AnswerPage | None:
    """Returns the page of one file as `actor` sees it; None for a file that nobody uploaded or
    booked.
    """
    uploaded = (
        UploadedAnswer.objects.filter(sha256=sha256)
        .defer("content_sealed")
        .select_related("actor")
        .first()
    )
    booked = (
        BankFile.objects.filter(sha256=sha256, kind__in=_ANSWERS).select_related("actor").first()
    )
    if uploaded is None and booked is None:
        return None
    seen, not_now = None, ""
    if booked is not None or actor.has_perm(ANSWERS["book"].permission):
        try:
            seen = uploads.look(sha256, actor=actor)
        except WinddownError as refused:
            not_now = told(refused)
    voided = VoidedFile.objects.filter(file=booked).first() if booked else None
    verbs = ["book"] if booked is None and seen is not None else []
    if booked is not None and voided is None and booked.kind in voiding.VOIDABLE:
        verbs = ["void"]
    return AnswerPage(
        at=clock.now(),
        sha256=sha256,
        uploaded=uploaded,
        booked=booked,
        preview=seen,
        not_now=not_now,
        conflicts=_conflicts(booked, seen),
        voided=voided,
        waiting=_waiting(booked),
        decisions=[acts.decision(verb, ANSWERS[verb], actor=actor) for verb in verbs],
    )


def _waiting(booked: BankFile | None) -> Approval | None:
    of_it = f"bank_file:{booked.pk}:" if booked else None
    return next(
        (
            request
            for request in approvals.open_requests()
            if of_it is not None and request.subject.startswith(of_it)
        ),
        None,
    )


def _conflicts(booked: BankFile | None, seen: Preview | None) -> list[Conflict]:
    if booked is None:
        parts = () if seen is None else seen.conflicts
    else:
        found: dict[str, list[int]] = {}
        for kind, amount in ReconciliationBreak.objects.filter(file=booked).values_list(
            "kind", "amount_minor"
        ):
            found.setdefault(kind, []).append(amount)
        parts = tuple(
            Part(kind, len(amounts), sum(amounts)) for kind, amounts in sorted(found.items())
        )
    return [Conflict(KINDS.get(part.name, part.name), part) for part in parts]
