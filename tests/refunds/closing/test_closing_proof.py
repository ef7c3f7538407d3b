"""The closing proof: every wallet ended in exactly one bucket, taken by one person, confirmed by a
second, and held until something moves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from refunds.closing import buckets, proofs
from refunds.models import ClosingProof, Entitlement
from tests import factories
from tests.config.test_every_door import browser_of
from tests.owning import as_owner
from tests.refunds.closing.settled import settle
from tests.refunds.conftest import House
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, PlanChanged, SamePerson
from winddown.evidence import audit, invariants
from winddown.machines.move import move_rows
from winddown.models import Approval, AuditEntry, Programme
from winddown.programme import stages
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


def decided(asked: Approval, by: Any, *, approve: bool = True) -> None:
    approvals.carry_out(asked, shown=asked.digest, actor=by, reason="counted", approve=approve)


def open_now() -> str:
    with translation.override("en"):
        return "; ".join(str(each) for each in stages.open_things())


def completed_past_python() -> None:
    """The verb that completes the programme is passed by."""
    programme = Programme.current()
    if programme.state != Programme.State.SETTLING:
        programme = factories.bring_to(programme, Programme.State.SETTLING)
    with transaction.atomic():
        audit.append("test.complete", "programme", actor=SYSTEM)
        move_rows(Programme, "complete", [programme.pk], actor=SYSTEM)


def test_the_database_completes_no_programme_without_a_proof_that_holds(
    house: House, staff: Callable[..., Any]
) -> None:
    settle(house)

    def refused() -> str:
        with pytest.raises(DatabaseError) as said:
            completed_past_python()
        return sqlstate_of(said.value)

    assert refused() == SqlState.NOT_APPROVED
    asked = proofs.take(actor=staff("treasury_operator"), reason="all has ended")
    assert refused() == SqlState.NOT_APPROVED
    decided(asked, staff("treasury_approver"))
    factories.make_wallet(paid_minor=1)
    assert refused() == SqlState.NOT_APPROVED


def test_every_wallet_is_in_one_bucket_and_a_second_person_confirms_it(
    house: House, staff: Callable[..., Any]
) -> None:
    settle(house)
    taker, second = staff("treasury_operator"), staff("treasury_approver")
    assert "No closing proof was taken" in open_now()

    asked = proofs.take(actor=taker, reason="all has ended")

    proof = ClosingProof.objects.get()
    assert proof.wallets == 4
    assert {name: bucket["wallets"] for name, bucket in proof.buckets.items()} == {
        "paid": 1,
        "excluded": 2,
        "empty": 1,
    }
    expected = dict(zip(buckets.SUMS, (3000, 1000, 0, 0, 2000, 0, 0), strict=True))
    assert {name: buckets.total(proof.buckets, name) for name in buckets.SUMS} == expected
    assert (proof.ledger, proof.currency) == (expected, "JPY")
    assert f"Nobody confirmed closing proof {proof.pk}" in open_now()
    with pytest.raises(GuardNotMet, match="nothing has moved since proof"):
        proofs.take(actor=second, reason="again")
    with pytest.raises(SamePerson):
        decided(asked, taker)
    decided(asked, second)
    assert proofs.current() == proof
    assert "closing proof" not in open_now()
    house.money_holds()


def test_a_proof_ends_with_the_next_movement(house: House, staff: Callable[..., Any]) -> None:
    _paid, late, *_ = settle(house)
    taker, second = staff("treasury_operator"), staff("compliance")
    waiting = proofs.take(actor=taker, reason="test")
    decided(waiting, second)
    approve_late(house, late)
    assert "Something moved since closing proof" in open_now()
    with pytest.raises(GuardNotMet, match="1 wallets are in no terminal bucket, as wallet"):
        proofs.take(actor=taker, reason="test")
    assert proofs.found_again(ClosingProof.objects.get()) != []


def approve_late(house: House, owed: Entitlement) -> None:
    factories.move(owed, "approve_late", actor=house.checker)


def test_what_moved_before_the_confirmation_is_not_confirmed(
    house: House, staff: Callable[..., Any]
) -> None:
    _paid, late, *_ = settle(house)
    asked = proofs.take(actor=staff("treasury_operator"), reason="test")
    approve_late(house, late)
    with pytest.raises(PlanChanged):
        decided(asked, staff("treasury_approver"))
    decided(asked, staff("compliance"), approve=False)
    assert proofs.state_of(ClosingProof.objects.get()) == "rejected"


def test_before_the_exclusion_and_without_the_right_there_is_no_proof(
    house: House, staff: Callable[..., Any]
) -> None:
    house.entitled(1)
    with pytest.raises(GuardNotMet, match="the exclusion is not posted yet"):
        proofs.take(actor=staff("treasury_operator"), reason="test")
    with pytest.raises(NotPermitted):
        proofs.take(actor=staff("support"), reason="test")


def test_a_ledger_that_differs_and_a_changed_row_are_found(
    house: House, staff: Callable[..., Any]
) -> None:
    """Planted past every guard: money that the rows do not have, and a wallet in another bucket."""
    settle(house)
    taker = staff("treasury_operator")
    decided(proofs.take(actor=taker, reason="test"), staff("treasury_approver"))
    assert "I71" not in invariants.breached()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE refunds_entitlement SET amount_minor = amount_minor + 1 WHERE state = 'paid'"
        )
        assert "paid: the rows come to 1001" in "; ".join(invariants.breached()["I71"])
        cursor.execute("UPDATE wallets_snapshotline SET paid_minor = 1001 WHERE wallet_id IN"
                       " (SELECT wallet_id FROM refunds_entitlement WHERE state = 'paid')")  # fmt: skip
        cursor.execute("SET session_replication_role = DEFAULT")
    found = buckets.counted()
    assert found.differences() == {"sealed": (3001, 3000), "paid": (1001, 1000)}


def test_each_end_of_an_entitlement_has_a_bucket_with_an_account() -> None:
    assert {state for state, _account in buckets.ENDS.values()} == set(Entitlement.ENDED)


def test_the_command_and_the_page_take_and_show_the_proof(
    house: House, staff: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    settle(house)
    by = {"by": staff("treasury_operator").login_id, "reason": "all has ended"}
    with pytest.raises(SystemExit):
        call_command("closing_proof", check=True)
    call_command("closing_proof", **by)
    said = capsys.readouterr().out
    assert re.search(r"excluded +2 wallets, JPY 2,000", said)
    assert re.search(r"sealed +rows JPY 3,000, ledger JPY 3,000", said)
    subject, digest = re.findall(r"approve (closing_proof:\d+) --digest (\w+)", said)[0]
    second = staff("treasury_approver")
    call_command("approve", subject, digest=digest, by=second.login_id, reason="counted too")
    call_command("closing_proof", check=True)
    assert "(confirmed) was found again to the unit" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action="closing_proof.confirm", actor_id=second.pk).exists()

    page = browser_of(second, headers={"accept-language": "ja"}).get("/console/closing/")
    for shown in ("終了の証明", "除斥", "元帳の金額", "2,000円"):
        assert shown in page.content.decode()
    refused = browser_of(second, headers=ENGLISH).post(
        "/console/closing/prove/", {"reason": "again"}
    )
    assert "nothing has moved since proof" in refused.content.decode()
    stranger = browser_of(staff("support"), headers=ENGLISH)
    assert stranger.post("/console/closing/prove/", {"reason": "mine"}).status_code == 403
