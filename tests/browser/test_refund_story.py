"""A refund from the customer's telephone to the completed programme: five kinds of staff, each at
their own browser, in Japanese and without JavaScript.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from tests.browser.by_keyboard import apply_by_keyboard
from tests.browser.conftest import known, served, sign_in
from tests.browser.test_walk import Person
from tests.refunds.conftest import House, house, jst

__all__ = ["house"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser refund portal")]
OVER = dt.date(2020, 1, 11)
"""The day after the last one of the window."""
ROLES = {
    "seki": "support",
    "mori": "treasury_operator",
    "noda": "treasury_operator",
    "ota": "treasury_approver",
    "doi": "compliance",
    "ueno": "auditor",
}


@pytest.fixture
def site(own_database: Any, house: House, tmp_path: Path) -> Iterator[Any]:
    def populate() -> dict[str, Any]:
        from accounts.sign_in import second_factor
        from refunds.closing import documents
        from tests import factories
        from tests.refunds.claims import all_told
        from tests.refunds.closing.test_closing_documents import given
        from tests.refunds.closing.test_closing_proof import decided
        from winddown.models import Programme

        people = {
            name: known(factories.make_staff(role, display_name=name))
            for name, role in ROLES.items()
        }
        house.bank.states_the_account = True
        walks, _silent = house.entitled(2, paid_minor=1_234)
        factories.bring_to(Programme.current(), "refunding")
        house.trace()
        all_told.filed()
        until = {"until_on": dt.date(2025, 3, 31)}
        for kind, more in (
            *(("residual", {"subject": code, "amount_minor": 0}) for code in documents._sources()),
            ("hosting", {"subject": "hosting", **until}),
            ("successor", {"subject": "Successor", "contact": "03-0000-0000"}),
        ):
            asked = documents.keep(given(kind, **more), actor=people["doi"], reason="test")
            decided(asked, people["ota"])
        return {
            "customer": known(walks.wallet.account).login_id,
            "people": {name: person.login_id for name, person in people.items()},
            "secrets": {each.login_id: second_factor.add_app(each) for each in people.values()},
        }

    log = tmp_path / "web.log"
    with served(own_database, log, populate) as (address, made):
        yield SimpleNamespace(address=address, log=log, **made)


class Clerk(Person):
    """A member of staff, who also exchanges files with the bank."""

    def takes(self, address: str, directory: Path) -> None:
        """The file that the form gives out is in the directory of what the bank gets."""
        self.fill(address)
        with self.page.expect_download() as taken:
            self.page.click("main form button[type=submit]")
        taken.value.save_as(directory / taken.value.suggested_filename)

    def books(self, answer: Path) -> None:
        """The bank's answer was uploaded, looked at and booked."""
        self.page.goto("/console/bank-answers/upload/")
        self.page.set_input_files("[name=file]", answer)
        self.page.fill("[name=reason]", "銀行の回答")
        self.send()
        self.page.click("main a[href*='/bank-answers/book/']")
        self.page.fill("[name=reason]", "内容を確認した")
        self.send()

    def agrees(self, at: str, *, amount: str = "") -> str:
        """What waits on the page for a second person is approved, with its sum if it has one."""
        self.page.goto(at)
        self.page.click("main a[href*='/approvals/'][href$='/approve/']")
        if amount:
            self.page.fill("[name=amount]", amount)
        self.page.fill("[name=reason]", "確認した")
        return self.send()

    def plans(self, second: Clerk, **typed: Any) -> None:
        """A part of the refund was planned, approved by a second person, started and worked off."""
        self.page.goto("/console/workflows/refund-balances/plan/")
        self.page.select_option("[name=part]", typed.pop("part"))
        for name, value in {"reason": "予定どおり", **typed}.items():
            self.page.fill(f"[name={name}]", value)
        self.send()
        run = self.page.url.rstrip("/")
        second.does(f"{run}/approve/")
        self.does(f"{run}/start/")
        meanwhile(_work)
        assert "成功" in self.reads(run)


