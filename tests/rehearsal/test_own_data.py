"""An operator's own programme is rehearsed to the end, and says what would stall."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import MerchantReceipt
from refunds.models import (
    Entitlement,
    IssuerAction,
    IssuerFile,
    Payee,
    PayoutBatch,
    RefundApplication,
    Remedy,
)
from rehearsal.doors import Stall
from rehearsal.own_data import Findings, OwnData
from tests.conftest import Database
from winddown.evidence import invariants
from winddown.models import Filing, Merchant
from winddown.set_up import reading

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial"
EVENTS = """occurred_at,login_id,account_ref,outcome,method,network,device_ref,country,displaced_session
2026-03-31T21:00:00+09:00,akari.aoki,C001,success,password,,,,no
2026-03-31T21:00:00+09:00,akari.aoki,C901,success,password,,,,no
2026-03-31T21:00:00,akari.aoki,C001,success,password,,,,no
"""
pytestmark = pytest.mark.as_owner


def played(
    service: str, data: Path, out: Path, *, claimed: int = 0, more: str = "", until: str = ""
) -> Findings:
    """The service was rehearsed with `more` in its file, and up to `until`."""
    file = (TUTORIAL / service / "programme.toml").read_text() + more
    if until:
        file = file[: file.index(until)]
    rows = reading.read(file.encode())
    return OwnData(rows, data=data, out=out, tell=print, claimed=claimed).play()


def with_people(*numbers: str, of: str, to: Path) -> Path:
    """Returns a directory with the files of the service, which have the rows of these people alone."""
    data = to / "data"
    data.mkdir()
    for path in (TUTORIAL / of).glob("*.csv"):
        head, *rows = path.read_text().splitlines(keepends=True)
        chosen = [row for row in rows if {*re.findall(r"\b[CW](\d{3})\b", row)} & {*numbers}]
        (data / path.name).write_text(head + "".join(chosen))
    return data


def line(found: Findings, what: str) -> Stall:
    """The one stall with this name."""
    (stall,) = [each for each in found.stalls if each.what == what]
    return stall


@pytest.mark.long_form
@pytest.mark.timeout(600)
def test_the_tutorials_service_is_rehearsed_to_the_end(
    own_database: Database, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(TUTORIAL / "sakura", data)
    (data / "auth_events.csv").write_text(EVENTS)

    found = played("sakura", data, tmp_path, claimed=12)

    assert found.loaded["accounts.csv"] == 50
    assert "auth_events.csv" not in found.loaded
    refused = line(found, "load_auth_events auth_events.csv")
    assert (refused.number, refused.role, refused.door) == (
        2,
        "incident_commander",
        "load_auth_events",
    )
    assert "2 of 3 rows are refused" in refused.why

    # Everybody who can be reached chose a password by the pages. The others get nothing.
    assert (found.unreachable, found.passwords) == (3, 46)
    assert found.forms["sign_in"] == found.forms["recovery:password"] == 46
    cut_off = line(found, "people who cannot be reached")
    assert (cut_off.number, cut_off.door) == (3, "export_unreachable")
    # Whom only the post reaches gets a letter, and applies on paper.
    assert list((tmp_path / "notices").glob("notices-*-letter-*.html"))
    on_paper = RefundApplication.objects.get(channel=RefundApplication.Channel.PAPER)
    assert on_paper.entitlement.wallet.account.account_ref == "C017"
    assert cut_off.amount_minor > 0

    # An issuer that the file does not name is asked nothing, so its claims stay open.
    strange = line(found, "issuer HANAMI_CARD")
    assert (strange.role, strange.door) == ("compliance", "begin")
    assert line(found, "claims that nobody decided").number == strange.number
    # The other one answers late, declines, and is asked again in its own format.
    assert IssuerAction.objects.filter(attempt=2).exists()
    directions = IssuerFile.objects.values_list("direction", flat=True)
    assert set(directions) == set(IssuerFile.Direction.values)
    assert Remedy.objects.filter(failure=Remedy.Failure.DECLINED).exists()
    assert not Remedy.objects.filter(state__in=Remedy.UNDER_WAY).exists()

    # Whoever gave another account was paid in a second batch. Whoever stays silent is a stall.
    assert PayoutBatch.objects.filter(state=PayoutBatch.State.CLOSED).count() == 2
    second = Payee.objects.filter(version=2, holder__wallet__entitlements__state="paid")
    assert second.exists()
    silent = line(found, "bank accounts that cannot be paid")
    assert (silent.role, silent.door) == ("support", "correct_payee")
    assert silent.number == 2
    # Both are excluded once the window is over.
    excluded = Entitlement.objects.filter(state=Entitlement.State.EXCLUDED)
    gone = sum(excluded.values_list("amount_minor", flat=True))
    assert gone == cut_off.amount_minor + silent.amount_minor

    # No amount is in two lines, and each refund that was not paid is in one.
    behind = line(found, "refunds behind a claim")
    unpaid = sum(of["amount_minor"] for of in found.unpaid.values())
    assert unpaid == cut_off.amount_minor + silent.amount_minor + behind.amount_minor
    assert found.total["amount_minor"] == sum(each.amount_minor for each in found.stalls)
    assert all(each.role and each.door for each in found.stalls)
    assert [each for each in found.stalls if each.what.endswith(": people")]

    # Reports, merchants and views are seen to, so a gate that fails has a cause in the data.
    assert Filing.objects.exists()
    assert not Filing.objects.filter(state__in=Filing.WITH_US).exists()
    assert MerchantReceipt.objects.count() == Merchant.objects.count() > 0
    failing = {each.what for each in found.stalls if each.what.startswith("gate ")}
    assert failing == {"gate Every claim is settled", "gate Every holder is paid or excluded"}
    # A claim is open, so there is no proof of the end.
    assert "in no terminal bucket" in line(found, "closing_proof").why
    assert "Claims not settled" in line(found, "complete_programme").why
    assert found.state == "settling"
    assert found.not_exercised == []
    assert json.loads(json.dumps(found.as_dict()))["total"]["stalls"] == len(found.stalls)
    assert invariants.breached() == {}


BANK = """
[[bank_profiles]]
code = "linden_bank"
format = "iso20022"
charset = "utf_8"
lines_max = 5000
file_sum_max_minor = 9999999999
name_truncation = 30
cut_off = "15:00"
account_types = ["1", "2", "4"]
source = "manual of the bank"

