"""A person who signs a command proves it by a code that only this person has."""

from __future__ import annotations

import inspect
import re
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.sign_in import second_factor
from tests.signing_in import code_typed, next_code
from winddown.authority.staff_command import PROOFS, StaffCommand
from winddown.models import Approval, AuditEntry, Capability, Signature
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def asked(switches: None, staff: Any) -> Approval:
    """A request that waits for a second person."""
    first = staff("compliance")
    capabilities.stop("spend", actor=first, reason="attack")
    capabilities.request_restore("spend", actor=first, reason="over")
    return Approval.objects.get(stage="restore")


def approve(asked: Approval, person: Any, typed: str, monkeypatch: Any) -> int:
    monkeypatch.setattr(sys, "stdin", StringIO(f"{typed}\n"))
    try:
        call_command(
            "approve", asked.subject, digest=asked.digest, by=person.login_id, reason="over"
        )
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def signed(asked: Approval) -> bool:
    return Signature.objects.filter(approval=asked, part="approved").exists()


def test_the_code_of_the_persons_own_app_signs_once(
    asked: Approval, staff: Any, monkeypatch: Any
) -> None:
    second = staff("compliance")
    second_factor.add_app(second)
    code = next_code(second)

    assert approve(asked, second, code, monkeypatch) == 0
    assert signed(asked)
    assert Capability.objects.get(code="spend").state == "enabled"
    assert approve(asked, second, code, monkeypatch) == 1


def test_a_command_without_the_right_code_changes_nothing_and_leaves_a_row(
    asked: Approval, staff: Any, monkeypatch: Any, capsys: Any
) -> None:
    second, other = staff("compliance"), staff("compliance")
    second_factor.add_app(second)
    second_factor.add_app(other)

    for typed in ("", "000000000", next_code(other)):
        assert approve(asked, second, typed, monkeypatch) == 1
        assert "nothing was done" in capsys.readouterr().out

    assert not signed(asked)
    refused = AuditEntry.objects.filter(
        action="command.not_proved", subject=f"account:{second.pk}", actor=None
    )
    assert refused.count() == 3


def test_a_person_without_a_second_factor_signs_nothing(
    asked: Approval, staff: Any, monkeypatch: Any
) -> None:
    assert approve(asked, staff("compliance"), "123456", monkeypatch) == 1
    assert not signed(asked)


def test_the_right_code_of_a_command_is_refused_after_five_wrong_ones(
    asked: Approval, staff: Any, monkeypatch: Any
) -> None:
    second = staff("compliance")
    second_factor.add_app(second)
    for _ in range(second_factor.WRONG_CODES_MAX):
        approve(asked, second, "000000000", monkeypatch)

    assert approve(asked, second, next_code(second), monkeypatch) == 1
    assert not signed(asked)


def test_a_command_is_refused_where_nothing_can_prove_the_person(
    asked: Approval, staff: Any, monkeypatch: Any
) -> None:
    second = staff("compliance")
    second_factor.add_app(second)
    monkeypatch.setattr(PROOFS, "names", list)

    with pytest.raises(CommandError, match="nothing here can prove"):
        approve(asked, second, next_code(second), monkeypatch)
    assert not signed(asked)


def test_a_rehearsal_asks_for_no_code(rehearsal_clock: Any, asked: Approval, staff: Any) -> None:
    call_command(
        "approve", asked.subject, digest=asked.digest, by=staff("compliance").login_id, reason="r"
    )
    assert signed(asked)


# Their names begin like those that decide.
NOT_DECIDING = {
    "confirm_amount": "it notes what the customer said",
    "release_payout_batch": "others approved the file, and anybody stops it in the grace",
    "release_refund": "it asks, and `approve` decides",
    "release_reserve": "it asks, and `approve` decides",
}


def test_every_command_that_decides_or_reveals_asks_for_a_code(staff: Any, tmp_path: Path) -> None:
    texts = {
        path.stem: path.read_text()
        for app in ("winddown", "accounts", "refunds")
        for path in (ROOT / app / "management" / "commands").glob("*.py")
    }
    decides = {
        name
        for name, text in texts.items()
        if name
        in (
            "approve",
            "filing",
            "load_applications",
            "look_up",
            "merchant_receipts",
            "print_paper_form",
            "recovery_cases",
        )
        or name.startswith(("confirm_", "export_", "release_", "witness_"))
        or '"--agree"' in text
    }
    decides -= set(NOT_DECIDING)
    assert decides == {name for name, text in texts.items() if "proven_actor(" in text}
    assert len(decides) == 33
    assert PROOFS.names() == ["second factor"]


def test_a_code_is_never_an_argument() -> None:
    """Every account of the machine can read the arguments of a process."""
    assert not re.search(r"--(code|otp|totp)", inspect.getsource(StaffCommand))


def test_a_command_that_only_reads_asks_for_no_code(switches: None, staff: Any) -> None:
    first = staff("compliance")
    with code_typed(first):
        call_command("stop_capability", "spend", by=first.login_id, reason="attack")
        assert sys.stdin.readline() != ""
