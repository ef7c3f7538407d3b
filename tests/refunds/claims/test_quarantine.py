"""Doubtful lines of an issuer's file wait in quarantine while the good ones count."""

from __future__ import annotations

import datetime as dt
import hashlib
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, transaction

from refunds.claims import files as claim_files
from refunds.models import FraudClaim, IssuerAction, IssuerAnswer, IssuerFile, QuarantinedLine
from refunds.remedies import by_hand, quarantine
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene, answers, jst
from tests.refunds.claims.test_claims import breaches
from tests.refunds.claims.test_issuers import UNSOUND_ARN
from tests.signing_in import code_typed
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, SamePerson
from winddown.models import Approval, AuditEntry
from winddown.programme.evidence_files import File

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


def two_requests(scene: Scene) -> IssuerFile:
    scene.at(2019, 7, 5)
    scene.confirmed(scene.victim(30_000), scene.victim(20_000))
    scene.at(2019, 7, 8)
    file = scene.asked()
    scene.at(2019, 7, 9)
    return file


def with_second(file: IssuerFile, **changes: Any) -> bytes:
    """A file with a good first answer and a second one with these changes."""
    good = answers(file, "accepted_debit_stopped").decode().splitlines(keepends=True)
    odd = answers(file, "accepted_debit_stopped", **changes).decode().splitlines(keepends=True)
    return "".join([*good[:2], *odd[2:]]).encode()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"amount_minor": 29_999}, "amount"),
        ({"currency": "USD"}, "amount"),
        ({"issuer_code": "KAEDE"}, "issuer"),
        ({"action_ref": "nobody"}, "stranger"),
        ({"action_ref": "0b9ad6a0-0000-4000-8000-000000000001"}, "stranger"),
        ({"attempt": 2}, "stranger"),
        ({"attempt": 99_999}, "stranger"),
        ({"answered_at": jst(2019, 7, 7)}, "time"),
        ({"answered_at": jst(2019, 7, 10)}, "time"),
        ({"answered_at": "0001-01-01T00:00:00+00:00"}, "form"),
        ({"refund_arn": UNSOUND_ARN}, "form"),
        ({"note": "x" * 501}, "form"),
    ],
)
def test_a_doubtful_line_is_quarantined_and_the_good_one_counts(
    scene: Scene, changes: dict[str, Any], why: str
) -> None:
    file = two_requests(scene)
    content = with_second(file, **changes)
    done = scene.hear(content)
    assert (done.applied, done.repeated, done.not_awaited) == (1, 0, 0)
    (line,) = done.quarantined
    assert (line.line, line.why) == (3, why)
    states = IssuerAction.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["debit_stopped", "sent"]
    # The same line in another file changes nothing (rule 25).
    again = scene.hear(content + b"\r\n")
    assert (again.applied, again.repeated, again.quarantined) == (0, 2, [])
    assert breaches() == {}


def test_two_lines_that_say_different_things_about_one_request_both_wait(scene: Scene) -> None:
    file = two_requests(scene)
    stopped = answers(file, "accepted_debit_stopped").decode().splitlines(keepends=True)
    late = answers(file, "too_late_cannot").decode().splitlines(keepends=True)
    done = scene.hear("".join([*stopped, late[1], stopped[2]]).encode())
    assert (done.applied, done.repeated) == (1, 1)
    assert [(line.line, line.why) for line in done.quarantined] == [(2, "twice"), (4, "twice")]
    alone = scene.hear("".join(stopped[:2]).encode())
    assert (alone.applied, alone.repeated) == (0, 1)


def test_an_answer_that_does_not_belong_to_the_request_is_quarantined(scene: Scene) -> None:
    """Rule 20."""
    scene.confirmed(scene.victim(30_000, funding="debit"))
    done = scene.answer(scene.asked(), "accepted_debit_stopped")
    assert [line.why for line in done.quarantined] == ["answer"]
    assert not IssuerAnswer.objects.exists()


def test_an_answer_of_the_same_second_as_the_request_counts(scene: Scene) -> None:
    scene.confirmed(scene.victim(30_000))
    IssuerAction.objects.update(drafted_at=jst(2019, 7, 1))
    file = scene.asked()
    sent = IssuerAction.objects.get().sent_at
    assert sent is not None
    IssuerAction.objects.update(sent_at=sent + dt.timedelta(microseconds=900))
    assert scene.answer(file, "declined", answered_at=sent).applied == 1


