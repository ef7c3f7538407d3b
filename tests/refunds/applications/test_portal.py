"""The customer's application by the pages: six screens, kept answers, and one application."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from accounts import outbox
from accounts.models import User
from accounts.sign_in import second_factor
from refunds.applications import holds, payees, submitting
from refunds.models import (
    BankDataset,
    Branch,
    Entitlement,
    MethodTerms,
    Payee,
    RefundApplication,
)
from refunds.payouts import payment_blocks
from refunds.payouts.methods import postal_addresses
from refunds.payouts.methods.postal_addresses import PostalAddress
from rehearsal.bank import NO_REASON
from tests import factories
from tests.accounts.mail_server import mail_server
from tests.accounts.mail_server import text_of as text_of_mail
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, jst, make_house, person
from tests.refunds.payouts.test_waves import plan
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.models import Programme
from winddown.programme import capabilities
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db

AT = "/account/refund/"
ACCOUNT = {"branch": "001", "kind": "1", "number": "1234567"}
NAME = {"family": "ヤマダ", "given": "タロウ"}


class Phone:
    """A customer's browser."""

    def __init__(self, owed: Entitlement, *, language: str = "en", shown_s_ago: int = 0) -> None:
        self.holder = owed.wallet.account
        self.client = browser_of(
            self.holder, headers={"accept-language": language}, shown_s_ago=shown_s_ago
        )

    def get(self, page: str = "") -> str:
        return str(self.client.get(f"{AT}{page}", follow=True).content.decode())

    def send(self, page: str, **typed: Any) -> Any:
        """The form of the page is sent with its hidden fields and what is typed."""
        return self.client.post(f"{AT}{page}", {**hidden_in(self.get(page)), **typed})

    def answer_all(self, **name: Any) -> None:
        self.send("bank/", bank="0001")
        self.send("account/", **ACCOUNT)
        self.send("name/", **{**NAME, **name})


def hidden_in(text: str) -> dict[str, str]:
    """Returns the hidden fields of the page's form."""
    return dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', text))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_customer_applies_by_the_pages_and_a_second_press_changes_nothing(
    house: House, settings: Any
) -> None:
    (owed,) = house.entitled(1, paid_minor=1_234, bonus_minor=50)
    User.objects.filter(pk=owed.wallet.account_id).update(
        email="taro@example.com", email_verified_at=clock.now()
    )
    phone = Phone(owed)

    assert "JPY 1,234" in phone.get()
    assert phone.send("bank/", bank="0001")["Location"] == f"{AT}account/"
    assert phone.send("account/", **ACCOUNT)["Location"] == f"{AT}name/"
    # The draft is encrypted, and the next sign-in goes on where it stopped.
    draft = RefundApplication.objects.get()
    assert draft.state == "draft"
    assert b"1234567" not in bytes(draft.draft_sealed)
    phone = Phone(owed)
    assert f'href="{AT}name/"' in phone.get()
    assert 'value="1234567"' in phone.get("account/")
    assert "1234567" not in str(dict(phone.client.session.items()))

    assert phone.send("name/", **NAME, fallback="on")["Location"] == f"{AT}check/"
    shown = phone.get("check/")
    assert "ﾔﾏﾀﾞ ﾀﾛｳ (8 of 30 bytes)" in shown
    assert "*567" in shown
    sent = hidden_in(shown)
    first, second = (phone.client.post(f"{AT}check/", sent) for _ in range(2))

    assert first["Location"] == second["Location"] == f"{AT}done/"
    done = RefundApplication.objects.get()
    assert (done.state, done.channel, done.confirmed_minor) == ("approved", "app", 1_234)
    assert done.fallback_consent
    assert done.draft_sealed is None
    assert (done.payee.name_kana, done.payee.account_mask) == ("ﾔﾏﾀﾞ ﾀﾛｳ", "*567")
    assert Payee.objects.count() == 1
    receipt = phone.get("done/")
    assert f"<strong>{done.pk}</strong>" in receipt
    assert "1234567" not in receipt
    with mail_server(settings) as mailbox:
        outbox.send_due()
        (told,) = [text_of_mail(mail) for mail in mailbox.mails]
    assert f"Reference number: {done.pk}. Amount: JPY 1,234." in " ".join(told.split())
    assert "567" not in told
    house.money_holds()


