"""A database that was restored from an older backup pays nobody twice."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client

from refunds import alarms
from refunds.models import PayoutBatch
from refunds.payouts import forgotten, payout_batches, restored_page, sent_files
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House
from tests.signing_in import code_typed
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide
from winddown.evidence import audit, restores
from winddown.models import Approval, AuditEntry
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(house: House, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Any:
    """A batch that may be exported, in a database with the real clock for files."""
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    monkeypatch.setattr(clock, "is_rehearsal", lambda: False)
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    return house.approve(house.paid_batch())


def export(house: House, batch: PayoutBatch) -> Path:
    return payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)


def forget_the_export(house: House, batch: PayoutBatch) -> bytes:
    """The file was exported, and the database is an older one. Returns the file."""
    with transaction.atomic():
        content = export(house, batch).read_bytes()
        transaction.set_rollback(True)
    return content


def confirm(house: House, approver: Any) -> None:
    with code_typed(house.treasury):
        call_command("confirm_restore", by=house.treasury.login_id, reason="the bank was asked")
    request = Approval.objects.latest("pk")
    with code_typed(approver):
        call_command(
            "approve",
            request.subject,
            by=approver.login_id,
            reason="the bank has these files",
            digest=request.digest,
        )


def test_a_recorded_export_stops_no_payouts(house: House, approved: PayoutBatch) -> None:
    export(house, approved)
    assert sent_files.unknown() == alarms.restored_alarms(clock.now()) == []
    assert browser_of(house.approver2).get("/console/").content.count(b"/console/restored/") == 1
    with pytest.raises(NothingToDecide):
        sent_files.ask(actor=house.treasury, reason="test")


def test_a_forgotten_file_is_noticed_as_a_restore_once(house: House, approved: PayoutBatch) -> None:
    clockwork.WATCHES["restored database"]()
    assert restores.noticed_at() is None
    forget_the_export(house, approved)

    for _ in range(2):
        clockwork.WATCHES["restored database"]()

    entry = AuditEntry.objects.get(action=restores.NOTICED)
    assert entry.facts["names"] == [file["name"] for file in sent_files.unknown()]
    page = browser_of(house.approver2, headers={"accept-language": "en"}).get("/console/restored/")
    assert "Two people compare both lists" in page.content.decode()


def test_payouts_stay_stopped_until_two_people_confirmed_the_files(
    house: House, approved: PayoutBatch
) -> None:
    sent = forget_the_export(house, approved)
    with pytest.raises(GuardNotMet, match="restored from an older backup. Ask the bank which"):
        export(house, approved)
    with pytest.raises(GuardNotMet, match="restored from an older backup"):
        payout_batches.seal(approved, run=approved.run)
    with pytest.raises(SystemExit):
        confirm(house, house.treasury)
    with pytest.raises(GuardNotMet):
        export(house, approved)

    confirm(house, house.approver2)

    # The same bytes under the same name: the state is what the bank knows again.
    assert export(house, approved).read_bytes() == sent
    house.money_holds()


def know(approved: PayoutBatch, **said: Any) -> None:
    """The directory knows the next file too; it has other bytes."""
    file = {"bank_code": approved.bank_code, "sequence": approved.sequence + 1, "sha256": "f" * 64}
    heads = settings.AUDIT_HEADS_DIR
    heads.mkdir(exist_ok=True)
    (heads / f"payout-file-{approved.bank_code}-000002-ffff.json").write_text(
        json.dumps(file | said)
    )


@pytest.mark.parametrize("chosen", [[], [999], [1, 999]])
def test_only_payouts_of_a_forgotten_file_are_released(
    house: House, approved: PayoutBatch, chosen: list[int]
) -> None:
    know(approved, payouts=[[1, 1, None, 7]])
    confirm(house, house.approver2)
    with pytest.raises(NothingToDecide):
        forgotten.ask_release(chosen, actor=house.treasury, reason="test")
    assert not Approval.objects.filter(subject__startswith="forgotten:").exists()


def test_a_release_is_decided_once(house: House, approved: PayoutBatch) -> None:
    know(approved, payouts=[[1, 1, None, 7]])
    confirm(house, house.approver2)
    asked = forgotten.ask_release([1], actor=house.treasury, reason="test")
    said = {"shown": asked.digest, "reason": "test"}
    approvals.carry_out(asked, actor=house.approver2, approve=False, **said)
    with pytest.raises(NothingToDecide):
        approvals.carry_out(asked, actor=house.approver, approve=True, **said)
    acts = AuditEntry.objects.filter(subject=asked.subject).values_list("action", flat=True)
    assert list(acts) == ["payouts.keep_forgotten"]


def test_a_request_about_fewer_files_confirms_none(house: House, approved: PayoutBatch) -> None:
    forget_the_export(house, approved)
    fewer = sent_files.ask(actor=house.treasury, reason="test")
    know(approved, payouts=[])
    sent_files.ask(actor=house.treasury, reason="test")
    with pytest.raises(NothingToDecide, match=fewer.subject):
        approvals.carry_out(
            fewer, shown=fewer.digest, actor=house.approver2, reason="test", approve=True
        )
    assert len(sent_files.unknown()) == 2


def test_nothing_is_confirmed_without_a_forgotten_file(house: House, approved: PayoutBatch) -> None:
    with pytest.raises(NothingToDecide):
        sent_files.decide(actor=house.approver2, digest="0" * 64, reason="test", approve=True)


# --- the page -----------------------------------------------------------------------------------


@pytest.fixture
def restored(house: House, approved: PayoutBatch) -> str:
    """A database that has forgotten a file; returns the name of the file."""
    forget_the_export(house, approved)
    return str(sent_files.unknown()[-1]["name"])


def decided_at(browser: Client, verb: str) -> Any:
    """The answer to the form that the page shows, with a reason."""
    address = f"/console/restored/{verb}/"
    digest = browser.get(address).context["form"]["digest"].value()
    return browser.post(address, {"digest": digest, "reason": "the bank was asked"})


def test_two_people_confirm_the_files_on_the_page(
    house: House, approved: PayoutBatch, restored: str
) -> None:
    maker, checker = browser_of(house.treasury), browser_of(house.approver2)
    incident = maker.get("/console/").content.decode()
    # From the menu and from the alarm.
    assert incident.count('href="/console/restored/"') == 2
    assert len(alarms.restored_alarms(clock.now())) == 1
    shown = maker.get("/console/restored/").content.decode()
    assert restored in shown
    assert all(f"<li>{payout.pk}: " in shown for payout in approved.payouts.all())
    decided_at(maker, "ask")
    assert 'href="/console/restored/"' in checker.get("/console/").content.decode()

    decided_at(checker, "approve")

    export(house, approved)
    acts = AuditEntry.objects.filter(subject__startswith="restore:").order_by("seq")
    assert [(act.action, act.actor, act.reason) for act in acts] == [
        ("payouts.ask_restore", house.treasury, "the bank was asked"),
        ("payouts.confirm_restore", house.approver2, "the bank was asked"),
    ]
    assert restored not in checker.get("/console/restored/").content.decode()
    assert checker.get("/console/restored/ask/")["Location"] == "/console/restored/"


def test_the_page_shows_the_sum_of_a_large_file_and_its_first_payouts(
    house: House, approved: PayoutBatch
) -> None:
    know(approved, payouts=[[900_000 + n, 1, None, 7] for n in range(1_000)])
    shown = browser_of(house.treasury, headers={"accept-language": "en"}).get("/console/restored/")
    said = shown.content.decode()
    assert "<summary>1,000 · JPY 7,000</summary>" in said
    assert said.count("<li>900") == restored_page.PAYOUTS_SHOWN_MAX
    assert "and 800 more" in said


def test_a_rejection_on_the_page_leaves_payouts_stopped(
    house: House, approved: PayoutBatch, restored: str
) -> None:
    decided_at(browser_of(house.treasury), "ask")
    decided_at(browser_of(house.approver2), "reject")

    with pytest.raises(GuardNotMet):
        export(house, approved)
    assert AuditEntry.objects.filter(action="payouts.reject_restore").count() == 1


def test_neither_the_same_person_nor_the_wrong_role_confirms(
    house: House, approved: PayoutBatch, restored: str, staff: Any
) -> None:
    both = staff("treasury_operator", is_superuser=True)
    decided_at(browser_of(both), "ask")
    sent = {"digest": Approval.objects.latest("pk").digest, "reason": "t"}
    english = {"accept-language": "en"}
    for person, refusal in (
        (both, "A second person must decide"),
        (house.treasury, "Roles that have it: Treasury approver."),
    ):
        browser = browser_of(person, headers=english)
        page = browser.get("/console/restored/").content.decode()
        assert 'href="/console/restored/approve/"' not in page
        answer = browser.post("/console/restored/approve/", sent, follow=True)
        assert refusal in answer.content.decode()
    wrong = browser_of(staff("support"), headers=english)
    answer = wrong.post("/console/restored/ask/", {"reason": "t"}, follow=True)
    assert answer.status_code == 403
    with pytest.raises(GuardNotMet):
        export(house, approved)


def test_the_page_shows_the_end_of_a_request(
    house: House, approved: PayoutBatch, restored: str
) -> None:
    decided_at(browser_of(house.treasury), "ask")
    request = Approval.objects.latest("pk")
    for at, expired in (
        (request.expires_at - dt.timedelta(microseconds=1), False),
        (request.expires_at, True),
    ):
        clock.travel(at, frozen=True)
        browser = browser_of(house.approver2, headers={"accept-language": "en"})
        said = browser.get("/console/restored/").content.decode()
        assert ("The request has expired" in said) is expired
        refused = {
            each.verb: bool(each.refused)
            for each in restored_page.look(actor=house.approver2).decisions
        }
        assert refused == {"ask": True, "approve": expired, "reject": expired}


def test_files_that_came_after_the_page_are_not_confirmed(
    house: House, approved: PayoutBatch, restored: str
) -> None:
    decided_at(browser_of(house.treasury), "ask")
    sent = {"digest": Approval.objects.latest("pk").digest, "reason": "t"}
    know(approved, payouts=[])

    browser_of(house.approver2).post("/console/restored/approve/", sent)

    assert len(sent_files.unknown()) == 2
    assert not AuditEntry.objects.filter(action="payouts.confirm_restore").exists()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_is_in_both_languages(house: House, restored: str, language: str) -> None:
    browser = browser_of(house.treasury, headers={"accept-language": language})
    for address in ("", "ask/"):
        said = browser.get(f"/console/restored/{address}").content.decode()
        assert f'<html lang="{language}">' in said
        assert ("データベース" in said) is (language == "ja")
    empty = browser.post("/console/restored/ask/", {"reason": " "}).content.decode()
    assert ("<title>Error:" in empty) is (language == "en")
    assert not Approval.objects.filter(subject__startswith="restore:").exists()


def test_a_file_that_does_not_say_whom_it_pays_cannot_be_confirmed(
    house: House, approved: PayoutBatch
) -> None:
    know(approved)
    with pytest.raises(GuardNotMet, match="does not say whom the file pays"):
        sent_files.ask(actor=house.treasury, reason="test")


def test_a_batch_whose_payouts_are_in_another_file_neither_leaves_nor_is_sealed(
    house: House, approved: PayoutBatch
) -> None:
    payout = approved.payouts.first()
    assert payout is not None
    know(approved, payouts=[[payout.pk, payout.entitlement_id, None, payout.amount_minor]])
    confirm(house, house.approver2)
    refused = f"what payout {payout.pk} pays is in payout-file-{approved.bank_code}-000002-ffff"
    with pytest.raises(GuardNotMet, match=refused):
        export(house, approved)
    with pytest.raises(GuardNotMet, match=refused):
        forgotten.refuse_second_file(approved, sha256="0" * 64, action="seal")
    forgotten.refuse_second_file(approved, sha256="f" * 64, action="seal")


def test_a_file_number_that_the_bank_has_seen_is_not_used_again(
    house: House, approved: PayoutBatch
) -> None:
    know(approved, payouts=[])
    confirm(house, house.approver2)
    with transaction.atomic():
        number = payout_batches._next_number(approved.bank_code)
    assert number == approved.sequence + 2
    house.money_holds()


def test_the_database_alone_refuses_a_file_number_twice(approved: PayoutBatch) -> None:
    columns = [field.column for field in PayoutBatch._meta.concrete_fields]
    values = ", ".join("id + 1" if each == "id" else each for each in columns)
    with pytest.raises(IntegrityError, match="batch_number_once_per_bank"), transaction.atomic():
        past_the_guards(
            f"INSERT INTO refunds_payoutbatch ({', '.join(columns)})"
            f" SELECT {values} FROM refunds_payoutbatch"
        )


def test_an_exported_head_that_the_chain_lacks_stops_payouts(
    house: House, approved: PayoutBatch, settings: Any
) -> None:
    with transaction.atomic():
        audit.append("test", "test", actor=SYSTEM)
        assert audit.keep_head(settings.AUDIT_HEADS_DIR)
        transaction.set_rollback(True)
    # On the next day the restored database exports a head that its chain has, of course.
    newest = settings.AUDIT_HEADS_DIR / "audit-head-2999-01-01.json"
    newest.write_text(json.dumps(audit.head()))
    with pytest.raises(GuardNotMet, match="has audit-head-"):
        export(house, approved)
    confirm(house, house.approver2)
    export(house, approved)
