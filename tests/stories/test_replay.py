"""The whole case, end to end, as an operator starts it: real files, a real worker and beat, judged
by its exit code.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from rehearsal.case import load_case
from rehearsal.outlook import Truth, compute
from rehearsal.plans import load_behaviour, load_plan
from winddown.authority import roles

OWN_BROKER = re.sub(r"(/|db=)\d+$", r"\g<1>13", settings.REDIS_URL)
ACCOUNTS = 2_000

pytestmark = pytest.mark.timeout(600)


def replayed(database: Any, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "replay", "--accounts", str(ACCOUNTS), *arguments],
        cwd=settings.BASE_DIR,
        env=database.environment
        | {
            "WINDDOWN_LOCAL_DIR": str(directory),
            "REDIS_URL": OWN_BROKER,
            # It empties and migrates the database; then it gives these rights up.
            "WINDDOWN_DATABASE_ROLE": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_replayed_case_ends_with_the_published_figures(
    own_database: Any, tmp_path: Path
) -> None:
    """Rules 2, 22, 28, 30, 32, 42, 55, 60: the published figures are reproduced and no invariant is
    breached.
    """
    done = replayed(own_database, tmp_path, "--seed", "5")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    report = json.loads((tmp_path / "replay" / "report.json").read_text())
    case = load_case()
    assert report["victims"] == case.damage.victims
    assert report["damage_minor"] == case.damage.amount_minor
    assert report["difference_minor"] == sum(line["amount_minor"] for line in report["money"]) == 0
    assert report["invariants"]["breached"] == {}
    assert report["invariants"]["checked"] > 30
    assert len(report["views"]) >= 2
    assert {view["difference_minor"] for view in report["views"]} == {0}
    # Every claim came to its end, and what thieves had left was taken back.
    assert sum(report["claims"].values()) >= case.damage.victims
    assert report["claw_back"]["count"] > 0
    assert {"chargebacks", "appeals", "reopened", "contested", "late_victims"} <= set(report)
    assert (report["stuck"], report["reissued"] > 0) == (0, True)
    assert "No closing proof was taken" in report["open_at_the_end"]
    # Each day of the window and of the payouts after it.
    assert len({day["day"] for day in report["identity"]}) >= 152
    assert {day["difference"] for day in report["identity"]} == {0}
    # The bank paid and took back, answered late, corrected a return, and stated days twice.
    assert report["returned_after_paid"] >= 2
    assert report["statements"] >= 5
    # Somebody of every kind who applies alone did so by the form.
    truth = Truth.read(tmp_path / "replay" / "case" / "truth")
    kinds = {kind.code for kind in load_behaviour().kinds if not kind.measure}
    assert kinds | {"plain"} == set(report["kinds"])
    by_form = {kind for kind, ways in report["kinds"].items() if ways.get("forms")}
    assert by_form == (kinds | {"plain"}) - {"heir"}
    # The quick computation of the comparison says the same as the replay.
    computed = compute(truth, case=case, plan=load_plan(), behaviour=load_behaviour())
    for day in report["paid_by_day"]:
        people, amount = computed.shares(dt.date.fromisoformat(day["day"]))
        assert (people, amount) == (
            pytest.approx(day["people"], abs=0.02),
            pytest.approx(day["amount"], abs=0.02),
        )
    without = {room for room, number in report["doors_missing"].items() if number}
    assert without <= {"refunds.claims", "refunds.remedies"}
    # 7pay had paid a third of the people by the last day but one of the window.
    shares = [day["people"] for day in report["paid_by_day"] if day["day"] <= "2020-01-09"]
    assert 0.25 < shares[-1] < 0.4
    acts = report["acts"]
    assert acts["by_forms"]["customers"] == 200
    assert set(acts["by_forms"]["staff"]) == set(roles.ROLES)
    assert acts["by_forms"]["forms"]["recovery:password"] == 200
    assert acts["by_commands"]["begin"] == 1
    remedied = sum(remedy["amount_minor"] for remedy in report["remedies"].values())
    assert remedied == case.damage.amount_minor
    refunds = report["refunds"]
    holders = case.population.holders(accounts=ACCOUNTS)
    assert sum(refund["count"] for refund in refunds.values()) == holders
    assert sum(refund["amount_minor"] for refund in refunds.values()) == (
        case.population.balance_minor(accounts=ACCOUNTS)
    )


def test_a_replay_into_a_database_with_a_real_programme_is_refused(
    own_database: Any, tmp_path: Path
) -> None:
    with own_database.connect() as connection:
        connection.execute(
            "INSERT INTO winddown_programme (id, name, currency, time_zone, state, launched_at,"
            " safeguarded_minor, contact_phone, jurisdiction, legal_basis)"
            " VALUES (1, 'real', 'JPY', 'Asia/Tokyo', 'operating', now(), 0, '', 'japan', '')"
        )
    done = replayed(own_database, tmp_path)
    assert done.returncode == 1
    assert "not a rehearsal" in done.stderr
    with own_database.connect() as connection:
        assert connection.execute("SELECT name FROM winddown_programme").fetchone() == ("real",)
