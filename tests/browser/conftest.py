"""A real browser before a real server on a database of its own.

Where there is no Chromium the tests are skipped, and with CI=true they fail.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from tests import factories
from tests.browser.checks import VIEWS
from tests.conftest import NO_BROWSER, fresh_database
from tests.signing_in import oldest_step

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD = "correct horse battery"


def in_views(*quick: tuple[str, int]) -> pytest.MarkDecorator:
    """Each language at each width; outside the proof only the views that are named."""
    return pytest.mark.parametrize(
        ("language", "width"),
        [
            pytest.param(*view, marks=[] if view in quick else pytest.mark.long_form)
            for view in VIEWS
        ],
    )


@dataclass(frozen=True, slots=True)
class Site:
    """A served database in the middle of a wind-down, with somebody of each kind to sign in as."""

    address: str
    commander: str
    deputy: str
    auditor: str
    compliance: str
    treasury: str
    analyst: str
    support: str
    newcomer: str
    """A member of staff who has no second factor yet."""
    customer: str
    member: int
    """The number of the newcomer's account."""
    run: int
    request: int
    """The number of the request for the run's approval."""
    filing: str
    """A filing that waits for two people."""
    unwritten: str
    """A filing that nobody has written."""
    alarm: int
    draft: int
    """A text that waits for a second person."""
    policy: int
    """The version of the policy on compensation that the public reads."""
    account: int
    """The number of the customer's account."""
    secrets: dict[str, str]
    """Login -> secret of the authenticator app."""
    database: Any
    log: Path
    """What the server said."""


def known(person: Any) -> Any:
    """Returns the person, who has the password."""
    from winddown import clock

    person.set_password(PASSWORD)
    person.password_set_at = clock.now()
    person.save()
    return person


def _populate() -> dict[str, Any]:
    """A wind-down that was announced, with something in every section of the incident page."""
    from accounts.sign_in import second_factor
    from winddown import clock
    from winddown.alarms import duty_addresses, sounding
    from winddown.models import Alarm, Approval, Programme
    from winddown.programme import capabilities, filing_duties, filings, milestones
    from winddown.runs import planning

    clock.mark_as_rehearsal()
    factories.declare_switches()
    factories.make_programme(state="announced")
    commander, deputy = (
        known(factories.make_staff("incident_commander", display_name=name))
        for name in ("Commander", "Deputy")
    )
    auditor = known(factories.make_staff("auditor", display_name="Auditor"))
    compliance = known(factories.make_staff("compliance", display_name="Compliance"))
    treasury = known(factories.make_staff("treasury_operator", display_name="Treasury"))
    analyst = known(factories.make_staff("fraud_analyst", display_name="Analyst"))
    support = known(factories.make_staff("support", display_name="Support"))
    newcomer = known(factories.make_staff("auditor", display_name="Newcomer"))
    mine = factories.make_wallet(paid_minor=12_345, bonus_minor=67)
    factories.make_wallets(20, paid_minor=1_000)
    milestones.set_milestone(
        "spend_ends",
        at=clock.now() + dt.timedelta(days=2),
        actor=commander,
        reason="announced",
        ends_capability="spend",
        workflow="shut-down-by-deadline",
    )
    capabilities.stop("transfer", actor=commander, reason="money mules")
    capabilities.probe("transfer")
    factories.worked_off(factories.started_run("freeze-charges", maker=commander, checker=deputy))
    run = planning.plan("shut-down-by-deadline", actor=commander, reason="the end")
    Programme.objects.update(aware_at=clock.now())
    keys = {each.kind: each.key for each in filing_duties.due()}
    written = filings.write(
        keys["incident_preliminary"],
        sections={"prevention": "second factor | security | 2019-10-01"},
        actor=commander,
        reason="known now",
    )
    filings.propose(written.filing, actor=commander, reason="ready")
    milestones.assign(
        "spend_ends",
        owner_role="incident_commander",
        owner=commander.login_id,
        gate="stops",
        needs=["funds_secured"],
        actor=commander,
        reason="announced",
    )
    customer = known(mine.account)
    sounding.watch()
    duty_addresses.set_address(
        role="compliance",
        channel="mail",
        address="duty@example.com",
        language="ja",
        actor=commander,
        reason="the people on duty",
    )
    return {
        "commander": commander.login_id,
        "deputy": deputy.login_id,
        "auditor": auditor.login_id,
        "compliance": compliance.login_id,
        "treasury": treasury.login_id,
        "analyst": analyst.login_id,
        "support": support.login_id,
        "newcomer": newcomer.login_id,
        "member": newcomer.pk,
        "secrets": {
            who.login_id: second_factor.add_app(who)
            for who in (commander, deputy, auditor, compliance, treasury, analyst, support)
        },
        "customer": customer.login_id,
        "filing": keys["incident_preliminary"],
        "unwritten": keys["incident_final"],
        "run": run.pk,
        "request": Approval.objects.get(subject=run.subject).pk,
        "draft": _draft("banner", commander).pk,
        "policy": _policy(commander, compliance).version,
        "account": customer.pk,
        "alarm": Alarm.objects.get(code="tick_silent").pk,
    }


