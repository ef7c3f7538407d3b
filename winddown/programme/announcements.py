"""Announcements and the policy on compensation: drafted, approved by a second person, shown.

Since May 2021 issuers publish their policy on compensating unauthorised use (Payment Services Act,
Cabinet Office Order on Prepaid Payment Instruments).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Announcement, AnnouncementRelease, Approval, Milestone, Programme
from winddown.programme import offer

KIND = "public_text"
STAGE = "publish_text"
PERMISSION = "winddown.announce_termination"
LANGUAGES = ("ja", "en")
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as its reader sees it now."""

    version: int
    title: str
    body: str
    released_at: dt.datetime | None


# --- filling --------------------------------------------------------------------------------------


def _offers(state: str) -> str:
    programme, at = Programme.current(), clock.now()
    deadlines = list(Milestone.objects.order_by("at"))
    standings = offer.standings(at=at, deadlines=deadlines)
    lines = offer.offers(programme, standings, deadlines=deadlines)
    return gettext(", ").join(str(each.title) for each in lines if each.state == state)


def _deadline(kind: str) -> str:
    found = Milestone.objects.filter(kind=kind).first()
    if found is None:
        return ""
    # An exclusive end: its day is the one that ends then.
    last = timezone.localtime(found.at, Programme.current().zone) - dt.timedelta(microseconds=1)
    if translation.get_language() == "ja":
        return f"{last.year}年{last.month}月{last.day}日"
    return date_format(last.date(), "j F Y")


# What a text may name, and how it is filled.
PLACES: dict[str, Callable[[], str]] = {
    "service": lambda: Programme.current().name,
    "phone": lambda: Programme.current().contact_phone,
    "working": lambda: _offers("on"),
    "stopped": lambda: _offers("off"),
    "spend_ends": lambda: _deadline("spend_ends"),
    "window_ends": lambda: _deadline("refund_window_ends"),
}


def filled(announcement: Announcement, language: str) -> Shown:
    """Returns the version in the language, as the switches and the programme fill it now. What is
    not set yet is a dash.
    """
    with translation.override(language):

        def fill(text: str) -> str:
            return _PLACE.sub(lambda place: PLACES[place[1]]() or "–", text)

        release = getattr(announcement, "release", None)
        return Shown(
            version=announcement.version,
            title=fill(getattr(announcement, f"title_{language}")),
            body=fill(getattr(announcement, f"body_{language}")),
            released_at=release.released_at if release else None,
        )


def unknown_places(text: str) -> list[str]:
    """Returns the names in braces that nothing fills."""
    return [name for name in _PLACE.findall(text) if name not in PLACES]


def released(kind: str) -> QuerySet[Announcement]:
    """Returns the versions that everybody can read, the newest first."""
    found = Announcement.objects.filter(kind=kind).exclude(release=None)
    return found.select_related("release").order_by("-version")


def shown(kind: str, language: str) -> Shown | None:
    """Returns what everybody reads now; None if no version is released."""
    newest = released(kind).first()
    return filled(newest, language if language in LANGUAGES else "ja") if newest else None


# --- two people -----------------------------------------------------------------------------------


def draft(
    *,
    kind: str,
    title_ja: str,
    body_ja: str,
    title_en: str,
    body_en: str,
    actor: Actor,
    reason: str,
) -> Announcement:
    """The next version of the text waits for a second person. Nobody else sees it before.

    Raises `GuardNotMet` for a name in braces that nothing fills, and for the text of a newest
    version that is released or waits.
    """
    require(actor, PERMISSION, action="draft an announcement")
    texts = {"title_ja": title_ja, "body_ja": body_ja, "title_en": title_en, "body_en": body_en}
    if unknown := [name for text in texts.values() for name in unknown_places(text)]:
        raise _refused(
            says(
                "nothing fills {unknown}; known are {known}",
                unknown=", ".join(unknown),
                known=", ".join(PLACES),
            )
        )
    with transaction.atomic():
        locks.take(Lock.NOTICE)
        of_kind = Announcement.objects.filter(kind=kind)
        newest = of_kind.order_by("-version").first()
        same = newest and all(getattr(newest, name) == text for name, text in texts.items())
        if newest and same and (hasattr(newest, "release") or waiting(newest)):
            raise _refused(says("the newest version says the same"))
        version = (of_kind.aggregate(last=Max("version"))["last"] or 0) + 1
        made = Announcement.objects.create(
            kind=kind, version=version, drafted_by_id=actor.pk, **texts
        )
        _signed(made).ask(maker=actor, reason=reason)
        audit.append("announcement.draft", made.subject, actor=actor, reason=reason, kind=kind)
    return made


def _refused(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("draft an announcement"), why=why)


def _signed(announcement: Announcement) -> approvals.SignedList:
    return approvals.SignedList(
        subject=announcement.subject,
        stage=STAGE,
        permission=PERMISSION,
        content=lambda: {
            "kind": announcement.kind,
            "version": announcement.version,
            "ja": [announcement.title_ja, announcement.body_ja],
            "en": [announcement.title_en, announcement.body_en],
        },
    )


def waiting(announcement: Announcement) -> Approval | None:
    """Returns the request that waits for a second person and has not expired."""
    asked = approvals.standing(announcement.subject, stage=STAGE)
    return asked if asked and asked.expires_at > clock.now() else None


def decide(number: int, *, actor: Actor, digest: str, reason: str, approve: bool) -> None:
    """Everybody reads the version from now on, or it is rejected. Raises what `approvals.decide`
    raises, and `GuardNotMet` for a version that nobody would read beside a later one.
    """
    with transaction.atomic():
        locks.take(Lock.NOTICE)
        found = Announcement.objects.filter(pk=number).first()
        if found is None:
            raise NothingToDecide(subject=f"{KIND}:{number}")
        _signed(found).decide(actor=actor, digest=digest, reason=reason, approve=approve)
        if approve and released(found.kind).filter(version__gt=found.version).exists():
            raise GuardNotMet(
                action=says("release the text"), why=says("a later version is released already")
            )
        if approve:
            AnnouncementRelease.objects.create(announcement=found)
        verdict = "release" if approve else "reject"
        audit.append(f"announcement.{verdict}", found.subject, actor=actor, reason=reason)


def _decided(said: approvals.Decided) -> None:
    decide(
        int(said.key),
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add(KIND, _decided)
