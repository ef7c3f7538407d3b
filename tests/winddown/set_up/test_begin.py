"""A programme begins from one file, and a changed file waits for a second person."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from refunds.models import BankAccount, BankProfile, Issuer, RefundTerms
from tests.accounts.conftest import NEW
from tests.config.test_every_door import browser_of
from tests.winddown.set_up.steps import CHANGE, Begin, ask, decided
from winddown import clock
from winddown.authority import approvals, roles
from winddown.models import (
    Approval,
    AuditEntry,
    Capability,
    FundingSource,
    Instrument,
    LoginProvider,
    Merchant,
    Programme,
)
from winddown.programme import capabilities, jurisdictions
from winddown.set_up.writing import example

pytestmark = pytest.mark.django_db
LINK = re.compile(r"(\w+) enrols .* at (http\S+)")


def enrol(link: str) -> Client:
    """A browser in which the person of the link chose a password and signed in."""
    browser = Client()
    browser.get(urlsplit(link).path)
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})
    return browser


# --- the beginning --------------------------------------------------------------------------------


def test_the_example_begins_a_programme(begin: Begin) -> None:
    code, said = begin({'"hana"': '"Hana"'})

    assert code == 0, said
    programme = Programme.current()
    assert (programme.name, programme.currency, programme.jurisdiction) == (
        "Sakura Pay",
        "JPY",
        "japan",
    )
    assert set(Capability.objects.values_list("code", flat=True)) == set(capabilities.codes())
    assert Issuer.objects.get().pays_on_day == 10
    limits = RefundTerms.objects.get()
    assert (limits.pays_from, limits.file_records_max) == ("main", 5_000)
    assert limits.file_sum_max_minor == 9_999_999_999
    assert Instrument.objects.get().nature == "third_party_prepaid"
    assert not Merchant.objects.get().paid_out
    people = User.objects.order_by("login_id")
    assert [roles.roles_of(each) for each in people] == [["incident_commander"]] * 2
    assert not any(each.has_usable_password() for each in people)
    entry = AuditEntry.objects.get(action="set_up.begin")
    assert entry.facts["command"]["os_account"]
    assert not clock.is_rehearsal()


def test_each_of_the_first_people_enrols_alone(begin: Begin) -> None:
    links = dict(LINK.findall(begin()[1]))

    assert sorted(links) == ["hana", "ken"]
    for login_id, link in links.items():
        browser = enrol(link)
        browser.post("/sign-in/", {"login_id": login_id, "password": NEW})
        # Without a second factor, only the pages that set one up can be reached.
        assert browser.get("/console/")["Location"].startswith("/account/second-factor/")
        assert Client().get(urlsplit(link).path, follow=True).status_code == 410


def test_a_second_run_changes_nothing_and_renews_the_link_of_whoever_has_not_enrolled(
    begin: Begin,
) -> None:
    links = dict(LINK.findall(begin()[1]))
    enrol(links["hana"])
    rows = [
        *(Programme, Capability, FundingSource, LoginProvider, Instrument, Merchant),
        *(Issuer, BankProfile, BankAccount, RefundTerms, User),
    ]
    before = [list(model.objects.order_by("pk").values()) for model in rows]

    code, said = begin()

    assert code == 0
    assert "Nothing has changed" in said
    assert [list(model.objects.order_by("pk").values()) for model in rows] == before
    (renewed,) = LINK.findall(said)
    assert renewed[0] == "ken"
    assert renewed[1] != links["ken"]
    enrol(renewed[1])
    assert User.objects.get(login_id="ken").check_password(NEW)


def test_a_rehearsal_is_marked_for_good(begin: Begin) -> None:
    assert begin(None, "--rehearsal")[0] == 0
    assert clock.is_rehearsal()


def test_a_real_programme_never_becomes_a_rehearsal(begin: Begin) -> None:
    begin()
    begin(None, "--rehearsal")
    assert not clock.is_rehearsal()


def test_a_key_without_a_value_keeps_the_usual_one(begin: Begin) -> None:
    code, said = begin({"margin_days = 2": 'margin_days = ""'})
    assert code == 0, said
    assert Issuer.objects.get().margin_days == 2


# --- what is refused ------------------------------------------------------------------------------

WRONG = {
    "a key with a slip": (
        {'name = "Ken Mori"': 'nam = "Ken"'},
        "people[2].nam",
        "Did you mean name",
    ),
    "a key that is missing": (
        {'bank_code = "0001"\n': ""},
        "bank_accounts[1].bank_code",
        "required",
    ),
    "no such account": (
        {'pays_from = "main"': 'pays_from = "mian"'},
        "pays_from",
        "known are main",
    ),
    "no such profile": ({'profile = "sakura_bank"': 'profile = "x"'}, "profile", "sakura_bank"),
    "a day that is none": ({'["2019-08-13"]': '["2019-02-30"]'}, "closed_days", "2019-08-13"),
    "a time that is none": ({'"15:00"': '"25:00"'}, "cut_off", "HH:MM"),
    "an account of no type": ({'["1", "2", "4"]': '["3"]'}, "account_types", "1 ordinary"),
    "a shop that nobody can tell": (
        {'email = "momo@example.com"': "", 'address = "1-2-3 Sakura, Tokyo"': ""},
        "merchants[1].email",
        "postal address",
    ),
    "a table with a slip": ({"[refund_limits]": "[refund_limit]"}, "refund_limit", "refund_limits"),
    "a day of no month": ({"closes_on_day = 15": "closes_on_day = 40"}, "closes_on_day", "1 to 31"),
    "no time zone": ({"Asia/Tokyo": "Asia/Tokio"}, "programme.time_zone", "IANA"),
    "no currency": ({'"JPY"': '"JPX"'}, "programme.currency", "ISO 4217"),
    "no offset": ({"00:00:00+09:00": "00:00:00"}, "programme.launched_at", "offset"),
    "no year": ({"2019-07-01T": "0001-01-01T"}, "programme.launched_at", "offset"),
    "no pack": ({'"japan"': '"atlantis"'}, "programme.jurisdiction", "eu, japan, uk"),
    "a basis of another law": (
        {'"discontinued_all"': '"insolvency"'},
        "programme.legal_basis",
        "registration_revoked",
    ),
    "a login with a space": ({'"ken"': '"ken mori"'}, "people[2].login_id", "a to z"),
    "one person twice": ({'"1002"': '"１００１"'}, "people[2].staff_number", "people[1]"),
    "roles that exclude each other": (
        {'["incident_commander"]': '["incident_commander", "auditor"]'},
        "people[1].roles",
        "exclude",
    ),
    "nobody to bring in the others": (
        {'["incident_commander"]': '["support"]'},
        "people",
        "incident_commander",
    ),
    "digits that are missing": ({'"1234567"': '"12345"'}, "account_number", "7 digits"),
    "a table where a list is": ({"[programme]": "[[programme]]"}, "programme", "[programme]"),
}


@pytest.mark.parametrize(("changes", "place", "why"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_named_with_what_is_expected(
    begin: Begin, changes: dict[str, str], place: str, why: str
) -> None:
    code, said = begin(changes)

    assert code == 2
    assert any(place in line and why in line for line in said.splitlines()), said
    assert not Programme.objects.exists()
    assert not User.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(begin: Begin) -> None:
    code, said = begin({"closes_on_day = 15": "closes_on_day = 40", '"JPY"': '"JPX"'})
    assert code == 2
    assert "closes_on_day" in said
    assert "currency" in said


@pytest.mark.parametrize(
    "content",
    ["[programme", "\x00", "a = 1\na = 2", "a = " + "[" * 5_000, "a = " + "9" * 5_000],
    ids=lambda content: content[:12],
)
def test_a_file_that_is_no_toml_is_refused(begin: Begin, content: str) -> None:
    code, said = begin(content=content)
    assert code == 2
    assert "the file:" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = ["Sakura Pay"]', "programme.name: one text, number or instant is expected"),
        ("name = {text = 1}", "programme.name: one text, number or instant is expected"),
        ("launched_at = inf", "programme.launched_at: a text, a number or an instant is expected"),
        ("launched_at = 10:00:00", "programme.launched_at: a text, a number or an instant is"),
    ],
)
def test_a_value_of_a_strange_kind_is_named(begin: Begin, line: str, said: str) -> None:
    key = line.partition(" ")[0]
    usual = next(each for each in example().splitlines() if each.startswith(f"{key} = "))
    code, answer = begin({f"{usual}\n": f"{line}\n"})
    assert (code, said in answer) == (2, True), answer
    assert not Programme.objects.exists()


def test_too_many_tables_are_refused_before_each_is_read(begin: Begin) -> None:
    code, said = begin(content="[[issuers]]\n" * 10_001)
    assert code == 2
    assert "issuers: at most 10,000 tables are expected" in said


def test_a_file_of_an_editor_that_marks_utf_8_is_read(begin: Begin) -> None:
    assert begin(content="\ufeff" + example())[0] == 0
    assert Programme.objects.exists()


@pytest.mark.parametrize("content", ["", '[[people]]\nlogin_id = "x"'])
def test_a_file_without_a_programme_begins_nothing(begin: Begin, content: str) -> None:
    assert begin(content=content or "# empty\n")[0] == 2
    assert not Programme.objects.exists()


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("begin", str(tmp_path / "none.toml"))


# --- a changed file -------------------------------------------------------------------------------


def test_a_changed_file_shows_the_difference_and_waits_for_a_second_person(begin: Begin) -> None:
    begin()
    code, said = begin(CHANGE)
    assert (code, "issuers.SAKURA_CARD.pays_on_day: 10 -> 27" in said) == (2, True)
    assert "--by is missing" in said

    asked = ask(begin)
    assert Issuer.objects.get().pays_on_day == 10
    assert decided(asked, by="hana") == 1
    assert decided(asked, by="ken") == 0
    assert Issuer.objects.get().pays_on_day == 27
    assert RefundTerms.objects.count() == 1
    acts = AuditEntry.objects.filter(subject=asked.subject).order_by("seq")
    assert [each.action for each in acts] == ["set_up.ask", "set_up.adopt"]


def test_another_profile_of_the_bank_changes_the_limits_of_the_refund(begin: Begin) -> None:
    begin()
    changes = {
        "lines_max = 5000": "lines_max = 200",
        'closed_days = ["2019-08-13"]': "closed_days = []",
    }
    asked = ask(begin, changes)
    assert RefundTerms.objects.get().file_records_max == 5_000
    assert decided(asked, by="ken") == 0
    assert BankProfile.objects.get().closed_days == []
    newest = RefundTerms.objects.latest("pk")
    assert (newest.file_records_max, newest.auto_approve_max_minor) == (200, 300_000)
    assert "Nothing has changed" in begin(changes)[1]
    moved = changes | {'account_number = "1234567"': 'account_number = "7654321"'}
    assert decided(ask(begin, moved), by="ken") == 0
    assert RefundTerms.objects.latest("pk").account_number == "7654321"


def test_a_merchant_changes_and_others_come(begin: Begin) -> None:
    begin()
    others = "".join(
        f'[[merchants]]\nmerchant_ref = "M-{n}"\nname = "Shop"\nemail = "m{n}@example.com"\n'
        for n in range(3)
    )
    text = example() + others

    def change(changes: dict[str, str], *words: str) -> tuple[int, str]:
        return begin(changes, *words, content=text)

    changes = {"paid_out = false": "paid_out = true", 'email = "momo@example.com"\n': ""}
    asked = ask(change, changes)
    assert "merchants.M-0001.paid_out: False -> True" in asked.summary["changes"]
    assert decided(asked, by="ken") == 0
    first = Merchant.objects.get(merchant_ref="M-0001")
    assert (first.paid_out, first.email) == (True, "momo@example.com")
    assert Merchant.objects.count() == 4
    assert "Nothing has changed" in change(changes)[1]


def test_a_second_account_is_paid_from_once_two_people_say_so(begin: Begin) -> None:
    begin()
    second = """
