"""The application desk: staff work on applications, held refunds and payees by page and command."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.applications import desk_page, names, payees
from refunds.models import Entitlement, Payee, RefundApplication
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House
from tests.refunds.payouts.test_payable import adopt
from tests.signing_in import code_typed
from winddown.authority import approvals
from winddown.models import Approval, AuditEntry

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("holder", "payee", "said"),
    [
        ("ヤマダ タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ", names.SAME),
        ("ヤマダ タロウ", "ﾔﾏﾀﾞﾀﾛｳ", names.SAME),
        ("ヤマダ タロウ", "ﾔﾏﾀﾞ ﾀﾛｵ", names.NEAR),
        ("ヤマダ タロウ", "ﾔﾏﾀﾞ ﾀﾛ", names.NEAR),
        ("ヤマダ タロウ", "ﾀﾛｳ ﾔﾏﾀﾞ", names.SWAPPED),
        ("ヤマダ タロウ", "ｶ)ﾓﾓ", names.COMPANY),
        ("ヤマダ タロウ", "ﾓﾓ(ｶ", names.COMPANY),
        ("ヤマダ タロウ", "ｽｽﾞｷ ﾊﾅｺ", names.OTHER),
        ("", "ﾔﾏﾀﾞ ﾀﾛｳ", names.UNKNOWN),
        ("山田", "ﾔﾏﾀﾞ ﾀﾛｳ", names.UNKNOWN),
    ],
)
def test_the_payees_name_is_held_beside_the_holders(holder: str, payee: str, said: str) -> None:
    assert names.compared(holder, payee) == said


@pytest.fixture
def support(staff: Callable[..., Any]) -> Any:
    return staff("support")


@pytest.fixture
def support2(staff: Callable[..., Any]) -> Any:
    return staff("support")


ACCOUNT = {
    "bank_code": "0001",
    "branch_code": "001",
    "account_type": "1",
    "account_number": "7654321",
    "account_number_again": "7654321",
    "name": "ヤマダ　タロウ",
    "name_again": "ヤマダ　タロウ",
}


def entered(house: House, support: Any) -> RefundApplication:
    """Returns the application that support typed in from a paper form."""
    (owed,) = house.entitled(1)
    typed = {**ACCOUNT, "account": f"account:{owed.wallet.account_id}", "channel": "paper"}
    slip = {**typed, "reason": "form 7", "account_number_again": "7654312"}
    answer = browser_of(support).post("/console/applications/enter/", slip)
    assert 'id="account_number_again-error"' in answer.content.decode()
    assert not RefundApplication.objects.exists()
    for _ in range(2):
        browser_of(support).post("/console/applications/enter/", {**typed, "reason": "form 7"})
    return RefundApplication.objects.get()


def test_a_paper_application_goes_through_the_pages_to_its_approval(
    house: House, support: Any, support2: Any
) -> None:
    application = entered(house, support)
    assert (application.channel, application.state) == ("paper", "identity_check")
    browser = browser_of(support, headers={"accept-language": "en"})
    for verb in ("verify", "confirm", "propose"):
        page = browser.get(f"/console/applications/{application.pk}/").content.decode()
        assert f"/console/applications/{verb}/?application={application.pk}" in page
        for _ in range(2):
            browser.post(
                f"/console/applications/{verb}/",
                {"application": application.pk, "reason": "papers match"},
            )
    request = Approval.objects.latest("pk")
    assert request.subject == application.subject
    browser_of(support2).post(
        f"/console/approvals/{request.pk}/approve/",
        {"digest": request.digest, "amount": "1000", "reason": "papers match"},
    )
    application.refresh_from_db()
    assert (application.state, application.decided_by) == ("approved", support2)
    assert Entitlement.objects.get().state == "approved"


def test_the_queue_keeps_its_filters_in_the_address(
    house: House, support: Any, staff: Callable[..., Any]
) -> None:
    application = entered(house, support)
    link = f'href="/console/applications/{application.pk}/"'
    english = browser_of(support, headers={"accept-language": "en"})
    assert link in english.get("/console/applications/").content.decode()
    for query, shown in (
        ("queue=identity&channel=paper", True),
        ("queue=identity&channel=web", False),
        ("queue=identity&late=on", False),
        ("queue=over", False),
        ("queue=strange", True),
    ):
        page = english.get(f"/console/applications/?{query}").content.decode()
        assert (link in page) is shown, query
    japanese = browser_of(support, headers={"accept-language": "ja"})
    page = japanese.get(f"/console/applications/{application.pk}/").content.decode()
    for shown in ("本人確認待ち", "書面", "口座名義", "保有者のカナ氏名がわかりません。"):
        assert shown in page
    opened = AuditEntry.objects.filter(action="application.open", subject=application.subject)
    assert opened.count() == 1
    assert japanese.get("/console/applications/999/").status_code == 404
    assert browser_of(staff("fraud_analyst")).get("/console/applications/").status_code == 403


def test_the_queue_of_names_that_the_bank_cuts(house: House, support: Any) -> None:
    """Rule 47: a payee's name of more than 30 bytes is paid as its beginning, so people look."""
    short, long = house.entitled(2)
    house.apply(short)
    cut = house.apply(long, account=house.account(name="ヤマダ" * 10 + "　タロウ"))
    assert Payee.objects.get(name_truncated=True).holder == cut.applicant
    browser = browser_of(support)
    listed = browser.get("/console/applications/?queue=approved&truncated=on")
    assert [row.application for row in listed.context["seen"].rows] == [cut]
    assert listed.context["seen"].form.cleaned_data["truncated"]
    everybody = browser.get("/console/applications/?queue=approved")
    assert everybody.context["seen"].total == 2