def test_a_page_with_an_old_answer_or_another_amount_sends_nothing(house: House) -> None:
    (owed,) = house.entitled(1)
    phone = Phone(owed)
    phone.answer_all()
    old = hidden_in(phone.get("check/"))
    phone.send("account/", **{**ACCOUNT, "number": "7654321"})

    answer = phone.client.post(f"{AT}check/", old)
    assert "in another window" in text_of(answer)
    renewed = hidden_in(text_of(answer))
    answer = phone.client.post(f"{AT}check/", {**renewed, "confirmed_minor": "999"})
    assert "not the amount owed" in text_of(answer)
    assert hidden_in(text_of(answer))["confirmed_minor"] == "1000"
    assert RefundApplication.objects.get().state == "draft"

    # The page that came shows the newest answers, and its form is in order.
    assert phone.client.post(f"{AT}check/", renewed)["Location"] == f"{AT}done/"
    assert Payee.objects.get().account_mask == "*321"


def test_a_bank_is_found_by_name_kana_romaji_code_and_row(house: House) -> None:
    (owed,) = house.entitled(1)
    phone = Phone(owed)
    for typed, code in (
        ("みずほ", "0001"),
        ("ミズホ銀行", "0001"),
        ("mizuho bank", "0001"),
        ("ﾐｽﾞﾎ", "0001"),
        ("0005", "0005"),
        ("mitsubishi", "0005"),
        ("ゆうちょ", "9900"),
        ("yuucho", "9900"),
    ):
        answer = phone.client.post(f"{AT}bank/", {"q": typed}, follow=True)
        assert [each.code for each in answer.context["found"]] == [code], typed
    found = phone.client.get(f"{AT}bank/", {"row": "マ"}).context["found"]
    assert [each.code for each in found] == ["0001", "0005"]
    assert "No bank is called" in phone.get("bank/?q=nowhere")
    for nothing in ({}, {"bank": "\0"}, {"bank": "９９９９"}):
        assert "Enter a name to search for" in text_of(phone.client.post(f"{AT}bank/", nothing))
    again = phone.send("bank/", q="みずほ", switch_language="ja")
    assert 'lang="ja"' in text_of(again)
    assert [each.code for each in again.context["found"]] == ["0001"]


def test_an_account_is_understood_as_people_write_it(house: House) -> None:
    (owed,) = house.entitled(1)
    active = BankDataset.objects.get(active=True)
    for code, name, kana in (("002", "渋谷", "ｼﾌﾞﾔ"), ("003", "渋谷中央", "ｼﾌﾞﾔﾁﾕｳｵｳ")):
        Branch.objects.create(dataset=active, bank_code="0001", code=code, name=name, kana=kana)
    phone = Phone(owed)
    phone.send("bank/", bank="0001")
    for typed, said in (
        ({"number": "12-34-56-78"}, "at most seven digits"),
        ({"number": "12a4"}, "digits only"),
        ({"number": "0000000"}, "Zero is no account number"),
        ({"branch": "999"}, "has no such branch"),
        ({"branch": "渋"}, "2 branches fit"),
    ):
        answer = phone.send("account/", **{**ACCOUNT, **typed})
        assert said in text_of(answer)
    assert 'name="chosen_branch" value="003"' in text_of(answer)
    kept = phone.send("account/", **{**ACCOUNT, "number": "55"}, switch_language="ja")
    assert 'value="55"' in text_of(kept)
    phone.client.cookies.clear()
    phone = Phone(owed)
    phone.send(
        "account/", **{**ACCOUNT, "number": "０１２-３４ ", "branch": "渋"}, chosen_branch="003"
    )
    assert 'value="0001234"' in phone.get("account/")
    assert "渋谷中央" in phone.get("name/")
    # A whole name means that branch alone.
    assert phone.send("account/", **{**ACCOUNT, "branch": "しぶや支店"}).status_code == 302

    # Japan Post Bank has two numbers of its own.
    phone.send("bank/", bank="9900")
    wrong = text_of(phone.send("account/", symbol="20180", yucho_number="12345672"))
    assert "five digits that begin with 0 or 1" in wrong
    assert 'value="20180"' in wrong
    phone.send("account/", symbol="１０１８０", yucho_number="1234567 1")
    assert "From 記号 10180, 番号 12345671" in phone.get("name/")
    phone.send("name/", **NAME)
    phone.send("check/")
    payee = Payee.objects.get()
    assert (payee.bank_code, payee.branch_code, payee.account_type) == ("9900", "018", "1")
    assert payee.account_number == "1234567"


