"""Closing balances become entitlements exactly, once, and only when the law allows it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction

from refunds.applications import holds, submitting
from refunds.invariants import without_a_door
from refunds.models import Entitlement
from tests import factories
from tests.refunds.conftest import House, jst, person
from tests.unguarded import past_the_guards
from wallets.models import Journal, Posting, Snapshot, SnapshotLine, Wallet
from wallets.movements import posting, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, SamePerson
from winddown.models import Batch, Failure, Programme
from winddown.programme import capabilities
from winddown.runs import batches, planning, working

pytestmark = pytest.mark.django_db


def test_bonus_value_expires_and_paid_value_is_owed(house: House) -> None:
    """Rule 34."""
    owed = house.entitled(2, paid_minor=300, bonus_minor=40)
    assert [row.amount_minor for row in owed] == [300, 300]
    wallet = Wallet.objects.get(pk=owed[0].wallet_id)
    assert (wallet.state, wallet.paid_minor, wallet.bonus_minor) == ("entitled", 0, 0)
    expired = Posting.objects.filter(account="bonus_expired")
    assert [line.amount_minor for line in expired] == [80]
    assert Programme.current().state == "refunding"
    house.money_holds()


def test_a_balance_of_one_yen_is_owed_and_an_empty_wallet_is_settled(house: House) -> None:
    """Rule 45."""
    one, bonus_only, nothing = (
        factories.make_wallet(paid_minor=1),
        factories.make_wallet(bonus_minor=9),
        factories.make_wallet(),
    )
    house.close([one.pk, bonus_only.pk, nothing.pk])
    house.seal()
    assert house.run("entitle").state == "succeeded"
    assert Entitlement.objects.get().wallet_id == one.pk
    states = Wallet.objects.filter(pk__in=[bonus_only.pk, nothing.pk]).values_list(
        "state", "bonus_minor"
    )
    assert set(states) == {("settled", 0)}
    house.money_holds()


def test_refunds_do_not_open_while_safeguarded_funds_fall_short(house: House) -> None:
    """Rule 41: the gap is named."""
    house.close(factories.make_wallets(2, paid_minor=500))
    house.seal()
    Programme.objects.update(safeguarded_minor=999)
    with pytest.raises(GuardNotMet, match="1 short of the 1000 owed"):
        house.run("entitle")
    assert not Entitlement.objects.exists()


def test_refunds_do_not_open_without_a_notice(
    rehearsal_clock: Any, programme: Any, tmp_path: Any, staff: Any
) -> None:
    """Law 4."""
    factories.make_programme(state="balance_fixed")
    capabilities.stop("spend", actor=person("winddown.stop_capability"), reason="test")
    for source in factories.SOURCES:
        capabilities.stop(
            f"top_up:{source}", actor=person("winddown.stop_capability"), reason="test"
        )
    with pytest.raises(GuardNotMet, match="no public notice"):
        planning.plan(
            "refund-balances",
            actor=person("winddown.plan_run"),
            reason="test",
            params={"part": "entitle"},
        )


def test_refunds_do_not_open_while_a_charge_or_payment_is_possible(house: House) -> None:
    """Law 2: the service has ended when issuing and redeeming have both stopped."""
    house.close(factories.make_wallets(1, paid_minor=500))
    house.seal()
    with transaction.atomic():
        past_the_guards(
            "UPDATE winddown_capability SET state = 'enabled' WHERE code = 'top_up:points'"
        )
    with pytest.raises(GuardNotMet, match="top_up:points must have ended"):
        house.run("entitle")


def test_a_wallet_that_differs_from_the_sealed_snapshot_is_a_stored_failure(house: House) -> None:
    """Rule 33: the sealed line is the truth. Nothing of that wallet is moved, and the others go on."""
    ids = factories.make_wallets(3, paid_minor=100)
    house.close(ids)
    house.seal()
    posting.post(
        [("wallet_paid", ids[1], 5), ("merchants", None, -5)],
        source="test",
        source_id=1,
        kind="late",
        occurred_at=Snapshot.objects.get().sealed_at,
        actor=SYSTEM,
    )
    Wallet.objects.filter(pk=ids[1]).update(paid_minor=105)
    done = house.run("entitle")
    assert done.state == "partially_failed"
    failure = Failure.objects.get(run=done)
    assert (failure.subject_id, failure.reason_code) == (ids[1], "LedgerRefused")
    assert set(Entitlement.objects.values_list("wallet_id", flat=True)) == {ids[0], ids[2]}
    assert Wallet.objects.get(pk=ids[1]).state == "closed"
    assert Programme.current().state == "balance_fixed"


def test_a_second_run_entitles_nobody_twice(house: House) -> None:
    house.entitled(3)
    before = (Entitlement.objects.count(), Journal.objects.count())
    again = house.run("entitle")
    assert again.state == "succeeded"
    assert sum(Batch.objects.filter(run=again).values_list("moved", flat=True)) == 0
    assert (Entitlement.objects.count(), Journal.objects.count()) == before


def test_a_worker_that_dies_between_effect_and_commit_leaves_nothing_half_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 35: the next worker finishes with the same totals."""
    house.close(factories.make_wallets(4, paid_minor=100, bonus_minor=1))
    house.seal()
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "entitle"},
    )
    finish = batches.finish

    def die(*args: Any, **kwargs: Any) -> None:
        finish(*args, **kwargs)
        raise KeyboardInterrupt

    while not Entitlement.objects.exists():
        with monkeypatch.context() as patch:
            patch.setattr(batches, "finish", die)
            try:
                working.work(run.pk, batches_max=1)
            except KeyboardInterrupt:
                assert not Entitlement.objects.exists()
                assert not Posting.objects.filter(account="refunds_payable").exists()
        Batch.objects.filter(run=run, state="leased").update(lease_until="2000-01-01T00:00Z")
        working.work(run.pk, batches_max=1)
    assert factories.worked_off(run).state == "succeeded"
    assert Entitlement.objects.count() == 4
    house.money_holds()


