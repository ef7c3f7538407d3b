"""Announcements and the policy on compensation: two people, two languages, versions."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client

from tests.config.test_every_door import browser_of
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, SamePerson
from winddown.models import Announcement, AnnouncementRelease, Milestone
from winddown.programme import announcements, capabilities

TEXTS = {
    "title_ja": "{service}のお知らせ",
    "body_ja": "停止中：{stopped}\n支払いは{spend_ends}まで",
    "title_en": "News of {service}",
    "body_en": "Stopped: {stopped}. You can pay until {spend_ends}. Call {phone}.",
}

pytestmark = pytest.mark.usefixtures("programme")


def draft(actor: Any, kind: str = "banner", **changed: str) -> Announcement:
    return announcements.draft(kind=kind, actor=actor, reason="r", **(TEXTS | changed))


def approve(made: Announcement, actor: Any, *, agreed: bool = True) -> None:
    approvals.carry_out(
        approvals.newest(made.subject), shown="", actor=actor, reason="read", approve=agreed
    )


def test_a_text_is_read_after_a_second_person_and_follows_the_switches(staff: Any) -> None:
    maker, checker = staff("compliance"), staff("incident_commander")
    english = Client(headers={"accept-language": "en"})
    made = draft(maker)
    assert "News of" not in english.get("/").content.decode()
    with pytest.raises(SamePerson):
        approve(made, maker)
    with pytest.raises(DatabaseError), transaction.atomic():
        AnnouncementRelease.objects.create(announcement=made)
    approve(made, checker)

    shown = english.get("/").content.decode()
    assert "News of Test" in shown
    assert "until –. Call –." in shown
    capabilities.stop("spend", actor=checker, reason="attack")
    Milestone.objects.create(
        kind="spend_ends", at=dt.datetime.fromisoformat("2019-10-01T00:00:00+09:00")
    )
    assert announcements.shown("banner", "en").body.startswith("Stopped: ")
    assert "until 30 September 2019" in announcements.shown("banner", "en").body
    assert "2019年9月30日まで" in announcements.shown("banner", "ja").body
    assert "Testのお知らせ" in Client(headers={"accept-language": "ja"}).get("/").content.decode()
    with pytest.raises(DatabaseError), transaction.atomic():
        Announcement.objects.update(title_en="x")


def test_what_is_rejected_is_not_read(staff: Any) -> None:
    maker, checker = staff("compliance"), staff("incident_commander")
    approve(draft(maker), checker, agreed=False)
    assert announcements.shown("banner", "ja") is None
    with pytest.raises(NotPermitted):
        draft(staff("support"))
    again = draft(maker)
    assert again.version == 2
    with pytest.raises(GuardNotMet, match="says the same"):
        draft(maker)
    for planted in ("{password}", "{service.__class__}", "{}"):
        with pytest.raises(GuardNotMet, match="nothing fills"):
            draft(maker, body_en=planted)


def test_a_version_that_a_later_one_overtook_is_not_released(staff: Any) -> None:
    """Its approver would believe that everybody reads it, and the history would have it last."""
    maker, checker = staff("compliance"), staff("incident_commander")
    first = draft(maker, body_en="First.")
    approve(draft(maker, body_en="Second."), checker)
    with pytest.raises(GuardNotMet, match="a later version"):
        approve(first, checker)
    assert announcements.shown("banner", "en").body == "Second."
    assert AnnouncementRelease.objects.count() == 1
    approve(first, checker, agreed=False)


def test_the_policy_is_public_in_every_version(staff: Any) -> None:
    maker, checker = staff("compliance"), staff("incident_commander")
    visitor = Client(headers={"accept-language": "en"})
    assert "not published yet" in visitor.get("/compensation/").content.decode()
    assert "/compensation/" not in visitor.get("/").content.decode()
    for body in ("We pay it back.", "We pay it back <within> 30 days."):
        approve(draft(maker, "policy", body_en=body), checker)
    draft(maker, "policy", body_en="Not signed.")
    assert "&lt;within&gt; 30 days" in visitor.get("/compensation/").content.decode()
    assert "We pay it back.<" in visitor.get("/compensation/1/").content.decode()
    assert visitor.get("/compensation/3/").status_code == 404
    assert "/compensation/" in visitor.get("/").content.decode()


@pytest.mark.parametrize("door", ["command", "page"])
def test_a_draft_is_made_through_its_door_and_previewed(staff: Any, door: str) -> None:
    person = staff("compliance")

    def sent(by: Any, **changed: str) -> int:
        typed = TEXTS | {"kind": "policy"} | changed
        if door == "page":
            browser_of(by).post("/console/programme/draft-announcement/", typed | {"reason": "r"})
        else:
            words = [f"--{name.replace('_', '-')}={text}" for name, text in typed.items()]
            try:
                call_command(
                    "draft_announcement", *words, by=by.login_id, reason="r", stdout=StringIO()
                )
            except SystemExit as end:
                assert end.code
        return Announcement.objects.count()

    assert sent(person, body_ja=" ") == 0
    assert sent(person, body_ja="{nobody}") == 0
    assert sent(staff("support")) == 0
    assert sent(person) == 1
    made = Announcement.objects.get()
    browser = browser_of(staff("incident_commander"), headers={"accept-language": "en"})
    assert "News of Test" in browser.get(f"/console/announcements/{made.pk}/").content.decode()
    assert "Waits for a second" in browser.get("/console/announcements/").content.decode()
