"""Several breaks are cleared together by two, and what is unpaid and overpaid ties with the ledger."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from refunds.models import Entitlement, PayoutBatch, ReconciliationBreak
from refunds.payouts import breaks, results, unpaid
from tests.config.test_every_door import browser_of
from tests.owning import as_loader
from tests.refunds.conftest import House
from tests.refunds.payouts.test_one_inclusion import answer, on, waiting  # noqa: F401
from tests.refunds.payouts.test_payout_doors import IN_ENGLISH, run, sent
from tests.signing_in import code_typed
from winddown.errors import GuardNotMet, NothingToDecide
from winddown.models import Approval, AuditEntry
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid_twice(house: House, waiting: PayoutBatch) -> list[ReconciliationBreak]:  # noqa: F811
    """The bank reported both payouts of 1,000 of a batch a second time; a third refund is owed."""
    batch = house.send(waiting)
    on(15)
    with as_loader():
        for day in (15, 16):
            content = answer(batch, None, None, day=day)
            results.import_file(content, actor=house.treasury, reason="test")
    return list(ReconciliationBreak.objects.order_by("pk"))


def test_all_breaks_of_a_kind_are_cleared_by_two(
    house: House, paid_twice: list[ReconciliationBreak]
) -> None:
    given = {"kind": "paid_twice", "explanation": "a copy of Friday"}
    sent(house.treasury, "breaks/clear-all", **given)
    request = Approval.objects.get(stage="clear_breaks")
    second = browser_of(house.second, headers=IN_ENGLISH)
    listed = second.get("/console/breaks/").content.decode()
    assert "2 breaks together" in listed
    assert "JPY 2,000" in listed
    page = second.get(f"/console/approvals/{request.pk}/approve/").content.decode()
    assert "Clearing of several breaks" in page
    assert set(ReconciliationBreak.objects.values_list("state", flat=True)) == {"open"}
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE refunds_reconciliationbreak SET state = 'resolved', resolution = 'x',"
                " resolved_at = winddown_now()"
            )
    assert sqlstate_of(refused.value) == SqlState.NOT_APPROVED
    house.agree_as_second(request)
    assert set(ReconciliationBreak.objects.values_list("state", "resolution")) == {
        ("resolved", "a copy of Friday")
    }
    assert AuditEntry.objects.get(action="breaks.clear").facts["rows"] == 2
    with pytest.raises(GuardNotMet, match="no break of this kind is open"):
        breaks.ask_clear_all("paid_twice", explanation="again", actor=house.treasury, reason="test")
    house.money_holds()


def test_what_was_cleared_meanwhile_is_not_cleared_again(
    house: House, paid_twice: list[ReconciliationBreak]
) -> None:
    run(house.treasury, "clear_breaks", "--kind=paid_twice", "--explanation=a copy")
    request = Approval.objects.get(stage="clear_breaks")
    house.clear(paid_twice[0])
    with pytest.raises(NothingToDecide):
        house.agree_as_second(request)
    assert ReconciliationBreak.objects.filter(state="open").count() == 1
    with pytest.raises(GuardNotMet, match="one by one"):
        breaks.ask_clear_all("paid_after_all", explanation="x", actor=house.treasury, reason="test")
    asked = {"kind": "paid_twice", "explanation": "x", "reason": "test"}
    refused = browser_of(house.support, headers=IN_ENGLISH).post(
        "/console/breaks/clear-all/", asked
    )
    assert refused.status_code == 403


def rows_of(house: House, name: str) -> tuple[dict[str, str], list[list[str]]]:
    """Returns the head of the file and its rows."""
    answered = browser_of(house.treasury).get(f"/console/unpaid/{name}/")
    lines = list(csv.reader(io.StringIO(answered.content.decode("utf-8-sig"))))
    end = lines.index([])
    return dict(lines[:end]), lines[end + 2 :]


def test_the_lists_tie_with_the_ledger(house: House, paid_twice: list[ReconciliationBreak]) -> None:
    """Rule 60: owed, on its way and paid are what the ledger says, and what is over is named."""
    page = unpaid.look()
    assert [(each.ledger_minor, each.difference_minor) for each in page.ties] == [
        (0, 0),
        (0, 0),
        (2_000, 0),
    ]
    assert page.overpaid_minor == 2_000
    seen = browser_of(house.treasury, headers=IN_ENGLISH).get("/console/unpaid/")
    assert "JPY 2,000" in seen.content.decode()
    head, rows = rows_of(house, "overpaid")
    assert (head["rows"], head["sum_minor"]) == ("2", "2000")
    assert head["query"] == "/console/unpaid/overpaid/"
    assert [(row[1], row[-1]) for row in rows] == [("paid_twice", "1000")] * 2
    assert AuditEntry.objects.filter(action="refunds.export_overpaid").count() == 1
    assert browser_of(house.support).get("/console/unpaid/unpaid/").status_code == 403


def test_the_lists_are_written_by_the_command(
    house: House, paid_twice: list[ReconciliationBreak], tmp_path: Path
) -> None:
    lists = tmp_path / "lists"

    def write(by: Any) -> None:
        call_command(
            *("export_unpaid", "--list=overpaid", f"--out={lists}", f"--by={by.login_id}"),
            "--reason=test",
        )

    with pytest.raises(SystemExit):
        write(house.support)
    assert not lists.exists()
    with code_typed(house.treasury):
        write(house.treasury)
    (path,) = lists.iterdir()
    assert "2000" in path.read_text(encoding="utf-8-sig")


def test_what_is_owed_is_listed_by_state(house: House) -> None:
    applied, _idle = house.entitled(2)
    house.apply(applied)
    house.check_payees()
    house.paid_batch()
    page = unpaid.look()
    assert {each.state: each.sum_minor for each in page.groups} == {
        "computed": 1_000,
        "paying": 1_000,
    }
    assert [(each.ledger_minor, each.difference_minor) for each in page.ties] == [
        (1_000, 0),
        (1_000, 0),
        (0, 0),
    ]
    head, rows = rows_of(house, "unpaid")
    assert (head["rows"], head["sum_minor"]) == ("2", "2000")
    assert [row[0] for row in rows] == [
        str(pk) for pk in Entitlement.objects.order_by("pk").values_list("pk", flat=True)
    ]
