"""The two payout views: each refund is in one of them, and both come to what is owed."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from refunds.models import Entitlement, PayoutView
from refunds.payouts import payable, view_lists
from tests import factories
from tests.config.test_every_door import browser_of
from tests.conftest import Database
from tests.refunds.conftest import House, jst, make_house, person
from tests.refunds.payouts.test_payable import SPOILED, account_at, adopt, now_planned
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import AuditEntry
from winddown.programme import gates
from winddown.programme.gates import GATES

ENGLISH = {"Accept-Language": "en"}


def rows_of(view: PayoutView, name: str) -> list[dict[str, str]]:
    told = b"".join(view.pieces(name)).decode()
    return list(csv.DictReader(io.StringIO(told)))


def codes(view: PayoutView) -> dict[int, str]:
    """Returns the code of each refund in the excluded list."""
    return {int(row["entitlement"]): row["code"] for row in rows_of(view, "excluded")}


@pytest.mark.django_db
def test_each_refund_is_in_one_list_and_both_come_to_the_snapshot(house: House) -> None:
    first, second, third = house.entitled(3)
    house.apply(first)
    house.apply(second)
    house.check_payees()

    view = view_lists.take(actor=house.treasury, reason="test")

    pays = rows_of(view, "payable")
    assert [int(row["entitlement"]) for row in pays] == [first.pk, second.pk]
    assert {(row["code"], row["reasons"], row["straight_through"]) for row in pays} == {
        ("", "", "yes")
    }
    assert codes(view) == {third.pk: "application_not_approved"}
    assert view.reasons == {"application_not_approved": [1, 1000]}
    assert (view.payable_rows, view.payable_minor) == (2, 2000)
    assert (view.excluded_rows, view.excluded_minor) == (1, 1000)
    assert (view.people, view.straight_people, view.straight_minor) == (3, 2, 2000)
    assert (view.control_minor, view.difference_minor) == (3000, 0)
    # What a plan made now pays is what the list says.
    plan = payable.payable_refunds(now_planned()).values_list("pk", flat=True)
    assert sorted(plan) == [int(row["entitlement"]) for row in pays]
    entry = AuditEntry.objects.get(action="payouts.take_view")
    assert (entry.actor_id, entry.subject) == (house.treasury.pk, view.subject)
    house.money_holds()


@pytest.mark.django_db
def test_each_reason_alone_is_a_code_of_the_excluded_list(house: House) -> None:
    shown = [code for code in SPOILED if code != "decided_later"]
    rows = dict(zip(shown, house.entitled(len(shown) + 1), strict=False))
    for code, row in rows.items():
        bank = "9900" if code == "branch_not_in_bank_data" else "0001"
        house.apply(row, account=account_at(house, bank))
    house.check_payees()
    for code, row in rows.items():
        SPOILED[code](Entitlement.objects.get(pk=row.pk))

    view = view_lists.take(actor=house.treasury, reason="test")

    assert codes(view) == {row.pk: code for code, row in rows.items()} | {
        max(Entitlement.objects.values_list("pk", flat=True)): "application_not_approved"
    }
    assert set(codes(view).values()) <= set(view_lists.CODES)
    assert view.difference_minor == 0


@pytest.mark.django_db
def test_what_became_of_a_refund_comes_before_every_other_reason(house: House) -> None:
    paid, returned, sent, left = house.entitled(4)
    house.apply(paid)
    house.apply(returned, quality="closed_once")
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()
    house.apply(sent)
    house.check_payees()
    house.paid_batch("2019-11-27")
    SPOILED["payment_blocked"](paid)

    view = view_lists.take(actor=house.treasury, reason="test")

    assert codes(view) == {
        paid.pk: "paid",
        returned.pk: "returned",
        sent.pk: "in_flight",
        left.pk: "application_not_approved",
    }
    touched = {int(row["entitlement"]): row["reasons"] for row in rows_of(view, "excluded")}
    assert touched[paid.pk] == ""
    assert touched[returned.pk].startswith("returned_before")


@pytest.mark.django_db
def test_an_amount_for_people_is_payable_and_does_not_go_straight_through(house: House) -> None:
    (row,) = house.entitled(1)
    house.apply(row)
    house.check_payees()
    adopt(auto_approve_max_minor=999)

    view = view_lists.take(actor=house.treasury, reason="test")

    (told,) = rows_of(view, "payable")
    assert (told["straight_through"], told["reasons"]) == ("no", "amount")
    assert (view.people, view.straight_people, view.straight_minor) == (1, 0, 0)


@pytest.mark.django_db
def test_balances_that_are_not_refunds_yet_are_listed_too(house: House) -> None:
    factories.make_wallets(2, paid_minor=700)
    factories.make_wallets(1, paid_minor=0)

    view = view_lists.take(actor=house.treasury, reason="test")

    rows = rows_of(view, "excluded")
    assert [(row["entitlement"], row["amount_minor"], row["code"]) for row in rows] == [
        ("", "700", "no_payee")
    ] * 2
    assert (view.people, view.control_minor, view.difference_minor) == (2, 1400, 0)


@pytest.mark.django_db
def test_the_same_data_gives_the_same_bytes(house: House) -> None:
    for row in house.entitled(3):
        house.apply(row)
    house.check_payees()
    first = view_lists.take(actor=house.treasury, reason="test")
    clock.travel(clock.now() + dt.timedelta(hours=1))
    again = view_lists.take(actor=house.treasury, reason="test")
    for name in ("payable", "excluded"):
        told = b"".join(first.pieces(name))
        assert hashlib.sha256(told).hexdigest() == getattr(first, f"{name}_sha256")
        assert getattr(first, f"{name}_sha256") == getattr(again, f"{name}_sha256")
    assert view_lists.newest() == again


@pytest.mark.django_db
def test_views_are_refused_without_the_permission_and_without_anything_to_list(
    house: House,
) -> None:
    with pytest.raises(NotPermitted):
        view_lists.take(actor=person("refunds.make_payout_batch"), reason="test")
    with pytest.raises(GuardNotMet, match="nothing is owed"):
        view_lists.take(actor=house.treasury, reason="test")
    assert not PayoutView.objects.exists()


def test_a_payment_between_two_pages_of_a_list_changes_neither(
    own_database: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists see one instant, and the payment does not wait for them."""
    clock.mark_as_rehearsal()
    factories.declare_switches()
    factories.make_programme()
    house = make_house(tmp_path)
    ids = factories.make_wallets(3, paid_minor=500)
    monkeypatch.setattr(view_lists, "_ROWS_AT_A_TIME", 1)
    read = view_lists._read_rows

    def slowly(rows: Any) -> Any:
        for number, row in enumerate(read(rows)):
            yield row
            if number == 0 and row.entitlement is None:
                with own_database.connect("none") as other:
                    other.execute("SET session_replication_role = replica")
                    other.execute(
                        "UPDATE wallets_wallet SET paid_minor = 0 WHERE id = %s", [ids[2]]
                    )

    monkeypatch.setattr(view_lists, "_read_rows", slowly)
    view = view_lists.take(actor=house.treasury, reason="test")
    assert (view.people, view.excluded_minor, view.difference_minor) == (3, 1500, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT paid_minor FROM wallets_wallet WHERE id = %s", [ids[2]])
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_the_command_writes_both_files_and_writes_them_again(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _second = house.entitled(2)
    house.apply(first)
    house.check_payees()
    by = {"by": factories.make_staff("treasury_operator").login_id, "reason": "test"}

    call_command("drill", out=tmp_path / "now", **by)

    said = capsys.readouterr().out
    assert "1 could be paid" in said
    assert "50.0 % of the people, 50.0 % of the amount" in said
    assert "application_not_approved: 1 (JPY 1,000)" in said
    view = PayoutView.objects.get()
    call_command("drill", again=view.pk, out=tmp_path / "again", **by)
    for name in ("payable", "excluded"):
        name_of_file = view_lists.file_name(view, name)
        told = (tmp_path / "now" / name_of_file).read_bytes()
        assert told == (tmp_path / "again" / name_of_file).read_bytes()
        assert hashlib.sha256(told).hexdigest() == getattr(view, f"{name}_sha256")
    with pytest.raises(SystemExit) as refused:
        call_command("drill", again=view.pk + 1, **by)
    assert refused.value.code == 1
    assert "there is no such view" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_page_takes_a_view_and_hands_the_files_out(house: House) -> None:
    house.entitled(2)
    reader = browser_of(factories.make_staff("compliance"))
    address = "/console/payout-views/"
    assert b"No payout view was taken yet." in reader.get(address, headers=ENGLISH).content
    taken = reader.post(
        "/console/payout-views/take/",
        {"reason": "drill"},
        follow=True,
        headers=ENGLISH,
    )
    assert b"No application is approved" in taken.content
    view = PayoutView.objects.get()
    answer = reader.get(f"/console/payout-views/{view.pk}/excluded/")
    assert answer.content == b"".join(view.pieces("excluded"))
    assert AuditEntry.objects.filter(action="payouts.open_view", subject=view.subject).exists()
    assert reader.get(f"/console/payout-views/{view.pk}/others/").status_code == 404
    assert b"0.0 % of the people" in reader.get("/console/programme/", headers=ENGLISH).content
    stranger = browser_of(factories.make_staff("support"))
    assert stranger.get("/console/payout-views/").status_code == 403


@pytest.mark.django_db
def test_the_gate_asks_for_a_view_of_these_days_and_for_its_share(house: House) -> None:
    gate = GATES["straight_through"]
    assert gates.failing(gate.counts())
    (row,) = house.entitled(1)
    view_lists.take(actor=house.treasury, reason="test")
    assert [each.missing for each in gate.counts()] == [1, 900]
    house.apply(row)
    house.check_payees()
    with pytest.raises(GuardNotMet, match="less than a minute old"):
        view_lists.take(actor=house.treasury, reason="test")
    clock.travel(clock.now() + view_lists.APART, frozen=True)
    view_lists.take(actor=house.treasury, reason="test")
    assert not gates.failing(gate.counts())
    clock.travel(clock.now() + dt.timedelta(days=3))
    assert [each.missing for each in gate.counts()] == [1]
