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
from tests.unguarded import without
from winddown import clock
from winddown.authority import approvals
from winddown.errors import AskedAlready, GuardNotMet, PlanChanged, SamePerson, TransitionRefused
from winddown.models import Approval, AuditEntry, Milestone, Programme
from winddown.programme import milestones, public_notice, stages

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


@pytest.fixture
def announced(staff: Staff) -> Any:
    """The end of spending is announced for in sixty days."""
    officer = staff("compliance")
    at = clock.now() + dt.timedelta(days=60)
    milestones.set_milestone(Milestone.Kind.SPEND_ENDS, at=at, actor=officer, reason="r")
    public_notice.publish_contact("0120-000-000", actor=officer, reason="r")
    decide(stages.ask_announcement(actor=officer, reason="r"), staff("incident_commander"))
    return officer


def test_the_database_announces_only_what_the_second_person_signed(staff: Staff) -> None:
    at = clock.now() + dt.timedelta(days=60)
    officer = staff("compliance")
    milestones.set_milestone(Milestone.Kind.SPEND_ENDS, at=at, actor=officer, reason="r")
    asked = stages.ask_announcement(actor=officer, reason="r")
    approvals.decide(
        asked.subject,
        stage=stages.STAGE,
        actor=staff("incident_commander"),
        digest=asked.digest,
        reason="seen",
        approve=True,
    )
    other: dict[str, tuple[Any, Any]] = {
        "name": (Programme, "Another Pay"),
        "contact_phone": (Programme, "0120-999-999"),
        "legal_basis": (Programme, "registration_revoked"),
        "at": (Milestone, at + dt.timedelta(days=1)),
    }
    for column, (model, value) in other.items():
        with pytest.raises(DatabaseError, match="by two people"), transaction.atomic():
            model.objects.update(**{column: value})
            Programme.objects.update(announced_at=clock.now())
    Programme.objects.update(announced_at=clock.now())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "Another Pay"),
        ("contact_phone", "0120-999-999"),
        ("legal_basis", "registration_revoked"),
    ],
)
def test_what_was_announced_changes_by_two_people_only(
    announced: Any, column: str, value: str
) -> None:
    with pytest.raises(DatabaseError, match="set-up file of two people"), transaction.atomic():
        Programme.objects.update(**{column: value})
    with translation.override("en"), pytest.raises(GuardNotMet, match="in the set-up file"):
        public_notice.publish_contact("0120-999-999", actor=announced, reason="r")


def test_an_announced_deadline_comes_no_earlier(announced: Any) -> None:
    kind = Milestone.Kind.SPEND_ENDS
    said = Milestone.objects.get(kind=kind).at
    sooner, later = said - dt.timedelta(days=1), said + dt.timedelta(days=1)
    with translation.override("en"), pytest.raises(GuardNotMet, match="comes no earlier"):
        milestones.set_milestone(kind, at=sooner, actor=announced, reason="r")
    with pytest.raises(DatabaseError, match="comes no earlier"), transaction.atomic():
        Milestone.objects.filter(kind=kind).update(at=sooner)
    milestones.set_milestone(kind, at=later, actor=announced, reason="r")


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
        assert "No closing proof was taken" in said
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
    with without("winddown_programme", "completed_with_its_proof"):
        assert act(actor=officer, reason="r").state != state