def meanwhile(does: Callable[[], Any]) -> Any:
    """It is done with a connection of its own, beside the browser."""

    def alone() -> Any:
        try:
            return does()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        return other.submit(alone).result()


def _work() -> None:
    from winddown.runs import working

    working.work_off()


def _batch() -> int:
    from refunds.models import PayoutBatch

    return int(PayoutBatch.objects.get().pk)


def _window_ends() -> None:
    from winddown import clock
    from winddown.programme import milestones

    clock.travel(jst("2020-01-11T09:00"), frozen=True)
    milestones.fire_due()


def _state() -> str:
    from winddown.models import Programme

    return str(Programme.current().state)


@pytest.mark.long_form
def test_five_kinds_of_staff_bring_an_application_to_the_completed_programme(
    site: Any, house: House, open_browser: Callable[..., Any], tmp_path: Path
) -> None:
    def at_desk(name: str) -> Clerk:
        page = open_browser(language="ja", java_script_enabled=False)
        sign_in(page, site, site.people[name])
        return Clerk(page)

    phone = open_browser(language="ja", width=320, java_script_enabled=False)
    # The bank knows the account: its last digit says so.
    apply_by_keyboard(phone, site.customer, bank="みずほ", number="７６５４３２０")

    # Support sees the application, which the rules accepted. The bank is asked about its account.
    assert "1,234円" in at_desk("seki").reads("/console/applications/?queue=approved")
    mori, ota = at_desk("mori"), at_desk("ota")
    mori.takes("/console/applications/check-file/", house.bank.inbox)
    (checked,) = house.bank.work(today=dt.date(2019, 11, 5))
    mori.books(*checked.answers)

    # Treasury plans and makes the file, somebody else approves it, and a third one sends it.
    mori.plans(ota, part="pay", value_date="2019-11-15")
    batch = meanwhile(_batch)
    assert "承認" in ota.agrees(f"/console/payouts/{batch}/", amount="1,234")
    mori.takes(f"/console/payouts/export/?number={batch}", house.bank.inbox)
    at_desk("noda").does(f"/console/payouts/transmit/?number={batch}")
    assert "送りました" in Person(phone).reads("/account/refund/status/")

    # The window ends, and the bank has answered and stated the account until then.
    meanwhile(_window_ends)
    (paid,) = house.bank.work(today=OVER)
    mori, ota, doi = at_desk("mori"), at_desk("ota"), at_desk("doi")
    mori.books(*paid.answers)
    mori.books(house.bank.statement(account="7654321", last_on=OVER - dt.timedelta(days=1)))
    mori.does("/console/bank-days/tie/")
    mori.does(f"/console/payouts/close/?number={batch}")

    # Compliance excludes whoever did not apply. Then only the duties and the proof are missing.
    doi.plans(ota, part="exclude")
    still_open = doi.reads("/console/closing/")
    assert "終了の証明" in still_open
    order = tmp_path / "order.txt"
    order.write_text("the portal stays open")
    doi.page.goto("/console/closing/document/")
    doi.page.select_option("[name=kind]", "portal")
    for name, value in {
        "subject": "ポータル",
        "owner": "システム部",
        "reviewed_on": "2020-01-10",
        "until_on": "2025-03-31",
        "reason": "お問い合わせに備える",
    }.items():
        doi.page.fill(f"[name={name}]", value)
    doi.page.set_input_files("[name=evidence]", order)
    doi.send()
    ota.agrees("/console/closing/")

    # Every wallet is counted, a second person counts again, and the programme is completed.
    mori.does("/console/closing/prove/")
    ota.agrees("/console/closing/", amount="2,468")
    doi.does("/console/programme/complete/")
    assert meanwhile(_state) == "completed"
    ueno = at_desk("ueno")
    proof = ueno.reads("/console/closing/")
    assert re.search("払戻し済み\\s+1\\s+1,234円", proof), proof
    assert "終了の証明を確認" in ueno.reads("/console/audit/")
