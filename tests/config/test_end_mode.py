"""In each stage of the programme exactly the stated pages and verbs work, for every address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import factories
from tests.config.test_every_door import DOORS, OF_STAFF, PARTS, Door, browser_of
from winddown.errors import GuardNotMet
from winddown.models import Programme, Run
from winddown.runs import planning, registry
from winddown.site.programme_acts import PROGRAMME

pytestmark = pytest.mark.django_db

State = Programme.State
STAGES = list(State)
ALWAYS = set(STAGES)
ENDED = set(Programme.ENDED)
UNTIL_THE_END = ALWAYS - ENDED
# What works only in some stages. Every other address answers alike in all of them.
WORKS: dict[str, set[Any]] = {
    "plan freeze-charges": set(Programme.IN_SERVICE),
    "plan reset-all-passwords": UNTIL_THE_END,
    "plan suspend-external-login": UNTIL_THE_END,
    "plan shut-down-by-deadline": {*Programme.IN_SERVICE, *Programme.CLOSING_DOWN},
    # Victims are paid while the service goes on.
    "plan refund-balances": {*Programme.IN_SERVICE, *Programme.CLOSING_DOWN, *Programme.REPAYING},
    # Only when everything has ended.
    "plan shred-personal-data": ENDED,
    "programme declare-incident": {State.OPERATING},
    "programme withdraw-incident": {State.INCIDENT, State.RESTRICTED},
    "programme restore": {State.RESTRICTED},
    "programme announce": {State.OPERATING, State.RESTRICTED},
    "programme set-milestone": ALWAYS,
    "programme publish-notice": ALWAYS,
    "programme publish-contact": ALWAYS,
    "programme report-funds": ALWAYS,
    "programme complete": {State.SETTLING},
    "programme report": {State.COMPLETED},
    "recovery:register": set(Programme.IN_SERVICE),
}
# They end the session of this test, or check every invariant.
LEFT_OUT = {"sign_out", "sign_out_everywhere", "end_session", "console:verify"}
# Where an address that works always is tried; in every stage in the long form.
SOME_STAGES = (State.OPERATING, State.CLOSED, State.REPORTED)


def doors() -> dict[str, Door]:
    """Returns an address by name, and one for each workflow and each act of the programme."""
    found = {door.name: door for door in DOORS if door.name not in LEFT_OUT}
    plan, act = found.pop("console:plan"), found.pop("console:programme_act")
    for name in registry.names():
        found[f"plan {name}"] = Door(plan.name, plan.address.replace(PARTS["name"], name))
    for verb in PROGRAMME:
        found[f"programme {verb}"] = Door(act.name, act.address.replace(PARTS["verb"], verb))
    return found


def answered(browser: Any, door: Door) -> dict[str, tuple[int, str]]:
    """Returns status and template, or where it leads, by method."""
    found = {}
    for method in ("GET", "POST"):
        answer = browser.generic(method, door.address)
        shown = answer.templates[0].name if answer.templates else ""
        found[method] = (answer.status_code, answer.headers.get("Location") or shown or "")
    return found


def test_exactly_the_stated_pages_and_verbs_work_in_each_stage(
    programme: Any, staff: Callable[..., Any], customer: Callable[..., Any], long_form: bool
) -> None:
    clerk = browser_of(staff(is_superuser=True), raise_request_exception=False)
    holder = browser_of(customer())
    answers: dict[str, dict[Any, Any]] = {}
    for stage in STAGES:
        factories.bring_to(Programme.current(), stage)
        for name, door in doors().items():
            if not (long_form or name in WORKS or stage in SOME_STAGES):
                continue
            browser = clerk if door.name.startswith(OF_STAFF) else holder
            answers.setdefault(name, {})[stage] = answered(browser, door)

    assert set(answers) >= set(WORKS)
    for name, by_stage in answers.items():
        assert all(got["GET"][0] < 500 and got["POST"][0] < 500 for got in by_stage.values()), name
        works = WORKS.get(name, ALWAYS)
        for method in ("GET", "POST"):
            inside = {by_stage[stage][method] for stage in by_stage if stage in works}
            outside = {by_stage[stage][method] for stage in by_stage if stage not in works}
            assert len(inside) == 1, (name, method, by_stage)
            assert not inside & outside, (name, method, by_stage)


def test_an_approved_run_does_not_start_after_its_stage(
    programme: Any, staff: Callable[..., Any], wallets: Callable[..., list[int]]
) -> None:
    wallets(2)
    maker = staff("incident_commander")
    run = factories.approved_run("freeze-charges", maker=maker, checker=staff("compliance"))
    factories.bring_to(Programme.current(), "closing")

    with pytest.raises(GuardNotMet, match="the programme is closing"):
        planning.start(run, actor=maker)

    assert Run.objects.get(pk=run.pk).state == Run.State.APPROVED
