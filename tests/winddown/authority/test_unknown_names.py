"""A command that does not know a name says which one is near."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from winddown.errors import UnknownWorkflow
from winddown.runs import registry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("programme")]


def said(*words: str) -> str:
    out = StringIO()
    with pytest.raises((CommandError, SystemExit)) as ended:
        call_command(*words, stdout=out)
    return out.getvalue() + str(ended.value)


def test_the_name_that_is_near_is_told(staff: Any) -> None:
    one = staff("incident_commander")
    stop = ("stop_capability", f"--by={one.login_id}", "--reason=test")
    for words, near in (
        ((*stop, "top_up:creditcard"), "top_up:credit_card"),
        (("stop_capability", "spend", f"--by={one.login_id}x", "--reason=test"), one.login_id),
        (("who_can", "--of", "payout-bach"), "payout-batch"),
        (("who_can", "--of", "payout-batch", "--verb", "aprove"), "approve"),
        (("who_can", "refunds.decide_claims"), "refunds.decide_claim"),
        (("staff", "disable", f"{one.login_id}x", f"--by={one.login_id}"), one.login_id),
    ):
        told = said(*words) if words[0] != "staff" else said(*words, "--reason=test")
        assert f"Did you mean {near}?" in told, told


def test_where_nothing_is_near_the_known_names_are_told() -> None:
    with pytest.raises(UnknownWorkflow, match="Known are freeze-charges, reset-all-passwords"):
        registry.get("zzz")
    assert "Known are" in said("who_can", "--of", "zzz")