def _draft(kind: str, actor: Any) -> Any:
    from winddown.programme import announcements

    return announcements.draft(
        kind=kind,
        title_ja="お知らせ",
        body_ja="{service} は終了します。",
        title_en="Notice",
        body_en="{service} ends.",
        actor=actor,
        reason="told",
    )


def _policy(maker: Any, checker: Any) -> Any:
    """A policy on compensation that two people released."""
    from winddown.programme import announcements

    made = _draft("policy", maker)
    asked = announcements.waiting(made)
    assert asked is not None
    announcements.decide(made.pk, actor=checker, digest=asked.digest, reason="agreed", approve=True)
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One site for the tests of a module, which one worker runs, one after the other."""
    log = tmp_path_factory.mktemp("site") / "web.log"
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        fresh_database(patch) as database,
        served(database, log, _populate) as (address, people),
    ):
        yield Site(address=address, database=database, log=log, **people)


@contextlib.contextmanager
def served(database: Any, log: Path, populate: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """Inside, the database is served under the address. Beside it stands what `populate` returned."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    people = populate()
    port = _free_port()
    # Browsers allow passkeys without https under this name.
    address = f"http://localhost:{port}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *[sys.executable, "-m", "gunicorn", "config.wsgi", "--no-control-socket"],
                *["--bind", f"127.0.0.1:{port}", "--threads", "4"],
            ],
            cwd=ROOT,
            env={**database.environment, "WINDDOWN_ROLE": "web"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(address, server, log)
        yield address, people
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/sign-in/", timeout=10).close()  # noqa: S310
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text()) from None
            time.sleep(0.2)


@pytest.fixture
def open_browser(site: Site) -> Iterator[Callable[..., Any]]:
    """`open_browser(language="ja", width=320)` is a page in a fresh browser; what it complains about fails the test.

    Started after the data was made and closed before the database goes: while Playwright runs,
    Django takes this thread for an asynchronous one.
    """
    from playwright import sync_api

    complaints: list[str] = []
    with sync_api.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))

        def open_page(*, language: str = "en", width: int = 1280, **options: Any) -> Any:
            context = chromium.new_context(
                base_url=site.address,
                locale={"ja": "ja-JP", "en": "en-GB"}[language],
                viewport={"width": width, "height": 900},
                **options,
            )
            page = context.new_page()
            page.on(
                "console",
                lambda said: said.type in ("error", "warning") and complaints.append(said.text),
            )
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield open_page
        chromium.close()
    assert not complaints, site.log.read_text()


def sign_in(page: Any, site: Site, login_id: str) -> None:
    """Through the second step too, for those who have an app."""
    give_password(page, login_id)
    if login_id in site.secrets:
        page.fill("#id_code", next_code(site.secrets[login_id]))
        with page.expect_navigation():
            page.keyboard.press("Enter")


def give_password(page: Any, login_id: str) -> None:
    page.goto("/sign-in/")
    page.fill("#id_login_id", login_id)
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


_last_steps: dict[str, int] = {}


def entering(site: Site, login_id: str) -> Callable[[Any], None]:
    """Returns what makes a page one of this person, who signs in once; of nobody for ""."""
    session: list[Any] = []

    def enter(page: Any) -> None:
        if session:
            page.context.add_cookies(session)
        elif login_id:
            sign_in(page, site, login_id)
            cookies = page.context.cookies()
            session.extend(each for each in cookies if each["name"] == "sessionid")

    return enter


def next_code(secret: str) -> str:
    """A code that the app shows about now and that was not used yet; for a third within half a minute it waits."""
    step = max(oldest_step(), _last_steps.get(secret, 0) + 1)
    time.sleep(max(0, (step - 1) * 30 - time.time()))
    _last_steps[secret] = step
    return format_hotp_value(hotp_value(secret, step))
