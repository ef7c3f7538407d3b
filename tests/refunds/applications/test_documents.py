"""Heirs, minors, companies and agents show documents, which another person checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from accounts.models import Message
from refunds.applications import documents, review
from refunds.applications.document_acts import CODES
from refunds.applications.documents import DocumentRefused
from refunds.models import ApplicationDocument, RefundApplication
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.evidence.invariants import INVARIANTS
from winddown.models import AuditEntry
from winddown.programme import jurisdictions
from winddown.programme.evidence_files import File

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\nxref\n0000000015 00000 n\n(D:20191001120000+09)\n"


@pytest.fixture
def applied(house: House) -> RefundApplication:
    """An application from the web, whose applicant is checked by people."""
    (owed,) = house.entitled(1)
    holder = owed.wallet.account
    holder.email, holder.email_verified_at = "holder@example.com", clock.now()
    holder.save(update_fields=["email", "email_verified_at"])
    application: RefundApplication = house.apply(owed, channel="web")
    assert application.state == "identity_check"
    return application


def demand(applied: RefundApplication, house: House, applicant: str = "agent") -> list[Any]:
    return documents.demand(applied, applicant=applicant, actor=house.support, reason="a son")


def give(document: ApplicationDocument, by: Any, content: bytes = PDF) -> ApplicationDocument:
    return documents.receive(document, File(name="a.pdf", content=content), actor=by)


def state(application: RefundApplication) -> tuple[str, str]:
    fresh = RefundApplication.objects.get(pk=application.pk)
    return fresh.state, fresh.asked_for


def test_no_application_is_approved_before_all_documents_are_accepted(
    house: House, applied: RefundApplication
) -> None:
    asked = demand(applied, house)
    assert [each.code for each in asked] == ["mandate", "identity", "identity_of_holder"]
    assert state(applied) == ("needs_info", "documents")
    assert Message.objects.filter(kind="documents_asked", user=applied.applicant).count() == 1
    assert demand(applied, house) == []

    for each in asked[:2]:
        give(each, applied.applicant)
    assert [each.code for each in documents.missing(applied)] == ["identity_of_holder"]
    give(asked[2], house.support)
    assert state(applied) == ("identity_check", "")
    verified = review.verify(applied, actor=house.support, reason="seen")
    review.record_consent(verified, actor=house.support, reason="by telephone")
    for each in asked[:2]:
        documents.check(each, accept=True, actor=house.support, reason="complete")
    with pytest.raises(GuardNotMet, match="1 of its documents"):
        review.propose(
            RefundApplication.objects.get(pk=applied.pk), actor=house.support, reason="pay"
        )
    with pytest.raises(GuardNotMet, match="you took it in"):
        documents.check(asked[2], accept=True, actor=house.support, reason="complete")
    documents.check(asked[2], accept=True, actor=house.checker, reason="complete")
    request = review.propose(applied, actor=house.support, reason="pay")
    # One more is asked for after the proposal: the second person cannot agree any more.
    more = documents.demand(applied, applicant="heir", actor=house.support, reason="died")
    with pytest.raises(GuardNotMet, match="3 of its documents"):
        review.approve(applied, actor=house.checker, digest=request.digest, reason="agreed")
    for each in more:
        give(each, applied.applicant)
        documents.check(each, accept=True, actor=house.checker, reason="complete")
    review.approve(applied, actor=house.checker, digest=request.digest, reason="agreed")
    assert state(applied)[0] == "approved"
    assert INVARIANTS["I82"].breaches() == []
    with pytest.raises(GuardNotMet, match="it is decided"):
        demand(applied, house, "minor")
    more[0].refresh_from_db()
    ApplicationDocument.objects.create(
        application=applied, applicant="minor", code="consent_of_parents", source="test",
        asked_at=clock.now(), asked_by=house.support,
    )  # fmt: skip
    assert len(INVARIANTS["I82"].breaches()) == 1


def test_a_refused_document_is_asked_for_again(house: House, applied: RefundApplication) -> None:
    first, *others = demand(applied, house)
    for each in (first, *others):
        give(each, applied.applicant)
    documents.check(first, accept=False, actor=house.support, reason="not readable")
    assert state(applied) == ("needs_info", "documents")
    (again,) = documents.missing(applied)
    assert (again.code, again.pk != first.pk) == (first.code, True)
    assert Message.objects.filter(kind="documents_asked").count() == 2
    with pytest.raises(GuardNotMet, match="it is checked"):
        documents.check(first, accept=True, actor=house.checker, reason="readable")
    with pytest.raises(GuardNotMet, match="not there yet"):
        documents.check(again, accept=True, actor=house.checker, reason="readable")
    with pytest.raises(GuardNotMet, match="there already"):
        give(first, applied.applicant)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "1 to 5,242,880 bytes"),
        (b"%PDF-" + b" " * ApplicationDocument.BYTES_MAX, "1 to 5,242,880 bytes"),
        (b"<html>", "only PDF, PNG and JPEG"),
        (b"MZ\x90 %PDF-", "only PDF, PNG and JPEG"),
        (b"%PDF-1.7\n4111 1111 1111 1111\n", "card number"),
        (b"\x89PNG\r\n\x1a\n 378282246310005 ", "card number"),
    ],
)
def test_a_file_that_is_none_or_shows_a_card_is_refused(
    house: House, applied: RefundApplication, content: bytes, why: str
) -> None:
    first = demand(applied, house)[0]
    with pytest.raises(DocumentRefused, match=why):
        give(first, applied.applicant, content)
    assert documents.find(first.pk).received_at is None


def test_a_document_is_sealed_and_its_reading_is_recorded(
    house: House, applied: RefundApplication, customer: Any
) -> None:
    first = demand(applied, house)[0]
    with pytest.raises(NotPermitted):
        give(first, customer())
    kept = give(first, applied.applicant)
    assert b"%PDF" not in bytes(kept.content_sealed or b"")
    assert documents.disclose(kept, actor=house.support, reason="to check").content == PDF
    entry = AuditEntry.objects.get(action="document.read")
    assert (entry.subject, entry.actor_id) == (kept.subject, house.support.pk)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE refunds_applicationdocument SET checked_at = winddown_now(), accepted = true,"
            " checked_by_id = received_by_id WHERE id = %s",
            [kept.pk],
        )


@pytest.mark.parametrize("code", jurisdictions.codes())
def test_every_law_has_a_list_for_every_kind_of_applicant(code: str) -> None:
    duties = jurisdictions.pack(code).documents
    assert sorted(each.applicant for each in duties) == sorted(ApplicationDocument.Applicant.values)
    assert all(each.source and {*each.codes} <= {*CODES} for each in duties)


def test_the_customer_sends_on_the_page_and_staff_by_commands(
    house: House, applied: RefundApplication, staff: Any, customer: Any, tmp_path: Path
) -> None:
    support, other = staff("support"), staff("support")
    given = ("--by", support.login_id, "--reason", "test")
    call_command("demand_documents", *given, "--application", str(applied.pk), "--applicant", "agent")  # fmt: skip
    first, second, third = ApplicationDocument.objects.order_by("pk")
    browser = browser_of(applied.applicant, headers={"accept-language": "ja"})
    start = browser.get("/account/refund/").content.decode()
    assert "/account/refund/documents/" in start
    page = browser.get("/account/refund/documents/").content.decode()
    assert "委任状" in page and "未提出" in page  # noqa: PT018
    wrong = browser.post(
        "/account/refund/documents/",
        {"document": str(first.pk), "file": SimpleUploadedFile("a.pdf", b"text")},
    )
    assert "PDF、PNG、JPEGだけ" in wrong.content.decode()
    browser.post(
        "/account/refund/documents/",
        {"document": str(first.pk), "file": SimpleUploadedFile("a.pdf", PDF)},
    )
    assert documents.find(first.pk).received_by == applied.applicant
    stranger = browser_of(customer())
    assert stranger.get("/account/refund/documents/")["Location"] == "/account/refund/"

    path = tmp_path / "b.pdf"
    path.write_bytes(PDF)
    for each in (second, third):
        call_command("take_in_document", *given, "--document", str(each.pk), "--file", str(path))
    with code_typed(support):
        call_command("export_document", str(first.pk), "--out", str(tmp_path), *given)
    assert (tmp_path / f"document-{first.pk}.pdf").read_bytes() == PDF
    call_command("accept_document", *given, "--document", str(first.pk))
    desk = browser_of(other, headers={"accept-language": "en"})
    listed = desk.get("/console/documents/").content.decode()
    assert "Proof of the applicant&#x27;s identity" in listed
    desk.post("/console/documents/accept/", {"document": str(second.pk), "reason": "complete"})
    with code_typed(other):
        call_command(
            "refuse_document", "--by", other.login_id, "--reason", "blurred",
            "--document", str(third.pk),
        )  # fmt: skip
    shown = desk.get(f"/console/applications/{applied.pk}/").content.decode()
    assert "Accepted" in shown and "Refused" in shown and "Missing" in shown  # noqa: PT018
    read = desk.post("/console/documents/read/", {"document": str(first.pk), "reason": "look"})
    assert read.content == PDF
    assert browser_of(staff("auditor")).get("/console/documents/").status_code == 403
