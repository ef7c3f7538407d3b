"""Merchants get a notice that two people signed, and a receipt of each is known."""

from __future__ import annotations

import datetime as dt
import logging
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client

from accounts import outbox
from accounts.errors import LinkDead
from accounts.merchants import letters, merchant_page, notices, receipts
from accounts.models import CredentialFence, MerchantNotice, MerchantReceipt, Message, OneTimeLink
from accounts.recovery import links
from tests.accounts.mail_server import Mailbox, link_in, text_of
from tests.config.test_every_door import browser_of
from tests.owning import as_loader
from tests.signing_in import code_typed
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted
from winddown.evidence import invariants
from winddown.models import Announcement, AuditEntry, Merchant
from winddown.programme import announcements, gates
from winddown.programme.evidence_files import File
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db
EN, JA = {"accept-language": "en"}, {"accept-language": "ja"}
TEXTS = {
    "title_ja": "{service}終了のお知らせ",
    "body_ja": "{service}は終了します。",
    "title_en": "{service} is ending",
    "body_en": "{service} is ending.\nRead this.",
}


@pytest.fixture
def shops(rehearsal_clock: Any, programme: Any, switches: None) -> list[Merchant]:
    """One by mail, one by mail with an address, one by letter."""
    return [
        Merchant.objects.create(merchant_ref="M-1", name="Sakura Foods", email="One@example.jp"),
        Merchant.objects.create(
            merchant_ref="M-2", name="Momiji", email="two@example.jp", address="東京都千代田区1-1"
        ),
        Merchant.objects.create(merchant_ref="M-3", name="Matsu", address="大阪市北区2-2"),
    ]


@pytest.fixture
def officer(staff: Any) -> Any:
    return staff("compliance")


def release(maker: Any, checker: Any, **changed: str) -> Announcement:
    """A version of the text that two people signed."""
    texts = TEXTS | changed
    made = announcements.draft(kind="merchant", actor=maker, reason="r", **texts)
    request = approvals.newest(made.subject)
    approvals.carry_out(request, shown=request.digest, actor=checker, reason="read", approve=True)
    return made


@pytest.fixture
def text(shops: list[Merchant], officer: Any, staff: Any) -> Announcement:
    return release(officer, staff("incident_commander"))


@pytest.fixture
def sent(text: Announcement, officer: Any, mailbox: Mailbox) -> Announcement:
    notices.send(actor=officer, reason="r")
    outbox.send_due()
    return text


def confirmed() -> list[tuple[str, str]]:
    return list(
        MerchantReceipt.objects.order_by("pk").values_list("merchant__merchant_ref", "channel")
    )


def path_of(mailbox: Mailbox, address: str) -> str:
    return urlsplit(link_in(mailbox.to(address)[-1])).path


# --- it leaves ----------------------------------------------------------------------------------


def test_nothing_leaves_before_two_people_signed_the_text(
    shops: list[Merchant], officer: Any, staff: Any
) -> None:
    with pytest.raises(GuardNotMet, match="no text to merchants is released"):
        notices.send(actor=officer, reason="r")
    announcements.draft(kind="merchant", actor=officer, reason="r", **TEXTS)
    with pytest.raises(GuardNotMet, match="no text to merchants is released"):
        notices.send(actor=officer, reason="r")
    assert not MerchantNotice.objects.exists()


def test_each_merchant_gets_the_signed_text_in_both_languages(
    sent: Announcement, officer: Any, mailbox: Mailbox
) -> None:
    mail = mailbox.to("One@example.jp")[0]
    service = announcements.filled(sent, "en").title
    assert str(mail["Subject"]) == f"{announcements.filled(sent, 'ja').title} / {service}"
    assert "は終了します。" in text_of(mail)
    assert "Read this." in text_of(mail).splitlines()
    assert list(MerchantNotice.objects.order_by("pk").values_list("channel", flat=True)) == [
        "email",
        "email",
        "letter",
    ]
    with pytest.raises(GuardNotMet, match="every merchant has got it"):
        notices.send(actor=officer, reason="r")
    # One that the set-up adds later gets it by the same verb.
    Merchant.objects.create(merchant_ref="M-4", name="Take", email="four@example.jp")
    notices.send(actor=officer, reason="r")
    outbox.send_due()
    assert [mail["To"] for mail in mailbox.mails[2:]] == ["four@example.jp"]
    assert "Sakura" not in str(AuditEntry.objects.values_list("facts", flat=True))