[[bank_accounts]]
code = "main"
profile = "linden_bank"
remitter_code = "0123456789"
remitter_name = "ﾘﾝﾃﾞﾝ ﾍﾟｲ"
bank_code = "0001"
branch_code = "001"
account_type = "2"
account_number = "1234567"

[refund_limits]
pays_from = "main"
auto_approve_max_minor = 300000
two_approvers_above_minor = 100000000
cooling_off_hours = 24
holders_per_account_max = 3
source = "decision of the board"
"""


@pytest.mark.long_form
@pytest.mark.timeout(600)
def test_a_service_in_euro_is_paid_by_messages_of_iso_20022(
    own_database: Database, tmp_path: Path
) -> None:
    found = played("linden", TUTORIAL / "linden", tmp_path, more=BANK)

    assert {path.suffix for path in (tmp_path / "to-bank").iterdir()} == {".xml"}
    assert {path.suffix for path in (tmp_path / "from-bank").iterdir()} == {".xml"}
    # Nobody asks this bank about accounts: the first transfer of a wrong one comes back.
    assert PayoutBatch.objects.filter(state=PayoutBatch.State.CLOSED).count() == 2
    assert Entitlement.objects.filter(state="paid", returns=1).count() == 2
    silent = line(found, "bank accounts that cannot be paid")
    assert (silent.number, silent.door) == (2, "correct_payee")
    cut_off = line(found, "people who cannot be reached")
    assert set(found.unpaid) == {"excluded"}
    assert found.state == "reported"
    unpaid = sum(of["amount_minor"] for of in found.unpaid.values())
    assert unpaid == silent.amount_minor + cut_off.amount_minor
    assert found.not_exercised == ["fraud claims and card issuers (--claims NUMBER)"]
    assert found.passwords == 46, line(found, "people who were stopped at a page")
    assert invariants.breached() == {}


@pytest.mark.long_form
@pytest.mark.timeout(600)
def test_without_an_account_to_pay_from_the_payouts_stall(
    own_database: Database, tmp_path: Path
) -> None:
    data = with_people("001", "002", "003", "004", "007", "017", "027", of="sakura", to=tmp_path)
    # What a year of the law in euro would show has a line of the proof.
    found = played("sakura", data, tmp_path, until="[refund_limits]")

    stopped = line(found, "payouts")
    assert (stopped.role, stopped.door) == ("compliance", "begin")
    assert "no limits of the refund were adopted" in stopped.why
    nobody = line(found, "refunds that nobody applied for")
    cut_off = line(found, "people who cannot be reached")
    assert found.refunds["excluded"]["holders"] == stopped.number
    assert found.refunds["excluded"]["amount_minor"] == nobody.amount_minor + cut_off.amount_minor
    # Nobody was paid, and everybody has ended: it can be proved and completed.
    assert found.state == "reported"


@pytest.mark.parametrize("words", [("nowhere.toml", "--data=."), ("README.md", "--data=nowhere")])
def test_what_is_not_understood_deletes_nothing(own_database: Database, words: tuple[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("rehearse", *words)
    assert refused.value.returncode == 2