def test_a_name_that_differs_is_asked_about_and_one_that_no_bank_carries_is_refused(
    house: House,
) -> None:
    (owed,) = house.entitled(1)
    phone = Phone(owed)
    phone.send("bank/", bank="0001")
    phone.send("account/", **ACCOUNT)
    for known, typed, asked in (
        ("ヤマダ タロウ", {}, ""),
        ("タロウ ヤマダ", {}, "look swapped"),
        ("ヤマダ タロオ", {}, "One character differs"),
        ("サトウ ハナコ", {}, "another name"),
        ("", {}, ""),
        ("ヤマダ タロウ", {"family": "カ）ヤマダ"}, "name of a company"),
    ):
        User.objects.filter(pk=phone.holder.pk).update(kana_name=known)
        answer = phone.send("name/", **{**NAME, **typed})
        if asked:
            assert asked in text_of(answer)
            answer = phone.send("name/", **{**NAME, **typed}, as_written="on")
        assert answer["Location"] == f"{AT}check/", known
    User.objects.filter(pk=phone.holder.pk).update(kana_name="")

    # Elsewhere than in Japan a name is in Latin letters, and banks stand in no kana rows.
    Programme.objects.update(currency="EUR")
    assert "As the bank writes it in the passbook" not in phone.get("name/")
    assert "For example MUSTER" in phone.get("name/")
    assert "?row=" not in phone.get("bank/")
    Programme.objects.update(currency="JPY")

    wrong = text_of(phone.send("name/", family="山田", given="太郎"))
    assert "cannot carry: 山 田" in wrong
    assert "cannot carry: 太 郎" in wrong
    assert 'value="山田"' in wrong
    phone.send("name/", family="アレクサンドラガブリエラ", given="ヴィクトリアエリザベート")
    assert "(30 of 30 bytes)" in phone.get("check/")
    assert "The rest of the name does not fit" in phone.get("check/")


def test_a_known_account_is_confirmed_alone_and_replaced_with_a_fresh_proof(house: House) -> None:
    """Rule 57: a change waits for the cooling-off, and the page says so."""
    owed, other = house.entitled(2)
    for each in (owed, other):
        payees.enter(each.wallet.account, house.account(), actor=each.wallet.account)
    phone = Phone(owed)
    assert f'href="{AT}check/"' in phone.get()
    assert phone.send("check/")["Location"] == f"{AT}done/"
    done = RefundApplication.objects.get()
    assert (done.state, done.confirmed_minor) == ("approved", 1000)

    second_factor.add_app(other.wallet.account)
    phone = Phone(other, shown_s_ago=3_600)
    phone.answer_all()
    assert phone.client.get(f"{AT}check/")["Location"] == f"{AT}change/"
    assert "takes the place of" in phone.get("change/")
    assert phone.send("change/")["Location"].startswith("/account/confirm/")
    assert Payee.objects.count() == 2
    sure = Phone(other)
    assert sure.send("change/")["Location"] == f"{AT}done/"
    new = Payee.objects.get(replaced_at=None, holder=sure.holder)
    assert new.version == 2
    assert new.usable_from > new.entered_at
    assert "nothing is paid to it before" in sure.get("done/")


def test_before_applications_open_the_account_alone_is_taken(
    programme: Any, tmp_path: Path
) -> None:
    """The session keeps the answers, encrypted: nothing is owed yet that a draft could be of."""
    factories.make_programme(state="announced")
    make_house(tmp_path)
    phone = Phone(Entitlement(wallet=factories.make_wallet(paid_minor=500)))
    assert "Give your bank account" in text_of(phone.client.get("/"))

    phone.answer_all()
    assert "1234567" not in str(dict(phone.client.session.items()))
    assert phone.send("check/")["Location"] == f"{AT}done/"

    assert "We have your bank account" in phone.get("done/")
    assert Payee.objects.get().holder == phone.holder
    assert not RefundApplication.objects.exists()


def test_what_the_bank_could_not_pay_is_tried_again_or_replaced(house: House) -> None:
    """Rule 55, in the words of the three classes of refusals."""
    wrong, shut = house.entitled(2)
    house.apply(wrong, quality="no_such_account")
    house.apply(shut, quality="closed_once")
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()

    phone = Phone(wrong)
    assert "The bank knows no such account." in phone.get()
    home = text_of(phone.client.get("/"))
    assert "We need a correct bank account from you." in home
    assert "in one of the next transfers" not in home
    # What is known is not asked again, but for the number, which a thief would like to read.
    assert f'href="{AT}account/"' in phone.get()
    assert 'name="number" value' not in phone.get("account/")
    for _ in range(2):
        phone.client.post(f"{AT}again/")
    assert list(Payee.objects.filter(holder=phone.holder).values_list("version", "state")) == [
        (1, "refused"),
        (2, "entered"),
    ]
    assert "The bank must confirm the account." in phone.get("status/")

    phone = Phone(shut)
    assert "The account is closed." in phone.get()
    assert "try again" not in phone.get()
    phone.client.post(f"{AT}again/")
    assert Payee.objects.filter(holder=phone.holder).count() == 1
    phone.answer_all()
    assert phone.send("change/")["Location"] == f"{AT}done/"
    shut.refresh_from_db()
    assert (shut.state, shut.returns) == ("approved", 1)
    assert "It came back" not in phone.get("status/")
    house.money_holds()