def test_a_mail_that_does_not_arrive_leads_to_a_letter(
    text: Announcement, officer: Any, staff: Any, mailbox: Mailbox, tmp_path: Path
) -> None:
    mailbox.refused.add("two@example.jp")
    notices.send(actor=officer, reason="r")
    outbox.send_due()
    assert letters.waiting() == 1
    assert (notices.follow_up(), notices.follow_up()) == (1, 0)
    path = tmp_path / "results.csv"
    mail = mailbox.to("One@example.jp")[0]
    path.write_text(
        f"message_id,event,at\n{mail['Message-ID']},bounced,{clock.now().isoformat()}\n"
    )
    with as_loader():
        call_command(
            "load_mail_results", str(path), by=staff("incident_commander").login_id, reason="r"
        )
    assert (notices.follow_up(), letters.waiting()) == (1, 3)
    file = letters.export(actor=officer, reason="r").content.decode()
    assert [ref in file for ref in ("M-1", "M-2", "M-3")] == [True] * 3
    assert "東京都千代田区1-1" in file
    assert letters.waiting() == 0


def test_the_reminder_goes_to_those_without_a_receipt_once_a_day(
    sent: Announcement, officer: Any, mailbox: Mailbox
) -> None:
    with pytest.raises(GuardNotMet, match="told within a day"):
        notices.remind(actor=officer, reason="r")
    browser = Client()
    browser.get(path_of(mailbox, "One@example.jp"), follow=True)
    browser.post("/recovery/password/")
    clock.travel(clock.now() + dt.timedelta(days=2), frozen=True)
    notices.remind(actor=officer, reason="r")
    with pytest.raises(GuardNotMet, match="told within a day"):
        notices.remind(actor=officer, reason="r")
    outbox.send_due()
    assert [mail["To"] for mail in mailbox.mails[2:]] == ["two@example.jp"]
    assert "お知らせをもう一度" in text_of(mailbox.mails[-1])
    # The newest letter alone is printed.
    assert MerchantNotice.objects.filter(channel="letter").count() == 2
    assert letters.waiting() == 1


def test_a_mail_is_not_sent_after_the_receipt(
    text: Announcement, shops: list[Merchant], officer: Any, mailbox: Mailbox
) -> None:
    notices.send(actor=officer, reason="r")
    receipts.record(
        merchant=shops[0],
        channel="visit",
        received_at=clock.now(),
        file=File("slip.pdf", b"slip"),
        actor=officer,
        reason="r",
    )
    outbox.send_due()
    assert [mail["To"] for mail in mailbox.mails] == ["two@example.jp"]
    assert notices.follow_up() == 0


def test_what_one_person_waits_for_goes_before_the_notices(
    text: Announcement, officer: Any, customer: Any
) -> None:
    notices.send(actor=officer, reason="r")
    from accounts.addresses import Address

    late = outbox.queue(
        Message.Kind.ACCOUNT_KNOWN, to=Address("email", "me@example.jp"), language="ja"
    )
    assert [each.pk for each in outbox._claim(10)] == [late.pk]


# --- the receipt by the link --------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_merchant_confirms_by_its_link(
    sent: Announcement, mailbox: Mailbox, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = Client(headers={"accept-language": language})
    link = path_of(mailbox, "One@example.jp")
    shown = browser.get(link, follow=True)
    words = {"en": "Read this.", "ja": "は終了します。"}[language]
    assert words in shown.content.decode()
    assert shown.redirect_chain == [("/recovery/password/", 302)]
    assert confirmed() == [], "a look confirms nothing"

    done = browser.post("/recovery/password/", follow=True).content.decode()
    assert {"en": "The receipt is recorded.", "ja": "受領を記録しました。"}[language] in done
    assert 'id="confirmed"' in done
    assert confirmed() == [("M-1", "link")]
    browser.post("/recovery/password/", follow=True)
    # The page stays readable: somebody prints the poster later.
    assert 'id="confirmed"' in Client().get(link, follow=True).content.decode()
    assert confirmed() == [("M-1", "link")]
    assert AuditEntry.objects.filter(action="merchants.confirm").count() == 1
    token = link.removesuffix("/").rpartition("/")[2]
    assert token not in caplog.text
    assert token.partition("-")[2] not in str(AuditEntry.objects.values_list("facts", flat=True))
    assert invariants.breached() == {}


