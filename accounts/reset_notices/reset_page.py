"""The page of a reset of all passwords: the fence, the notices, and the files for the carriers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from accounts import carrier_files, outbox
from accounts.models import CarrierFile, CredentialFence, ResetNotice
from accounts.reset_notices import notice_files
from accounts.reset_notices.reset_acts import CHANNELS, DOWNLOADS, RESET, FileForm, reset
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval, Run
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Told:
    """How many notices of the channel are in each state."""

    channel: Text
    queued: int
    sending: int
    sent: int
    undeliverable: int
    unknown: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file for a carrier, and the request to take it once more that waits."""

    file: CarrierFile
    waiting: Approval | None


@dataclass(frozen=True, slots=True)
class ResetPage:
    """Everything on the page."""

    at: dt.datetime
    run: Run | None
    fence: CredentialFence | None
    lift: Approval | None
    told: list[Told]
    owed: int
    unreachable: int | None
    """How many people the notices cannot reach. None while no reset has begun."""
    files: Sequence[FileRow]
    may_take: bool
    decisions: list[Decision]


def look(*, actor: Actor) -> ResetPage:
    """Returns the page as `actor` sees it."""
    run = reset(*Run.State.values)
    fence = CredentialFence.objects.order_by("-pk").first()
    waiting = {_stem(each): each for each in approvals.open_requests()}
    files = CarrierFile.objects.select_related("taken_by").order_by("-pk")[:SHOWN_MAX]
    return ResetPage(
        at=clock.now(),
        run=run,
        fence=fence,
        lift=waiting.get(fence.approval_subject) if fence else None,
        told=_told(run),
        owed=outbox.owed_to_telephones().count(),
        unreachable=notice_files.unreachable(run).count() if run and run.as_of else None,
        files=[FileRow(file=each, waiting=waiting.get(each.subject)) for each in files],
        may_take=actor.has_perm(carrier_files.PERMISSION),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in _offered().items()],
    )


def _offered() -> dict[str, acts.Act]:
    """Returns the acts that are of no file: those of a file stand beside it."""
    return {verb: act for verb, act in (RESET | DOWNLOADS).items() if act.form is not FileForm}


def _stem(request: Approval) -> str:
    return ":".join(request.subject.split(":")[:2])


def _told(run: Run | None) -> list[Told]:
    if run is None:
        return []
    counted = ResetNotice.objects.filter(run=run).values_list("channel", "state")
    numbers = {(channel, state): n for channel, state, n in counted.annotate(n=Count("pk"))}
    return [
        Told(
            channel=title,
            **{state: numbers.get((channel, state), 0) for state in ResetNotice.State.values},
        )
        for channel, title in CHANNELS.items()
    ]
