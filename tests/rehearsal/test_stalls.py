"""What is open in a database is a line with its number, amount, role and door, and in one line only."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from accounts.models import User
from refunds.applications import holds
from refunds.models import Entitlement, FraudClaim, IssuerAction
from rehearsal import stalls
from rehearsal.doors import Stall
from rehearsal.management.commands.rehearse import Command, read
from rehearsal.own_data import Findings
from tests import factories
from tests.refunds.claims.scene import Scene, jst
from winddown import clock
from winddown.models import Milestone
from winddown.programme import gates

pytestmark = pytest.mark.django_db


def found() -> dict[str, tuple[int, int, str, str]]:
    """Number, amount, role and door of each stall, by its name."""
    return {
        each.what: (each.number, each.amount_minor, each.role, each.door)
        for each in stalls.found()
        if not each.what.startswith(("gate ", "milestone "))
    }


def reach_everybody() -> None:
    for person in User.objects.customers():
        person.email = f"{person.pk}@example.com"
        person.email_verified_at = clock.now()
        person.save(update_fields=["email", "email_verified_at"])


def test_each_refund_that_is_not_paid_is_in_one_line(house: Any) -> None:
    owed = house.entitled(8, paid_minor=1_000)
    reach_everybody()
    held, paying, refused, approved, waits, _silent, cut_off, claimed = owed
    house.apply(paying)
    house.apply(refused, quality="no_such_account")
    house.check_payees()
    house.paid_batch()
    house.apply(approved)
    house.apply(waits, channel="web")
    holds.hold(held, actor=factories.make_staff("compliance"), reason="test")
    User.objects.filter(pk=cut_off.wallet.account_id).update(email="", email_verified_at=None)
    house.apply(claimed)
    FraudClaim.objects.create(
        wallet=claimed.wallet,
        state=FraudClaim.State.REPORTED,
        channel="customer",
        opened_at=clock.now(),
    )

    lines = found()

    assert lines == {
        "people who cannot be reached": (1, 1_000, "incident_commander", "export_unreachable"),
        "refunds on hold": (1, 1_000, "fraud_supervisor", "release_refund"),
        "payouts without an answer": (1, 1_000, "treasury_operator", "import_bank_results"),
        "bank accounts that cannot be paid": (1, 1_000, "support", "correct_payee"),
        "refunds behind a claim": (1, 1_000, "fraud_analyst", "/console/look-up/"),
        "approved refunds in no payout file": (1, 1_000, "treasury_operator", "refund_balances"),
        "applications that wait for people": (1, 1_000, "support", "propose_application"),
        "refunds that nobody applied for": (1, 1_000, "support", "enter_application"),
        "claims that nobody decided": (1, 0, "fraud_analyst", "/console/look-up/"),
    }
    assert sum(amount for _, amount, *_ in lines.values()) == sum(
        Entitlement.objects.values_list("amount_minor", flat=True)
    )


def test_each_loss_that_is_not_made_good_is_in_one_line(
    rehearsal_clock: Any, programme: Any
) -> None:
    scene = Scene()
    decided = scene.confirmed(scene.victim(3_000), scene.victim(400, funding="points"))
    reach_everybody()
    assert [claim.state for claim in decided] == [FraudClaim.State.REMEDYING] * 2
    assert found() == {
        "requests that were not sent to their issuer": (
            1,
            3_000,
            "fraud_analyst",
            "export_issuer_asks",
        ),
        "losses that are not made good": (1, 400, "fraud_supervisor", "/console/look-up/"),
    }

    scene.at(2019, 7, 5, 12)
    file = scene.asked()
    assert found()["requests that an issuer has not answered"] == (
        1,
        3_000,
        "fraud_analyst",
        "export_issuer_asks --again",
    )

    scene.answer(file, "need_info")
    assert IssuerAction.objects.get().state == IssuerAction.State.NEED_INFO
    assert found()["requests about which an issuer asks back"] == (
        1,
        3_000,
        "fraud_analyst",
        "export_issuer_asks --again",
    )


def test_a_loss_that_the_operator_must_pay_itself_waits_for_the_treasury(
    rehearsal_clock: Any, programme: Any
) -> None:
    scene = Scene()
    scene.confirmed(scene.victim(700, funding="debit"))
    reach_everybody()
    file = scene.asked()
    scene.answer(file, "declined")
    while IssuerAction.objects.filter(state=IssuerAction.State.DRAFT).exists():
        scene.answer(scene.asked(), "declined")

    assert found() == {
        "losses that the operator has not paid": (1, 700, "treasury_operator", "refund_balances")
    }


def test_a_deadline_that_passed_and_a_gate_that_fails_are_lines(house: Any) -> None:
    house.entitled(2, paid_minor=1_000)
    Milestone.objects.update_or_create(
        kind=Milestone.Kind.FUNDS_SECURED,
        defaults={"at": clock.now() - stalls.milestones.OVERDUE_AFTER, "owner_role": "compliance"},
    )

    lines = {each.what: each for each in stalls.found()}

    late = lines["milestone funds_secured"]
    assert (late.number, late.role, late.door) == (1, "compliance", "reach_milestone")
    unpaid = lines["gate Every holder is paid or excluded"]
    assert (unpaid.number, unpaid.amount_minor, unpaid.role) == (2, 0, "treasury_operator")
    assert "Amount not paid: JPY 2,000 of JPY 2,000" in unpaid.why


def test_every_gate_and_every_line_names_a_door_that_is_there() -> None:
    assert set(stalls.OF_GATE) == set(gates.GATES)
    commands = get_commands()
    mends = [
        *stalls.OF_GATE.values(),
        stalls.UNREACHABLE,
        *(each.mend for each in (*stalls.refund_reasons(), *stalls.LOSS_REASONS)),
    ]
    for mend in mends:
        command = mend.door.split()[0]
        if command.startswith("/console/"):
            assert resolve(command)
        else:
            assert load_command_class(commands[command], command)


def test_the_table_has_each_stall_and_the_total(programme: Any) -> None:
    lines = [
        Stall(
            "refunds on hold",
            3,
            "two people must release them",
            "fraud_supervisor",
            "release_refund",
            1_234,
        ),
        Stall(
            "people who cannot be reached",
            2,
            "no address",
            "incident_commander",
            "export_unreachable",
            66,
        ),
    ]
    out = io.StringIO()

    Command(stdout=out).say(Findings(stalls=lines), as_json=False)

    printed = " ".join(out.getvalue().split())
    for told in ("refunds on hold", "JPY 1,234", "fraud supervisor", "release_refund", "JPY 1,300"):
        assert told in printed
    assert "Not exercised: fraud claims and card issuers (--claims NUMBER)." in printed


def test_an_earlier_rehearsals_clock_does_not_judge_the_file(
    rehearsal_clock: Any, programme: Any
) -> None:
    rehearsal_clock.travel(jst(2020, 2, 29), frozen=True)
    file = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "sakura" / "programme.toml"

    assert read(file)["programme"]

    assert clock.now() == jst(2020, 2, 29)