def test_a_transfer_without_a_reason_is_tried_once_more_on_the_day_that_the_page_says(
    house: House,
) -> None:
    """Nothing is known to be wrong, so nobody has to act: three bank days later, and once only."""
    (owed,) = house.entitled(1)
    house.apply(owed)
    house.check_payees()
    house.bank.quality_of = lambda key: NO_REASON
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()

    phone = Phone(owed)
    said = "we try the same account again on Wed 20 November 2019, once"
    assert said in phone.get()
    assert "Same details, try again" in phone.get()
    assert "You need not do anything now" in phone.get("status/")
    for day, version in ((19, 1), (20, 2), (21, 2)):
        clock.travel(jst(f"2019-11-{day}T10:00"), frozen=True)
        clockwork.do_follow_ups()
        assert Payee.objects.get(holder=phone.holder, replaced_at=None).version == version
    assert "The bank must confirm the account." in phone.get("status/")

    house.bank.quality_of = house.accounts.quality_of
    house.check_payees()
    clock.travel(jst("2019-11-22T10:00"), frozen=True)
    house.bank.quality_of = lambda key: NO_REASON
    house.send(house.paid_batch("2019-11-25"))
    clock.travel(jst("2019-11-25T15:00"), frozen=True)
    house.answers()
    assert "on Thu 28 November" not in phone.get()
    assert "or give us another one" in phone.get()
    clock.travel(jst("2019-12-10T10:00"), frozen=True)
    clockwork.do_follow_ups()
    assert Payee.objects.get(holder=phone.holder, replaced_at=None).version == 2
    house.money_holds()


def test_the_status_names_the_next_wave_and_what_is_missing_for_it(house: House) -> None:
    (owed,) = house.entitled(1)
    plan(house, 10, 12, 15)
    house.apply(owed)
    phone = Phone(owed)
    shown = phone.get("status/")
    assert "The next payment is on Fri 15 November 2019." in shown
    assert "at the end of Tue 12 November 2019:" in shown
    assert "The bank must confirm the account." in shown
    house.check_payees()
    assert "Nothing is missing. You are paid on Fri 15 November 2019." in phone.get("status/")


def test_an_application_is_withdrawn_until_it_is_in_a_file(house: House) -> None:
    taken_back, paid = house.entitled(2)
    for owed in (taken_back, paid):
        house.apply(owed)
    phone = Phone(taken_back)
    assert "Withdraw the application" in phone.get("status/")
    for _ in range(2):
        assert phone.client.post(f"{AT}withdraw/").status_code == 302
    assert RefundApplication.objects.get(entitlement=taken_back).state == "withdrawn"
    assert "We received your application" not in phone.get("done/")
    # Nothing is lost: the account is known, and the amount is confirmed once more.
    assert phone.send("check/")["Location"] == f"{AT}done/"
    assert RefundApplication.objects.filter(entitlement=taken_back).count() == 2

    house.check_payees()
    house.paid_batch()
    phone = Phone(paid)
    assert "Withdraw the application" not in phone.get("status/")
    assert "The bank carries the transfer out on Fri 15 November 2019." in phone.get("status/")
    assert phone.client.post(f"{AT}withdraw/")["Location"] == f"{AT}status/"
    assert RefundApplication.objects.get(entitlement=paid).state == "approved"


