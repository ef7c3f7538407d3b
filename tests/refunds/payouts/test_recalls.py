"""Recalls: asked for and answered through doors; only the bank's file restores the money."""

from __future__ import annotations

import pytest

from refunds.bankfiles.answers import ReturnReason
from refunds.models import Entitlement, Payout, PayoutBatch, Recall
from refunds.payouts import recalls, results
from tests.config.test_every_door import browser_of
from tests.owning import as_loader
from tests.refunds.conftest import House
from tests.refunds.payouts.test_one_inclusion import answer, on, waiting  # noqa: F401
from tests.refunds.payouts.test_payout_doors import IN_ENGLISH, run, sent
from winddown.errors import GuardNotMet, TransitionRefused
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_a_recall_is_done_by_the_bank_s_file_and_a_failed_one_restores_nothing(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    one, two = Payout.objects.order_by("pk")
    with pytest.raises(GuardNotMet, match="it was not sent"):
        recalls.ask(one, actor=house.treasury, reason="too early")
    batch = house.send(waiting)
    for each in (one, two):
        sent(house.treasury, "recalls/ask", number=each.pk)
    assert AuditEntry.objects.filter(action="recall.ask").count() == 2
    first, second = Recall.objects.order_by("pk")
    sent(house.treasury, "recalls/take-up", number=first.pk, answer="fax of 15 November")
    page = browser_of(house.treasury, headers=IN_ENGLISH).get("/console/recalls/")
    assert "The bank asks" in page.content.decode()
    with pytest.raises(GuardNotMet, match="no file of the bank shows"):
        recalls.finish(first, answer="they say so", actor=house.treasury, reason="test")
    on(15)
    with as_loader():
        results.import_file(
            answer(batch, ReturnReason.RECALLED, None, day=15), actor=house.treasury, reason="test"
        )
    run(house.treasury, "finish_recall", f"--number={first.pk}", "--answer=result file")
    run(house.treasury, "fail_recall", f"--number={second.pk}", "--answer=letter")
    assert list(Recall.objects.order_by("pk").values_list("state", flat=True)) == [
        "done",
        "failed",
    ]
    assert set(Payout.objects.values_list("pk", "state")) == {
        (one.pk, "returned"),
        (two.pk, "settled"),
    }
    assert set(Entitlement.objects.values_list("state", flat=True)) == {"returned", "paid"}
    for late in (recalls.fail, recalls.take_up):
        with pytest.raises(TransitionRefused):
            late(second, answer="again", actor=house.treasury, reason="test")
    with pytest.raises(GuardNotMet, match="came back"):
        recalls.ask(one, actor=house.treasury, reason="again")
    house.money_holds()


def test_a_recall_is_asked_for_once_and_by_who_may(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    house.send(waiting)
    payout = Payout.objects.earliest("pk")
    run(house.treasury, "recall_payout", f"--number={payout.pk}")
    with pytest.raises(GuardNotMet, match="a recall of it is open"):
        recalls.ask(payout, actor=house.treasury, reason="again")
    run(house.treasury, "take_up_recall", f"--number={Recall.objects.get().pk}", "--answer=fax")
    japanese = browser_of(house.treasury, headers={"accept-language": "ja"})
    assert "銀行が照会中" in japanese.get("/console/recalls/").content.decode()
    for verb in ("ask", "take-up", "done", "failed"):
        refused = browser_of(house.support, headers=IN_ENGLISH).post(
            f"/console/recalls/{verb}/", {"number": payout.pk, "answer": "x", "reason": "test"}
        )
        assert refused.status_code == 403
    assert Recall.objects.get().state == "in_process"
