"""Each act of the programme has a command and a page, which refuse alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class

from tests import factories
from tests.config.test_every_door import browser_of
from tests.signing_in import code_typed
from tests.told import told
from winddown.errors import GuardNotMet
from winddown.models import AuditEntry, Milestone, Programme, PublicNotice
from winddown.programme import capabilities, stages
from winddown.site.act_command import ActCommand
from winddown.site.programme_acts import PROGRAMME

pytestmark = pytest.mark.django_db
Staff = Callable[..., Any]
NOTICE = {
    "statement": "The balance is refunded.",
    "issuer_name": "Sakura Pay",
    "instrument": "wallet",
    "window_first_day": "2019-10-01",
    "window_last_day": "2020-01-10",
    "exclusion_statement": "Who does not apply is excluded.",
    "contact": "the office",
    "how_to_claim": "in the app",
    "how_it_is_paid": "by bank transfer",
}
# verb -> who does it, what is typed, and the action in the journal.
DONE: dict[str, tuple[str, dict[str, str], str]] = {
    "declare-incident": (
        "incident_commander",
        {"aware_at": "2019-07-03T09:00"},
        "programme.declare_incident",
    ),
    "withdraw-incident": ("incident_commander", {}, "programme.ask_withdrawal"),
    "restore": ("compliance", {}, "programme.restore"),
    "announce": ("compliance", {}, "programme.ask_announcement"),
    "set-milestone": (
        "compliance",
        {"kind": "spend_ends", "at": "2019-09-30T24:00", "ends_capability": "spend"},
        "milestone.set",
    ),
    "publish-notice": ("compliance", NOTICE, "milestone.set"),
    "publish-contact": ("compliance", {"phone": "0120-000-000"}, "programme.publish_contact"),
    "report-funds": ("compliance", {"amount": "190000000"}, "programme.report_safeguarded"),
}
COMMANDS = {
    command.verb: name
    for name, app in get_commands().items()
    if app == "winddown" and isinstance(command := load_command_class(app, name), ActCommand)
}
STATES = {"restore": "restricted", "withdraw-incident": "incident"}


@pytest.fixture
def at_noon(rehearsal_clock: Any, programme: Any) -> Any:
    rehearsal_clock.travel(dt.datetime.fromisoformat("2019-09-01T12:00:00+09:00"), frozen=True)
    return programme


def ran(verb: str, person: Any, typed: dict[str, str]) -> int:
    words = [f"--{key.replace('_', '-')}={value}" for key, value in typed.items()]
    try:
        with code_typed(person):
            call_command(
                COMMANDS[verb],
                *words,
                f"--by={person.login_id}",
                "--reason=test",
                stdout=StringIO(),
            )
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def posted(verb: str, person: Any, typed: dict[str, str]) -> int:
    """Returns 0 if the page did it, as an exit code would say."""
    before = AuditEntry.objects.count()
    browser_of(person).post(f"/console/programme/{verb}/", typed | {"reason": "test"})
    acts = AuditEntry.objects.exclude(action__startswith="access.")
    return 0 if acts.count() > before else 1


DOORS = pytest.mark.parametrize("door", [ran, posted], ids=["command", "page"])


def test_every_act_has_its_command() -> None:
    assert COMMANDS.keys() == set(PROGRAMME)


@pytest.mark.parametrize("stopped", [False, True])
def test_an_incident_after_a_stop_is_restricted(
    programme: Any, staff: Staff, stopped: bool
) -> None:
    """Whoever stops first and declares afterwards can still announce the end, or restore."""
    one = staff("incident_commander")
    if stopped:
        capabilities.stop("spend", actor=one, reason="strange payments")
    declared = stages.declare_incident(actor=one, reason="calls by customers")
    assert declared.aware_at
    assert Programme.current().state == (
        Programme.State.RESTRICTED if stopped else Programme.State.INCIDENT
    )


@DOORS
@pytest.mark.parametrize("verb", DONE)
def test_an_act_is_done_through_its_door(
    at_noon: Any, staff: Staff, door: Callable[..., int], verb: str
) -> None:
    role, typed, action = DONE[verb]
    if verb in STATES:
        factories.bring_to(at_noon, STATES[verb])

    assert door(verb, staff(role), typed) == 0
    assert AuditEntry.objects.filter(action=action, reason="test").exists()


@DOORS
@pytest.mark.parametrize("verb", DONE)
def test_an_act_is_refused_without_its_permission(
    at_noon: Any, staff: Staff, door: Callable[..., int], verb: str
) -> None:
    _, typed, action = DONE[verb]
    if verb in STATES:
        factories.bring_to(at_noon, STATES[verb])

    door(verb, staff("support"), typed)
    assert not AuditEntry.objects.filter(action=action).exists()


@pytest.mark.parametrize(
    "door", [ran, pytest.param(posted, marks=pytest.mark.long_form)], ids=["command", "page"]
)
@pytest.mark.parametrize(
    ("verb", "typed"),
    [
        ("declare-incident", {"aware_at": "2019-09-02T09:00"}),
        ("declare-incident", {"aware_at": "2019-06-30T09:00"}),
        ("declare-incident", {"aware_at": "yesterday"}),
        ("declare-incident", {"aware_at": "0001-01-01T00:00"}),
        ("set-milestone", {"kind": "spend_ends", "at": "9999-12-31T24:00"}),
        ("publish-notice", NOTICE | {"window_last_day": "9999-12-31"}),
        ("publish-notice", NOTICE | {"window_first_day": "9999-12-31"}),
        ("set-milestone", {"kind": "spend_ends", "at": "2019-08-31T24:00"}),
        ("set-milestone", {"kind": "spend_ends", "at": "2019-09-30T25:00"}),
        ("set-milestone", {"kind": "spend_ends", "at": "2019-10-01T00:00", "workflow": "none"}),
        (
            "set-milestone",
            {"kind": "spend_ends", "at": "2019-10-01T00:00", "ends_capability": "none"},
        ),
        ("publish-notice", NOTICE | {"contact": " "}),
        ("publish-notice", NOTICE | {"window_last_day": "2019-11-29"}),
        ("publish-notice", NOTICE | {"window_last_day": "soon"}),
        ("publish-contact", {"phone": "call us"}),
        ("report-funds", {"amount": "-1"}),
        ("report-funds", {"amount": "0.5"}),
        ("complete", {}),
        ("report", {}),
    ],
    ids=str,
)
def test_what_makes_no_sense_changes_nothing(
    at_noon: Any, staff: Staff, door: Callable[..., int], verb: str, typed: dict[str, str]
) -> None:
    role = DONE[verb][0] if verb in DONE else "compliance"
    before = list(Programme.objects.values())

    door(verb, staff(role), typed)

    assert list(Programme.objects.values()) == before
    assert not Milestone.objects.exists()
    assert not PublicNotice.objects.exists()


def test_what_cannot_be_taken_back_takes_a_code_of_the_person(
    programme: Any, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("000000\n"))
    with pytest.raises(SystemExit):
        call_command(
            "announce_end", by=staff("compliance").login_id, reason="test", stdout=StringIO()
        )
    assert Programme.current().state == "operating"


def test_the_page_keeps_what_was_typed(at_noon: Any, staff: Staff) -> None:
    shown = browser_of(staff("compliance")).post(
        "/console/programme/publish-notice/", NOTICE | {"contact": "", "reason": "r"}
    )
    assert shown.context["form"]["how_to_claim"].value() == "in the app"
    assert shown.context["form"].errors.keys() == {"contact"}


def test_a_refusal_keeps_what_was_typed_and_says_what_to_do(at_noon: Any, staff: Staff) -> None:
    browser = browser_of(staff("compliance"), headers={"accept-language": "en"})
    shown = browser.post(
        "/console/programme/publish-notice/",
        NOTICE | {"window_last_day": "2020-01-11", "reason": "the service ends"},
    )
    assert shown.status_code == 200
    assert "the window can end on 2020-01-14" in told(shown)
    assert shown.context["form"]["how_to_claim"].value() == "in the app"
    assert shown.context["form"]["reason"].value() == "the service ends"
    assert not PublicNotice.objects.exists()


def test_the_incident_ends_when_every_switch_is_on(at_noon: Any, staff: Staff) -> None:
    factories.bring_to(at_noon, "restricted")
    capabilities.stop("spend", actor=staff("incident_commander"), reason="attack")
    with pytest.raises(GuardNotMet, match="spend"):
        stages.restore(actor=staff("compliance"), reason="r")
    assert Programme.current().state == "restricted"


def test_an_amount_has_the_decimals_of_the_currency(at_noon: Any, staff: Staff) -> None:
    Programme.objects.update(currency="EUR")
    assert ran("report-funds", staff("compliance"), {"amount": "12.34"}) == 0
    assert Programme.current().safeguarded_minor == 1_234
    assert ran("report-funds", staff("compliance"), {"amount": "12.345"}) == 2
