"""The recovery in a real browser: each of its pages, for visitors, customers and staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from accounts.credentials import sign_ins
from accounts.credentials.admissions import Origin
from tests import factories
from tests.browser import places
from tests.browser.checks import ON_A_PHONE, ON_A_SCREEN, look
from tests.browser.conftest import Site, in_views
from tests.signing_in import open_session

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser recovery")]

NEW = "a quite different sentence"
CONSOLE = "/console/recovery/"


@dataclass(frozen=True, slots=True)
class Desk:
    """Cases in every state, living links, and the sessions of their readers."""

    references: dict[str, str]
    cases: dict[str, int]
    link: str
    sessions: dict[str, str]


@pytest.fixture
def desk(site: Site) -> Desk:
    """Made before the browser starts: while it runs, Django takes this thread for an asynchronous
    one.
    """
    support = factories.make_staff("support", display_name="Support")
    supervisor = factories.make_staff("fraud_supervisor", display_name="Supervisor")
    cases = _cases(support, supervisor)
    return Desk(
        references={state: case.reference for state, case in cases.items()},
        cases={state: case.pk for state, case in cases.items()},
        link=_link(),
        sessions={
            "support": _session(support),
            "supervisor": _session(supervisor),
            "external": _external_session(),
        },
    )


def _cases(support: Any, supervisor: Any) -> dict[str, Any]:
    """One case in each state that people look at."""
    from accounts import addresses
    from accounts.recovery import cases
    from accounts.sign_in import second_factor
    from winddown.authority import approvals

    found = {}
    for state in ("opened", "collecting", "proposed", "approved", "rejected"):
        typed = f"{factories.unique(state)}@example.com"
        address = addresses.understood(typed)
        assert address is not None
        contact = cases.Contact("山田 太郎", "", typed, "電話を失くしました。")
        case = cases.open_case(contact, address=address, language="ja", network=None)
        if state != "opened":
            case = cases.take(case, actor=support, reason="mine")
        if state in ("collecting", "proposed", "approved"):
            for kind in ("identity_document", "past_transactions"):
                cases.add_proof(case, kind=kind, note="matches what we know", actor=support)
        if state in ("proposed", "approved"):
            owner = factories.make_customer()
            second_factor.add_app(owner)
            case = cases.propose(
                case,
                account=owner.login_id,
                actor=support,
                reason="it is them",
                second_factor_lost=True,
            )
        if state == "approved":
            asked = approvals.standing(case.subject, stage=cases.STAGE)
            assert asked is not None
            case = cases.decide(
                case, actor=supervisor, digest=asked.digest, reason="agreed", approve=True
            )
        if state == "rejected":
            case = cases.decline(case, code="no_answer", actor=support, reason="no answer")
        found[state] = case
    return found


def _link() -> str:
    """The path of a living link to a new password."""
    from accounts import addresses
    from accounts.recovery import links
    from winddown import clock

    owner = factories.make_customer(
        email=f"{factories.unique('owner')}@example.com", email_verified_at=clock.now()
    )
    address = addresses.channel_of(owner)
    assert address is not None
    link = links.issue("recover", address=address, user=owner)
    links.hand_over(link)
    return f"/recovery/link/{links.token(link)}/"


def _session(person: Any) -> str:
    browser = Client()
    open_session(browser, person)
    return str(browser.cookies["sessionid"].value)


def _external_session() -> str:
    """A customer without a password whom a provider let in just now."""
    from accounts.models import ExternalIdentity
    from winddown import clock

    someone = factories.make_customer()
    ExternalIdentity.objects.create(
        user=someone, provider="line", subject=someone.login_id, linked_at=clock.now()
    )
    let_in = sign_ins.sign_in_external("line", someone.login_id, origin=Origin())
    assert let_in is not None
    browser = Client()
    browser.force_login(someone)
    session = browser.session
    session["admission"] = let_in.admission.as_json()
    session.save()
    return str(browser.cookies["sessionid"].value)


def signed_in(site: Site, page: Any, session: str) -> Any:
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site.address}])
    return page


def send(page: Any) -> None:
    """The last form of the page is sent unchanged."""
    with page.expect_navigation():
        page.locator("main form").last.locator("button").click()


@in_views(ON_A_PHONE)
def test_every_page_for_customers_is_accessible_and_fits(
    site: Site, desk: Desk, open_browser: Callable[..., Any], language: str, width: int
) -> None:
    seen: Any = {"language": language, "width": width}
    page = open_browser(**seen)
    page.goto("/register/")
    look(page, **seen)
    _allow_registration(site)
    for place in places.OF_RECOVERY:
        page.goto(place)
        look(page, **seen)
        send(page)
        look(page, **seen)
    for reference in desk.references.values():
        page.goto("/recovery/case/")
        page.fill("#id_reference", reference)
        send(page)
        look(page, **seen)
    page.goto(desk.link)
    look(page, **seen)
    page.fill("#id_password", "short")
    send(page)
    look(page, **seen)

    page = signed_in(site, open_browser(**seen), desk.sessions["external"])
    for place in ("/", places.FIRST_PASSWORD):
        page.goto(place)
        look(page, **seen)


def _allow_registration(site: Site) -> None:
    with site.database.connect(role="none") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE winddown_capability SET state = 'enabled' WHERE code = 'register'"
        )


@in_views(ON_A_SCREEN)
def test_every_page_for_staff_is_accessible_and_fits(
    site: Site, desk: Desk, open_browser: Callable[..., Any], language: str, width: int
) -> None:
    seen: Any = {"language": language, "width": width}
    for role, addresses in places.of_recovery_cases(desk.cases).items():
        page = signed_in(site, open_browser(**seen), desk.sessions[role])
        for place in addresses:
            page.goto(place)
            look(page, **seen)
        if place.endswith("/contact/"):
            page.fill("#id_reason", "to call them")
            send(page)
            look(page, **seen)


def test_recovery_works_without_javascript_and_leaves_no_token_in_the_url(
    site: Site, desk: Desk, open_browser: Callable[..., Any]
) -> None:
    page = open_browser(java_script_enabled=False)
    page.goto(desk.link)
    assert page.url == f"{site.address}/recovery/password/"
    page.fill("#id_password", NEW)
    page.fill("#id_again", NEW)
    send(page)

    assert page.url == f"{site.address}/sign-in/"
    assert "Your new password is set" in page.inner_text("main")
    # Asked without the browser, which would report the status as an error.
    assert page.request.get("/recovery/password/").status == 410


def test_two_people_decide_a_case_without_javascript(
    site: Site, desk: Desk, open_browser: Callable[..., Any]
) -> None:
    case = f"{CONSOLE}{desk.cases['proposed']}/"
    page = signed_in(site, open_browser(java_script_enabled=False), desk.sessions["support"])
    page.goto(case)
    assert page.locator("#decide-approve").count() == 0
    assert "a second person decides" in page.inner_text("main")

    page = signed_in(site, open_browser(java_script_enabled=False), desk.sessions["supervisor"])
    page.goto(case)
    page.click("#decide-approve")
    page.fill("#id_reason", "agreed")
    send(page)

    assert "Approved" in page.inner_text("h1")
