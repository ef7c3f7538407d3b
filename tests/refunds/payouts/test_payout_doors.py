"""Payout batches and breaks are worked on from the console and from commands, in both languages."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from refunds.bankfiles.answers import ReturnReason
from refunds.models import Payout, PayoutBatch, ReconciliationBreak
from refunds.payouts import payout_batches, results
from refunds.payouts.payout_acts import BATCHES, BREAKS
from tests.config.test_every_door import browser_of
from tests.owning import as_loader
from tests.refunds.conftest import House
from tests.refunds.payouts.test_one_inclusion import answer, on, waiting  # noqa: F401
from winddown.models import Approval, AuditEntry

pytestmark = pytest.mark.django_db
IN_ENGLISH = {"accept-language": "en"}


def sent(someone: Any, address: str, **given: Any) -> str:
    """Returns what the console answers to the form, after it was sent twice."""
    browser = browser_of(someone, headers=IN_ENGLISH)
    browser.post(f"/console/{address}/", {"reason": "test", **given})
    return browser.post(
        f"/console/{address}/", {"reason": "test", **given}, follow=True
    ).content.decode()


def run(someone: Any, *words: str) -> str:
    said = StringIO()
    call_command(*words, by=someone.login_id, reason="test", stdout=said)
    return said.getvalue()


def decided(house: House) -> None:
    house.agreed(Approval.objects.latest("pk"))


def offered(page: str) -> set[str]:
    """Returns the verbs that the page of a batch offers."""
    return set(re.findall(r'id="decide-([\w-]+)" href="[^"]*\?number=', page))


def test_a_batch_goes_to_the_bank_from_the_console(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    house.approve(waiting)
    browser = browser_of(house.treasury, headers=IN_ENGLISH)
    page = f"/console/payouts/{waiting.pk}/"
    assert offered(browser.get(page).content.decode()) == {"export", "void", "lines"}
    given = {"number": waiting.pk, "reason": "to the bank"}
    for _ in range(2):
        file = browser.post("/console/payouts/export/", given)
        assert file.content == b"".join(payout_batches.content(waiting))
    assert AuditEntry.objects.filter(action="payout_batch.export").count() == 1
    sent(house.sender, "payouts/transmit", number=waiting.pk)
    assert AuditEntry.objects.filter(action="payout_batch.transmit").count() == 1
    sent(house.treasury, "payouts/accept", number=waiting.pk)
    assert PayoutBatch.objects.get().state == "bank_accepted"
    seen = browser.get(f"/console/payouts/{waiting.pk}/").content.decode()
    assert "Accepted by the bank" in seen
    assert str(waiting.sha256) in seen
    # A lost file can be written again.
    assert offered(seen) == {"export"}
    assert (
        "銀行の受付済み"
        in browser_of(house.treasury, headers={"accept-language": "ja"})
        .get("/console/payouts/")
        .content.decode()
    )


def test_a_file_is_voided_by_two_from_the_console(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    sent(house.treasury, "payouts/void", number=waiting.pk)
    assert Approval.objects.filter(stage="void").count() == 1
    approver = browser_of(house.approver2, headers=IN_ENGLISH)
    request = Approval.objects.latest("pk")
    page = approver.get(f"/console/approvals/{request.pk}/approve/").content.decode()
    assert f"Voiding of payout batch {waiting.pk}" in page
    decided(house)
    assert PayoutBatch.objects.get().state == "voided"
    assert set(Payout.objects.values_list("state", flat=True)) == {"ready"}


def test_the_commands_do_what_the_pages_do(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
    tmp_path: Path,
) -> None:
    number = f"--number={waiting.pk}"
    batch = house.approve(waiting)
    payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    run(house.sender, "transmit_payout_batch", number)
    letter = tmp_path / "letter.txt"
    letter.write_text("refused")
    assert "A second person decides" in run(
        house.treasury, "record_bank_rejection", number, f"--evidence={letter}"
    )
    decided(house)
    assert PayoutBatch.objects.get().state == "bank_rejected"
    following = house.paid_batch("2019-11-18")
    run(house.treasury, "void_payout_batch", f"--number={following.pk}")
    decided(house)
    third = house.send(house.paid_batch("2019-11-18"))
    run(house.treasury, "accept_payout_batch", f"--number={third.pk}")
    on(18)
    with as_loader():
        first = answer(third, None, day=18, only=(0,))
        results.import_file(first, actor=house.treasury, reason="test")
    run(house.treasury, "waive_payout_batch", f"--number={third.pk}")
    decided(house)
    assert PayoutBatch.objects.get(pk=third.pk).state == "closed"
    path = tmp_path / "twice.txt"
    path.write_bytes(answer(third, None, ReturnReason.OTHER, day=19))
    with as_loader(), pytest.raises(SystemExit) as ended:
        run(house.treasury, "import_bank_results", str(path))
    assert ended.value.code == 3
    found = ReconciliationBreak.objects.get()
    run(house.second, "take_break", f"--number={found.pk}")
    run(house.treasury, "clear_break", f"--number={found.pk}", "--explanation=a copy")
    house.agree_as_second()
    assert ReconciliationBreak.objects.get().state == "resolved"
    back = Payout.objects.get(state="returned")
    run(house.treasury, "give_up_payout", f"--number={back.pk}")
    assert Payout.objects.get(pk=back.pk).state == "uncollectable"
    house.money_holds()


def test_a_break_is_cleared_from_the_console(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    batch = house.send(waiting)
    on(15)
    with as_loader():
        for day in (15, 16):
            content = answer(batch, None, None, day=day)
            results.import_file(content, actor=house.treasury, reason="test")
    one, two = ReconciliationBreak.objects.order_by("pk")
    browser = browser_of(house.second, headers=IN_ENGLISH)
    page = browser.get("/console/breaks/").content.decode()
    assert "Reported as paid a second time" in page
    sent(house.second, "breaks/take", number=one.pk)
    assert AuditEntry.objects.filter(action="break.take").count() == 1
    sent(house.treasury, "breaks/clear", number=one.pk, explanation="a copy")
    assert Approval.objects.filter(stage="clear_break").count() == 1
    house.agree_as_second()
    house.clear(two)
    sent(house.treasury, "payouts/close", number=batch.pk)
    assert PayoutBatch.objects.get().state == "closed"
    assert AuditEntry.objects.filter(action="payout_batch.close").count() == 1


def test_a_rejection_is_recorded_with_its_letter(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    batch = house.send(waiting)
    letter = SimpleUploadedFile("letter.txt", b"refused")
    browser = browser_of(house.treasury, headers=IN_ENGLISH)
    given = {"number": batch.pk, "reason": "refused", "evidence": letter}
    browser.post("/console/payouts/refusal/", given)
    decided(house)
    assert PayoutBatch.objects.get().state == "bank_rejected"


@pytest.mark.parametrize("address", [*(f"payouts/{verb}" for verb in ("export", *BATCHES)),
                                     *(f"breaks/{verb}" for verb in BREAKS)])  # fmt: skip
def test_who_may_not_do_it_is_refused(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
    address: str,
) -> None:
    browser = browser_of(house.support, headers=IN_ENGLISH)
    answered = browser.post(f"/console/{address}/", {"reason": "test", "number": waiting.pk})
    assert answered.status_code == 403
    assert PayoutBatch.objects.get().state == "submitted_for_approval"