def test_a_held_wallet_is_entitled_and_stays_held_until_two_supervisors_release_it(
    house: House,
) -> None:
    ids = factories.make_wallets(1, paid_minor=800)
    house.close(ids, held=True)
    house.seal()
    assert house.run("entitle").state == "succeeded"
    owed = Entitlement.objects.get()
    assert (owed.state, owed.wallet.state) == ("held", "held_entitled")
    with pytest.raises(submitting.NothingOwed):
        house.apply(owed)
    one, other = person("wallets.release_wallet"), person("wallets.release_wallet")
    request = holds.ask_release(owed, actor=one, reason="cleared")
    with pytest.raises(SamePerson):
        holds.release(owed, actor=one, digest=request.digest, reason="cleared")
    owed = holds.release(owed, actor=other, digest=request.digest, reason="cleared")
    assert (owed.state, Wallet.objects.get(pk=ids[0]).state) == ("computed", "entitled")
    assert house.apply(owed).state == "approved"
    house.money_holds()


def test_an_application_goes_on_when_its_hold_is_released(house: House) -> None:
    """The rules approved one application; the other is above their limit and waits for a person."""
    ids = [
        *factories.make_wallets(1, paid_minor=900),
        *factories.make_wallets(1, paid_minor=200_000),
    ]
    house.close(ids)
    house.seal()
    house.run("entitle")
    small, large = Entitlement.objects.order_by("amount_minor")
    analyst = person("refunds.hold_entitlement")
    one, other = person("wallets.release_wallet"), person("wallets.release_wallet")
    for owed, state in ((small, "approved"), (large, "applied")):
        house.apply(owed)
        holds.hold(owed, actor=analyst, reason="suspicion")
        assert Entitlement.objects.get(pk=owed.pk).state == "held"
        request = holds.ask_release(owed, actor=one, reason="cleared")
        released = holds.release(owed, actor=other, digest=request.digest, reason="cleared")
        assert released.state == state
    house.money_holds()


def test_held_value_stays_in_the_wallet_until_the_hold_ends(house: House) -> None:
    """Rule 22: suspected value is decided before it is owed."""
    wallet = factories.make_wallet(paid_minor=700)
    taint = withholding.hold(wallet.pk, amount_minor=200, reason="suspicion", actor=SYSTEM)
    house.close([wallet.pk])
    house.seal()
    first = house.run("entitle")
    assert first.state == "succeeded"
    assert first.plans.get().content["excluded"] == {"wallets_with_active_holds": 1}
    wallet.refresh_from_db()
    assert (wallet.state, wallet.paid_minor, Entitlement.objects.get().amount_minor) == (
        "entitled",
        200,
        500,
    )
    house.money_holds()
    withholding.release(taint, actor=SYSTEM)
    assert house.run("entitle").state == "succeeded"
    assert _parts(wallet) == [(1, 500, "computed"), (2, 200, "computed")]
    house.money_holds()


def _parts(wallet: Wallet) -> list[Any]:
    rows = Entitlement.objects.filter(wallet=wallet).order_by("part")
    return list(rows.values_list("part", "amount_minor", "state"))


