"""The end is announced by two people, and nothing is completed while anything is open or unproved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from tests import factories
from tests.config.test_every_door import browser_of
from winddown import clock
from winddown.errors import AskedAlready, GuardNotMet, PlanChanged, SamePerson, TransitionRefused
from winddown.models import Approval, AuditEntry, Milestone, Programme
from winddown.programme import milestones, stages

pytestmark = pytest.mark.usefixtures("programme")
Staff = Callable[..., Any]


def decide(asked: Approval, person: Any, *, approve: bool = True) -> None:
    stages.decide_announcement(
        asked.subject.partition(":")[2],
        actor=person,
        digest=asked.digest,
        reason="decision of the board",
        approve=approve,
    )


def test_the_end_is_announced_by_two_people(staff: Staff) -> None:
    officer, commander = staff("compliance"), staff("incident_commander")
    asked = stages.ask_announcement(actor=officer, reason="not safe")
    assert Programme.current().state == Programme.State.OPERATING
    with pytest.raises(AskedAlready):
        stages.ask_announcement(actor=officer, reason="not safe")
    with translation.override("en"), pytest.raises(GuardNotMet, match="waits already"):
        stages.ask_announcement(actor=commander, reason="not safe")
    with pytest.raises(SamePerson):
        decide(asked, officer)
    decide(asked, commander, approve=False)
    assert Programme.current().announced_at is None
    assert AuditEntry.objects.filter(action="programme.refuse_announcement").exists()

    asked = stages.ask_announcement(actor=officer, reason="not safe")
    browser = browser_of(commander, headers={"accept-language": "en"})
    assert f"/approvals/{asked.pk}/approve/" in browser.get("/console/programme/").content.decode()
    given = {"digest": asked.digest, "reason": "decision of the board"}
    assert browser.post(f"/console/approvals/{asked.pk}/approve/", given).status_code == 302
    announced = Programme.current()
    assert announced.state == Programme.State.ANNOUNCED
    assert announced.announced_at is not None
    with pytest.raises(TransitionRefused):
        stages.ask_announcement(actor=officer, reason="again")


def test_what_changed_since_the_request_is_not_announced(staff: Staff) -> None:
    officer = staff("compliance")
    asked = stages.ask_announcement(actor=officer, reason="not safe")
    at = clock.now() + dt.timedelta(days=60)
    milestones.set_milestone(Milestone.Kind.SPEND_ENDS, at=at, actor=officer, reason="r")
    with pytest.raises(PlanChanged):
        decide(asked, staff("incident_commander"))
    assert Programme.current().state == Programme.State.OPERATING


def test_the_database_refuses_an_announcement_of_one_person(staff: Staff) -> None:
    stages.ask_announcement(actor=staff("compliance"), reason="not safe")
    with pytest.raises(DatabaseError, match="by two people"), transaction.atomic():
        Programme.objects.update(announced_at=clock.now())


@pytest.mark.parametrize(("verb", "state"), [("complete", "settling"), ("report", "completed")])
def test_what_is_open_or_cannot_be_shown_is_named_with_its_number(
    programme: Any, staff: Staff, verb: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.bring_to(programme, state)
    officer = staff("compliance")
    at = clock.now() + dt.timedelta(days=9)
    milestones.set_milestone("holders_paid", at=at, actor=officer, reason="r")
    act = getattr(stages, verb)
    with translation.override("en"):
        with pytest.raises(GuardNotMet) as refused:
            act(actor=officer, reason="r")
        said = str(refused.value)
        assert (
            "nothing here can show that the refunds add up to the unit: the closing proof" in said
        )
        assert "All holders are paid is not reached" in said
        if verb == "report":
            assert "Filings that no authority has: 1 of 1" in said
        for name in stages.NEEDED:
            monkeypatch.setitem(stages.CLOSING_PROOFS.entries, name, list)
        monkeypatch.delitem(stages.CLOSING_PROOFS.entries, "claims")
        with pytest.raises(GuardNotMet, match="nothing here can show that every claim is settled"):
            act(actor=officer, reason="r")
        shown = browser_of(officer, headers={"accept-language": "en"}).get("/console/programme/")
        assert "every claim is settled" in shown.content.decode()
    assert Programme.current().state == state
    monkeypatch.setitem(stages.CLOSING_PROOFS.entries, "claims", list)
    assert act(actor=officer, reason="r").state != state
