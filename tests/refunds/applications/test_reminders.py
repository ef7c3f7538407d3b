"""Those who have not applied are reminded, once in each wave, over the channel that reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts import addresses, carrier_files, outbox
from accounts.models import Message, User
from refunds.applications import reminder_letters, reminders
from refunds.models import Entitlement, Reminder, ReminderSchedule
from tests import factories
from tests.accounts.mail_server import Mailbox, mail_server, text_of
from tests.config.test_every_door import browser_of
from tests.owning import as_loader
from tests.refunds.conftest import House, jst
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.models import AuditEntry

MORNING_60, MORNING_7 = jst("2019-11-11T09:00"), jst("2020-01-03T09:00")
AT = jst("2019-07-01T09:00")


@pytest.fixture
def mails(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as mailbox:
        yield mailbox


@pytest.fixture
def owed(house: House) -> list[Entitlement]:
    """Six refunds: by mail, by mail and telephone, by telephone, by the post alone, one applied for,
    and one by nothing. The post reaches the first two as well.
    """
    found = house.entitled(6)
    for entitlement, address, phone in zip(
        found,
        ("one@example.jp", "two@example.jp", "", "", "five@example.jp", ""),
        ("", "090-1234-5678", "080-1234-5678", "", "", ""),
        strict=True,
    ):
        User.objects.filter(pk=entitlement.wallet.account_id).update(
            email=address,
            email_verified_at=AT if address else None,
            phone=phone,
            phone_verified_at=AT if phone else None,
            display_name="山田太郎",
        )
    for number in (0, 1, 3):
        factories.give_postal_address(
            found[number].wallet.account, address="東京都千代田区1-1;旭荘 3"
        )
    house.apply(found[4])
    return found


@pytest.fixture
def schedule(owed: list[Entitlement], staff: Any) -> ReminderSchedule:
    return reminders.begin(actor=staff("compliance"), reason="r")


def channels() -> list[str]:
    return list(Reminder.objects.order_by("holder_id", "pk").values_list("channel", flat=True))


def test_each_person_has_one_reminder_of_the_newest_wave(schedule: ReminderSchedule) -> None:
    assert reminders.follow_up() == 0  # before the first wave
    clock.travel(MORNING_60, frozen=True)
    assert (reminders.follow_up(), reminders.follow_up()) == (4, 0)
    assert channels() == ["email", "email", "phone", "letter"]
    one = Reminder.objects.order_by("pk")[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.create(
            schedule=schedule, days_before=60, holder=one.holder, channel="letter"
        )
    # The wave of 30 days was missed, and is not made up for.
    clock.travel(MORNING_7, frozen=True)
    assert reminders.follow_up() == 4
    assert set(Reminder.objects.values_list("days_before", flat=True)) == {60, 7}
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    assert reminders.follow_up() == 0


def test_what_does_not_arrive_goes_on_to_the_next_channel(
    schedule: ReminderSchedule, mails: Mailbox, staff: Any, tmp_path: Path
) -> None:
    """Refused at once or sent back later: telephone, then letter."""
    clock.travel(MORNING_60, frozen=True)
    reminders.follow_up()
    mails.refused.add("two@example.jp")
    outbox.send_due()
    (mail,) = mails.to("one@example.jp")
    assert "2020年1月10日" in text_of(mail)
    assert reminders.follow_up() == 1
    assert channels() == ["email", "email", "phone", "phone", "letter"]

    path = tmp_path / "results.csv"
    path.write_text(
        "message_id,event,at\n" + f"{mail['Message-ID']},bounced,{clock.now().isoformat()}\n"
    )
    with as_loader():
        call_command(
            "load_mail_results",
            str(path),
            by=staff("incident_commander").login_id,
            reason="r",
            stdout=StringIO(),
        )
    assert (reminders.follow_up(), reminders.follow_up()) == (1, 0)
    assert channels() == ["email", "letter", "email", "phone", "phone", "letter"]
    told = [(row.channel, row.people, row.sent, row.failed) for row in reminders.reach(schedule)]
    assert told == [("email", 2, 0, 2), ("phone", 2, 0, 0), ("letter", 2, 0, 0)]
    file = outbox.export_phone_messages(actor=staff("incident_commander"), reason="r")
    assert file is not None
    assert file.rows == 2
    assert "2020年1月10日" in b"".join(carrier_files.content(file)).decode()


def test_whom_nothing_reaches_gets_nothing_and_is_counted(
    schedule: ReminderSchedule, owed: list[Entitlement], mails: Mailbox
) -> None:
    """The rule is that of the list of people without a channel."""
    nobody, by_phone = owed[5].wallet.account, owed[2].wallet.account
    assert list(reminders.not_reached()) == [nobody]
    now = clock.now()
    for person in User.objects.customers():
        cut_off = User.objects.customers().without_channel(verified_by=now)
        assert (person in cut_off) is (addresses.channels_of(person) == []), person
    clock.travel(MORNING_60, frozen=True)
    reminders.follow_up()
    assert not Reminder.objects.filter(holder=nobody).exists()
    # A message that does not arrive leads to no letter where there is no address for one.
    Message.objects.filter(reminder__holder=by_phone).update(
        given_up_at=clock.now(), to_sealed=None
    )
    assert reminders.follow_up() == 0
    assert set(reminders.not_reached()) == {nobody, by_phone}


def test_whoever_has_applied_meanwhile_gets_no_message_and_no_letter(
    schedule: ReminderSchedule,
    owed: list[Entitlement],
    house: House,
    mails: Mailbox,
    staff: Any,
    tmp_path: Path,
) -> None:
    """The mail server, the carrier or the printer may take days."""
    clock.travel(MORNING_60, frozen=True)
    reminders.follow_up()
    for applied in (owed[0], owed[2], owed[3]):
        house.apply(applied)
    outbox.send_due()
    assert [mail["To"] for mail in mails.mails] == ["two@example.jp"]
    assert outbox.export_phone_messages(actor=staff("incident_commander"), reason="r") is None
    assert reminder_letters.waiting() == 0
    with pytest.raises(GuardNotMet, match="no letter waits"):
        reminder_letters.export(actor=staff("compliance"), reason="r")
    assert reminders.follow_up() == 0


def test_nobody_gets_two_letters_or_one_after_the_window(
    schedule: ReminderSchedule, mails: Mailbox, staff: Any
) -> None:
    officer = staff("compliance")
    for morning in (MORNING_60, MORNING_7):
        clock.travel(morning, frozen=True)
        reminders.follow_up()
    assert Reminder.objects.filter(channel="letter").count() == 2
    assert reminder_letters.waiting() == 1
    reminder_letters.export(actor=officer, reason="r")
    assert Reminder.objects.get(letter_file=1).days_before == 7
    assert reminder_letters.waiting() == 0
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    outbox.send_due()
    assert not mails.mails


def test_what_one_person_waits_for_goes_before_the_reminders(
    schedule: ReminderSchedule, owed: list[Entitlement]
) -> None:
    clock.travel(MORNING_60, frozen=True)
    reminders.follow_up()
    person = User.objects.get(pk=owed[0].wallet.account_id)
    late = outbox.queue(
        Message.Kind.ACCOUNT_KNOWN, to=addresses.verified(person, "email"), language="ja"
    )
    assert [each.pk for each in outbox._claim(10)] == [late.pk]
    assert len(outbox._claim(10)) == 2


@pytest.mark.parametrize("door", ["command", "page"])
def test_reminders_and_letters_have_a_command_and_a_page(
    owed: list[Entitlement], staff: Any, door: str, tmp_path: Path
) -> None:
    person, browser = staff("compliance"), None

    def begin(by: Any) -> int:
        if door == "page":
            browser_of(by).post("/console/reminders/begin/", {"reason": "test"})
        else:
            try:
                with code_typed(by):
                    call_command("send_reminders", by=by.login_id, reason="test", stdout=StringIO())
            except SystemExit:
                pass
        return ReminderSchedule.objects.count()

    def letters(number: int | None = None) -> str:
        if door == "page":
            answer = browser_of(person).post(
                "/console/reminders/letters/", {"reason": "test", "number": number or ""}
            )
            return str(answer.content.decode())
        with code_typed(person):
            call_command(
                "export_reminder_letters",
                by=person.login_id,
                reason="test",
                out=tmp_path / "letters",
                number=number,
                stdout=StringIO(),
            )
        (written,) = (tmp_path / "letters").iterdir()
        assert written.stat().st_mode & 0o77 == 0
        return str(written.read_text())

    assert begin(staff("support")) == 0
    assert begin(person) == 1
    assert begin(person) == 1
    assert AuditEntry.objects.filter(action="reminders.begin").count() == 1
    clock.travel(MORNING_60, frozen=True)
    reminders.follow_up()
    assert reminder_letters.waiting() == 1
    text = letters()
    assert (
        "〒100-0001<br><bdi>東京都千代田区1-1</bdi><br><bdi>旭荘 3</bdi><br><bdi>山田太郎</bdi> 様"
        in text
    )
    holder = User.objects.get(pk=owed[3].wallet.account_id)
    assert f">{holder.account_ref}</p>" in text
    assert text.count("<article") == 1
    assert reminder_letters.waiting() == 0
    assert letters(1) == text
    assert "山田" not in str(AuditEntry.objects.values_list("facts", flat=True))
    with pytest.raises(GuardNotMet, match="no letter waits"):
        reminder_letters.export(actor=person, reason="r")
    browser = browser_of(person, headers={"accept-language": "en"})
    shown = browser.get("/console/reminders/").content.decode()
    assert "Waves before" in shown
    assert "whom nothing reaches, neither mail nor telephone nor post: 1" in shown
    assert "千代田" not in str(AuditEntry.objects.values_list("facts", flat=True))