def test_each_list_of_the_desk_has_its_own_applications(house: House, support: Any) -> None:
    adopt(holders_per_account_max=1)
    first, *others, last = house.entitled(4)
    refused = house.apply(first, quality="no_such_account")
    account = house.account()
    shared = [house.apply(row, account=account) for row in others]
    usual = house.apply(last)
    house.check_payees()
    browser = browser_of(support, headers={"accept-language": "ja"})

    def listed(against: str) -> list[RefundApplication]:
        page = browser.get(f"/console/applications/?queue=sent&against={against}")
        return [row.application for row in page.context["seen"].rows]

    of_list: dict[str, list[Any]] = {code: [] for code in desk_page.AGAINST} | {
        "payee_refused": [refused],
        "shared_account": shared,
    }
    assert {code: listed(code) for code in desk_page.AGAINST} == of_list
    assert listed("") == [refused, *shared, usual]


def test_the_names_stand_side_by_side(house: House, support: Any) -> None:
    application = entered(house, support)
    type(application.applicant).objects.filter(pk=application.applicant_id).update(
        kana_name="タロウ ヤマダ"
    )
    english = browser_of(support, headers={"accept-language": "en"})
    page = english.get(f"/console/applications/{application.pk}/").content.decode()
    assert "タロウ ヤマダ" in page
    assert "ﾔﾏﾀﾞ ﾀﾛｳ" in page
    assert "Family and given name are swapped" in page


def test_commands_ask_answer_and_reject(
    house: House, support: Any, staff: Callable[..., Any]
) -> None:
    application = entered(house, support)
    about = ("--by", support.login_id, "--reason", "test", "--application", str(application.pk))
    call_command("ask_applicant", *about, "--asked-for", "identity")
    application.refresh_from_db()
    assert (application.state, application.asked_for) == ("needs_info", "identity")
    call_command("answer_application", *about)
    call_command("verify_application", *about)
    call_command("confirm_amount", *about)
    call_command("propose_application", *about)
    with code_typed(support):
        call_command("reject_application", *about, "--rejection", "no_answer")
    application.refresh_from_db()
    assert (application.state, application.rejection) == ("rejected", "no_answer")
    assert Entitlement.objects.get().state == "notified"
    with pytest.raises(SystemExit):
        call_command(
            "verify_application", "--by", staff("fraud_analyst").login_id, "--reason", "test",
            "--application", str(application.pk),
        )  # fmt: skip


