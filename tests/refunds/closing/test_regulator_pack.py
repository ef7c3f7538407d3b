"""The regulator pack: each figure is the sum of its rows, and one command finds it again."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from refunds.closing import regulator_pack
from tests.config.test_every_door import browser_of
from tests.refunds.closing.settled import settle
from tests.refunds.conftest import House
from winddown import clock
from winddown.errors import NotPermitted
from winddown.models import AuditEntry
from winddown.programme import filing_kinds

pytestmark = pytest.mark.django_db


def checked(directory: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    try:
        call_command("export_regulator_pack", check=directory)
    except SystemExit as ended:
        return int(str(ended.code)), capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_each_figure_comes_with_its_rows_and_is_found_again(
    house: House, staff: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(house)
    pack = tmp_path / "pack"
    by = {"by": staff("compliance").login_id, "reason": "the bureau asks"}
    call_command("export_regulator_pack", out=pack, **by)
    capsys.readouterr()

    index = json.loads((pack / "figures.json").read_text())
    values = {code: each["value"] for code, each in index["figures"].items()}
    assert values["entitled_holders"] == 3
    assert values["entitled_amount"] == 3000
    assert (values["paid_refunds"], values["paid_amount"]) == (1, 1000)
    assert (values["excluded_refunds"], values["excluded_amount"]) == (2, 2000)
    assert (values["applied_refunds"], values["unpaid_amount"], values["difference"]) == (1, 0, 0)
    # The completion report has the same figures, so its rows are in the pack.
    report = filing_kinds.figures_of("completion_report", as_of=clock.now())
    assert report == {code: values[code] for code in report}
    assert AuditEntry.objects.filter(action="regulator_pack.export").count() == 1
    assert checked(pack, capsys) == (0, f"Every figure of {pack} was found again.\n")

    rows = pack / "paid_amount.csv"
    rows.write_text(rows.read_text().replace(",1000\n", ",1001\n"))
    code, said = checked(pack, capsys)
    assert code == 1
    assert "paid_amount: paid_amount.csv has other bytes" in said
    assert "1 rows come to 1001, the pack says 1 and 1000" in said
    (pack / "figures.json").write_text(json.dumps(index | {"currency": "EUR"}))
    assert "was changed, or written with another field key" in checked(pack, capsys)[1]


def test_what_moved_later_does_not_change_the_figures_of_an_instant(
    house: House, staff: Callable[..., Any], tmp_path: Path
) -> None:
    (owed, *_others) = house.entitled(2)
    regulator_pack.export(tmp_path, actor=staff("compliance"), reason="test")
    clock.travel(clock.now() + dt.timedelta(days=1), frozen=True)
    house.apply(owed)
    now = filing_kinds.figures_of("completion_report", as_of=clock.now())
    assert now["applied_refunds"] == 1
    assert regulator_pack.found_again(tmp_path) == []
    with pytest.raises(NotPermitted):
        regulator_pack.export(tmp_path / "b", actor=staff("support"), reason="test")


def test_the_page_hands_the_pack_out(
    house: House, staff: Callable[..., Any], tmp_path: Path
) -> None:
    house.entitled(1)
    reader = browser_of(staff("compliance"))
    answer = reader.post("/console/closing/regulator-pack/", {"reason": "the bureau asks"})
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        archive.extractall(tmp_path)
    assert regulator_pack.found_again(tmp_path / "regulator-pack") == []
    stranger = browser_of(staff("support"))
    refused = stranger.post("/console/closing/regulator-pack/", {"reason": "mine"})
    assert refused.status_code == 403
