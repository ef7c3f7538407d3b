"""Five people bring a service from the first alarm to the announced end, in a browser without
JavaScript, in Japanese.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.browser.conftest import ROOT, known, served, sign_in

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Site:
    """A served database in the first minutes of an attack."""

    address: str
    database: Any
    log: Path
    people: dict[str, str]
    """Name -> login."""
    secrets: dict[str, str]


def _populate() -> dict[str, Any]:
    from accounts.attacks import live
    from accounts.sign_in import second_factor
    from winddown import clock

    clock.mark_as_rehearsal()
    factories.declare_switches()
    factories.make_programme(state="operating")
    roles = {
        "ando": "incident_commander",
        "bessho": "incident_commander",
        "chiba": "fraud_analyst",
        "doi": "compliance",
        "endo": "compliance",
    }
    people = {
        name: known(factories.make_staff(role, display_name=name)) for name, role in roles.items()
    }
    factories.make_wallets(12, paid_minor=1_000)
    live.begin_or_prolong(live.Tally(attempts=300, unknown=200, wrong=20), at=clock.now())
    return {
        "people": {name: person.login_id for name, person in people.items()},
        "secrets": {each.login_id: second_factor.add_app(each) for each in people.values()},
    }


@pytest.fixture
def site(own_database: Any, tmp_path: Path) -> Iterator[Site]:
    with served(own_database, tmp_path / "web.log", _populate) as (address, people):
        yield Site(address=address, database=own_database, log=tmp_path / "web.log", **people)


@dataclass(frozen=True, slots=True)
class Person:
    """One person at their own browser."""

    page: Any

    def fill(self, address: str, **typed: Any) -> None:
        """The person opens the form, types and ticks what is given, and does not send it yet."""
        self.page.goto(address)
        for name, value in {"reason": "攻撃を受けたため", **typed}.items():
            if isinstance(value, bool):
                self.page.set_checked(f"[name={name}]", value)
            elif isinstance(value, list):
                for each in value:
                    self.page.check(f"[name={name}][value='{each}']")
            else:
                self.page.fill(f"[name={name}]", value)

    def send(self) -> str:
        """The person sends the form. Returns what the next page says."""
        with self.page.expect_navigation():
            self.page.click("main form button[type=submit]")
        return str(self.page.inner_text("main"))

    def does(self, address: str, **typed: Any) -> str:
        self.fill(address, **typed)
        return self.send()

    def reads(self, address: str) -> str:
        self.page.goto(address)
        return str(self.page.inner_text("main"))


def test_five_people_go_from_the_first_alarm_to_the_announced_end(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    people = {}
    for name, login in site.people.items():
        page = open_browser(language="ja", java_script_enabled=False)
        sign_in(page, site, login)
        people[name] = Person(page)
    ando, bessho, chiba, doi, endo = people.values()

    # The analyst sees the alarm first, and stops two switches at once.
    chiba.page.goto("/console/")
    assert "リスト型攻撃" in chiba.page.inner_text(".alarms")
    said = chiba.does("/console/switches/stop/", codes=["top_up:credit_card", "transfer"])
    assert "停止" in said
    ando.does("/console/programme/declare-incident/")
    assert "インシデント" in bessho.reads("/console/")

    # Two commanders ratify the stop at the same time: one signature counts.
    for person in (ando, bessho):
        person.fill("/console/switches/transfer/ratify/")
    assert "停止を追認する（ウォレット間の送金）：完了" in ando.send()
    assert "決定を待っているものはもうありません" in bessho.send()

    # Charges stop for everybody; a second person approves what the first one planned.
    for workflow in ("freeze-charges", "reset-all-passwords", "suspend-external-login"):
        ando.does(f"/console/workflows/{workflow}/plan/")
        run = ando.page.url.rstrip("/")
        stale = Person(ando.page.context.new_page())
        stale.fill(f"{run}/abort/")
        assert "すでに署名しています" in ando.reads(f"{run}/approve/")
        bessho.does(f"{run}/approve/")
        assert "開始" in ando.does(f"{run}/start/")
        work(site)
        assert "成功" in ando.reads(run)
        # The tab from before the start changes nothing any more.
        assert "この操作はもうできません" in stale.send()
        stale.page.close()

    # Compliance publishes the contact, and two of them announce the end.
    doi.does("/console/programme/publish-contact/", phone="0120-000-000")
    doi.does("/console/programme/announce/")
    assert "終了の公表" in endo.reads("/console/programme/")
    endo.page.click("main a[href*='/approvals/'][href$='/approve/']")
    endo.page.fill("[name=reason]", "取締役会の決定")
    endo.send()
    visitor = open_browser(language="ja", java_script_enabled=False)
    assert "終了" in Person(visitor).reads("/")


def work(site: Site) -> None:
    """A worker does what waits."""
    subprocess.run(
        [sys.executable, "manage.py", "drain"],
        cwd=ROOT,
        env=site.database.environment,
        check=True,
        capture_output=True,
    )
