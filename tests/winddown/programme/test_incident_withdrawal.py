"""An incident that was declared by mistake is withdrawn by two people, while nothing rests on it."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import translation

from refunds.models import FraudClaim
from tests import factories
from tests.config.test_every_door import browser_of
from tests.signing_in import code_typed
from winddown import clock
from winddown.authority import approvals
from winddown.errors import (
    AskedAlready,
    GuardNotMet,
    NothingToDecide,
    PlanChanged,
    SamePerson,
    TransitionRefused,
)
from winddown.models import Approval, AuditEntry, Filing, Programme
from winddown.programme import (
    capabilities,
    filing_duties,
    filings,
    incident_withdrawal,
    stages,
)
from winddown.programme.evidence_files import File

pytestmark = pytest.mark.django_db
Staff = Callable[..., Any]
AWARE_AT = dt.datetime.fromisoformat("2022-07-03T23:30:00+09:00")
EARLY = "incident_preliminary:privacy_commission:2022-07-03"
FINAL = "incident_final:privacy_commission:2022-07-03"
State = Programme.State


@pytest.fixture
def people(programme: Any, rehearsal_clock: Any, staff: Staff) -> tuple[Any, Any]:
    """Two people, and an incident that one of them declared by mistake."""
    rehearsal_clock.travel(AWARE_AT, frozen=True)
    commander, officer = staff("incident_commander"), staff("compliance")
    stages.declare_incident(actor=commander, reason="wrong alarm")
    rehearsal_clock.travel(AWARE_AT + dt.timedelta(hours=1), frozen=True)
    return commander, officer


def page(shown: Any) -> str:
    return html.unescape(shown.content.decode())


def ask(person: Any) -> Approval:
    return incident_withdrawal.ask(actor=person, reason="the alarm was a test")


def decide(asked: Approval, person: Any, *, approve: bool = True) -> None:
    incident_withdrawal.decide(
        asked.subject, actor=person, digest=asked.digest, reason="seen", approve=approve
    )


def reports() -> list[str]:
    return [each.kind for each in filing_duties.due() if each.clock == "aware"]


def by_page(asker: Any, decider: Any, verdict: str) -> None:
    browser_of(asker).post("/console/programme/withdraw-incident/", {"reason": "test alarm"})
    asked = Approval.objects.latest("pk")
    browser = browser_of(decider, headers={"accept-language": "en"})
    assert f"/approvals/{asked.pk}/{verdict}/" in page(browser.get("/console/programme/"))
    assert "Withdrawal of the incident" in page(browser.get("/console/approvals/"))
    given = {"digest": asked.digest, "reason": "seen"}
    assert browser.post(f"/console/approvals/{asked.pk}/{verdict}/", given).status_code == 302


def by_command(asker: Any, decider: Any, verdict: str) -> None:
    with code_typed(asker):
        call_command("withdraw_incident", by=asker.login_id, reason="test alarm", stdout=StringIO())
    asked = Approval.objects.latest("pk")
    words = ["--reject"] if verdict == "reject" else []
    with code_typed(decider):
        call_command(
            "approve",
            asked.subject,
            f"--digest={asked.digest}",
            *words,
            by=decider.login_id,
            reason="seen",
            stdout=StringIO(),
        )


DOORS = pytest.mark.parametrize("through", [by_page, by_command])


@DOORS
@pytest.mark.parametrize("stopped", [False, True], ids=["incident", "restricted"])
def test_two_people_withdraw_an_incident(
    programme: Any, staff: Staff, through: Callable[..., None], stopped: bool
) -> None:
    commander, officer = staff("incident_commander"), staff("compliance")
    if stopped:
        capabilities.stop("spend", actor=commander, reason="maintenance")
    stages.declare_incident(actor=commander, reason="wrong alarm")
    assert reports()

    through(commander, officer, "approve")

    withdrawn = Programme.current()
    assert (withdrawn.state, withdrawn.aware_at) == (State.OPERATING, None)
    assert not reports()
    entry = AuditEntry.objects.get(action="programme.withdraw_incident")
    assert (entry.actor, entry.reason) == (officer, "seen")
    assert entry.facts["duties"]
    with pytest.raises(TransitionRefused):
        ask(commander)


@DOORS
def test_a_rejected_withdrawal_changes_nothing(
    people: tuple[Any, Any], through: Callable[..., None]
) -> None:
    commander, officer = people
    through(commander, officer, "reject")
    kept = Programme.current()
    assert (kept.state, kept.aware_at) == (State.INCIDENT, AWARE_AT)
    assert AuditEntry.objects.filter(action="programme.keep_incident", actor=officer).exists()
    decide(ask(commander), officer)
    assert Programme.current().state == State.OPERATING


def test_one_person_does_not_withdraw_it(people: tuple[Any, Any]) -> None:
    asked = ask(people[0])
    with pytest.raises(AskedAlready):
        ask(people[0])
    with pytest.raises(SamePerson):
        decide(asked, people[0])
    assert Programme.current().state == State.INCIDENT


@pytest.mark.parametrize(
    "columns",
    [{"state": State.OPERATING, "aware_at": None}, {"state": State.OPERATING}, {"aware_at": None}],
    ids=str,
)
def test_the_database_refuses_a_withdrawal_of_one_person(
    people: tuple[Any, Any], columns: dict[str, Any]
) -> None:
    ask(people[0])
    with pytest.raises(DatabaseError, match="withdrawn by two people"), transaction.atomic():
        Programme.objects.update(**columns)


def test_the_database_counts_signatures_of_this_declaration_alone(
    people: tuple[Any, Any],
) -> None:
    decide(ask(people[0]), people[1])
    stages.declare_incident(actor=people[0], reason="a real one", aware_at=AWARE_AT)
    with pytest.raises(DatabaseError, match="withdrawn by two people"), transaction.atomic():
        Programme.objects.update(state=State.OPERATING, aware_at=None)


def test_drafts_of_reports_end_and_stay_readable(people: tuple[Any, Any], staff: Staff) -> None:
    commander, officer = people
    filings.write(EARLY, sections={"outline": "known"}, actor=officer, reason="known now")
    filings.propose(Filing.objects.get(), actor=officer, reason="read it")
    waits = Approval.objects.latest("pk")
    deputy = staff("incident_commander")

    decide(ask(commander), deputy)

    assert Filing.objects.get().state == Filing.State.WITHDRAWN
    assert not any(each.is_open for each in filing_duties.due())
    assert AuditEntry.objects.filter(action="filing.withdraw", subject=waits.subject).exists()
    browser = browser_of(officer, headers={"accept-language": "en"})
    assert "No longer due" in page(browser.get(f"/console/filings/{EARLY}/"))
    assert "known" in page(browser.get(f"/console/filings/{EARLY}/"))
    assert waits.subject not in {each.subject for each in approvals.open_requests()}
    with pytest.raises(NothingToDecide):
        filings.decide(Filing.objects.get(), actor=deputy, digest=waits.digest, reason="late")
    with translation.override("en"), pytest.raises(GuardNotMet, match="nothing is due"):
        filings.write(EARLY, sections={}, actor=officer, reason="late")

    # A real one on the same day: the report is due again, and is written further.
    stages.declare_incident(actor=commander, reason="a real one", aware_at=AWARE_AT)
    due = filing_duties.find(EARLY)
    assert due is not None
    assert due.is_open
    assert filings.write(EARLY, sections={}, actor=officer, reason="anew").number == 2
    assert Filing.objects.get().state == Filing.State.DRAFT


def filed(key: str, author: Any, *approvers: Any) -> Filing:
    filings.write(key, sections={"outline": "known"}, actor=author, reason="known now")
    filing = Filing.objects.get()
    filings.propose(filing, actor=author, reason="read it")
    for each in approvers:
        digest = filings.newest_of(Filing.objects.get()).digest
        filings.decide(filing, actor=each, digest=digest, reason="read it")
    filings.file(
        filing,
        number="7",
        received_on=filing_duties.today(),
        evidence=File("receipt.pdf", b"%PDF-"),
        actor=author,
        reason="filed",
    )
    return Filing.objects.get()


def a_report(staff: Staff) -> str:
    filed(EARLY, staff("compliance"), staff("compliance"), staff("incident_commander"))
    return "file a final report which says that it was a false alarm"


def a_stop(staff: Staff) -> str:
    capabilities.stop("spend", actor=staff("incident_commander"), reason="attack")
    return "was stopped since: restart it first"


def a_claim(staff: Staff) -> str:
    (wallet,) = factories.make_wallets(1)
    FraudClaim.objects.create(
        wallet_id=wallet, state="reported", channel="customer", opened_at=clock.now()
    )
    return "claims opened since that are not settled: 1"


def a_run(staff: Staff) -> str:
    factories.make_wallets(2)
    maker, checker = staff("incident_commander"), staff("compliance")
    factories.started_run("reset-all-passwords", maker=maker, checker=checker)
    return "acted since: end the incident instead"


@pytest.mark.parametrize("rest", [a_report, a_stop, a_claim, a_run])
def test_what_rests_on_it_refuses_the_withdrawal(
    people: tuple[Any, Any], staff: Staff, rest: Callable[[Staff], str]
) -> None:
    commander, officer = people
    asked = ask(commander)
    sentence = rest(staff)
    with translation.override("en"):
        for verb in (lambda: ask(officer), lambda: decide(asked, officer)):
            with pytest.raises(GuardNotMet, match=sentence):
                verb()
        browser = browser_of(commander, headers={"accept-language": "en"})
        assert sentence in page(browser.get("/console/programme/"))
        said = StringIO()
        with code_typed(commander), pytest.raises(SystemExit):
            call_command("withdraw_incident", by=commander.login_id, reason="r", stdout=said)
        assert sentence in said.getvalue()
    kept = Programme.current()
    assert (kept.state, kept.aware_at) == (State.INCIDENT, AWARE_AT)
    decide(asked, officer, approve=False)


def test_what_ends_with_it_is_what_was_signed(people: tuple[Any, Any]) -> None:
    asked = ask(people[0])
    filings.write(EARLY, sections={}, actor=people[1], reason="written meanwhile")
    with pytest.raises(PlanChanged):
        decide(asked, people[1])
    assert Programme.current().state == State.INCIDENT


def test_the_clocks_of_an_earlier_incident_run_on(
    programme: Any, rehearsal_clock: Any, staff: Staff
) -> None:
    """A mistake does not end the reports that a real incident owes."""
    rehearsal_clock.travel(AWARE_AT, frozen=True)
    commander, officer = staff("incident_commander"), staff("compliance")
    first = AWARE_AT - dt.timedelta(days=9, microseconds=1)
    stages.declare_incident(actor=commander, reason="attack", aware_at=first)
    owed = [each.key for each in filing_duties.due()]
    factories.bring_to(Programme.current(), State.RESTRICTED)
    stages.restore(actor=officer, reason="over")
    stages.declare_incident(actor=commander, reason="wrong alarm")
    assert [each.key for each in filing_duties.due()] != owed

    decide(ask(commander), officer)

    assert Programme.current().aware_at == first
    assert [each.key for each in filing_duties.due()] == owed


def test_a_request_ends_with_its_incident(people: tuple[Any, Any]) -> None:
    commander, officer = people
    asked = ask(commander)
    factories.bring_to(Programme.current(), State.RESTRICTED)
    stages.restore(actor=officer, reason="over")
    assert incident_withdrawal.waiting() is None
    with pytest.raises(TransitionRefused):
        decide(asked, officer)


def test_nobody_without_the_right_asks(people: tuple[Any, Any], staff: Staff) -> None:
    clerk = staff("support")
    browser_of(clerk).post("/console/programme/withdraw-incident/", {"reason": "r"})
    with code_typed(clerk), pytest.raises(SystemExit):
        call_command("withdraw_incident", by=clerk.login_id, reason="r", stdout=StringIO())
    assert not Approval.objects.exists()
