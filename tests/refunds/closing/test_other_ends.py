"""Refunds are deposited or taken over by two people, once, and what nobody claims is listed."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, transaction
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from refunds.applications.submitting import EndedElsewhere
from refunds.closing import base_dates, buckets, other_ends, unclaimed
from refunds.closing.invariants import other_ends_differ
from refunds.closing.other_ends import Given
from refunds.invariants import without_a_door
from refunds.models import Entitlement, OtherEnd, Successor
from refunds.payouts import funding, view_lists, wallet_ends
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, jst
from tests.refunds.payouts.test_payable import block, suspect
from tests.signing_in import code_typed
from tests.unguarded import past_the_guards, taken_back
from wallets.models import LedgerAccount, Posting, Wallet
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, LoadRefused, NotPermitted, SamePerson
from winddown.models import Approval
from winddown.programme.evidence_files import File
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(staff: Any) -> Any:
    return staff("compliance")


@pytest.fixture
def second(staff: Any) -> Any:
    return staff("treasury_approver")


def the_list(*owed: Entitlement, more: int = 0) -> File:
    rows = [f"{each.wallet.wallet_ref},{each.amount_minor + more}" for each in owed]
    return File(name="list.csv", content="\n".join(["wallet_ref,amount_minor", *rows]).encode())


def ask(officer: Any, file: File, *, kind: str = "deposited", **more: Any) -> Approval:
    verb = {
        "deposited": other_ends.ask_deposit,
        "transferred": other_ends.ask_transfer,
        "returned": other_ends.ask_return,
        "claimed": other_ends.ask_claimed,
    }[kind]
    said = {
        "institution": "Wakaba" if kind == "transferred" else "Legal Affairs Bureau",
        "contact": "03-0000-0000",
        "reference": "R-1",
        "ended_on": clock.now().date(),
        "evidence": File(name="receipt.pdf", content=f"receipt {more}".encode()),
    }
    return verb(Given(kind=kind, refunds=file, **(said | more)), actor=officer, reason="test")


def agree(request: Approval, by: Any, *, approve: bool = True) -> None:
    approvals.carry_out(request, shown=request.digest, actor=by, reason="test", approve=approve)


def successor(**caps: int) -> None:
    Successor.objects.create(
        name="Wakaba", contact="wakaba.example", source="test",
        **({"day_max_minor": 20_000, "person_max_minor": 100_000} | caps),
    )  # fmt: skip


def now(owed: Entitlement) -> tuple[str, str]:
    fresh = Entitlement.objects.select_related("wallet").get(pk=owed.pk)
    return fresh.state, fresh.wallet.state


def test_two_people_deposit_and_a_late_claimant_is_told_where_to_ask(
    house: House, officer: Any, second: Any
) -> None:
    gone, kept = house.entitled(2)
    request = ask(officer, the_list(gone))
    assert now(gone) == ("computed", "entitled")
    with pytest.raises(SamePerson):
        agree(request, officer)
    agree(request, second)

    assert (now(gone), now(kept)) == (("deposited", "deposited"), ("computed", "entitled"))
    assert Posting.objects.balance_minor(LedgerAccount.DEPOSITED) == 1_000
    assert Posting.objects.balance_minor(LedgerAccount.REFUNDS_PAYABLE) == 1_000
    with pytest.raises(EndedElsewhere, match=r"Legal Affairs Bureau, 03-0000-0000.*R-1"):
        house.apply(gone)
    page = browser_of(gone.wallet.account, headers={"accept-language": "ja"}).get("/")
    for shown in ("供託", "Legal Affairs Bureau", "R-1"):
        assert shown in page.content.decode()
    view = view_lists.take(actor=house.treasury, reason="test")
    assert view.reasons["deposited"] == [1, 1_000]
    assert (view.difference_minor, without_a_door()) == (0, [])
    assert buckets.counted().buckets["deposited"]["wallets"] == 1
    house.money_holds()


def test_what_was_excluded_can_be_deposited_for_its_holder(
    house: House, officer: Any, second: Any
) -> None:
    (owed,) = house.entitled(1)
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    assert house.run("exclude").state == "succeeded"
    agree(ask(officer, the_list(owed)), second)
    assert now(owed) == ("deposited", "deposited")
    assert Posting.objects.balance_minor(LedgerAccount.UNCLAIMED) == 0
    house.money_holds()


def test_a_list_is_refused_whole(house: House, officer: Any, second: Any) -> None:
    applied, waiting = house.entitled(2)
    house.apply(applied)
    for file, why in (
        (the_list(waiting, applied), "line 3: nothing of this wallet can end"),
        (the_list(waiting, more=1), "line 2: 1000 is owed"),
        (the_list(waiting, waiting), "line 3: the wallet was named before"),
        (the_list(), "1 to 5000 rows expected"),
        (File(name="x.csv", content=b"wallet"), "the columns wallet_ref,amount_minor expected"),
        (File(name="x.csv", content=b"\xff"), "no text in UTF-8 or Shift_JIS"),
    ):
        with pytest.raises(LoadRefused, match=why):
            ask(officer, file)
    with pytest.raises(GuardNotMet, match="lies in the future"):
        ask(officer, the_list(waiting), ended_on=clock.now().date() + dt.timedelta(days=1))
    with pytest.raises(NotPermitted):
        ask(house.support, the_list(waiting))
    # Somebody applies between the request and the approval: nothing is changed.
    request = ask(officer, the_list(waiting))
    house.apply(waiting)
    with pytest.raises(GuardNotMet, match="1 of them were applied for"):
        agree(request, second)
    assert (OtherEnd.objects.count(), now(waiting)[0]) == (0, "approved")
    agree(request, second, approve=False)
    assert Posting.objects.balance_minor(LedgerAccount.DEPOSITED) == 0


def test_a_successor_takes_over_within_its_caps_and_once(
    house: House, officer: Any, second: Any
) -> None:
    (owed,) = house.entitled(1, paid_minor=20_000)
    with pytest.raises(GuardNotMet, match="names no such successor"):
        ask(officer, the_list(owed), kind="transferred")
    successor()
    request = ask(officer, the_list(owed), kind="transferred")
    Successor.objects.update(day_max_minor=19_999)
    with pytest.raises(GuardNotMet, match="cap of the successor is 19999"):
        agree(request, second)
    Successor.objects.update(day_max_minor=20_000)
    agree(request, second)
    assert now(owed) == ("transferred", "transferred")
    with pytest.raises(LoadRefused, match="nothing of this wallet can end"):
        ask(officer, the_list(owed), kind="transferred", reference="R-2")
    with pytest.raises(EndedElsewhere, match="Wakaba"):
        house.apply(owed)
    house.money_holds()


def part(owed: Entitlement, amount: int) -> File:
    content = f"wallet_ref,amount_minor\n{owed.wallet.wallet_ref},{amount}"
    return File(name="list.csv", content=content.encode())


def test_what_a_successor_does_not_take_stays_owed_and_is_paid(
    house: House, officer: Any, second: Any
) -> None:
    """Rule 46 of a takeover: 20,000 a day for one person, 30,000 in all, of 50,000."""
    (owed,) = house.entitled(1, paid_minor=50_000)
    successor(person_max_minor=30_000)
    with pytest.raises(GuardNotMet, match="would come to 20001, and the cap of the successor"):
        ask(officer, part(owed, 20_001), kind="transferred")
    agree(ask(officer, part(owed, 20_000), kind="transferred"), second)
    taken, rest = Entitlement.objects.filter(wallet=owed.wallet).order_by("part")
    assert [(each.part, each.amount_minor, each.state) for each in (taken, rest)] == [
        (1, 20_000, "transferred"), (2, 30_000, "computed"),
    ]  # fmt: skip
    assert now(rest)[1] == "entitled"
    assert Posting.objects.balance_minor(LedgerAccount.TRANSFERRED) == 20_000
    house.money_holds()
    # The same day is full; the next day has room for what is left of the cap in all.
    with pytest.raises(GuardNotMet, match="would come to 20001"):
        ask(officer, part(owed, 1), kind="transferred", reference="R-2")
    clock.travel(clock.now() + dt.timedelta(days=1), frozen=True)
    agree(ask(officer, part(owed, 10_000), kind="transferred", reference="R-2"), second)
    clock.travel(clock.now() + dt.timedelta(days=1), frozen=True)
    with pytest.raises(GuardNotMet, match="would come to 30001, and the cap of the successor"):
        ask(officer, part(owed, 1), kind="transferred", reference="R-3")
    last = Entitlement.objects.get(wallet=owed.wallet, state="computed")
    assert (last.part, last.amount_minor) == (3, 20_000)
    house.apply(last)
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()
    assert now(last) == ("paid", "transferred")
    assert (without_a_door(), buckets.counted().differences()) == ([], {})
    house.money_holds()


def test_whoever_is_paid_nothing_gets_nothing_through_a_successor(
    house: House, officer: Any
) -> None:
    (owed,) = house.entitled(1)
    successor()
    for spoiled in (block, suspect):
        with taken_back():
            spoiled(owed)
            with pytest.raises(LoadRefused, match="nothing of this wallet can end"):
                ask(officer, the_list(owed), kind="transferred")
            ask(officer, the_list(owed))


def test_a_deposit_is_not_made_in_part(house: House, officer: Any) -> None:
    (owed,) = house.entitled(1)
    for amount in (999, 0):
        with pytest.raises(LoadRefused, match="1000 is owed"):
            ask(officer, part(owed, amount))


def test_the_amount_of_a_refund_falls_only_by_what_was_taken(
    house: House, officer: Any, second: Any
) -> None:
    (owed,) = house.entitled(1, paid_minor=10_000)
    successor()
    agree(ask(officer, part(owed, 6_000), kind="transferred"), second)
    for amount in (10_000, 2_000, 5_999):
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            Entitlement.objects.filter(pk=owed.pk).update(amount_minor=amount)
        assert sqlstate_of(refused.value) == SqlState.COLUMN_IS_FIXED


def test_what_the_authority_gives_back_is_owed_again(
    house: House, officer: Any, second: Any
) -> None:
    one, other = house.entitled(2)
    with pytest.raises(LoadRefused, match="nothing of this wallet can end"):
        ask(officer, the_list(one), kind="returned")
    agree(ask(officer, the_list(one, other)), second)
    with pytest.raises(LoadRefused, match="nothing of this wallet can end"):
        ask(officer, the_list(one), kind="returned", institution="Another Bureau")
    agree(ask(officer, the_list(one), kind="returned", reference="B-1"), second)
    assert (now(one), now(other)) == (("computed", "entitled"), ("deposited", "deposited"))
    assert Posting.objects.balance_minor(LedgerAccount.DEPOSITED) == 1_000
    house.money_holds()
    # It may be deposited once more, or be applied for and paid.
    agree(ask(officer, the_list(one), reference="R-2"), second)
    agree(ask(officer, the_list(one), kind="returned", reference="B-2"), second)
    house.apply(one)
    assert now(one)[0] == "approved"
    assert (without_a_door(), buckets.counted().differences()) == ([], {})
    house.money_holds()


def test_what_was_excluded_and_came_back_is_excluded_by_the_next_run(
    house: House, officer: Any, second: Any
) -> None:
    (owed,) = house.entitled(1)
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    assert house.run("exclude").state == "succeeded"
    agree(ask(officer, the_list(owed)), second)
    agree(ask(officer, the_list(owed), kind="returned", reference="B-1"), second)
    assert now(owed) == ("computed", "entitled")
    assert house.run("exclude").state == "succeeded"
    assert now(owed) == ("excluded", "excluded")
    house.money_holds()


def test_what_a_person_claimed_at_the_authority_leaves_the_register(
    house: House, officer: Any, second: Any
) -> None:
    (owed,) = house.entitled(1)
    agree(ask(officer, the_list(owed)), second)
    agree(ask(officer, the_list(owed), kind="claimed", reference="P-1"), second)
    assert (now(owed), unclaimed.lines()) == (("deposited", "deposited"), [])
    page = browser_of(owed.wallet.account, headers={"accept-language": "ja"}).get("/")
    assert "P-1" in page.content.decode()
    for kind in ("claimed", "returned"):
        with pytest.raises(LoadRefused, match="nothing of this wallet can end"):
            ask(officer, the_list(owed), kind=kind, reference="P-2")
    assert Posting.objects.balance_minor(LedgerAccount.DEPOSITED) == 1_000
    house.money_holds()


FAULTS = (
    "UPDATE refunds_entitlement SET state = 'computed' WHERE state = 'deposited'",
    "UPDATE refunds_entitlement SET state = 'transferred' WHERE state = 'deposited'",
    "UPDATE refunds_otherend SET kind = 'returned'",
    "UPDATE refunds_otherend SET total_minor = total_minor + 1",
    "DELETE FROM refunds_otherendline",
)


def test_planted_faults_in_lists_are_found(house: House, officer: Any, second: Any) -> None:
    """I75"""
    (owed,) = house.entitled(1)
    agree(ask(officer, the_list(owed)), second)
    assert other_ends_differ() == []
    for fault in FAULTS:
        with taken_back():
            past_the_guards(fault)
            assert other_ends_differ() != [], fault


@pytest.mark.parametrize("state", ["deposited", "transferred"])
def test_the_database_refuses_an_other_end_that_nobody_signed(house: House, state: str) -> None:
    house.entitled(1)
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        Entitlement.objects.update(state=state)
    assert sqlstate_of(refused.value) == SqlState.NOT_APPROVED
    with pytest.raises(DatabaseError) as alone, transaction.atomic():
        OtherEnd.objects.create(
            kind=state, institution="x", contact="x", reference="x", items=1, total_minor=1,
            ended_on=clock.now().date(), approval_subject="other_end:9", evidence_id=1,
        )  # fmt: skip
    assert sqlstate_of(alone.value) == SqlState.NOT_APPROVED


def test_pages_and_commands_record_list_and_refuse(
    house: House, officer: Any, second: Any, staff: Any, tmp_path: Path
) -> None:
    by_page, by_command, waiting = house.entitled(3)
    successor()
    browser = browser_of(officer, headers={"accept-language": "ja"})
    typed = {"institution": "法務局", "contact": "03", "reference": "R-7", "reason": "test"}
    for _twice in range(2):
        browser.post(
            "/console/other-ends/deposit/",
            {
                **typed,
                "ended_on": "2019-11-05",
                "refunds": SimpleUploadedFile("l.csv", the_list(by_page).content),
                "evidence": SimpleUploadedFile("r.pdf", b"receipt"),
            },
        )
    assert Approval.objects.filter(subject__startswith="other_end:").count() == 1
    assert "R-7" in browser.get("/console/other-ends/").content.decode()
    agree(Approval.objects.latest("pk"), second)
    (tmp_path / "l.csv").write_bytes(the_list(by_command).content)
    (tmp_path / "e.pdf").write_bytes(b"letter")
    with code_typed(officer):
        call_command(
            "transfer_refunds", "--by", officer.login_id, "--reason", "test", "--institution",
            "Wakaba", "--reference", "T-1", "--ended-on", "2019-11-05", "--refunds",
            str(tmp_path / "l.csv"), "--evidence", str(tmp_path / "e.pdf"),
        )  # fmt: skip
    agree(Approval.objects.latest("pk"), second)
    assert [now(each)[0] for each in (by_page, by_command, waiting)] == [
        "deposited", "transferred", "computed",
    ]  # fmt: skip

    (tmp_path / "l.csv").write_bytes(the_list(by_page).content)
    (tmp_path / "e.pdf").write_bytes(b"another letter")
    for command in ("take_back_refunds", "record_deposit_claims"):
        with code_typed(officer):
            call_command(
                command, "--by", officer.login_id, "--reason", "test", "--institution", "法務局",
                "--reference", command, "--ended-on", "2019-11-05", "--refunds",
                str(tmp_path / "l.csv"), "--evidence", str(tmp_path / "e.pdf"),
            )  # fmt: skip
        agree(Approval.objects.latest("pk"), second, approve=False)
        assert now(by_page)[0] == "deposited"

    page = browser.get("/console/other-ends/").content.decode()
    for shown in ("法務局", "Wakaba", "基準日", "2019年9月30日"):
        assert shown in page
    said = browser.get("/console/other-ends/unclaimed.csv").content.decode()
    rows = list(csv.DictReader(io.StringIO(said)))
    assert {(row["refund"], row["state"], row["reference"]) for row in rows} == {
        (str(by_page.pk), "deposited", "R-7"), (str(waiting.pk), "computed", ""),
    }  # fmt: skip
    assert sum(line.amount_minor for line in unclaimed.lines()) == 2_000
    call_command(
        "export_unclaimed",
        "--out",
        str(tmp_path / "out"),
        "--by",
        officer.login_id,
        "--reason",
        "r",
    )
    (file,) = (tmp_path / "out").iterdir()
    assert file.read_bytes().decode() == said
    told = io.StringIO()
    call_command("base_dates", "--by", officer.login_id, "--reason", "r", stdout=told)
    assert "2019-09-30: unused balance" in told.getvalue()
    stranger = browser_of(staff("support"))
    assert stranger.get("/console/other-ends/unclaimed.csv").status_code == 403
    assert stranger.post("/console/other-ends/deposit/", typed).status_code == 403
    house.money_holds()


def test_the_unused_balance_follows_the_ledger_and_falls_by_what_ended(
    house: House, officer: Any, second: Any
) -> None:
    """Rules 43 and 44."""
    (owed,) = house.entitled(1, paid_minor=3_000)
    before = base_dates.unused(clock.now())
    clock.travel(clock.now() + dt.timedelta(minutes=1), frozen=True)
    agree(ask(officer, the_list(owed)), second)
    assert base_dates.unused(clock.now()) == before - 3_000
    assert base_dates.unused(clock.now() - dt.timedelta(minutes=1)) == before
    assert [day.isoformat() for day in base_dates.passed()][:1] == ["2019-09-30"]


def test_the_deposit_is_half_above_the_limit_rounded_up(house: House) -> None:
    """Rule 44."""
    found = [funding.deposit_for(balance) for balance in (0, 10_000_000, 10_000_001)]
    assert found == [0, 0, 5_000_001]


WALLET_ENDS = ("paid", "transferred", "deposited", "excluded")


@settings(max_examples=60, deadline=None)
@drawn(parts=st.lists(st.sampled_from(WALLET_ENDS), min_size=1, max_size=4))
def test_the_last_of_several_ends_names_the_bucket(parts: list[str]) -> None:
    """The order in which a wallet's state follows its refunds is that of the closing proof."""
    assert tuple(str(each) for each in wallet_ends.ORDER) == tuple(buckets.ENDS)
    last = max(parts, key=WALLET_ENDS.index)
    assert next(name for name in reversed(tuple(buckets.ENDS)) if name in parts) == last
    assert set(Wallet.DISCHARGED) == {"settled", "transferred", "deposited"}
