"""One answer to where a person is reached, at load, plan, export and recovery."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as some

from accounts import addresses, carrier_files, outbox
from accounts.models import AccessRequest, AuthEvent, OneTimeLink, User, reach
from accounts.recovery import by_link, links
from accounts.reset_notices import notice_files
from tests import factories
from tests.accounts.conftest import NEW, hashed
from tests.accounts.mail_server import Mailbox, link_in, mail_server
from tests.owning import as_loader
from winddown import clock
from winddown.loading import file_kinds
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db

VERIFIED = "2019-06-10T10:00:00+09:00"
# The file of each kind of fault that others had: what is stored, and where it reaches its owner.
CARRIERS = {
    "two.dots": "hana..mori@carrier.test",
    "dot.before.at": "hana.mori.@carrier.test",
    "dot.first": ".hana@carrier.test",
    "plain": "Plain.Person+tag@Carrier.test",
}
LOOK_ALIKES = {
    "kelvin": "\N{KELVIN SIGN}en@mail.test",
    "dotted": "k\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}m@mail.test",
    "sharp": "mo\N{LATIN SMALL LETTER SHARP S}@mail.test",
    "wide": "ｊｕｎ@mail.test",
    "wide.place": "sue@ｍａｉｌ.test",
    "cyrillic": "b\N{CYRILLIC SMALL LETTER O}b@mail.test",
}
PLAIN = {name: f"{name}@mail.test" for name in ("ken", "kim", "moss", "jun", "sue", "bob")}
NUMBERS = {
    "090-3333-4444": "09033334444",
    "+81-90-3333-5555": "09033335555",
    "+81-090-3333-6666": "09033336666",
    "010-81-90-3333-7777": "09033337777",
    "00819033338888": "09033338888",
    "81-90-3333-9999": "09033339999",
    "0120-000-111": "0120000111",
    "+1-415-555-0100": "14155550100",
    "+44-20-7946-0000": "442079460000",
}
NO_NUMBERS = [
    "9033334444",
    "090-3333",
    "0000000000",
    "+81-90-3333",
    "1",
    "0" * 20,
    "+0-90-3333-4444",
]


@pytest.fixture
def mailbox(settings: Any, programme: Any, switches: None) -> Iterator[Mailbox]:
    with mail_server(settings) as mails:
        yield mails


@pytest.fixture
def load(tmp_path: Path, switches: None) -> Callable[..., None]:
    """`load(name={"email": ...})` loads accounts by the command, each address verified."""
    by = factories.make_staff("treasury_operator").login_id

    def load(rows: dict[str, dict[str, str]]) -> None:
        columns = file_kinds.get("accounts").names
        file = tmp_path / f"{factories.unique('accounts')}.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            lines = csv.DictWriter(out, columns, restval="")
            lines.writeheader()
            for ref, row in rows.items():
                at = {f"{name}_verified_at": VERIFIED for name in row if name != "login_id"}
                usual = {"account_ref": ref, "login_id": ref, "registered_at": VERIFIED}
                lines.writerow(usual | at | row)
        with as_loader():
            call_command("load_accounts", str(file), by=by, reason="test")

    return load


def asked(who: str) -> None:
    Client().post("/recovery/", {"who": who})
    clockwork.tick()


# --- one reading --------------------------------------------------------------------------------


@pytest.mark.parametrize(("written", "number"), NUMBERS.items())
def test_a_number_has_one_reading(written: str, number: str) -> None:
    someone = factories.make_customer(phone=written)

    assert User.objects.get(pk=someone.pk).phone_number == number
    assert addresses.understood(written) == addresses.Address("phone", number)
    assert list(addresses.accounts_at(addresses.Address("phone", number))) == [someone]


@pytest.mark.parametrize("written", NO_NUMBERS)
def test_what_is_no_number_reaches_nobody(written: str) -> None:
    someone = factories.make_customer(phone=written, phone_verified_at=clock.now())

    assert addresses.channel_of(User.objects.get(pk=someone.pk)) is None
    assert addresses.understood(written) is None


@given(
    written=some.one_of(
        some.text("0189+-() .", max_size=20),
        some.from_regex(r"[+]?(010|00)?81?0?[0-9-]{8,12}", fullmatch=True).filter(
            lambda text: len(text) <= 20
        ),
    ),
    mail=some.one_of(
        some.from_regex(
            r"[a-zA-Z.\u212a\u0130ß%']{1,9}@[a-z.ｍ-]{1,9}[.][a-z0-9]{1,4}", fullmatch=True
        ),
        some.emails(),
        some.text(max_size=12).filter(lambda text: "\0" not in text),
    ).filter(lambda text: len(text) <= 254),
)
@settings(max_examples=200, deadline=None)
def test_the_database_and_python_read_alike(written: str, mail: str) -> None:
    made = User.objects.create(login_id=factories.unique("read"), phone=written, email=mail)
    read = User.objects.values("phone_number", "mail_address").get(pk=made.pk)

    assert (read["phone_number"] or "") == reach.number_of(written)
    assert (read["mail_address"] or "") == reach.mail_of(mail)


# --- the letters as stored ----------------------------------------------------------------------


@pytest.mark.parametrize(("login_id", "address"), CARRIERS.items())
def test_a_link_goes_to_the_stored_letters(
    load: Callable[..., None], mailbox: Mailbox, login_id: str, address: str
) -> None:
    load({login_id: {"email": address}})

    for who in (login_id, address, address.upper()):
        asked(who)

    assert [mail["To"] for mail in mailbox.mails] == [address] * 3
    browser = Client()
    browser.get(urlsplit(link_in(mailbox.mails[-1])).path)
    assert browser.post("/recovery/password/", {"password": NEW, "again": NEW}).status_code == 302
    assert User.objects.get(login_id=login_id).check_password(NEW)


def test_no_link_goes_to_a_look_alike(load: Callable[..., None], mailbox: Mailbox) -> None:
    load({name: {"email": address} for name, address in (LOOK_ALIKES | PLAIN).items()})

    for who in (*LOOK_ALIKES, *LOOK_ALIKES.values()):
        asked(who)
    found = [(mail["To"], link_in(mail)) for mail in mailbox.mails]
    mailbox.mails.clear()
    for address in PLAIN.values():
        asked(address)

    # A text in wide letters means the plain one; its link is the plain account's.
    owners = {
        address: links.by_token(urlsplit(link).path.rstrip("/").rpartition("/")[2]).user.login_id
        for address, link in found
    }
    assert owners.items() <= {(PLAIN[name], name) for name in PLAIN}
    assert sorted(mail["To"] for mail in mailbox.mails) == sorted(PLAIN.values())
    used = OneTimeLink.objects.values_list("user__login_id", flat=True)
    assert set(used) <= set(PLAIN)


def test_a_telephone_takes_the_place_of_a_mailbox_that_nobody_can_write_to(
    load: Callable[..., None], mailbox: Mailbox, tmp_path: Path
) -> None:
    load({"both": {"email": LOOK_ALIKES["kelvin"], "phone": "+81-090-3333-4444"}})

    asked("both")
    asked("090 3333 4444")

    assert mailbox.mails == []
    actor = factories.make_staff("incident_commander")
    file = outbox.export_phone_messages(actor=actor, reason="test")
    assert file is not None
    rows = table(carrier_files.content(file))
    assert [row["number"] for row in rows] == ["09033334444"] * 2
    assert all(re.search(r"\d{8}", row["text"]) for row in rows)


def table(pieces: Iterable[bytes]) -> list[dict[str, str]]:
    """Returns the rows of the file."""
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode())))


# --- what cannot be reached is counted ----------------------------------------------------------


def test_plan_export_and_recovery_agree_on_who_is_reached(
    load: Callable[..., None],
    mailbox: Mailbox,
    started: Callable[..., Any],
    plan_of: Callable[..., dict[str, Any]],
    tmp_path: Path,
) -> None:
    loaded = {name: {"email": address} for name, address in (CARRIERS | LOOK_ALIKES).items()}
    loaded |= {f"number{n}": {"phone": number} for n, number in enumerate(NUMBERS)}
    loaded |= {
        "number.too.short": {"phone": "090-3333"},
        "both": {"email": LOOK_ALIKES["wide"], "phone": "090-1111-2222"},
        "neither": {},
    }
    load(loaded)
    unreached = {*LOOK_ALIKES, "number.too.short", "neither"}

    plan = plan_of("reset-all-passwords", mail="file")

    assert plan["locked_out"]["without_channel"] == len(unreached)
    assert plan["counts"]["notices_by_email"] == len(CARRIERS)
    assert plan["counts"]["notices_by_phone"] == len(NUMBERS) + 1
    run = factories.worked_off(started("reset-all-passwords", mail="file"))
    actor = factories.make_staff("incident_commander")
    listed = notice_files.export_unreachable(run, actor=actor, reason="test")
    assert {row["account_ref"] for row in table(listed.pieces)} == unreached
    told = {}
    for channel in ("email", "phone"):
        done = notice_files.hand_over(run, channel=channel, actor=actor, reason="test")
        rows = table(carrier_files.content(done.files[0]))
        told[channel] = sorted(row["address"] for row in rows)
    assert told["email"] == sorted(CARRIERS.values())
    assert told["phone"] == sorted([*NUMBERS.values(), "09011112222"])
    for name in loaded:
        reached = bool(by_link._meant(name))
        assert reached == (name not in unreached), name


# --- login ids ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("yuki19", ["ｙｕｋｉ１９", "YUKI19", " yuki19 ", "ＹＵＫＩ19"]),
        ("ｍａｒｉ１９", ["mari19", "ＭＡＲＩ１９"]),
        ("İnci19", ["İnci19"]),
        ("ﾊﾅｺ", ["ハナコ", "ﾊﾅｺ"]),
    ],
)
def test_every_door_reads_a_login_id_alike(
    load: Callable[..., None], mailbox: Mailbox, written: str, typed: list[str]
) -> None:
    """Full width letters come from Japanese keyboards."""
    load({written: {"email": "someone@mail.test"}})
    someone = User.objects.customers().get()
    User.objects.filter(pk=someone.pk).update(password=hashed(NEW), password_set_at=clock.now())

    for text in typed:
        browser = Client()
        browser.post("/sign-in/", {"login_id": text, "password": NEW})
        assert browser.session.get("_auth_user_id") == str(someone.pk), text
    asked(typed[0])
    assert [mail["To"] for mail in mailbox.mails] == ["someone@mail.test"]


def test_widths_of_a_text_share_the_limit_of_links(mailbox: Mailbox) -> None:
    for text in ("yuki19", "ｙuki19", "yｕki19", "yuｋi19", " yukｉ19", "YUKI19"):
        Client().post("/recovery/", {"who": text})

    assert AccessRequest.objects.count() == 5


def test_widths_of_a_login_id_share_its_limit(mailbox: Mailbox) -> None:
    factories.make_customer(login_id="yuki19", password=hashed(NEW))
    for text in ("yuki19", "ｙuki19", "yｕki19", "yuｋi19", "yukｉ19"):
        Client().post("/sign-in/", {"login_id": text, "password": "guess"})
        Client().post("/sign-in/", {"login_id": f"x{text}", "password": "guess"})

    for text in ("YUKI１９", "xYUKI１９"):
        Client().post("/sign-in/", {"login_id": text, "password": NEW})
        assert AuthEvent.objects.latest("id").outcome == "refused"


@pytest.mark.parametrize("written", ["x" * 250 + "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"])
def test_a_login_id_without_a_spelling_is_refused_at_the_load(
    load: Callable[..., None], written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        load({"A1": {"login_id": written}})

    assert "line 2, login_id: cannot be stored in normal width" in capsys.readouterr().out
