"""A milestone has an owner, a gate and an order, and is reached only when they allow it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import translation

from tests.config.test_every_door import browser_of
from tests.told import told
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import AuditEntry, Milestone
from winddown.programme import capabilities, gates, milestones

pytestmark = pytest.mark.usefixtures("programme")
Staff = Callable[..., Any]
A_DAY = dt.timedelta(days=1)


def set_to(kind: str, person: Any, *, days: int = 10) -> Milestone:
    at = clock.now() + days * A_DAY
    return milestones.set_milestone(kind, at=at, actor=person, reason="r")


def assign(kind: str, person: Any, **given: Any) -> Milestone:
    plan = {"owner_role": "compliance", "owner": "", "gate": "", "needs": []} | given
    return milestones.assign(kind, actor=person, reason="r", **plan)


def ran(name: str, person: Any, **options: Any) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command(name, by=person.login_id, reason="test", stdout=said, **options)
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    return 0, said.getvalue()


def test_a_failing_gate_refuses_with_its_numbers_and_lets_through_later(
    staff: Staff, switches: None
) -> None:
    officer = staff("compliance")
    set_to("incident_reported", officer)
    assigned = assign("incident_reported", officer, gate="stops", owner=officer.login_id.upper())
    assert (assigned.owner_role, assigned.owner) == ("compliance", officer)
    for code in ("spend", "transfer"):
        capabilities.stop(code, actor=staff("incident_commander"), reason="attack")
    capabilities.ratify("spend", actor=staff("incident_commander"), reason="right")

    code, said = ran("reach_milestone", officer, kind="incident_reported")
    assert code == 1
    assert "Stops that nobody ratified: 1 of 2" in said
    browser = browser_of(officer, headers={"accept-language": "en"})
    page = browser.get("/console/programme/")
    for shown in ("Stops that nobody ratified: 1 of 2", "Held back", "Compliance"):
        assert shown in page.content.decode()
    form = {"kind": "incident_reported", "reason": "done"}
    refused = browser.post("/console/programme/reach-milestone/", form)
    assert "Stops that nobody ratified: 1 of 2" in told(refused)
    assert Milestone.objects.get().reached_at is None

    capabilities.ratify("transfer", actor=staff("incident_commander"), reason="right")
    assert browser.post("/console/programme/reach-milestone/", form).status_code == 302
    reached = Milestone.objects.get()
    assert (reached.reached_by, reached.is_open) == (officer, False)
    entry = AuditEntry.objects.get(action="milestone.reach")
    assert entry.facts["counts"] == [{"found": 0, "of": 2}]
    with translation.override("en"), pytest.raises(GuardNotMet, match="it was reached"):
        assign("incident_reported", officer)


def test_what_comes_first_is_reached_first_and_a_circle_is_refused(
    staff: Staff, rehearsal_clock: Any
) -> None:
    officer = staff("compliance")
    rehearsal_clock.travel(rehearsal_clock.now(), frozen=True)
    for kind in ("spend_ends", "claims_settled", "holders_paid"):
        set_to(kind, officer)
    code, _ = ran(
        "assign_milestone",
        officer,
        kind="holders_paid",
        owner_role="compliance",
        needs=["claims_settled", "spend_ends"],
    )
    assert code == 0
    assert Milestone.objects.get(kind="holders_paid").needs == ["spend_ends", "claims_settled"]
    with translation.override("en"):
        for kind, needed in (("claims_settled", "holders_paid"), ("spend_ends", "spend_ends")):
            with pytest.raises(GuardNotMet, match="would wait for each other"):
                assign(kind, officer, needs=[needed])
        with pytest.raises(GuardNotMet, match=r"Payment ends is not reached; All claims"):
            milestones.reach("holders_paid", actor=officer, reason="r")
        with pytest.raises(GuardNotMet, match="still to come"):
            milestones.reach("spend_ends", actor=officer, reason="r")

    rehearsal_clock.travel(rehearsal_clock.now() + 10 * A_DAY, frozen=True)
    milestones.fire_due()
    milestones.reach("claims_settled", actor=officer, reason="r")
    milestones.reach("holders_paid", actor=officer, reason="r")
    assert not Milestone.objects.get(kind="spend_ends").is_open


def test_the_owner_holds_the_role_and_reaches_it(staff: Staff) -> None:
    officer, treasurer = staff("compliance"), staff("treasury_approver")
    set_to("funds_secured", officer)
    for login in ("nobody", officer.login_id):
        with pytest.raises(GuardNotMet):
            assign("funds_secured", officer, owner_role="treasury_approver", owner=login)
    assign("funds_secured", officer, owner_role="treasury_approver", owner=treasurer.login_id)
    with translation.override("en"), pytest.raises(GuardNotMet, match="Treasury approver"):
        milestones.reach("funds_secured", actor=officer, reason="r")
    with pytest.raises(NotPermitted):
        milestones.reach("funds_secured", actor=staff("support"), reason="r")
    milestones.reach("funds_secured", actor=treasurer, reason="r")
    with pytest.raises(GuardNotMet):
        milestones.reach("holders_paid", actor=officer, reason="r")


def test_the_database_refuses_a_circle_and_an_order_that_is_not_kept(staff: Staff) -> None:
    officer = staff("compliance")
    for kind in ("claims_settled", "holders_paid"):
        set_to(kind, officer)
    assign("holders_paid", officer, needs=["claims_settled"])

    def refuses(match: str, kind: str, **columns: Any) -> None:
        with pytest.raises(DatabaseError, match=match), transaction.atomic():
            Milestone.objects.filter(kind=kind).update(**columns)

    refuses("depend on itself", "claims_settled", needs=["holders_paid"])
    refuses("waits for another", "holders_paid", reached_at=clock.now(), reached_by=officer)
    refuses("reached_by_somebody", "claims_settled", reached_at=clock.now())
    milestones.reach("claims_settled", actor=officer, reason="r")
    refuses("cannot change any more", "claims_settled", gate="stops")
    refuses("cannot change any more", "claims_settled", reached_at=None, reached_by=None)


def test_a_shortfall_says_what_is_missing() -> None:
    with translation.override("en"):
        short = gates.Count("Funds", found=40, missing=60, of=100, is_amount=True)
        assert str(short) == "Funds: JPY 40 of JPY 100, JPY 60 missing"
        assert str(gates.open_now("Unpaid", found=12, of=370_000)) == "Unpaid: 12 of 370,000"
        assert gates.failing([short, gates.open_now("Unpaid", found=0, of=3)]) == [short]
