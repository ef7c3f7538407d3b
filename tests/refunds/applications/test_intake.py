"""Many applications, accounts and corrections come in by one file, through a command and a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.applications import intake
from refunds.models import Entitlement, Payee, RefundApplication
from rehearsal.forms_file import ACCOUNT, APPLICATION, CORRECTION, METHOD, Sent, written
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House
from wallets.models import Wallet
from winddown.errors import LoadRefused, NotPermitted
from winddown.models import AuditEntry
from winddown.programme.evidence_files import File

pytestmark = pytest.mark.django_db
State = RefundApplication.State


def sent(owed: Entitlement, about: str = APPLICATION, channel: str = "paper", **more: Any) -> Sent:
    return Sent(owed.wallet.wallet_ref, about=about, channel=channel, **more)


def loaded(path: Path, by: Any) -> tuple[int, dict[str, Any]]:
    """Returns the exit code of the command and what it told."""
    out, code = StringIO(), 0
    words = ("load_applications", str(path), "--by", by.login_id, "--reason", "week 41", "--json")
    try:
        call_command(*words, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(out.getvalue())


def test_the_lines_of_a_file_are_in_once_and_a_refused_one_stops_no_other(house: House) -> None:
    rows = house.entitled(4)
    lines = [
        sent(rows[0], account=house.account()),
        sent(rows[1], account=house.account(name="山田")),
        sent(rows[2], channel="app", account=house.account(), confirmed_minor=1000),
        sent(rows[3], ACCOUNT, account=house.account()),
    ]
    with written(lines) as path:
        code, told = loaded(path, house.support)
        again = loaded(path, house.support)
    assert (code, told["taken"], told["refused_lines"]) == (3, 3, [3])
    assert "the bank network cannot carry" in told["message"]
    # Somebody on paper is checked by people; who signed in, in a rehearsal, is not.
    assert list(RefundApplication.objects.order_by("pk").values_list("channel", "state")) == [
        ("paper", State.IDENTITY_CHECK),
        ("app", State.APPROVED),
    ]
    assert Payee.objects.count() == 3
    assert (again[0], again[1]["refused_lines"]) == (3, [3])
    assert RefundApplication.objects.count() == 2
    assert Payee.objects.count() == 3
    said = AuditEntry.objects.filter(action="application.load").order_by("pk")
    assert [entry.facts["taken"] for entry in said] == [3, 1]
    assert {entry.actor_id for entry in said} == {house.support.pk}
    house.money_holds()


def test_a_correction_by_file_takes_the_place_of_the_refused_account(house: House) -> None:
    (owed,) = house.entitled(1)
    house.apply(owed, quality="no_such_account")
    house.check_payees()
    with written([sent(owed, CORRECTION, account=house.account())]) as path:
        browser = browser_of(house.support)
        for _ in range(2):
            file = SimpleUploadedFile("forms.csv", path.read_bytes())
            typed = {"applications": file, "reason": "letters"}
            browser.post("/console/applications/load/", typed)
    assert RefundApplication.objects.get().state == State.APPROVED
    assert Payee.objects.filter(replaced_at=None).get().state == Payee.State.ENTERED
    assert Payee.objects.count() == 2


def test_the_page_gives_the_refused_lines_back_as_a_file(house: House) -> None:
    (owed,) = house.entitled(1)
    with written([sent(owed, METHOD, method="claim_code")]) as path:
        file = SimpleUploadedFile("forms.csv", path.read_bytes())
    browser = browser_of(house.support, headers={"accept-language": "en"})
    answer = browser.post("/console/applications/load/", {"applications": file, "reason": "test"})
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer.content.decode().startswith("2,")


def test_a_file_that_is_not_understood_is_refused_whole_with_its_line(
    house: House, tmp_path: Path
) -> None:
    rows = house.entitled(2)
    good = ",".join(sent(rows[0], account=house.account()).cells())
    head = ",".join(intake.COLUMNS)
    for broken, why in (
        (f"{head}\n{good}\n{good}\n", "line 3: its holder is in an earlier line"),
        (f"{head}\n{good}\nW-0,{good.partition(',')[2]}\n", "line 3: there is no such wallet"),
        (f"{head}\n{good.replace('paper', 'fax')}\n", "line 2: web, paper, phone, app expected"),
        (f"{head}\n{good},\n", "line 2: 15 cells expected"),
        (f"wallet_ref\n{good}\n", "line 1: the columns"),
    ):
        path = tmp_path / "forms.csv"
        path.write_text(broken)
        code, told = loaded(path, house.support)
        assert (code, why in told["message"]) == (1, True), told
    assert not RefundApplication.objects.exists()
    with pytest.raises(NotPermitted):
        intake.load(
            File(name="a.csv", content=f"{head}\n{good}\n".encode()),
            actor=house.treasury,
            reason="test",
        )


def test_nobody_applies_by_file_for_somebody_who_signed_in(
    programme: Any, staff: Callable[..., Any]
) -> None:
    """Outside of a rehearsal the portal alone knows who signed in."""
    (pk,) = factories.make_wallets(1)
    line = Sent(Wallet.objects.get(pk=pk).wallet_ref, about=APPLICATION, channel="app")
    with written([line]) as path:
        file = File(name="forms.csv", content=path.read_bytes())
    with pytest.raises(LoadRefused, match="line 2: web, paper, phone expected"):
        intake.load(file, actor=staff("support"), reason="test")
