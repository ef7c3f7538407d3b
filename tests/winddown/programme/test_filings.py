"""A filing is due by its clock, written in versions, signed by two, filed and answered."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import translation

from tests import factories
from tests.config.test_every_door import browser_of
from tests.signing_in import code_typed
from winddown.errors import DoneAlready, GuardNotMet, NotPermitted, SamePerson, TransitionRefused
from winddown.models import (
    Approval,
    AuditEntry,
    Filing,
    FilingReceipt,
    FilingVersion,
    NoticeEvidence,
)
from winddown.programme import filing_duties, filings, gates, stages
from winddown.programme.evidence_files import File
from winddown.programme.filing_kinds import KINDS
from winddown.site import alarm_finders

pytestmark = pytest.mark.django_db
Staff = Callable[..., Any]
AWARE_AT = dt.datetime.fromisoformat("2022-07-03T23:30:00+09:00")
FINAL = "incident_final:privacy_commission:2022-07-03"
EARLY = "incident_preliminary:privacy_commission:2022-07-03"
PAGE = f"/console/filings/{FINAL}/"
TEXTS = dict.fromkeys(KINDS["incident_final"].sections, "known") | {
    "prevention": "second factor | security | 2019-10-01"
}


@pytest.fixture
def aware(programme: Any, rehearsal_clock: Any, staff: Staff) -> Any:
    rehearsal_clock.travel(AWARE_AT, frozen=True)
    stages.declare_incident(actor=staff("incident_commander"), reason="attack")
    return rehearsal_clock


@pytest.fixture
def officer(staff: Staff) -> Any:
    return staff("compliance")


def write(person: Any, key: str = FINAL, **texts: str) -> FilingVersion:
    return filings.write(key, sections=TEXTS | texts, actor=person, reason="known now")


def decided(filing: Filing, person: Any, *, approve: bool = True) -> Filing:
    digest = filings.newest_of(Filing.objects.get()).digest
    return filings.decide(filing, actor=person, digest=digest, reason="read", approve=approve)


def ran(person: Any, *words: str) -> tuple[int, str]:
    said = StringIO()
    try:
        with code_typed(person):
            call_command("filing", *words, f"--by={person.login_id}", "--reason=test", stdout=said)
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    return 0, said.getvalue()


def test_due_dates_follow_from_the_instant_of_awareness(aware: Any) -> None:
    due = {each.key: each.due_on.isoformat() for each in filing_duties.due()}
    assert due[EARLY] == "2022-07-06"
    assert due[FINAL] == "2022-09-01"
    assert sum(key.startswith("investigation_report:") for key in due) == 3
    assert not any(key.startswith("completion_report") for key in due)

    aware.travel(AWARE_AT + dt.timedelta(days=4), frozen=True)
    with translation.override("en"):
        alarms = alarm_finders.filing_alarms(aware.now())
        assert [alarm.sentence for alarm in alarms] == [
            "Preliminary incident report to Personal Information Protection Commission was due on"
            " 2022-07-06."
        ]
        assert alarms[0].grave
        (count,) = gates.measured("filings")
        assert (count.found, count.of) == (5, 5)


def test_a_filing_goes_its_way_through_the_pages(aware: Any, officer: Any, staff: Staff) -> None:
    browser = browser_of(officer, headers={"accept-language": "en"})
    assert browser.post(f"{PAGE}write/", TEXTS | {"reason": "known"}).status_code == 302
    wrong = browser.post(f"{PAGE}write/", TEXTS | {"prevention": "soon", "reason": "r"})
    assert wrong.context["form"].errors.keys() == {"prevention"}
    assert browser.post(f"{PAGE}propose/", {"reason": "ready"}).status_code == 302
    for person in (staff("incident_commander"), staff("treasury_approver")):
        asked = Approval.objects.latest("pk")
        second = browser_of(person, headers={"accept-language": "en"})
        assert f"/approvals/{asked.pk}/approve/" in second.get(PAGE).content.decode()
        given = {"digest": asked.digest, "reason": "read"}
        assert second.post(f"/console/approvals/{asked.pk}/approve/", given).status_code == 302
    assert Filing.objects.get().state == Filing.State.APPROVED

    receipt = {"number": "R-7", "received_on": "2022-07-03", "reason": "sent"}
    assert browser.post(f"{PAGE}file/", receipt).context["form"].errors.keys() == {"evidence"}
    receipt["evidence"] = SimpleUploadedFile("stamp.pdf", b"stamped")  # type: ignore[assignment]
    assert browser.post(f"{PAGE}file/", receipt).status_code == 302
    kept = FilingReceipt.objects.get()
    assert kept.evidence.sha256 == hashlib.sha256(b"stamped").hexdigest()
    assert (bytes(kept.evidence.content), kept.evidence.file_name) == (b"stamped", "stamp.pdf")
    page = browser.get(PAGE).content.decode()
    for shown in ("Filed", "R-7", "second factor", "Confirmed victims", "Approved by"):
        assert shown in page
    assert "stamp.pdf" in page
    assert "application/pdf, 7 bytes" in page
    stored = f"/console/filings/evidence/{kept.pk}/"
    approver = browser_of(staff("incident_commander"))
    assert stored not in approver.get(PAGE).content.decode()
    assert approver.get(stored).status_code == 403
    auditor = browser_of(staff("auditor"))
    assert stored in auditor.get(PAGE).content.decode()
    download = auditor.get(stored)
    assert (download.content, download["Content-Type"]) == (b"stamped", "application/octet-stream")
    assert AuditEntry.objects.filter(action="filing.read_evidence").count() == 1
    assert "Final incident report" in browser.get("/console/filings/").content.decode()
    browser.post(f"{PAGE}give-back/", {"reason": "a page is missing"})
    assert Filing.objects.get().state == Filing.State.RETURNED

    aware.travel(AWARE_AT + dt.timedelta(days=70), frozen=True)
    later = browser_of(officer, headers={"accept-language": "en"})
    assert "Overdue" in later.get("/console/filings/").content.decode()
    outsider = browser_of(staff("support"))
    for address in ("/console/filings/", PAGE, f"{PAGE}write/"):
        assert outsider.get(address).status_code == 403


def test_a_filing_goes_its_way_through_the_command(
    aware: Any, officer: Any, staff: Staff, tmp_path: Path
) -> None:
    code, said = ran(officer, "show", FINAL)
    assert code == 0
    written = tmp_path / "final.toml"
    written.write_text(said.replace('"""\n"""', '"""\nknown"""'))
    code, said = ran(officer, "write", FINAL, str(written))
    assert (code, "measure | owner" in said) == (1, True)
    text = written.read_text()
    line = "second factor | security | 2019-10-01"
    written.write_text(text.replace('prevention = """\nknown', f'prevention = """\n{line}'))
    assert ran(officer, "write", FINAL, str(written), "--as-of=2022-07-03T12:00")[0] == 0
    assert FilingVersion.objects.get().as_of.isoformat() == "2022-07-03T03:00:00+00:00"
    assert ran(officer, "propose", FINAL)[0] == 0
    for person in (staff("incident_commander"), staff("treasury_approver")):
        asked = Approval.objects.latest("pk")
        with code_typed(person):
            call_command(
                "approve",
                asked.subject,
                f"--digest={asked.digest}",
                f"--by={person.login_id}",
                "--reason=read",
                stdout=StringIO(),
            )
    receipt = ("file", FINAL, "--number=R-7", "--received-on=2022-07-03")
    assert ran(staff("incident_commander"), *receipt, f"--evidence={written}")[0] == 1
    assert ran(officer, *receipt, f"--evidence={written}")[0] == 0
    keep = ("evidence", FINAL, f"--out={tmp_path / 'kept'}")
    assert ran(staff("incident_commander"), *keep)[0] == 1
    assert ran(staff("auditor"), *keep)[0] == 0
    (stored,) = (tmp_path / "kept").iterdir()
    assert stored.read_bytes() == written.read_bytes()
    assert ran(officer, "answer", FINAL, "accepted")[0] == 0
    assert "accepted" in ran(officer, "list")[1]
    assert ran(officer, "answer", FINAL, "returned")[0] == 1
    assert ran(staff("support"), "list")[0] == 1
    actions = {entry.action for entry in AuditEntry.objects.filter(action__startswith="filing.")}
    assert actions == {
        f"filing.{verb}"
        for verb in ("write", "propose", "approve", "file", "accept", "read_evidence")
    }


def test_nobody_approves_alone_and_each_version_is_signed_anew(
    aware: Any, officer: Any, staff: Staff
) -> None:
    deputy, treasurer = staff("incident_commander"), staff("treasury_approver")
    write(officer)
    filing = Filing.objects.get()
    with translation.override("en"), pytest.raises(GuardNotMet):
        filings.propose(filing, actor=deputy, reason="not mine")
    filings.propose(filing, actor=officer, reason="ready")
    with pytest.raises(SamePerson):
        decided(filing, officer)
    assert decided(filing, deputy).state == Filing.State.PROPOSED
    with pytest.raises(SamePerson):
        decided(filing, deputy)
    assert decided(filing, treasurer, approve=False).state == Filing.State.DRAFT
    with translation.override("en"), pytest.raises(GuardNotMet, match="write a new one"):
        filings.propose(filing, actor=officer, reason="again")

    write(officer, cause="a list of passwords")
    filings.propose(filing, actor=officer, reason="ready")
    decided(filing, deputy)
    with pytest.raises(DatabaseError, match="two people"), transaction.atomic():
        Filing.objects.update(state=Filing.State.APPROVED)
    assert decided(filing, treasurer).state == Filing.State.APPROVED
    with pytest.raises(DatabaseError, match="no receipt"), transaction.atomic():
        Filing.objects.update(state=Filing.State.FILED)
    with pytest.raises(DatabaseError, match="append-only|permission denied"), transaction.atomic():
        FilingVersion.objects.update(sections={})
    for column in ({"due_on": "2030-01-01"}, {"version": 7}):
        with pytest.raises(DatabaseError, match="cannot change"), transaction.atomic():
            Filing.objects.update(**column)
    write(officer, cause="a longer list")
    assert Filing.objects.get().state == Filing.State.DRAFT
    assert [each.number for each in FilingVersion.objects.order_by("pk")] == [1, 2, 3]


def test_what_makes_no_sense_is_refused(aware: Any, officer: Any, staff: Staff) -> None:
    with pytest.raises(NotPermitted):
        write(staff("support"))
    with translation.override("en"), pytest.raises(GuardNotMet, match="no clock"):
        write(officer, "completion_report:local_finance_bureau:2022-07-03")
    with translation.override("en"), pytest.raises(GuardNotMet, match="no section"):
        write(officer, weather="fine")
    with translation.override("en"), pytest.raises(GuardNotMet, match="future"):
        later = AWARE_AT + dt.timedelta(days=1)
        filings.write(FINAL, sections=TEXTS, as_of=later, actor=officer, reason="r")
    write(officer, cause=" ")
    with pytest.raises(DoneAlready):
        write(officer, cause="")
    filing = Filing.objects.get()
    with translation.override("en"), pytest.raises(GuardNotMet, match="empty: Cause"):
        filings.propose(filing, actor=officer, reason="ready")
    receipt = {"number": "7", "received_on": AWARE_AT.date(), "evidence": File("copy.pdf", b"copy")}
    with pytest.raises(TransitionRefused):
        filings.file(filing, actor=officer, reason="r", **receipt)
    for wrong in (
        {"number": " "},
        {"evidence": File("copy.pdf", b"")},
        {"evidence": File("copy.pdf", b"x" * (NoticeEvidence.BYTES_MAX + 1))},
        {"received_on": dt.date(2022, 7, 2)},
        {"received_on": dt.date(2022, 7, 4)},
    ):
        with pytest.raises(GuardNotMet):
            filings.file(filing, actor=officer, reason="r", **(receipt | wrong))

    # What is still under investigation is missing in a preliminary report.
    write(officer, EARLY, cause="")
    early = Filing.objects.get(kind="incident_preliminary")
    filings.propose(early, actor=officer, reason="three days")


def test_figures_are_those_of_the_instant_and_stay(
    aware: Any, officer: Any, rehearsal_clock: Any
) -> None:
    factories.make_customer()
    first = write(officer)
    rehearsal_clock.travel(AWARE_AT + dt.timedelta(days=1), frozen=True)
    factories.make_customer()
    second = write(officer)
    again = filings.write(FINAL, sections=TEXTS, as_of=first.as_of, actor=officer, reason="same")
    counted = [version.figures["customers"] for version in (first, second, again)]
    assert counted == [counted[0], counted[0] + 1, counted[0]]
    first.refresh_from_db()
    assert first.figures == again.figures
