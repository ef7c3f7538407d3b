"""The portal: what everybody may read, and what only the holder may read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from refunds.models import Entitlement, OtherEnd
from tests import factories
from tests.unguarded import past_the_guards
from wallets.movements import spending, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.models import Milestone
from winddown.programme import capabilities, milestones

pytestmark = pytest.mark.django_db

ENGLISH = {"accept-language": "en"}


def offered(client: Client, code: str) -> Any:
    offers = client.get("/").context["offers"]
    return next(offer for offer in offers if offer.code == code)


def test_the_headline_follows_the_switches(
    client: Client, programme: Any, staff: Callable[..., Any]
) -> None:
    """After a stop the page does not say that everything works, though nobody declared an incident."""
    assert "is in operation" in client.get("/", headers=ENGLISH).content.decode()

    capabilities.stop("transfer", actor=staff("incident_commander"), reason="mules")

    said = client.get("/", headers=ENGLISH).content.decode()
    assert "is in operation" not in said
    assert "are stopped" in said
    assert "We stopped some functions" in said


def test_the_public_page_says_what_is_stopped_since_when_and_what_works(
    client: Client, programme: Any, staff: Callable[..., Any]
) -> None:
    """Rule 7: a visitor who meets a stopped function is told."""
    for source in factories.SOURCES:
        capabilities.stop(f"top_up:{source}", actor=staff("incident_commander"), reason="attack X7")

    answer = client.get("/", headers=ENGLISH)

    offers = {offer.code.partition(":")[0]: offer for offer in answer.context["offers"]}
    assert offers["top_up"].state == "off"
    assert offers["top_up"].since is not None
    assert offers["spend"].state == "on"
    assert "Top-up (charge)" in answer.content.decode()


def test_reasons_written_by_staff_are_not_shown_to_the_public(
    client: Client, programme: Any, staff: Callable[..., Any]
) -> None:
    capabilities.stop("spend", actor=staff("incident_commander"), reason="we suspect the shop Z")

    assert "suspect" not in client.get("/", headers=ENGLISH).content.decode()


def test_the_end_is_shown_as_24_00_of_its_day(
    client: Client, programme: Any, staff: Callable[..., Any]
) -> None:
    """Rule 31: 30 September 24:00 is 1 October 00:00, and people are told the former."""
    milestones.set_milestone(
        "spend_ends",
        at=clock.instant("2039-09-30T24:00", zone="Asia/Tokyo"),
        actor=staff("incident_commander"),
        reason="test",
        ends_capability="spend",
    )

    assert "Fri 30 September 2039 24:00" in client.get("/", headers=ENGLISH).content.decode()
    assert (
        "2039年9月30日(金) 24:00"
        in client.get("/", headers={"accept-language": "ja"}).content.decode()
    )


def test_refund_applications_are_not_offered_before_they_open(
    client: Client, programme: Any, staff: Callable[..., Any], rehearsal_clock: Any
) -> None:
    opens_at = clock.now() + dt.timedelta(days=2)
    milestones.set_milestone(
        "refund_opens", at=opens_at, actor=staff("incident_commander"), reason="test"
    )

    assert offered(client, "refund_apply").state == "later"
    assert offered(client, "refund_apply").begins_at == opens_at

    clock.travel(opens_at)
    factories.bring_to(programme, "refunding")

    assert offered(client, "refund_apply").state == "on"


def test_refund_applications_are_not_offered_after_the_window(
    client: Client, programme: Any, staff: Callable[..., Any], rehearsal_clock: Any
) -> None:
    """Rule 40."""
    factories.bring_to(programme, "refunding")
    factories.publish_notice(clock.now().date() + dt.timedelta(days=70))
    ends_at = Milestone.objects.get().at
    clock.travel(ends_at - dt.timedelta(microseconds=1), frozen=True)
    assert offered(client, "refund_apply").ends_at == ends_at

    clock.travel(ends_at, frozen=True)

    assert offered(client, "refund_apply").state == "off"
    assert offered(client, "refund_apply").since == ends_at


def test_no_function_of_the_wallet_is_offered_after_the_end(client: Client, programme: Any) -> None:
    """The switches of transfer and withdrawal may be on, but a closed wallet moves nothing."""
    assert offered(client, "transfer").state == "on"

    factories.bring_to(programme, "closed")

    for code in ("spend", "transfer", "withdraw", "register"):
        assert offered(client, code).state == "off"
    assert offered(client, "login_password").state == "on"


def test_every_page_says_what_we_never_ask_for(client: Client, programme: Any) -> None:
    for address in ("/", "/sign-in/"):
        assert (
            "We never ask for your password"
            in client.get(address, headers=ENGLISH).content.decode()
        )


def test_paid_and_bonus_value_are_shown_apart(
    programme: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    mine = wallet(paid_minor=12_345, bonus_minor=67)

    page = signed_in(mine.account).get("/").content.decode()

    assert "JPY 12,345" in page
    assert "JPY 67" in page
    assert "12,345円" in signed_in(mine.account, language="ja").get("/").content.decode()


def test_a_hold_is_shown_without_its_reason(
    programme: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    mine = wallet(paid_minor=1_000)
    withholding.hold(mine.pk, amount_minor=400, reason="looks like a thief", actor=SYSTEM)

    page = signed_in(mine.account).get("/").content.decode()

    assert "JPY 400 of the paid value cannot be used" in page
    assert "thief" not in page


def test_a_payment_is_shown_as_one_movement_with_its_bonus_part(
    programme: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    mine = wallet(paid_minor=1_000, bonus_minor=50)
    spending.pay(mine.pk, amount_minor=300, merchant_ref="m", payment_ref="p-1", actor=SYSTEM)

    panels = signed_in(mine.account).get("/").context["panels"]
    shown = next(panel.shown["movements"] for panel in panels if "movements" in panel.shown)

    assert [(each.amount_minor, each.bonus_minor) for each in shown] == [(-300, -50), (1_050, 50)]


def test_a_customer_sees_only_their_own_wallet(
    programme: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    wallet(paid_minor=98_765)
    mine = wallet(paid_minor=1)

    assert "98,765" not in signed_in(mine.account).get("/").content.decode()


def test_the_page_costs_the_same_queries_however_many_wallets_there_are(
    programme: Any,
    wallet: Callable[..., Any],
    wallets: Callable[..., list[int]],
    signed_in: Callable[..., Client],
    django_assert_num_queries: Any,
) -> None:
    mine = wallet(paid_minor=1_000)
    browser = signed_in(mine.account)
    browser.get("/")
    with CaptureQueriesContext(connection) as few:
        browser.get("/")
    wallets(1_000, paid_minor=100)

    with django_assert_num_queries(len(few)):
        browser.get("/")


def test_a_customer_without_a_wallet_has_a_page(
    programme: Any, customer: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    assert "There is no wallet" in signed_in(customer()).get("/").content.decode()


@pytest.mark.parametrize(
    "state", ["operating", "incident", "restricted", "announced", "closed", "refunding", "settling"]
)
def test_every_state_of_the_programme_has_its_headline(
    client: Client, programme: Any, state: str
) -> None:
    factories.bring_to(programme, state)

    for language in ("ja", "en"):
        page = client.get("/", headers={"accept-language": language})
        assert page.status_code == 200
        assert "<h1>" in page.content.decode()


# --- refunds ------------------------------------------------------------------------------------


def make_entitlement(wallet: Any, *, amount_minor: int, state: str) -> Any:
    made = Entitlement.objects.create(wallet=wallet, snapshot_id=1, amount_minor=amount_minor)
    if state in (
        Entitlement.State.EXCLUDED,
        Entitlement.State.LATE_APPROVED,
        Entitlement.State.TRANSFERRED,
        Entitlement.State.DEPOSITED,
    ):
        # Its way leads through lists of two people, which ask for more than this page needs.
        past_the_guards(f"UPDATE refunds_entitlement SET state = '{state}' WHERE id = {made.pk}")
        if state in OtherEnd.Kind.values:
            past_the_guards(
                "INSERT INTO refunds_otherend (kind, institution, contact, reference, ended_on,"
                " evidence_id, items, total_minor, approval_subject, recorded_at)"
                f" VALUES ('{state}', 'Bureau', 'where to ask', 'R-1', '2019-12-01', 1, 1,"
                f" {amount_minor}, 'test', winddown_now())",
                "INSERT INTO refunds_otherendline (end_id, entitlement_id)"
                f" SELECT max(id), {made.pk} FROM refunds_otherend",
            )
        made.refresh_from_db()
        return made
    return factories.bring_to(made, state)


def way(browser: Client) -> list[tuple[str, bool, bool]]:
    panels = browser.get("/").context["panels"]
    (refund,) = next(panel.shown["refunds"] for panel in panels if "refunds" in panel.shown)
    stages = refund["status"].stages
    return [(str(stage.title), stage.at is not None, stage.present) for stage in stages]


def test_sent_is_never_shown_as_arrived(
    programme: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    mine = wallet()
    make_entitlement(mine, amount_minor=4_321, state="paying")
    browser = signed_in(mine.account)

    assert way(browser)[1:] == [
        ("Being checked", True, True),
        ("Sent to the bank", False, False),
        ("The bank answered: paid", False, False),
    ]
    page = browser.get("/").content.decode()
    assert "JPY 4,321" in page
    assert "The bank does not have it yet." in page


def test_a_returned_transfer_is_shown_with_the_next_step(
    programme: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    """Rule 55."""
    mine = wallet()
    make_entitlement(mine, amount_minor=1, state="returned")
    browser = signed_in(mine.account)

    assert way(browser)[-1] == ("It came back", True, True)
    assert "We need a correct bank account from you." in browser.get("/").content.decode()


@pytest.mark.parametrize("state", list(Entitlement.State))
def test_every_state_of_a_refund_has_a_text_in_both_languages(
    programme: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client], state: str
) -> None:
    mine = wallet()
    make_entitlement(mine, amount_minor=1, state=state)

    for language in ("ja", "en"):
        page = signed_in(mine.account, language=language).get("/")
        assert page.status_code == 200
        assert f">{state}<" not in page.content.decode()
