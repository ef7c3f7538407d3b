"""Whoever decides about money sees the sum and the count of what is signed."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from refunds.models import PayoutBatch
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene
from tests.refunds.conftest import House, jst
from winddown import clock
from winddown.models import Approval
from winddown.site import panels

pytestmark = pytest.mark.django_db


def figures(prefix: str) -> list[tuple[int, bool]]:
    approval = Approval.objects.filter(subject__startswith=f"{prefix}:").latest("pk")
    return [(each.number, each.is_amount) for each in panels.changes_of(approval)]


def test_a_payout_file_shows_its_sum_and_its_transfers(house: House) -> None:
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    house.paid_batch()
    batch = PayoutBatch.objects.get()

    assert figures("payout_batch") == [(batch.total_minor, True), (2, False)]
    shown = browser_of(house.treasury, headers={"accept-language": "en"}).get("/console/")
    said = " ".join(shown.content.decode().split())
    assert f"Sum of the file: JPY {batch.total_minor:,}" in said
    assert "Transfers: 2" in said


def test_claims_and_requests_show_their_sums(scene: Scene) -> None:
    for lost in (30_000, 20_000):
        scene.confirmed(scene.victim(lost, spent=lost))
    scene.asked()

    decided = Approval.objects.filter(subject__startswith="claim_decision:")
    sums: list[Any] = [panels.changes_of(each)[0].number for each in decided]
    assert sum(sums) == 50_000
    assert figures("ask_list") == [(50_000, True), (2, False)]


def test_a_request_of_another_kind_shows_no_figures() -> None:
    assert panels.changes_of(Approval(subject="unknown:1", summary={})) == []


def test_the_list_of_the_command_shows_the_figures_too(house: House) -> None:
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    batch = house.paid_batch()
    out = StringIO()

    call_command("approve", by=house.treasury.login_id, stdout=out)

    (said,) = [line for line in out.getvalue().splitlines() if f"payout_batch:{batch.pk} " in line]
    assert f"asked by {batch.maker.login_id}" in said
    assert f"Sum of the file: {batch.total_minor:,}. Transfers: 2." in said


def test_the_command_shows_times_in_the_programmes_zone(house: House) -> None:
    clock.travel(jst("2019-11-05T23:30"), frozen=True)
    house.apply(house.entitled(1)[0])
    house.check_payees()
    house.paid_batch()
    out = StringIO()

    call_command("approve", by=house.treasury.login_id, stdout=out)

    # Asked for 14 days.
    assert "until 2019-11-19 23:30 JST" in out.getvalue()
