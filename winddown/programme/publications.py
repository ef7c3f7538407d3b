"""The publications of the public notice by channel, each with its evidence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import NoticeEvidence, NoticePublication, Programme, PublicNotice
from winddown.programme import evidence_files
from winddown.programme.evidence_files import File
from winddown.programme.jurisdictions import ChannelDuty, Pack

Channel = NoticePublication.Channel


class DutyState(StrEnum):
    """How a duty stands: nothing was published, it began after the window's first day, or in time."""

    MISSING = "missing"
    LATE = "late"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Duty:
    """What the law asks of the channels of the notice, and how it stands."""

    asked: ChannelDuty
    state: DutyState
    since: dt.datetime | None = None

    @property
    def channels(self) -> list[str]:
        return list(self.asked.any_of)


def newest_notice() -> PublicNotice | None:
    """Returns the notice in force."""
    return PublicNotice.objects.order_by("-window_last_day", "-pk").first()


def standing(notice: PublicNotice | None) -> QuerySet[NoticePublication]:
    """Returns the publications of the notice that no correction replaces."""
    return NoticePublication.objects.filter(notice=notice, replaced_by=None).order_by("pk")


def window_ends(notice: PublicNotice) -> dt.datetime:
    """Returns the end of the window: 24:00 of its last day in the programme's zone, exclusive."""
    return _midnight(notice.window_last_day + dt.timedelta(days=1))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=Programme.current().zone)


def duties(notice: PublicNotice, pack: Pack) -> list[Duty]:
    """Returns what the law asks for, in the order of the pack.

    An electronic notice that ended before the window does not count (Companies Act art. 940(1)).
    """
    ends, first_day_ends = (
        window_ends(notice),
        _midnight(notice.window_first_day + dt.timedelta(days=1)),
    )
    published = [
        each
        for each in standing(notice)
        if each.channel != Channel.ELECTRONIC or each.ended_at is None or each.ended_at >= ends
    ]
    found = []
    for asked in pack.publications:
        since = min(
            (each.began_at for each in published if each.channel in asked.any_of), default=None
        )
        found.append(Duty(asked=asked, state=_state(since, until=first_day_ends), since=since))
    return found


def _state(since: dt.datetime | None, *, until: dt.datetime) -> DutyState:
    if since is None:
        return DutyState.MISSING
    return DutyState.PUBLISHED if since < until else DutyState.LATE


def record(
    *,
    actor: Actor,
    reason: str,
    channel: str,
    place: str,
    began_at: dt.datetime,
    ended_at: dt.datetime | None = None,
    url: str = "",
    file: File | None = None,
    replaces: NoticePublication | None = None,
) -> NoticePublication:
    """The notice in force has this publication, and the evidence is kept. With `replaces` it takes
    the place of that one, and without a file it keeps that one's evidence.

    Raises `GuardNotMet` for an instant that has not come, an end before the beginning, a file that
    is the evidence of another publication, or an electronic notice without a public address.
    """
    require(actor, "winddown.publish_notice", action="record the publication")
    _refuse_times(began_at, ended_at)
    if channel == Channel.ELECTRONIC or url:
        _refuse_address(url)
    with transaction.atomic():
        locks.take(Lock.NOTICE)
        notice = newest_notice()
        if notice is None:
            raise _refused(says("there is no public notice: publish it first"))
        if replaces is not None and not standing(notice).filter(pk=replaces.pk).exists():
            raise _refused(says("publication {number} does not stand any more", number=replaces.pk))
        publication = NoticePublication.objects.create(
            notice=notice,
            channel=channel,
            place=place,
            url=url,
            began_at=began_at,
            ended_at=ended_at,
            evidence=_kept(file, replaces),
            replaces=replaces,
            recorded_by_id=actor.pk,
        )
        audit.append(
            "notice.record_publication",
            f"notice:{notice.pk}",
            actor=actor,
            reason=reason,
            publication=publication.pk,
            channel=channel,
            began_at=began_at,
            ended_at=ended_at,
            sha256=publication.evidence.sha256,
            replaces=replaces.pk if replaces else None,
        )
    return publication


def _refuse_times(began_at: dt.datetime, ended_at: dt.datetime | None) -> None:
    now, launched = clock.now(), Programme.current().launched_at
    if began_at > now or (ended_at is not None and ended_at > now):
        raise _refused(says("that instant has not come: record what has happened"))
    if began_at < launched:
        raise _refused(says("it began before the service did"))
    if ended_at is not None and ended_at < began_at:
        raise _refused(says("it ended before it began"))


def _refuse_address(url: str) -> None:
    try:
        read = urlsplit(url)
        port_is_right = read.port is None or read.port > 0
    except ValueError as error:
        raise _refused(says("that is no address of a page")) from error
    if read.scheme not in settings.PUBLIC_SCHEMES or not read.hostname or not port_is_right:
        allowed = " or ".join(f"{scheme}://" for scheme in settings.PUBLIC_SCHEMES)
        raise _refused(
            says("the address must begin with {allowed} and name a host", allowed=allowed)
        )
    if read.username or read.password or read.fragment or any(map(str.isspace, url)):
        raise _refused(says("the address holds a password, a fragment or a space"))


def _kept(file: File | None, replaces: NoticePublication | None) -> NoticeEvidence:
    if file is None:
        if replaces is None:
            raise _refused(says("the evidence is missing: give the file"))
        return replaces.evidence
    action = says("record the publication")
    known = evidence_files.known(file, action=action)
    if known is not None and replaces is not None and known.pk == replaces.evidence_id:
        return known
    if known is not None:
        used = NoticePublication.objects.filter(evidence=known).order_by("-pk").first()
        raise _refused(
            says(
                "the same file is the evidence of publication {number}",
                number=used.pk if used else "?",
            )
        )
    return evidence_files.keep(file, action=action)


def _refused(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("record the publication"), why=why)


def disclose_evidence(number: int, *, actor: Actor, reason: str = "") -> File:
    """The audit journal says that `actor` reads the evidence of the publication, which is returned.
    A second reading is recorded again. Raises `NotPermitted`, and `GuardNotMet` for an unknown
    number.
    """
    require(actor, evidence_files.READ, action="read the evidence")
    found = NoticePublication.objects.select_related("evidence").filter(pk=number).first()
    if found is None:
        raise GuardNotMet(
            action=says("read the evidence"),
            why=says("there is no publication {number}", number=number),
        )
    with transaction.atomic():
        audit.append(
            "notice.read_evidence",
            f"notice:{found.notice_id}",
            actor=actor,
            reason=reason,
            publication=found.pk,
            sha256=found.evidence.sha256,
        )
    return evidence_files.read(found.evidence)
