"""Who may do what is printed from the declarations, and no person holds both ends of a duty."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.unguarded import give_past_the_guards
from winddown.authority import roles, who_can
from winddown.evidence import invariants
from winddown.machines.declare import all_machines

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


def ask(*words: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("who_can", *words, "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_every_permission_of_a_role_or_a_machine_is_listed_with_what_it_does() -> None:
    listed = {each["name"]: each for each in ask()[1]["permissions"]}

    granted = {name for held in roles.ROLES.values() for name in held}
    asked = {edge.permission for model in all_machines() for edge in model.edges()} - {""}
    assert set(listed) == granted | asked
    claim = listed["refunds.decide_claim"]
    assert claim["roles"] == ["fraud_supervisor"]
    assert any(step.startswith("FraudClaim: ") for step in claim["transitions"])
    assert claim["decides"] == ["a claim"]


def test_the_command_answers_about_one_permission_role_or_person(staff: Callable[..., Any]) -> None:
    person = staff("auditor")

    assert [each["name"] for each in ask("winddown.plan_run")[1]["permissions"]] == [
        "winddown.plan_run"
    ]
    names = {each["name"] for each in ask("--role", "support")[1]["permissions"]}
    assert names == set(roles.ROLES["support"])
    found = ask("--person", person.login_id.upper())
    assert found[0] == 0
    assert found[1]["roles"] == ["auditor"]
    assert {each["name"] for each in found[1]["permissions"]} == set(roles.ROLES["auditor"])


@pytest.mark.parametrize("words", [("no.such",), ("--person", "nobody")])
def test_a_question_about_an_unknown_name_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refusal:
        ask(*words)

    assert refusal.value.returncode == 2


def test_every_duty_has_a_role_that_requests_and_one_that_decides() -> None:
    for duty in who_can.duties():
        assert duty["asks"], duty
        assert duty["decides"], duty


def test_every_request_for_a_second_person_in_the_code_is_a_duty() -> None:
    """Otherwise a new approval would be missing from the output of the command."""
    named = {duty.decides for duty in roles.DUTIES}
    known = {name for held in roles.ROLES.values() for name in held}
    asked = set()
    for path in ROOT.glob("[arw]*/**/*.py"):
        text = path.read_text()
        for call in re.findall(
            r"approvals\.(?:ask|SignedList)\((.*?)\n    +\)", text, flags=re.DOTALL
        ):
            said = re.findall(r"permission=([^\n]+)", call)[0]
            word = said.strip(" ,").strip('"')
            if re.fullmatch("[A-Z]+", word):
                source = re.search(rf"from ([\w.]+) import [^\n]*\b{word}\b", text)
                told = (ROOT / f"{source[1].replace('.', '/')}.py").read_text() if source else text
                word = re.findall(rf"{word}\b.*? = (.*)", told)[0]
            asked |= {name for name in known if name in said or name == word.strip('"')}
            asked |= set(re.findall(r'"([a-z]+\.[a-z_]+)"', said))

    assert len(asked) >= 8
    assert asked <= named


def test_every_exclusion_names_roles_that_hold_both_ends_or_audit() -> None:
    for one, other in roles.INCOMPATIBLE:
        assert {one, other} <= set(roles.ROLES)
        both = any(
            duty.asks in roles.ROLES[one] and duty.decides in roles.ROLES[other]
            for duty in roles.DUTIES
        )
        assert both or other == "auditor"


@pytest.mark.parametrize("pair", list(roles.INCOMPATIBLE), ids=" and ".join)
def test_verify_reports_a_person_with_two_excluding_roles(
    staff: Callable[..., Any], pair: tuple[str, str]
) -> None:
    assert invariants.breached().get("I10b") is None
    person = staff(pair[0])

    give_past_the_guards(person, pair[1])

    (sentence,) = invariants.breached()["I10b"]
    assert all(role in sentence for role in pair)
    assert ask("--person", person.login_id)[0] == 1


def test_two_accounts_of_a_person_count_as_one_person(staff: Callable[..., Any]) -> None:
    one = staff("treasury_operator", staff_number="P-17")
    give_past_the_guards(staff(staff_number="P-17"), "treasury_approver")

    code, said = ask("--person", one.login_id)

    assert (code, said["clashes"]) == (1, [["treasury_operator", "treasury_approver"]])
    assert "p-17" in invariants.breached()["I10b"][0]


def test_the_printed_sentences_name_duties_and_exclusions() -> None:
    out = StringIO()
    call_command("who_can", stdout=out)

    said = out.getvalue()
    assert "a payout batch: treasury_operator -> treasury_approver" in said
    assert "fraud_analyst and fraud_supervisor" in said


# --- end to end ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(who_can.ways()))
def test_every_step_that_takes_a_permission_is_on_the_way(name: str) -> None:
    edges = [each for each in who_can.ways()[name].edges() if each.permission]

    steps = who_can.way(name).steps

    told = [(step.verb, step.permission, change) for step in steps for change in step.changes]
    assert sorted(told) == sorted(
        (each.name, each.permission, f"{each.source} -> {each.target}") for each in edges
    )


def test_the_way_of_a_workflow_names_who_plans_approves_and_starts_it(
    staff: Callable[..., Any],
) -> None:
    commander, officer = staff("incident_commander"), staff("compliance")
    staff("incident_commander", is_active=False)

    code, said = ask("--of", "reset-all-passwords")

    assert code == 0
    steps = {each["verb"]: each for each in said["steps"]}
    assert {"submit", "approve", "start", "pause", "resume", "abort"} <= set(steps)
    assert steps["approve"]["people"] == sorted([commander.login_id, officer.login_id])
    assert steps["pause"]["people"] == [commander.login_id]
    assert said["only"]["pause"] == commander.login_id
    assert "approve" not in said["only"]


def test_two_accounts_of_one_person_are_one_on_the_way(staff: Callable[..., Any]) -> None:
    maker = staff("treasury_operator", staff_number="P-1")
    give_past_the_guards(staff(staff_number="P-1"), "treasury_approver")
    staff("treasury_operator")

    _, said = ask("--of", "payout-batch")

    assert said["alone"] == [maker.login_id]
    assert said["only"]["approve"] == maker.login_id


def test_a_step_that_nobody_can_carry_out_is_named(staff: Callable[..., Any]) -> None:
    staff("treasury_operator")
    out = StringIO()

    call_command("who_can", "--of", "payout-batch", "--verb", "approve", stdout=out)

    assert "approve: NOBODY" in out.getvalue()
    assert "approve" in ask("--of", "payout-batch")[1]["missing"]
    assert "transmit" not in out.getvalue().partition("ONLY")[0]
    with pytest.raises(CommandError, match="has no step dance. "):
        ask("--of", "payout-batch", "--verb", "dance")