def test_the_link_opens_for_sixty_days_and_no_fence_ends_it(
    sent: Announcement, mailbox: Mailbox, done: Any
) -> None:
    browser, link = Client(headers=EN), path_of(mailbox, "One@example.jp")
    clock.travel(clock.now() + dt.timedelta(days=1), frozen=True)
    done("reset-all-passwords")
    assert CredentialFence.objects.exists()
    clock.travel(clock.now() + dt.timedelta(days=58), frozen=True)
    assert browser.get(link, follow=True).status_code == 200
    clock.travel(clock.now() + dt.timedelta(days=2), frozen=True)
    assert browser.get(link, follow=True).status_code == 410
    assert browser.post("/recovery/password/").status_code == 410
    assert browser.get(link[:-2] + "x/", follow=True).status_code == 410
    assert confirmed() == []


def test_the_link_opens_no_account_and_works_once(sent: Announcement) -> None:
    link = OneTimeLink.objects.filter(purpose="merchant").earliest("pk")
    receipts.confirm(link)
    with pytest.raises(LinkDead):
        links.use(link)
    with pytest.raises(DatabaseError), transaction.atomic():
        OneTimeLink.objects.filter(pk=link.pk).update(merchant=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        OneTimeLink.objects.create(purpose="merchant", issued_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        OneTimeLink.objects.create(
            purpose="recover", merchant_id=link.merchant_id, issued_at=clock.now()
        )


# --- the receipt by staff -----------------------------------------------------------------------


def recorded(door: str, by: Any, tmp_path: Path, **changed: str) -> str:
    """Returns what the door says to the form."""
    at = clock.now() + dt.timedelta(hours=9)
    typed = {
        "merchant": "M-3",
        "channel": "telephone",
        "received_at": f"{at:%Y-%m-%dT%H:%M}",
        "reason": "called",
        **changed,
    }
    if door == "page":
        slip = SimpleUploadedFile("slip.txt", b"a call")
        answer = browser_of(by, headers=EN).post(
            "/console/merchants/record-receipt/", typed | {"evidence": slip}, follow=True
        )
        return str(answer.content.decode())
    file, out = tmp_path / "slip.txt", StringIO()
    file.write_bytes(b"a call")
    reason = typed.pop("reason")
    words = [f"--{name.replace('_', '-')}={value}" for name, value in typed.items()]
    try:
        call_command(
            "record_merchant_receipt",
            *words,
            evidence=str(file),
            by=by.login_id,
            reason=reason,
            stdout=out,
        )
    except SystemExit as end:
        assert end.code
    return out.getvalue()


@pytest.mark.parametrize("door", ["command", "page"])
def test_staff_record_a_receipt_with_its_evidence(
    sent: Announcement, officer: Any, staff: Any, door: str, tmp_path: Path
) -> None:
    recorded(door, staff("support"), tmp_path)
    assert confirmed() == []
    Merchant.objects.create(merchant_ref="M-5", name="Late", email="five@example.jp")
    for changed, said in (
        ({"merchant": "M-9"}, "no merchant of this reference"),
        ({"merchant": "M-5"}, "was not sent to M-5"),
        ({"received_at": "2019-07-01T00:00"}, "had not left then"),
    ):
        assert said in recorded(door, officer, tmp_path, **changed)
    assert confirmed() == []
    recorded(door, officer, tmp_path)
    assert confirmed() == [("M-3", "telephone")]
    assert "has confirmed it already" in recorded(door, officer, tmp_path)
    entry = AuditEntry.objects.get(action="merchants.record_receipt")
    assert (entry.actor, entry.facts["channel"]) == (officer, "telephone")
    with pytest.raises(IntegrityError), transaction.atomic():
        MerchantReceipt.objects.create(
            merchant_id=entry.facts["merchant"] - 1,
            announcement=sent,
            channel="telephone",
            received_at=clock.now(),
        )
    number = MerchantReceipt.objects.get().pk
    if door == "page":
        found = browser_of(officer).get(f"/console/merchants/evidence/{number}/")
        assert found.content == b"a call"
        refused = browser_of(staff("support")).get(f"/console/merchants/evidence/{number}/")
        assert refused.status_code == 403
    else:
        with code_typed(officer):
            call_command(
                "merchant_receipts",
                evidence=number,
                out=tmp_path / "evidence",
                by=officer.login_id,
                reason="r",
                stdout=StringIO(),
            )
        (kept,) = (tmp_path / "evidence").iterdir()
        assert kept.read_bytes() == b"a call"
    assert AuditEntry.objects.filter(action="merchants.read_evidence").count() == 1


# --- the doors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["command", "page"])
def test_send_remind_and_letters_have_a_command_and_a_page(
    text: Announcement, officer: Any, staff: Any, mailbox: Mailbox, door: str, tmp_path: Path
) -> None:
    commands = {"send": "send_merchant_notice", "remind": "remind_merchants"}

    def act(verb: str, by: Any) -> int:
        if door == "page":
            browser_of(by).post(f"/console/merchants/{verb}/", {"reason": "test"})
        else:
            try:
                with code_typed(by):
                    call_command(commands[verb], by=by.login_id, reason="test", stdout=StringIO())
            except SystemExit as end:
                assert end.code
        return MerchantNotice.objects.count()

    assert act("send", staff("support")) == 0
    assert (act("send", officer), act("send", officer)) == (3, 3)
    clock.travel(clock.now() + dt.timedelta(days=2), frozen=True)
    assert act("remind", staff("support")) == 3
    assert (act("remind", officer), act("remind", officer)) == (6, 6)
    clockwork.tick()
    assert {mail["To"] for mail in mailbox.mails} == {"One@example.jp", "two@example.jp"}

    def printed(number: int | None = None) -> str:
        if door == "page":
            answer = browser_of(officer).post(
                "/console/merchants/letters/", {"reason": "test", "number": number or ""}
            )
            return str(answer.content.decode())
        with code_typed(officer):
            call_command(
                "export_merchant_letters",
                by=officer.login_id,
                reason="test",
                out=tmp_path / "letters",
                number=number,
                stdout=StringIO(),
            )
        (written,) = (tmp_path / "letters").iterdir()
        assert written.stat().st_mode & 0o77 == 0
        return str(written.read_text())

    file = printed()
    assert "大阪市北区2-2" in file
    assert file.count('<article id="letter-') == 1
    assert printed(1) == file
    with pytest.raises(GuardNotMet, match="no letter waits"):
        letters.export(actor=officer, reason="r")


@pytest.mark.parametrize("headers", [EN, JA])
def test_the_list_says_who_confirmed_and_its_address_keeps_the_filter(
    sent: Announcement, officer: Any, mailbox: Mailbox, headers: dict[str, str]
) -> None:
    receipts.confirm(OneTimeLink.objects.filter(purpose="merchant").earliest("pk"))
    browser = browser_of(officer, headers=headers)

    def refs(query: str) -> list[str]:
        seen = browser.get(f"/console/merchants/?{query}").context["seen"]
        return [row.merchant.merchant_ref for row in seen.rows]

    assert refs("") == ["M-1", "M-2", "M-3"]
    assert refs("receipt=without") == ["M-2", "M-3"]
    assert refs("receipt=with&channel=link") == ["M-1"]
    assert refs("channel=fax") == refs("receipt=not_told") == []
    assert refs("receipt=nonsense&page=x") == ["M-1", "M-2", "M-3"]
    answer = browser.get("/console/merchants/")
    at = MerchantReceipt.objects.get().received_at + dt.timedelta(hours=9)
    assert f">{at:%Y-%m-%d %H:%M}</time></td>" in answer.content.decode()
    seen = answer.context["seen"]
    assert (seen.figures.without_receipt, seen.figures.confirmed) == (2, 1)
    (count,) = gates.measured("merchants")
    assert (count.missing, count.of) == (2, 3)


def test_the_command_lists_and_counts(sent: Announcement, officer: Any, staff: Any) -> None:
    out = StringIO()
    call_command("merchant_receipts", by=officer.login_id, show="without", stdout=out)
    assert "0 of 3 merchants have confirmed, 3 have not" in out.getvalue()
    assert "M-1  sent  no receipt" in out.getvalue()
    with pytest.raises(SystemExit):
        call_command("merchant_receipts", by=staff("fraud_analyst").login_id, stdout=StringIO())
    with pytest.raises(NotPermitted):
        merchant_page.require_sight(staff("fraud_analyst"))


def test_a_new_version_is_confirmed_anew(
    sent: Announcement, shops: list[Merchant], officer: Any, staff: Any, mailbox: Mailbox
) -> None:
    receipts.confirm(OneTimeLink.objects.filter(purpose="merchant").earliest("pk"))
    newer = release(officer, staff("incident_commander"), body_en="Another end.")
    assert merchant_page.figures(newer).not_told == 3
    notices.send(actor=officer, reason="r")
    outbox.send_due()
    assert "Another end." in text_of(mailbox.to("One@example.jp")[-1])
    assert notices.without_receipt(newer).count() == 3
