"""A claim number comes by letter, and with a code opens the refund to somebody without a login."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from accounts import outbox
from accounts.errors import LinkDead
from accounts.invariants import links_used_for_nothing
from accounts.models import AccessRequest, Message, OneTimeLink, Session, User
from accounts.recovery import access_requests, links
from refunds.applications import claim_letters, claim_numbers, payees
from refunds.models import ClaimLetter, ClaimNumber, Entitlement, Payee, RefundApplication
from tests import factories
from tests.accounts.mail_server import Mailbox, mail_server, text_of
from tests.config.test_every_door import browser_of
from tests.refunds.applications.test_portal import ACCOUNT, NAME, hidden_in
from tests.refunds.conftest import House, jst
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db
DESK = "/console/applications/"


@pytest.fixture
def mails(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as mailbox:
        yield mailbox


@pytest.fixture
def owed(house: House) -> list[Entitlement]:
    """Three refunds: of somebody by mail and post, of two by post alone."""
    found = house.entitled(3)
    User.objects.filter(pk=found[0].wallet.account_id).update(
        email="one@example.jp", email_verified_at=jst("2019-07-01T09:00")
    )
    for each in found:
        holder = User.objects.get(pk=each.wallet.account_id)
        factories.give_postal_address(holder, address="東京都千代田区1-1")
    return found


def holder_of(owed: Entitlement) -> User:
    return User.objects.get(pk=owed.wallet.account_id)


def issued(owed: Entitlement, support: Any) -> tuple[ClaimNumber, str]:
    number = claim_numbers.issue(holder_of(owed), actor=support, reason="lost login")
    return number, claim_numbers.number_of(number)


class Visit:
    """A browser without a login."""

    def __init__(self) -> None:
        self.client = Client(headers={"accept-language": "en"}, enforce_csrf_checks=False)

    def ask(self, number: str) -> str:
        self.client.get("/claim/")
        answer = self.client.post("/claim/", {"number": number}, follow=True)
        access_requests.answer_due()
        outbox.send_due()
        return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())

    def enter(self, number: str, code: str) -> Any:
        return self.client.post("/claim/code/", {"number": number, "code": code})

    def get(self, page: str) -> Any:
        return self.client.get(page)

    def send(self, page: str, **typed: Any) -> Any:
        at = f"/account/refund/{page}"
        shown = self.client.get(at, follow=True).content.decode()
        return self.client.post(at, {**hidden_in(shown), **typed})


def code_in(mails: Mailbox) -> str:
    (found,) = re.findall(r"\b\d{8}\b", text_of(mails.mails[-1]))
    return str(found)


def test_with_number_and_code_the_whole_application_is_sent_without_a_login(
    owed: list[Entitlement], house: House, mails: Mailbox, staff: Any
) -> None:
    number, text = issued(owed[0], staff("support"))
    visit = Visit()
    assert visit.get("/account/refund/")["Location"].startswith("/sign-in/")
    visit.ask(f" {text.lower().replace('-', '　')} ")
    assert mails.mails[-1]["To"] == "one@example.jp"
    code = code_in(mails)
    assert visit.enter(text, code)["Location"] == "/account/refund/"

    assert "JPY 1,000" in visit.get("/account/refund/").content.decode()
    visit.send("bank/", bank="0001")
    visit.send("account/", **ACCOUNT)
    visit.send("name/", **NAME)
    sent = hidden_in(visit.get("/account/refund/check/").content.decode())
    for _ in range(2):
        again = visit.client.post("/account/refund/check/", sent)
        assert again["Location"] == "/account/refund/done/"
    done = RefundApplication.objects.get()
    assert (done.channel, done.state, done.applicant_id) == (
        "claim",
        "approved",
        owed[0].wallet.account_id,
    )
    assert "The bank must confirm" in visit.get("/account/refund/status/").content.decode()
    assert AuditEntry.objects.filter(action="claim_number.open", subject=number.subject).exists()

    # The code works once, neither it nor the number is kept anywhere, and it opens no account.
    assert visit.enter(text, code).status_code == 200
    assert visit.get("/account/sessions/")["Location"].startswith("/sign-in/")
    kept = str([*AuditEntry.objects.values_list("facts", flat=True)]) + "".join(
        str(each.get_decoded()) for each in Session.objects.all()
    )
    assert text not in kept
    assert text.replace("-", "") not in kept
    assert code not in kept
    link = OneTimeLink.objects.get(purpose="claim")
    assert link.used_at is not None
    with pytest.raises(LinkDead):
        links.by_token(links.token(link))
    visit.client.post("/claim/end/")
    assert visit.get("/account/refund/")["Location"].startswith("/sign-in/")
    assert visit.client.post("/claim/end/")["Location"] == "/claim/"
    assert links_used_for_nothing() == []


def test_nothing_tells_whether_a_number_exists(
    owed: list[Entitlement], mails: Mailbox, staff: Any
) -> None:
    support = staff("support")
    _number, text = issued(owed[0], support)
    ended, dead = issued(owed[1], support)
    claim_numbers.end(ended, actor=support, reason="stolen")
    typed = [text, dead, "ABCD-EFGH-ABCD-EFGH", "\u202e\u202etrap\u202c", "'; DROP", "x" * 60]
    pages = {Visit().ask(each) for each in typed}
    assert len(pages) == 1
    assert len(mails.mails) == 1
    assert sorted(AccessRequest.objects.values_list("answer", flat=True)) == [
        "links",
        *["nobody"] * 5,
    ]
    said = {
        re.sub(r'value="[^"]*"', "", Visit().enter(each, "12345678").content.decode())
        for each in typed
    }
    assert len(said) == 1
    for bad in ("\0", "x" * 61, "x" * 100_000):
        assert Visit().client.post("/claim/", {"number": bad}).status_code in (200, 302)
    access_requests.answer_due()
    assert not AccessRequest.objects.filter(answer="failed").exists()


def test_a_code_dies_with_wrong_tries_time_and_its_number(
    owed: list[Entitlement], mails: Mailbox, staff: Any, rehearsal_clock: Any
) -> None:
    support = staff("support")
    number, text = issued(owed[0], support)
    visit = Visit()
    visit.ask(text)
    code = code_in(mails)
    for wrong in range(5):
        assert visit.enter(text, f"{wrong:08d}").status_code == 200
    assert visit.enter(text, code).status_code == 200

    visit.ask(text)
    late = code_in(mails)
    clock.travel(clock.now() + dt.timedelta(minutes=16), frozen=True)
    assert visit.enter(text, late).status_code == 200

    visit.ask(text)
    fresh = code_in(mails)
    other, again = issued(owed[0], support)
    assert again != text
    number.refresh_from_db()
    assert number.ended_at is not None
    for typed in (text, again):
        assert visit.enter(typed, fresh).status_code == 200
    with pytest.raises(GuardNotMet, match="it has ended"):
        claim_numbers.end(number, actor=support, reason="twice")
    clock.travel(clock.now() + claim_numbers.VALID_FOR, frozen=True)
    assert claim_numbers.living(again) is None
    assert other.reference != number.reference


def test_a_visit_ends_with_its_hour_and_its_number_and_asks_again_before_a_change(
    owed: list[Entitlement], house: House, mails: Mailbox, staff: Any, rehearsal_clock: Any
) -> None:
    support = staff("support")
    holder = holder_of(owed[0])
    payees.enter(holder, house.account(), actor=holder)
    number, text = issued(owed[0], support)
    visit = Visit()
    visit.ask(text)
    assert visit.enter(text, code_in(mails)).status_code == 302
    visit.send("bank/", bank="0001")
    visit.send("account/", **ACCOUNT)
    visit.send("name/", **NAME)
    clock.travel(clock.now() + dt.timedelta(minutes=20), frozen=True)
    assert visit.send("change/")["Location"] == "/claim/"
    assert Payee.objects.count() == 1
    visit.ask(text)
    assert visit.enter(text, code_in(mails)).status_code == 302
    # The answers are those that were typed before the new code.
    assert visit.send("change/")["Location"] == "/account/refund/done/"
    assert Payee.objects.count() == 2
    assert Message.objects.filter(user=holder, kind="payee_changed").exists()

    clock.travel(clock.now() + dt.timedelta(minutes=61), frozen=True)
    assert visit.get("/account/refund/status/")["Location"].startswith("/sign-in/")
    visit.ask(text)
    assert visit.enter(text, code_in(mails)).status_code == 302
    claim_numbers.end(number, actor=support, reason="stolen")
    assert visit.get("/account/refund/status/")["Location"].startswith("/sign-in/")


def test_letters_bring_number_form_and_code_to_whom_nothing_else_reaches(
    owed: list[Entitlement], house: House, mails: Mailbox, staff: Any, tmp_path: Path
) -> None:
    """Number and code in one letter box: people look at who applied."""
    officer, support = staff("compliance"), staff("support")
    assert claim_letters.waiting() == 2
    with code_typed(officer):
        call_command(
            "export_claim_letters",
            by=officer.login_id,
            reason="those without mail",
            out=tmp_path,
            number=None,
            stdout=StringIO(),
        )
    printed = (tmp_path / "claim-letters-1.html").read_text()
    assert ClaimNumber.objects.count() == 2
    number = ClaimNumber.objects.get(holder=holder_of(owed[1]))
    text = claim_numbers.number_of(number)
    assert printed.count(text) == 2
    assert printed.count("<svg") == 2
    assert number.reference in printed
    again = browser_of(officer).post(
        "/console/reminders/claim-letters/", {"reason": "jam", "number": 1}
    )
    assert again.content.decode() == printed
    assert ClaimNumber.objects.count() == 2
    with pytest.raises(GuardNotMet, match="no letter waits"):
        claim_letters.export(actor=officer, reason="r")

    visit = Visit()
    for _ in range(2):
        visit.ask(text)
    assert ClaimLetter.objects.exclude(link=None).count() == 1
    second = claim_letters.export(actor=officer, reason="codes").content.decode()
    (code, same) = re.findall(r'class="number">(\d{8})<', second)
    assert code == same
    assert text not in second
    clock.travel(clock.now() + dt.timedelta(days=29), frozen=True)
    visit = Visit()
    assert visit.enter(text, code)["Location"] == "/account/refund/"
    visit.send("bank/", bank="0001")
    visit.send("account/", **ACCOUNT)
    visit.send("name/", **NAME)
    visit.send("check/")
    done = RefundApplication.objects.get()
    assert (done.channel, done.state) == ("web", "identity_check")

    # A number that ended is left out of the file that is printed again.
    claim_numbers.issue(holder_of(owed[1]), actor=support, reason="lost letter")
    third = claim_letters.export(actor=officer, reason="jam", number=1).content.decode()
    assert text not in third
    assert "This letter is not sent" in third


def test_the_desk_starts_from_the_square_of_a_paper_form(
    owed: list[Entitlement], staff: Any, tmp_path: Path
) -> None:
    support, treasury = staff("support"), staff("treasury_operator")
    number, _text = issued(owed[1], support)
    desk = browser_of(support, headers={"accept-language": "en"})
    paper = desk.post(f"{DESK}form/", {"reason": "asked for", "reference": number.reference})
    printed = paper.content.decode()
    assert number.reference in printed
    assert "<path d=" in printed
    for personal in (holder_of(owed[1]).login_id, "千代田", claim_numbers.number_of(number)):
        assert personal not in printed
    with code_typed(support):
        call_command(
            "print_paper_form", by=support.login_id, reason="r", out=tmp_path, stdout=StringIO()
        )
    assert "<svg" not in (tmp_path / "paper-form.html").read_text()

    typed = {
        "account": number.reference,
        "channel": "paper",
        "bank_code": "0001",
        "branch_code": "001",
        "account_type": "1",
        "account_number": "7654321",
        "account_number_again": "7654321",
        "name": "ヤマダ　タロウ",
        "name_again": "ヤマダ　タロウ",
        "reason": "form",
    }
    slip = number.reference[:-1] + str((int(number.reference[-1]) + 1) % 10)
    answer = desk.post(f"{DESK}enter/", {**typed, "account": slip}).content.decode()
    assert "There is no such account" in answer
    for _ in range(2):
        desk.post(f"{DESK}enter/", typed)
    assert RefundApplication.objects.get().applicant_id == owed[1].wallet.account_id

    for verb, given in (
        ("number", {"account": f"account:{owed[1].wallet.account_id}"}),
        ("end-number", {"reference": number.reference}),
    ):
        refused = browser_of(treasury).post(f"{DESK}{verb}/", {**given, "reason": "r"})
        assert refused.status_code == 403
    with code_typed(support):
        call_command(
            "issue_claim_number",
            account=f"account:{owed[1].wallet.account_id}",
            by=support.login_id,
            reason="lost",
            stdout=StringIO(),
        )
        call_command(
            "end_claim_number",
            reference=ClaimNumber.objects.latest("pk").reference,
            by=support.login_id,
            reason="stolen",
            stdout=StringIO(),
        )
    assert not ClaimNumber.objects.filter(ended_at=None).exists()
    assert AuditEntry.objects.filter(action="claim_number.issue", reason="lost").exists()