def test_two_people_settle_a_line_by_page_and_command(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    analyst, supervisor = staff("fraud_analyst"), staff("fraud_supervisor")
    file = two_requests(scene)
    scene.hear(answers(file, "accepted_debit_stopped", amount_minor=1))
    first, second = QuarantinedLine.objects.order_by("pk")
    desk = browser_of(analyst, headers=ENGLISH)
    seen = desk.get("/console/issuers/").content.decode()
    assert "It names another amount" in seen
    assert quarantine.text_of(first).startswith(str(first.action and first.action.key))
    assert quarantine.text_of(first) in seen
    for _ in range(2):
        desk.post("/console/issuers/settle/", {"lines": str(first.pk), "reason": "wrote again"})
    request = Approval.objects.latest("pk")
    with pytest.raises((SamePerson, NotPermitted)):
        approvals.carry_out(request, shown=request.digest, actor=analyst, reason="x", approve=True)
    answer = browser_of(supervisor).post(
        f"/console/approvals/{request.pk}/approve/", {"digest": request.digest, "reason": "seen"}
    )
    assert answer.status_code == 302, answer.content.decode()
    call_command(
        "settle_issuer_lines",
        lines=str(second.pk),
        by=analyst.login_id,
        reason="test",
        stdout=StringIO(),
    )
    request = Approval.objects.latest("pk")
    approvals.carry_out(request, shown=request.digest, actor=supervisor, reason="x", approve=False)
    assert list(quarantine.waiting()) == [second]
    first.refresh_from_db()
    assert first.settled_by == supervisor
    with pytest.raises(GuardNotMet, match="one of them is settled"):
        quarantine.ask([first, second], actor=scene.analyst, reason="again")


def test_nobody_settles_a_line_alone(scene: Scene) -> None:
    file = two_requests(scene)
    scene.hear(answers(file, "accepted_debit_stopped", amount_minor=1))
    with pytest.raises(DatabaseError, match="by two people only"), transaction.atomic():
        QuarantinedLine.objects.update(
            settled_at=jst(2019, 7, 9), settled_by_id=scene.supervisor.pk
        )


# --- answers without a file -------------------------------------------------------------------------


def test_an_answer_without_a_file_counts_when_a_second_person_agrees(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    analyst, supervisor = staff("fraud_analyst"), staff("fraud_supervisor")
    two_requests(scene)
    first, second = IssuerAction.objects.order_by("pk")
    typed = {
        "request": str(first.pk),
        "answer": "accepted_debit_stopped",
        "answered_at": "2019-07-08T18:00",
        "evidence": "letter 17",
        "reason": "letter of 8 July",
    }
    desk = browser_of(analyst, headers=ENGLISH)
    copy = SimpleUploadedFile("letter.pdf", b"scan")
    desk.post("/console/issuers/by-hand/", {**typed, "copy": copy})
    request = Approval.objects.latest("pk")
    assert f"{hashlib.sha256(b'scan').hexdigest()}" in request.summary["cells"]["note"]
    assert first.state == IssuerAction.State.SENT
    answer = browser_of(supervisor).post(
        f"/console/approvals/{request.pk}/approve/",
        {"digest": request.digest, "reason": "seen", "amount": str(first.amount_minor)},
    )
    assert answer.status_code == 302, answer.content.decode()
    first.refresh_from_db()
    assert first.state == IssuerAction.State.DEBIT_STOPPED
    assert "letter 17" in IssuerAnswer.objects.get().note
    for wrong, said in (
        ({}, "does not wait for an answer"),
        ({"request": second.pk, "answered_at": "2019-07-07T18:00"}, "between our request and now"),
        ({"request": second.pk, "refund_arn": UNSOUND_ARN}, "check digit must be right"),
        ({"request": second.pk, "evidence": " "}, "required"),
    ):
        seen = desk.post("/console/issuers/by-hand/", {**typed, **wrong}).content.decode()
        assert said in seen, wrong
    given = {**typed, "request": str(second.pk), "answer": "declined"}
    del given["reason"]
    call_command(
        "answer_issuer_ask", **given, by=analyst.login_id, reason="test", stdout=StringIO()
    )
    request = Approval.objects.latest("pk")
    with pytest.raises((SamePerson, NotPermitted)):
        approvals.carry_out(request, shown=request.digest, actor=analyst, reason="x", approve=True)
    approvals.carry_out(request, shown=request.digest, actor=supervisor, reason="x", approve=True)
    second.refresh_from_db()
    assert second.state == IssuerAction.State.FALLBACK_OPENED
    assert breaches() == {}


def test_a_typed_answer_that_was_overtaken_counts_for_nothing(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    supervisor, file = staff("fraud_supervisor"), two_requests(scene)
    action = IssuerAction.objects.earliest("pk")
    asked = by_hand.ask(
        action,
        answer_code="declined",
        answered_at=jst(2019, 7, 9),
        statement_on=None,
        refund_arn="",
        evidence="call 3",
        actor=scene.analyst,
        reason="a call",
    )
    scene.answer(file, "accepted_debit_stopped")
    with pytest.raises(GuardNotMet, match="does not wait"):
        approvals.carry_out(asked, shown=asked.digest, actor=supervisor, reason="x", approve=True)
    action.refresh_from_db()
    assert action.state == IssuerAction.State.DEBIT_STOPPED


# --- the evidence of one claim ----------------------------------------------------------------------


def test_the_evidence_of_a_claim_is_one_file_with_its_digests_and_its_taking_is_recorded(
    scene: Scene, staff: Callable[..., Any], tmp_path: Path
) -> None:
    file = two_requests(scene)
    scene.answer(file, "declined", note="no card of ours")
    claim = FraudClaim.objects.earliest("pk")
    given = File(name="receipt.txt", content=b"shop, 12:00")
    claim_files.keep(claim, given, actor=staff("support"), reason="sent by mail")
    analyst = staff("fraud_analyst")
    with code_typed(analyst):
        call_command(
            "export_evidence_pack",
            claim.reference,
            out=tmp_path,
            by=analyst.login_id,
            reason="asked by the issuer",
            stdout=StringIO(),
        )
    (path,) = tmp_path.iterdir()
    with zipfile.ZipFile(path) as pack:
        parts = {name: pack.read(name) for name in pack.namelist()}
    listed = dict(line.split("  ")[::-1] for line in parts.pop("SHA256SUMS").decode().splitlines())
    assert listed == {name: hashlib.sha256(parts[name]).hexdigest() for name in parts}
    assert b"shop, 12:00" in parts.values()
    assert b"no card of ours" in parts["answers.csv"]
    assert parts["requests.csv"].count(b"\r\n") == 2
    (noted,) = AuditEntry.objects.filter(action="claim.take_pack")
    assert noted.facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    typed = {"claim": claim.reference, "reason": "again"}
    stored = browser_of(analyst).post("/console/claims/pack/", typed)
    assert stored.content == path.read_bytes()
    assert browser_of(staff("support")).post("/console/claims/pack/", typed).status_code == 403