def test_the_money_comes_by_letter_or_by_code_where_the_amount_allows(house: House) -> None:
    """The methods and their terms are the registry's; nobody without an account is left over."""
    by_letter, by_code, early = house.entitled(3)
    for place, code in enumerate(("bank", "postal_order", "claim_code"), start=1):
        MethodTerms.objects.create(
            code=code,
            place=place,
            amount_max_minor=100_000,
            costs=[[100_000, 360]],
            money_days=place,
            valid_days=60 * (place - 1),
            source="test",
        )
    phone = Phone(by_letter)
    assert "Cash it within 60 days." in phone.get("bank/")
    assert phone.send("bank/", way="postal_order")["Location"] == f"{AT}address/"
    wrong = phone.send("address/", to="山田 太郎", postal_code="100", lines="東京都千代田区1-1")
    assert 'id="postal_code-error"' in text_of(wrong)
    given = {"to": "山田 太郎", "postal_code": "〒100-0001", "lines": "東京都千代田区1-1"}
    assert phone.send("address/", **given, fallback="on")["Location"] == f"{AT}check/"
    assert "東京都千代田区1-1" in phone.get("check/")
    assert phone.send("check/")["Location"] == f"{AT}done/"
    done = RefundApplication.objects.get(entitlement=by_letter)
    assert (done.method, done.fallback_consent, done.state) == ("postal_order", True, "approved")
    assert postal_addresses.of(done) == PostalAddress("山田 太郎", "1000001", given["lines"])

    phone = Phone(by_code)
    assert phone.send("bank/", way="claim_code")["Location"] == f"{AT}check/"
    assert phone.send("check/")["Location"] == f"{AT}done/"
    assert RefundApplication.objects.get(entitlement=by_code).method == "claim_code"
    assert not Payee.objects.exists()

    # A way that is not offered for the amount is no way.
    MethodTerms.objects.filter(code="postal_order").update(amount_max_minor=1)
    phone = Phone(early)
    assert "Postal payment order" not in phone.get("bank/")
    assert "Enter a name to search for" in text_of(phone.send("bank/", way="postal_order"))
    house.money_holds()


def test_a_statement_is_signed_and_a_changed_one_is_not_ours(
    house: House, tmp_path: Path, staff: Callable[..., Any]
) -> None:
    (owed,) = house.entitled(1, paid_minor=1_234, bonus_minor=50)
    house.apply(owed)
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()
    phone = Phone(owed)

    shown = text_of(phone.client.get("/account/statement/"))
    for said in ("Refund computed", "Sent to the bank", "Paid, as the bank says", "JPY 1,234"):
        assert said in shown
    content = phone.client.get("/account/statement/file/").content
    assert '"Paid, as the bank says",1234' in content.decode("utf-8-sig")
    assert "Opening balance,1234,50" in content.decode()

    def asked(statement: bytes) -> str:
        file = SimpleUploadedFile("statement.csv", statement)
        browser = Client(headers={"accept-language": "en"})
        return text_of(browser.post("/is-this-statement-from-us/", {"statement": file}))

    assert "Yes. We gave this statement" in asked(content)
    assert "No. We did not give this file" in asked(content.replace(b"1234", b"9234"))
    assert "No. We did not give this file" in asked(b"nonsense")
    path, by = tmp_path / "statement.csv", staff("support").login_id
    path.write_bytes(content)
    call_command("check_statement", str(path), by=by)
    path.write_bytes(content[:-20])
    with pytest.raises(SystemExit):
        call_command("check_statement", str(path), by=by)


def test_who_cannot_apply_reads_what_to_do(house: House) -> None:
    held, blocked, owed = house.entitled(3)
    phones = [Phone(each) for each in (held, blocked, owed)]
    for phone in phones:
        phone.send("bank/", bank="0001")

    def reads(phone: Phone) -> str:
        answer = phone.client.post(f"{AT}account/", ACCOUNT, follow=True)
        return text_of(answer).partition("<h1>")[2].partition("</h1>")[0]

    holds.hold(held, actor=person("refunds.hold_entitlement"), reason="test")
    assert reads(phones[0]) == "We are still checking this amount"
    payment_blocks.enter(
        blocked.wallet.account,
        kind="dispute",
        evidence="a court",
        ends_at=clock.now() + dt.timedelta(days=200),
        actor=person("refunds.block_payment"),
        reason="test",
    )
    assert reads(phones[1]) == "Your refund cannot be paid at the moment"
    by = person("winddown.stop_capability")
    capabilities.stop("refund_apply", actor=by, reason="an attack")
    assert reads(phones[2]) == "Applications are stopped at the moment"
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    past_the_guards("UPDATE winddown_capability SET state = 'enabled' WHERE code = 'refund_apply'")
    phone = Phone(owed)
    assert reads(phone) == "The time for applications is over"
    submitting.expire_drafts()
    assert house.run("exclude").state == "succeeded"
    assert Entitlement.objects.get(pk=owed.pk).state == "excluded"
    assert reads(phone) == "The time for applications is over"
    assert not Payee.objects.exists()


def test_who_is_owed_nothing_reads_so_and_staff_have_no_such_page(
    programme: Any, customer: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    browser = browser_of(customer(), headers={"accept-language": "en"})
    assert "No refund is owed to you" in text_of(browser.get(AT))
    assert browser_of(staff("support")).get(AT)["Location"] == "/"
    assert Client().get(AT)["Location"] == f"/sign-in/?next={AT}"
