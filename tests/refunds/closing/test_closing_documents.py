"""Documents of the end: kept by one person, confirmed by a second; without the duties that they
show, nothing is completed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from refunds.closing import documents, proofs
from refunds.closing.documents import Given
from refunds.models import ClosingDocument
from tests.config.test_every_door import browser_of
from tests.refunds.claims import all_told
from tests.refunds.closing.settled import settle, state
from tests.refunds.closing.test_closing_proof import decided
from tests.refunds.conftest import House
from tests.refunds.payouts.test_methods import issued, priced, without_account
from winddown.errors import GuardNotMet, NotPermitted, SamePerson
from winddown.models import Approval, AuditEntry, Programme
from winddown.programme import gates, milestones
from winddown.programme.evidence_files import File

__all__ = ["priced"]
pytestmark = pytest.mark.django_db
DAY = dt.date(2020, 1, 10)


def given(kind: str = "agreement", **more: Any) -> Given:
    said = {
        "subject": "Bank A",
        "owner": "Treasury",
        "retrieval": "at_once",
        "reviewed_on": dt.date(2019, 11, 4),
        "file": File(name="a.pdf", content=f"{kind} {more}".encode()),
    }
    return Given(kind=kind, **(said | more))


def duties() -> list[int]:
    return [count.missing for count in gates.measured("duties")]


def test_the_duties_are_met_by_what_a_second_person_confirmed(
    house: House, staff: Callable[..., Any]
) -> None:
    settle(house)
    keeper, second = staff("compliance"), staff("treasury_approver")
    sources = documents._sources()
    assert "bonus" not in sources
    assert duties() == [len(sources), 1, 1, 1]

    def keep(kind: str, **more: Any) -> None:
        decided(documents.keep(given(kind, **more), actor=keeper, reason="test"), second)

    for code in sources:
        keep("residual", subject=code, amount_minor=0)
    keep("hosting", subject="hosting", until_on=dt.date(2025, 3, 31))
    keep("portal", subject="portal", until_on=dt.date(2019, 11, 15))
    assert duties() == [0, 1, 0, 1], "the portal has ended"
    keep("portal", subject="portal", until_on=dt.date(2025, 4, 1))
    assert duties() == [0, 0, 1, 1], "the hosting ends a day before the portal"
    keep("portal", subject="portal", until_on=dt.date(2025, 3, 31))
    asked = documents.keep(
        given("successor", contact="03-0000-0000"), actor=keeper, reason="takes over"
    )
    assert duties() == [0, 0, 0, 1]
    with pytest.raises(SamePerson):
        decided(asked, keeper)
    decided(asked, second, approve=False)
    assert duties() == [0, 0, 0, 1]
    keep("successor", contact="03-0000-0000")
    assert duties() == [0, 0, 0, 0]


def test_the_portal_outlives_every_postal_order_that_was_sent(
    priced: House, staff: Callable[..., Any]
) -> None:
    without_account(*priced.entitled(1))
    issued(priced, "2019-11-15")
    keeper, second = staff("compliance"), staff("treasury_approver")
    for until_on, missing in (("2020-01-14", 1), ("2020-01-15", 0)):
        more = {"subject": "portal", "until_on": dt.date.fromisoformat(until_on)}
        decided(documents.keep(given("portal", **more), actor=keeper, reason="test"), second)
        assert duties()[1] == missing, until_on


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"kind": "portal"}, "a last day belongs to the hosting"),
        ({"kind": "agreement", "until_on": DAY}, "a last day belongs to the hosting"),
        ({"kind": "residual", "subject": "credit_card"}, "an amount belongs to a residual"),
        ({"kind": "residual", "subject": "credit_card", "amount_minor": -1}, "is negative"),
        ({"kind": "residual", "subject": "nobody", "amount_minor": 0}, "name a funding source"),
        ({"kind": "successor"}, "how to reach them"),
        ({"kind": "agent", "reviewed_on": dt.date(2030, 1, 1)}, "lies in the future"),
        ({"kind": "recipient", "contact": "a@example.com"}, "no X.509 certificate"),
        ({"kind": "agent", "file": File(name="a", content=b"")}, "the file must have 1 to"),
    ],
)
def test_what_does_not_belong_to_the_kind_is_refused(
    house: House, staff: Callable[..., Any], more: dict[str, Any], why: str
) -> None:
    with pytest.raises(GuardNotMet, match=why):
        documents.keep(given(**more), actor=staff("compliance"), reason="test")
    assert not ClosingDocument.objects.exists()


def test_only_who_may_keep_documents_keeps_and_reads_them(
    house: House, staff: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(NotPermitted):
        documents.keep(given(), actor=staff("support"), reason="test")
    documents.keep(given(), actor=staff("compliance"), reason="test")
    kept = ClosingDocument.objects.get()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        ClosingDocument.objects.update(owner="nobody")
    reader = browser_of(staff("treasury_operator"))
    answer = reader.get(f"/console/closing/documents/{kept.pk}/")
    assert answer.getvalue() == b"agreement {}"
    assert AuditEntry.objects.filter(action="closing_document.read").count() == 1
    call_command(
        "export_closing_document", kept.pk, out=tmp_path,
        by=staff("compliance").login_id, reason="to confirm it",
    )  # fmt: skip
    assert (tmp_path / f"document-{kept.pk}-a.pdf").read_bytes() == b"agreement {}"
    stranger = browser_of(staff("support"))
    assert stranger.get(f"/console/closing/documents/{kept.pk}/").status_code == 403
    assert b"Bank A" in stranger.get("/console/closing/").content


def test_the_programme_is_completed_through_the_doors_and_not_before(
    house: House,
    staff: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`complete` passes with the current proof and the duties, and with neither it does not."""
    settle(house)
    keeper, second = staff("compliance"), staff("treasury_approver")
    by = {"by": keeper.login_id, "reason": "at the end"}
    with pytest.raises(SystemExit):
        call_command("complete_programme", **by)
    said = capsys.readouterr().out
    assert "Providers whose residual is withdrawn: 0 of" in said
    assert "No closing proof was taken" in said
    assert "Bank days that no statement covers: " in said
    assert "Last bank day that is not tied: 1 of 1" in said
    state(house)
    file = tmp_path / "order.pdf"
    file.write_bytes(b"an order")
    common = {"owner": "IT", "retrieval": "at_once", "reviewed_on": "2020-01-10"}
    for number, more in enumerate(
        (
            *(
                {"kind": "residual", "subject": code, "amount": "0"}
                for code in documents._sources()
            ),
            {"kind": "portal", "subject": "portal", "until_on": "2025-03-31"},
            {"kind": "hosting", "subject": "hosting", "until_on": "2025-03-31"},
            {"kind": "successor", "subject": "Successor K.K.", "contact": "03-0000-0000"},
        )
    ):
        file.write_bytes(f"order {number}".encode())
        call_command(
            "keep_closing_document", evidence=str(file), contact=more.pop("contact", ""),
            until_on=more.pop("until_on", ""), amount=more.pop("amount", ""), **common, **more, **by,
        )  # fmt: skip
        decided(Approval.objects.latest("pk"), second)
    decided(proofs.take(actor=staff("treasury_operator"), reason="all has ended"), second)
    milestones.fire_due()
    all_told.filed()
    call_command("complete_programme", **by)
    assert Programme.current().state == "completed"
    # With the completion its report is due.
    with pytest.raises(SystemExit):
        call_command("report_completion", **by)
    assert "Filings that no authority has: 1 of 2" in capsys.readouterr().out
    all_told.filed()
    call_command("report_completion", **by)
    assert Programme.current().state == "reported"
    house.money_holds()