[[bank_accounts]]
code = "second"
profile = "sakura_bank"
remitter_code = "0123456789"
remitter_name = "ｻｸﾗﾍﾟｲ(ｶ"
bank_code = "0001"
branch_code = "002"
account_type = "1"
account_number = "0000002"
"""
    text = example() + second

    def change(changes: dict[str, str], *words: str) -> tuple[int, str]:
        return begin(changes, *words, content=text)

    assert decided(ask(change, {}), by="ken") == 0
    assert RefundTerms.objects.latest("pk").branch_code == "001"
    assert decided(ask(change, {'pays_from = "main"': 'pays_from = "second"'}), by="ken") == 0
    assert RefundTerms.objects.latest("pk").branch_code == "002"


def test_a_rejected_change_changes_nothing_and_the_next_one_can_be_asked_for(begin: Begin) -> None:
    begin()
    assert decided(ask(begin), "--reject", by="ken") == 0
    assert Issuer.objects.get().pays_on_day == 10
    assert decided(ask(begin, by="ken"), by="hana") == 0
    assert Issuer.objects.get().pays_on_day == 27


def test_a_change_that_another_change_overtook_is_refused(begin: Begin) -> None:
    begin()
    first = ask(begin)
    assert decided(ask(begin, {"pays_on_day = 10": "pays_on_day = 26"}), by="ken") == 0
    assert decided(first, by="ken") == 1
    assert Issuer.objects.get().pays_on_day == 26
    ken = browser_of(User.objects.get(login_id="ken"), headers={"accept-language": "en"})
    shown = ken.get("/console/set-up/1/approve/")
    assert "reject this request" in str(shown.context["decision"].refused)
    given = {"digest": first.digest, "reason": "overtaken"}
    assert ken.post("/console/set-up/1/reject/", given).status_code == 302
    assert not approvals.open_requests()
    assert Issuer.objects.get().pays_on_day == 26


def test_an_overtaken_change_is_rejected_by_the_command_too(begin: Begin) -> None:
    begin()
    first = ask(begin)
    assert decided(ask(begin, {"pays_on_day = 10": "pays_on_day = 26"}), by="ken") == 0
    assert decided(first, "--reject", by="ken") == 0
    assert not approvals.open_requests()


@pytest.mark.parametrize(
    "changes",
    [
        {"Asia/Tokyo": "Asia/Seoul"},
        {'"JPY"': '"EUR"'},
        {"2019-07-01": "2019-07-02"},
        {'"japan"': '"eu"'},
    ],
    ids=str,
)
def test_what_is_fixed_at_the_beginning_never_changes(
    begin: Begin, changes: dict[str, str]
) -> None:
    begin()
    code, said = begin(changes, "--by=hana", "--reason=t")
    assert code == 2
    assert "since the beginning" in said
    assert not Approval.objects.exists()


def test_people_of_a_changed_file_get_no_account(begin: Begin) -> None:
    begin()
    code, _ = begin({'"ken"': '"eve"', '"1002"': '"1003"'}, "--by=hana", "--reason=t")
    assert code == 0
    assert not User.objects.filter(login_id="eve").exists()


def test_a_check_changes_nothing(begin: Begin) -> None:
    assert begin(None, "--check")[0] == 0
    assert not Programme.objects.exists()
    begin()
    code, said = begin(CHANGE, "--check")
    assert (code, "10 -> 27" in said) == (0, True)
    assert not Approval.objects.exists()


def test_asking_for_a_change_takes_the_permission(begin: Begin, staff: Callable[..., Any]) -> None:
    begin()
    support = staff("support")
    assert begin(CHANGE, f"--by={support.login_id}", "--reason=t")[0] == 1
    assert not approvals.open_requests()


# --- the page -------------------------------------------------------------------------------------


def typed(page: Any) -> str:
    return str(page.context["form"]["content"].value())


def test_two_people_change_the_set_up_on_the_page(begin: Begin) -> None:
    begin()
    hana, ken = (browser_of(User.objects.get(login_id=each)) for each in ("hana", "ken"))
    shown = hana.get("/console/set-up/change/")
    same = {"content": typed(shown), "reason": "letter of the issuer"}
    refused = hana.post("/console/set-up/change/", same)
    assert refused.context["form"].errors["content"]

    changed = same | {"content": typed(shown).replace("pays_on_day = 10", "pays_on_day = 27")}
    assert hana.post("/console/set-up/change/", changed).status_code == 302
    assert (
        "issuers.SAKURA_CARD.pays_on_day: 10 -&gt; 27"
        in ken.get("/console/set-up/").content.decode()
    )
    own = hana.get("/console/set-up/1/approve/")
    digest = ken.get("/console/set-up/1/approve/").context["form"]["digest"].value()
    assert own.context["decision"].refused
    said = {"digest": digest, "reason": "seen"}
    hana.post("/console/set-up/1/approve/", said)
    assert Issuer.objects.get().pays_on_day == 10
    assert ken.post("/console/set-up/1/approve/", said).status_code == 302
    assert Issuer.objects.get().pays_on_day == 27
    ken.post("/console/set-up/1/reject/", said)
    assert Issuer.objects.get().pays_on_day == 27


def test_the_page_keeps_what_was_typed_and_names_each_problem(begin: Begin) -> None:
    begin()
    hana = browser_of(User.objects.get(login_id="hana"))
    wrong = typed(hana.get("/console/set-up/change/")).replace(
        "pays_on_day = 10", "pays_on_day = 0"
    )
    shown = hana.post("/console/set-up/change/", {"content": wrong, "reason": "x"})
    assert shown.status_code == 200
    assert typed(shown) == wrong
    assert "issuers[1].pays_on_day" in str(shown.context["form"].errors)
    assert not Approval.objects.exists()


@pytest.mark.parametrize("place", ["", "change/", "1/approve/"])
def test_the_page_takes_the_permission(begin: Begin, staff: Callable[..., Any], place: str) -> None:
    begin()
    assert browser_of(staff("support")).get(f"/console/set-up/{place}").status_code == 403


# --- packs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", jurisdictions.codes())
def test_each_rule_of_a_pack_has_its_source_and_its_day(code: str) -> None:
    pack = jurisdictions.pack(code)
    assert pack.rules.keys() == jurisdictions.pack("japan").rules.keys()
    assert all(rule.source and rule.valid_from for rule in pack.rules.values())
    assert pack.dates.keys() == jurisdictions.pack("japan").dates.keys()
    assert all(rule.source and rule.valid_from for rule in pack.dates.values())
    assert all(duty.source and duty.due_days >= 0 for duty in pack.filings)
    assert pack.number("window_days_min") >= 60
