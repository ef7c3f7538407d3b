"""Console, portal and probe say the same about every capability, in every stage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import factories
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet
from winddown.models import Capability, Milestone, Probe, Programme
from winddown.programme import capabilities, milestones, offer
from winddown.site import incident_page

pytestmark = pytest.mark.django_db

OF_THE_WALLET = {"spend", "transfer", "withdraw", "register"}
OVER = list(Programme.State)[list(Programme.State).index(Programme.State.CLOSING) :]


def console(actor: Any) -> dict[str, str]:
    seen = incident_page.look(Programme.current(), actor=actor)
    return {row.switch.code: row.standing.state for row in seen.switches}


def portal() -> dict[str, str]:
    return {each.code: each.state for each in Client().get("/").context["offers"]}


def probed() -> dict[str, bool]:
    """Returns whether a real attempt passes."""
    codes = Capability.objects.values_list("code", flat=True)
    return {code: not capabilities.probe(code).refused for code in codes}


def agree(actor: Any) -> dict[str, str]:
    """Console, portal and probe agree; returns the states of the console."""
    said, public, passes = console(actor), portal(), probed()
    assert passes == {code: state == "enabled" for code, state in said.items()}
    words = {"enabled": "on", "later": "later"}
    for code, state in public.items():
        assert state == words.get(said[code], "off"), code
    shown = {code.partition(":")[0] for code in public}
    missing = {code.partition(":")[0] for code in said} - shown - {"payout"}
    # Nobody is told about refund applications before the end is announced.
    assert missing <= ({"refund_apply"} if said["refund_apply"] == "later" else set())
    return said


@pytest.mark.parametrize("state", Programme.State.values)
def test_console_portal_and_probe_agree_in_every_stage(
    programme: Any, staff: Callable[..., Any], state: str
) -> None:
    factories.bring_to(programme, state)

    said = agree(staff("incident_commander"))

    for code in OF_THE_WALLET | {each for each in said if each.startswith("top_up:")}:
        assert said[code] == ("ended" if state in OVER else "enabled")
    over = OVER[OVER.index(Programme.State.REFUND_CLOSED) :]
    assert said["refund_apply"] == (
        "enabled" if state == "refunding" else "ended" if state in over else "later"
    )
    assert (said["payout"] == "ended") == (state in ("completed", "reported"))
    assert said["login_password"] == "enabled"


def test_they_agree_on_a_stop_and_on_a_deadline(
    programme: Any, staff: Callable[..., Any], rehearsal_clock: Any
) -> None:
    person, other = staff("incident_commander"), staff("compliance")
    capabilities.stop("transfer", actor=person, reason="mules")
    ends_at = clock.now() + dt.timedelta(hours=1)
    milestones.set_milestone(
        "spend_ends", at=ends_at, actor=person, reason="test", ends_capability="spend"
    )
    assert agree(person)["spend"] == "enabled"
    rehearsal_clock.travel(ends_at)
    factories.bring_to(programme, "announced")
    capabilities.request_restore("transfer", actor=person, reason="over")
    said = agree(person)
    assert (said["spend"], said["transfer"]) == ("ended", "restoring")

    request = approvals.open_requests()[-1]
    assert request.stage == "restore"
    capabilities.restore("transfer", actor=other, reason="over")
    assert agree(person)["transfer"] == "enabled"

    rehearsal_clock.travel(ends_at + dt.timedelta(days=1))
    factories.bring_to(Programme.current(), "closing")
    ended = {
        each.switch.code: each
        for each in offer.standings(at=clock.now(), deadlines=list(Milestone.objects.all()))
    }
    # What ended it first says since when.
    assert (ended["spend"].since, ended["spend"].by_stage) == (ends_at, False)
    assert ended["transfer"].since > ends_at
    assert ended["transfer"].by_stage
    assert Capability.objects.get(code="transfer").state == Capability.State.ENABLED
    assert agree(person)["transfer"] == "ended"
    assert Probe.objects.filter(answer__startswith="transfer ended at").exists()


def test_applications_end_with_the_window_for_everybody(
    programme: Any, staff: Callable[..., Any], rehearsal_clock: Any
) -> None:
    """Rule 40: the window ends by the clock, before the stage of the programme follows."""
    factories.bring_to(programme, "refunding")
    factories.publish_notice(clock.now().date() + dt.timedelta(days=70))
    assert agree(staff())["refund_apply"] == "enabled"

    rehearsal_clock.travel(Milestone.objects.get().at)

    assert agree(staff())["refund_apply"] == "ended"


def test_what_is_over_is_not_restored(programme: Any, staff: Callable[..., Any]) -> None:
    person = staff("incident_commander")
    capabilities.stop("transfer", actor=person, reason="mules")
    factories.bring_to(programme, "closed")

    with pytest.raises(GuardNotMet, match="it ended at"):
        capabilities.request_restore("transfer", actor=person, reason="over")

    assert console(person)["transfer"] == "disabled"
