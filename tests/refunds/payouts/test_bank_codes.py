"""One version of the public bank codes is in force, earlier ones stay, and later ones take two people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.applications import payees
from refunds.bank_accounts import Account
from refunds.bankfiles import bank_list
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.zengin_codes import BankRow, BranchRow
from refunds.models import BankDataset, Branch
from refunds.payouts import bank_codes
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, person
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, PlanChanged
from winddown.models import Approval, AuditEntry

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parents[2] / "golden/bank_list.csv"
FIRST = [BranchRow("0001", "001", "本店", "ﾎﾝﾃﾝ"), BranchRow("0001", "002", "銀座", "ｷﾞﾝｻﾞ")]
LATER = [BranchRow("0001", "001", "本店", "ﾎﾝﾃﾝ"), BranchRow("0001", "003", "新店", "ｼﾝﾃﾝ")]


def load(
    version: str, branches: list[BranchRow] = FIRST, *, actor: Any = None
) -> tuple[BankDataset, Approval | None]:
    return bank_codes.load(
        version=version,
        banks=[BankRow("0001", "みずほ", "ﾐｽﾞﾎ")],
        branches=branches,
        actor=actor or person("refunds.adopt_terms"),
        reason="test",
    )


def decide(request: Approval | None, *, approve: bool = True) -> None:
    assert request is not None
    approvals.carry_out(
        request,
        shown=request.digest,
        actor=person("refunds.approve_payout_batch"),
        reason="test",
        approve=approve,
    )


def in_force() -> str:
    return BankDataset.objects.get(active=True).version


def test_the_first_list_is_in_force_at_once_and_each_later_one_by_two() -> None:
    first, request = load("2019-10")
    assert (request, first.active, first.banks, first.branches) == (None, True, 1, 2)
    later, request = load("2019-11", LATER)
    assert (later.active, in_force()) == (False, "2019-10")
    decide(request)
    assert in_force() == "2019-11"
    assert load("2019-11", LATER)[1] is None
    back, request = load("2019-10")
    assert (back.pk, in_force()) == (first.pk, "2019-11")
    decide(request, approve=False)
    assert in_force() == "2019-11"
    assert (BankDataset.objects.count(), Branch.objects.count()) == (2, 4)
    told = AuditEntry.objects.filter(action__startswith="bank_codes.").order_by("pk")
    assert [each.action.rpartition(".")[2] for each in told] == [
        "load", "ask", "approve", "ask", "reject",
    ]  # fmt: skip


def test_what_would_change_is_counted_and_the_accounts_of_a_closed_branch_too(
    house: House,
) -> None:
    (owed,) = house.entitled(1)
    house.apply(owed)
    payee = owed.wallet.account.payees.get()
    rows = Branch.objects.filter(dataset__active=True).exclude(
        bank_code=payee.bank_code, code=payee.branch_code
    )
    kept = [BranchRow(each.bank_code, each.code, each.name, each.kana) for each in rows]
    renamed = [kept[0]._replace(name="新しい店"), *kept[1:], BranchRow("9900", "999", "店", "ﾐｾ")]
    later, request = load("later", renamed)
    found = bank_codes.changes(later, shown_max=9)
    assert found.counts == {"new": 1, "changed": 1, "closed": 1}
    assert found.payees_closed == 1
    assert [(each.kind, each.payees) for each in found.shown] == [
        ("closed", 1), ("changed", 0), ("new", 0),
    ]  # fmt: skip
    decide(request)
    again = Account(payee.bank_code, payee.branch_code, "1", "1234567", "ヤマダ　タロウ")
    with pytest.raises(payees.PayeeRefused, match="no such branch"):
        payees.enter(owed.wallet.account, again, actor=owed.wallet.account)


def test_nothing_brings_a_later_list_in_force_without_a_second_person() -> None:
    load("2019-10")
    later, _request = load("2019-11", LATER)
    with pytest.raises(DatabaseError, match="without a second person"):
        BankDataset.objects.filter(pk=later.pk).update(active=True)


def test_a_list_that_another_one_overtook_is_asked_for_again() -> None:
    load("2019-10")
    _, overtaken = load("2019-11", LATER)
    _, other = load("2019-12", [FIRST[1]])
    decide(other)
    with pytest.raises(PlanChanged):
        decide(overtaken)
    assert in_force() == "2019-12"


def test_other_codes_under_the_name_of_a_version_are_refused() -> None:
    load("2019-10")
    with pytest.raises(GuardNotMet, match="other codes"):
        load("2019-10", LATER)


def test_only_who_adopts_terms_loads_a_list() -> None:
    with pytest.raises(NotPermitted):
        load("2019-10", actor=person("refunds.approve_payout_batch"))


def test_a_file_is_uploaded_at_the_page_and_by_the_command(
    client: Any, staff: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    officer = staff("compliance")
    call_command(
        "load_bank_codes", file=str(GOLDEN), list_version="2019-10", by=officer.login_id, reason="r"
    )
    assert "The list is loaded." in capsys.readouterr().out
    browser = browser_of(officer)
    content = GOLDEN.read_bytes().replace("銀座".encode(), "銀座中央".encode())
    form = {
        "file": SimpleUploadedFile("codes.csv", content),
        "list_version": "2019-11",
        "reason": "the list of November",
    }
    answer = browser.post("/console/bank-codes/load/", form, follow=True)
    assert answer.status_code == 200
    page = browser.get("/console/bank-codes/").content.decode()
    assert "2019-11 で変わること" in page
    assert "銀座中央" in page
    # The same form again asks for the same list once.
    form["file"] = SimpleUploadedFile("codes.csv", content)
    browser.post("/console/bank-codes/load/", form)
    assert Approval.objects.filter(subject__startswith="bank_dataset:").count() == 1
    decide(Approval.objects.get(subject__startswith="bank_dataset:"))
    assert in_force() == "2019-11"
    answer = browser.post("/console/bank-codes/load/", {"list_version": "x", "reason": "r"})
    assert "版は、ファイルがあるときだけ" in answer.content.decode()


def test_a_list_is_read_whole_or_refused_with_its_place() -> None:
    read = bank_list.read(GOLDEN.read_bytes())
    assert [each.code for each in read.banks] == ["0001", "9900"]
    assert read.branches[1] == BranchRow("0001", "219", "銀座", "ｷﾞﾝｻﾞ")
    text = GOLDEN.read_bytes().decode()
    for old, new, why in (
        ("0001,みずほ", "001,みずほ", "bank code of four digits"),
        (",219,", ",001,", "ascend"),
        ("銀座,ギンザ", "銀座,銀座", "kana of at most"),
        ("銀座,ギンザ", ",ギンザ", "name expected"),
        ("0001,みずほ,ミズホ,219", "0001,みずほ,ミス,219", "one name for one bank"),
    ):
        with pytest.raises(BankFileError, match=why):
            bank_list.read(text.replace(old, new, 1).encode())
