"""The electronic notice is looked at every few minutes, and its interruptions are counted.

An electronic notice runs until the window has passed. It stays valid if it was unreachable or
altered for at most one tenth of the period, and if fact, time and content of each interruption were
published with it (Companies Act art. 940(3), through Payment Services Act art. 20(3)).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import (
    NoticeCorrection,
    NoticeInterruption,
    NoticeProbe,
    NoticePublication,
    PublicNotice,
)
from winddown.programme import jurisdictions, public_pages, publications
from winddown.programme.evidence_files import File
from winddown.programme.gates import GATES, Count, Gate, open_now
from winddown.programme.publications import DutyState

PROBE_EVERY = dt.timedelta(minutes=5)
SILENT_AFTER = dt.timedelta(minutes=15)
# The earlier page may still be served so long after its correction was recorded.
PUT_IN_PLACE_WITHIN = dt.timedelta(hours=1)
SHARE = 10
Found = NoticeProbe.Found


# --- the probe ------------------------------------------------------------------------------------


def watched() -> list[NoticePublication]:
    """Returns the electronic notices that go on."""
    electronic = publications.standing(publications.newest_notice()).filter(
        channel=NoticePublication.Channel.ELECTRONIC, ended_at=None
    )
    return list(electronic.select_related("notice", "evidence", "replaces__evidence"))


def probe_due() -> list[NoticeProbe]:
    """Every electronic notice was probed during the last five minutes, and once after its window."""
    at = clock.now()
    due = []
    for publication in watched():
        newest = publication.probes.order_by("-pk").first()
        ends = publications.window_ends(publication.notice)
        if newest is None or (newest.at < ends and newest.at <= at - PROBE_EVERY):
            due.append(publication)
    return [probe(each) for each in due]


def probe(publication: NoticePublication) -> NoticeProbe:
    """The notice was read at its address, and an interruption began, goes on or ended accordingly.

    No transaction is open while the page is read. A second probe at the same time changes nothing.
    """
    found, detail = _look(publication)
    with transaction.atomic():
        locks.take(Lock.NOTICE)
        seen = NoticeProbe.objects.create(
            publication=publication, found=found, detail=detail, at=clock.now()
        )
        _follow(seen)
    return seen


def _look(publication: NoticePublication) -> tuple[str, str]:
    """Returns what is at the address, and the detail that shows it."""
    accepted = {publication.evidence.sha256: len(publication.evidence.content)}
    before = publication.replaces
    if before and publication.recorded_at > clock.now() - PUT_IN_PLACE_WITHIN:
        accepted[before.evidence.sha256] = len(before.evidence.content)
    try:
        # One byte more than the longest accepted page shows that another one is longer.
        page = public_pages.read(publication.url, bytes_max=max(accepted.values()) + 1)
    except public_pages.Unreachable as failed:
        return Found.DOWN, str(failed)
    if page.status != 200:
        elsewhere = 300 <= page.status < 400
        return Found.ALTERED if elsewhere else Found.DOWN, f"status {page.status}"
    digest = hashlib.sha256(page.content).hexdigest()
    return Found.INTACT if digest in accepted else Found.ALTERED, f"sha256 {digest}"


def _follow(seen: NoticeProbe) -> None:
    """An interruption of the page has ended if the probe found another thing there, and one has
    begun if it found the notice interrupted within its window.
    """
    over = seen.at >= publications.window_ends(seen.publication.notice)
    goes_on = False
    for opened in _open_at(seen.publication):
        if opened.kind == seen.found and not over:
            goes_on = True
            continue
        # A clock that was put back does not keep it open.
        ended_at = max(seen.at, opened.began_at)
        NoticeInterruption.objects.filter(pk=opened.pk).update(ended_at=ended_at)
        _tell("notice.resume", seen, opened)
    if seen.found != Found.INTACT and not over and not goes_on:
        begun = NoticeInterruption.objects.create(
            publication=seen.publication, kind=seen.found, detail=seen.detail, began_at=seen.at
        )
        _tell("notice.interrupt", seen, begun)


def _open_at(publication: NoticePublication) -> list[NoticeInterruption]:
    """Returns the open interruptions of the same address, and those of pages that nobody watches any
    more. Another address that still carries a notice has interruptions of its own.
    """
    elsewhere = [each.pk for each in watched() if each.url != publication.url]
    found = NoticeInterruption.objects.filter(ended_at=None)
    return list(found.exclude(publication__in=elsewhere).order_by("pk"))


def _tell(action: str, seen: NoticeProbe, interruption: NoticeInterruption) -> None:
    audit.append(
        action,
        f"notice:{seen.publication.notice_id}",
        actor=SYSTEM,
        publication=interruption.publication_id,
        interruption=interruption.pk,
        kind=interruption.kind,
        detail=seen.detail,
        at=seen.at,
    )


# --- the budget -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meter:
    """How long the electronic notice was interrupted, and how long the law allows."""

    notice: PublicNotice
    allowed: dt.timedelta
    used: dt.timedelta
    interruptions: list[NoticeInterruption]
    uncorrected: list[NoticeInterruption]
    probed: NoticeProbe | None
    stands: bool
    """Whether an electronic notice runs, or ran until the end of the window."""

    @property
    def exceeded(self) -> bool:
        return self.used > self.allowed

    @property
    def percent(self) -> int:
        return min(100, self.used * 100 // self.allowed)


def meter() -> Meter | None:
    """Returns the meter of the notice in force, or None if no electronic notice was published.

    The interruptions of earlier notices count too, because the window is one period.
    """
    notice = publications.newest_notice()
    electronic = NoticePublication.objects.filter(channel=NoticePublication.Channel.ELECTRONIC)
    if notice is None or not electronic.exists():
        return None
    ends, now = publications.window_ends(notice), clock.now()
    rows = list(
        NoticeInterruption.objects.select_related("correction", "publication").order_by("pk")
    )
    days = (notice.window_last_day - notice.window_first_day).days + 1
    still = publications.standing(notice).filter(channel=NoticePublication.Channel.ELECTRONIC)
    return Meter(
        notice=notice,
        allowed=dt.timedelta(days=days) / SHARE,
        used=_lasted([(each.began_at, min(each.ended_at or now, ends)) for each in rows]),
        interruptions=rows,
        uncorrected=[each for each in rows if not hasattr(each, "correction")],
        probed=NoticeProbe.objects.order_by("-pk").first(),
        stands=still.filter(Q(ended_at=None) | Q(ended_at__gte=ends)).exists(),
    )


def _lasted(spans: list[tuple[dt.datetime, dt.datetime]]) -> dt.timedelta:
    """Returns how long at least one of the spans lasted. Two addresses may fail at one time."""
    total, until = dt.timedelta(), None
    for began, ended in sorted(spans):
        start = began if until is None else max(began, until)
        total += max(ended - start, dt.timedelta())
        until = ended if until is None else max(ended, until)
    return total


def hours(lasted: dt.timedelta) -> str:
    """Returns the time in hours with one decimal, rounded up."""
    tenths = -(-lasted // dt.timedelta(minutes=6))
    return f"{tenths // 10:,}.{tenths % 10}"


def gaps() -> list[str]:
    """Returns why nobody may be excluded under the electronic notice, with the numbers."""
    seen = meter()
    if seen is None:
        return []
    ends = publications.window_ends(seen.notice)
    found: list[str] = []
    if seen.exceeded:
        found.append(
            says(
                "the electronic notice was interrupted for {used} hours, and the law allows {allowed}",
                used=hours(seen.used),
                allowed=hours(seen.allowed),
            )
        )
    if seen.uncorrected:
        found.append(
            says(
                "{number} interruptions of the electronic notice have no correction",
                number=len(seen.uncorrected),
            )
        )
    if not seen.stands:
        found.append(says("the electronic notice ended before its window"))
    if seen.probed is None:
        found.append(says("the electronic notice was never probed"))
    elif seen.probed.at < ends:
        found.append(
            says(
                "the electronic notice was last probed at {at}, and its window lasted until {until}",
                at=seen.probed.at.isoformat(),
                until=ends.isoformat(),
            )
        )
    return found


def _counts() -> list[Count]:
    """Returns the numbers of the gate before an exclusion: the channels that the law asks for, and
    how long the electronic notice was interrupted beyond what it allows.
    """
    notice = publications.newest_notice()
    asked = publications.duties(notice, jurisdictions.current()) if notice else []
    counts = [
        open_now(
            _("Channels of the notice that the law asks for and nobody recorded"),
            found=sum(each.state == DutyState.MISSING for each in asked),
            of=len(asked),
        )
    ]
    seen = meter()
    if seen is not None:
        beyond = max(seen.used - seen.allowed, dt.timedelta())
        counts += [
            open_now(
                _("Minutes that the electronic notice was interrupted beyond the allowed tenth"),
                found=-(-beyond // dt.timedelta(minutes=1)),
                of=seen.allowed // dt.timedelta(minutes=1),
            ),
            open_now(
                _("Interruptions of the electronic notice without a correction"),
                found=len(seen.uncorrected),
                of=len(seen.interruptions),
            ),
        ]
    return counts


GATES.add("notice", Gate(_("The notice was published in every channel and stood"), _counts))


def silent(seen: Meter) -> bool:
    """Returns whether the notice should have been probed since."""
    ends, late = publications.window_ends(seen.notice), clock.now() - SILENT_AFTER
    if seen.probed is not None and seen.probed.at >= ends:
        return False
    began = [each.recorded_at for each in watched()]
    since = seen.probed.at if seen.probed else max(began, default=clock.now())
    return bool(began) and since < late


# --- the correction -------------------------------------------------------------------------------


def attach_correction(*, actor: Actor, reason: str, statement: str, file: File) -> int:
    """The electronic notice carries the statement about every interruption that has ended. `file`
    is the notice with the statement, as the address serves it within the next hour. Returns how
    many interruptions it corrects.

    Raises `GuardNotMet` while the notice is interrupted, or when no interruption lacks a correction.
    """
    require(actor, "winddown.publish_notice", action="attach the correction")
    with transaction.atomic():
        locks.take(Lock.NOTICE)
        open_ones = NoticeInterruption.objects.filter(correction=None)
        if open_ones.filter(ended_at=None).exists():
            raise _refused(says("the notice is interrupted now: end the interruption first"))
        corrected, carrying = list(open_ones), watched()
        if not corrected:
            raise _refused(says("no interruption lacks a correction"))
        if not carrying:
            raise _refused(says("no electronic notice goes on"))
        before = carrying[-1]
        if file.content == bytes(before.evidence.content):
            raise _refused(says("the file is the notice without the statement"))
        publication = publications.record(
            actor=actor,
            reason=reason,
            channel=before.channel,
            place=before.place,
            url=before.url,
            began_at=before.began_at,
            file=file,
            replaces=before,
        )
        for each in corrected:
            NoticeCorrection.objects.create(
                interruption=each, publication=publication, statement=statement
            )
        audit.append(
            "notice.attach_correction",
            f"notice:{publication.notice_id}",
            actor=actor,
            reason=reason,
            publication=publication.pk,
            interruptions=[each.pk for each in corrected],
        )
    return len(corrected)


def _refused(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("attach the correction"), why=why)