def part_held(house: House, *, paid_minor: int = 1007, held_minor: int = 500) -> tuple[Wallet, Any]:
    """Returns a wallet of which a hold kept a part at the close, entitled as far as it was free."""
    wallet = factories.make_wallet(paid_minor=paid_minor, bonus_minor=3)
    taint = withholding.hold(wallet.pk, amount_minor=held_minor, reason="suspicion", actor=SYSTEM)
    house.close([wallet.pk])
    house.seal()
    assert house.run("entitle").state == "succeeded"
    house.money_holds()
    return wallet, taint


def test_what_a_hold_sets_free_after_the_exclusion_is_owed_and_paid(house: House) -> None:
    """While the hold lasted the rest was not excluded. Then both parts are."""
    wallet, taint = part_held(house)
    clock.travel(jst("2020-01-14T00:00"), frozen=True)
    assert house.run("exclude").state == "succeeded"
    withholding.release(taint, actor=SYSTEM)
    assert house.run("entitle").state == "succeeded"
    assert _parts(wallet) == [(1, 507, "computed"), (2, 500, "computed")]
    assert Programme.current().state == "settling"
    assert without_a_door() == []
    house.money_holds()

    assert house.run("exclude").state == "succeeded"

    assert _parts(wallet) == [(1, 507, "excluded"), (2, 500, "excluded")]
    assert (house.run("entitle").state, len(_parts(wallet))) == ("succeeded", 2)
    house.money_holds()


def test_both_parts_of_a_wallet_are_applied_for_and_paid_on_their_own(house: House) -> None:
    wallet, taint = part_held(house)
    holder = wallet.account
    first = house.apply(Entitlement.objects.get(), confirmed_minor=507)
    house.check_payees()
    house.send(house.paid_batch("2019-11-15"))
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()
    wallet.refresh_from_db()
    assert wallet.state == "settled"
    withholding.release(taint, actor=SYSTEM)

    assert house.run("entitle").state == "succeeded"

    wallet.refresh_from_db()
    assert wallet.state == "entitled"
    house.money_holds()
    second = submitting.submit(
        holder, channel="app", op_id=uuid.uuid4(), actor=holder, confirmed_minor=500
    )
    assert second.entitlement_id != first.entitlement_id
    house.send(house.paid_batch("2019-11-22"))
    clock.travel(jst("2019-11-22T15:00"), frozen=True)
    house.answers()
    wallet.refresh_from_db()
    assert (_parts(wallet), wallet.state) == ([(1, 507, "paid"), (2, 500, "paid")], "settled")
    house.money_holds()


def test_what_was_taken_after_the_close_is_owed_to_nobody(house: House) -> None:
    """Of one wallet all was held, of the other a part: what a clawback takes is no refund."""
    whole = factories.make_wallet(paid_minor=300)
    all_of_it = withholding.hold(whole.pk, amount_minor=300, reason="suspicion", actor=SYSTEM)
    house.close([whole.pk])
    wallet, taint = part_held(house)
    whole.refresh_from_db()
    assert (whole.state, whole.paid_minor) == ("closed", 300)
    clock.travel(jst("2019-11-06T10:00"), frozen=True)
    for hold in (all_of_it, taint):
        withholding.claw_back(hold, actor=SYSTEM)

    assert house.run("entitle").state == "succeeded"

    whole.refresh_from_db()
    assert (whole.state, _parts(whole)) == ("settled", [])
    assert _parts(wallet) == [(1, 507, "computed")]
    house.money_holds()


def test_a_held_wallet_of_which_a_part_is_kept_is_entitled_to_the_rest(house: House) -> None:
    wallet = factories.make_wallet(paid_minor=700)
    empty = factories.make_wallet(bonus_minor=5)
    taint = withholding.hold(wallet.pk, amount_minor=200, reason="suspicion", actor=SYSTEM)
    house.close([wallet.pk, empty.pk], held=True)
    house.seal()
    assert house.run("entitle").state == "succeeded"
    assert _parts(wallet) == [(1, 500, "held")]
    withholding.release(taint, actor=SYSTEM)

    assert house.run("entitle").state == "succeeded"

    assert _parts(wallet) == [(1, 500, "held"), (2, 200, "held")]
    assert Wallet.objects.get(pk=empty.pk).state == "settled"
    house.money_holds()


def test_an_entitlement_cannot_be_made_twice_or_for_nothing(house: House) -> None:
    (owed,) = house.entitled(1)
    line = SnapshotLine.objects.get(wallet_id=owed.wallet_id)
    for amount in (line.paid_minor, 0):
        with pytest.raises(Exception, match=r"(unique|entitlement_positive)"), transaction.atomic():
            Entitlement.objects.create(
                wallet_id=owed.wallet_id, snapshot_id=owed.snapshot_id, amount_minor=amount
            )
