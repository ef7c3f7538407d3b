"""A payout file is approved or rejected on the console, with its sum typed."""

from __future__ import annotations

from typing import Any

import pytest

from refunds.models import PayoutBatch
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House
from winddown.models import Approval, AuditEntry, Signature

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def asked(house: House) -> Approval:
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    batch = house.paid_batch()
    return Approval.objects.filter(subject=batch.subject).latest("pk")


def address(asked: Approval, verb: str) -> str:
    return f"/console/approvals/{asked.pk}/{verb}/"


def form_of(asked: Approval, **more: Any) -> dict[str, Any]:
    return {"digest": asked.digest, "reason": "compared with the plan", **more}


def total() -> int:
    return PayoutBatch.objects.get().total_minor


def test_the_page_shows_what_is_signed(house: House, asked: Approval) -> None:
    browser = browser_of(house.approver2, headers=ENGLISH)
    page = f"/console/payouts/{PayoutBatch.objects.get().pk}/"
    assert f'href="{page}"' in browser.get("/console/").content.decode()
    listed = browser.get(page).content.decode()
    assert f'href="{address(asked, "approve")}"' in listed
    assert f'href="{address(asked, "reject")}"' in listed
    said = " ".join(browser.get(address(asked, "approve")).content.decode().split())
    assert f"<dt>Sum of the file</dt><dd>JPY {total():,}</dd>" in said
    assert "<dt>Transfers</dt><dd>2</dd>" in said
    assert asked.digest in said
    assert "sha256" in said


def test_an_approval_takes_the_sum_as_it_was_read(house: House, asked: Approval) -> None:
    browser = browser_of(house.approver2, headers=ENGLISH)
    for wrong in ("", str(total() + 1), "all of it", "NaN", "1e999999", "-1"):
        answer = browser.post(address(asked, "approve"), form_of(asked, amount=wrong))
        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == ["amount"]
        assert answer.context["form"]["reason"].value() == "compared with the plan"
    assert PayoutBatch.objects.get().state == "submitted_for_approval"

    browser.post(address(asked, "approve"), form_of(asked, amount=f"{total():,}"))

    signature = Signature.objects.get(approval=asked, part=Signature.Part.APPROVED)
    assert (signature.signer, signature.digest) == (house.approver2, asked.digest)
    gone = browser.get(address(asked, "approve"), follow=True)
    assert "no longer waits" in gone.content.decode()


def test_a_rejection_takes_no_sum(house: House, asked: Approval) -> None:
    browser_of(house.approver2).post(address(asked, "reject"), form_of(asked))
    assert PayoutBatch.objects.get().state == "rejected"


def test_the_maker_and_strangers_decide_nothing(house: House, asked: Approval, staff: Any) -> None:
    for person in (house.treasury, staff("support")):
        browser = browser_of(person, headers=ENGLISH)
        answer = browser.post(address(asked, "approve"), form_of(asked, amount=str(total())))
        assert answer.status_code == 403
        assert "Roles that have it: Treasury approver." in answer.content.decode()
        assert AuditEntry.objects.filter(action="refused", actor=person).exists()
    assert not Signature.objects.filter(approval=asked, part=Signature.Part.APPROVED).exists()


@pytest.mark.parametrize("digest", ["", "0" * 64, "short"])
def test_only_the_digest_that_was_shown_is_signed(
    house: House, asked: Approval, digest: str
) -> None:
    sent = form_of(asked, amount=str(total())) | {"digest": digest}
    browser_of(house.approver2).post(address(asked, "approve"), sent)
    assert not Signature.objects.filter(approval=asked, part=Signature.Part.APPROVED).exists()


def test_there_is_no_other_verb_and_no_other_request(house: House, asked: Approval) -> None:
    browser = browser_of(house.approver2)
    assert browser.get(address(asked, "burn")).status_code == 404
    assert browser.get(f"/console/approvals/{asked.pk + 1_000}/approve/").status_code == 404