def test_a_second_person_who_does_not_agree_changes_nothing(
    house: House, support: Any, support2: Any
) -> None:
    application = entered(house, support)
    about = ("--by", support.login_id, "--reason", "test", "--application", str(application.pk))
    for name in ("verify_application", "confirm_amount", "propose_application"):
        call_command(name, *about)
    request = Approval.objects.latest("pk")
    with code_typed(support2):
        call_command(
            "approve", request.subject, "--digest", request.digest, "--reject",
            "--by", support2.login_id, "--reason", "another hand",
        )  # fmt: skip
    application.refresh_from_db()
    assert application.state == "amount_confirmed"
    assert AuditEntry.objects.filter(action="application.decline").count() == 1
    with code_typed(support):
        call_command("withdraw_application", *about)
    application.refresh_from_db()
    assert application.state == "withdrawn"


def test_a_refund_is_held_by_command_and_released_by_two(
    house: House, staff: Callable[..., Any]
) -> None:
    (owed,) = house.entitled(1)
    officer, first, second = (
        staff("compliance"), staff("fraud_supervisor"), staff("fraud_supervisor"),
    )  # fmt: skip
    refund = ("--refund", f"entitlement:{owed.pk}", "--reason", "test")
    with code_typed(officer):
        call_command("hold_refund", *refund, "--by", officer.login_id)
    assert Entitlement.objects.get().state == "held"
    for agreed in (False, True):
        call_command("release_refund", *refund, "--by", first.login_id)
        request = Approval.objects.latest("pk")
        person = second if agreed else staff("fraud_supervisor")
        with code_typed(person):
            call_command(
                "approve", request.subject, "--digest", request.digest, "--reason", "test",
                "--by", person.login_id, *([] if agreed else ["--reject"]),
            )  # fmt: skip
        assert Entitlement.objects.get().state == ("computed" if agreed else "held")


def test_payees_are_overridden_shared_and_asked_about_by_people(
    house: House, support: Any, support2: Any, staff: Callable[..., Any], tmp_path: Any
) -> None:
    (owed,) = house.entitled(1)
    house.apply(owed, quality="no_such_account")
    house.check_payees()
    payee = Payee.objects.get()
    assert payee.state == "refused"
    about = ("--payee", str(payee.pk), "--reason", "passbook seen")
    for name in ("override_payee", "clear_shared_account"):
        call_command(name, *about, "--by", support.login_id)
        request = Approval.objects.latest("pk")
        approvals.carry_out(
            request, shown=request.digest, actor=support2, reason="seen too", approve=True
        )
    payee.refresh_from_db()
    assert (payee.state, payee.shared_cleared_at is not None) == ("overridden", True)

    treasury = staff("treasury_operator")
    said = StringIO()
    words = ("export_check_file", "--out", str(tmp_path), "--by", treasury.login_id)
    call_command(*words, "--reason", "test", stdout=said)
    assert "No account waits for it." in said.getvalue()
    other = entered_payee(house)
    file = browser_of(treasury).post("/console/applications/check-file/", {"reason": "new"})
    assert file["Content-Disposition"].startswith("attachment")
    other.refresh_from_db()
    assert other.state == "asked"
    call_command(*words, "--reason", "lost", "--again", stdout=said)
    assert len(list(tmp_path.glob("check-*"))) == 1


def entered_payee(house: House) -> Payee:
    """Returns the payee of a holder who corrected an account."""
    holder = Payee.objects.get().holder
    return payees.enter(holder, house.account(), actor=holder)
