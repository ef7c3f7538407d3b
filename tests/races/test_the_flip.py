"""The switch is flipped while two hundred people charge their wallets."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from tests import factories
from tests.races.crowd import wait_until_somebody_waits_for_the_switch
from wallets.models import Posting, TopUp, Wallet
from wallets.movements import charging
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import CapabilityStopped, WalletNotUsable
from winddown.evidence import invariants
from winddown.models import Capability
from winddown.programme import capabilities
from winddown.runs import planning

PEOPLE = 200
AT_A_TIME = 16


def charge_all(ids, verb, meanwhile):
    """Every wallet is charged once, sixteen at a time, and `meanwhile` happens in between: the last
    ones come after it, however slow it is.
    """
    waiting = list(enumerate(ids))
    lock, half_way, flipped = threading.Lock(), threading.Event(), threading.Event()
    answers = []

    def people():
        try:
            while True:
                with lock:
                    if not waiting:
                        return
                    number, wallet = waiting.pop()
                    left = len(waiting)
                if left < PEOPLE * 3 // 4:
                    half_way.set()
                if left < PEOPLE // 10:
                    assert flipped.wait(60)
                try:
                    answers.append(verb(wallet, number))
                except (CapabilityStopped, WalletNotUsable) as refusal:
                    answers.append(refusal)
        finally:
            connection.close()

    def flip():
        try:
            assert half_way.wait(60)
            answers.append(meanwhile())
        finally:
            flipped.set()
            connection.close()

    threads = [threading.Thread(target=people) for _ in range(AT_A_TIME)]
    threads.append(threading.Thread(target=flip))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    return answers


def verb(wallet, number):
    return charging.top_up(
        wallet, source="points", amount_minor=1, top_up_ref=f"t{number}", actor=SYSTEM
    )


def late():
    """Charges with a ledger time after the flip."""
    since = Capability.objects.get(code="top_up:points").since
    return TopUp.objects.filter(occurred_at__gte=since).count()


def test_no_charge_has_a_time_after_the_flip(own_database, programme, wallets, staff):
    """Rule 2."""
    ids = wallets(PEOPLE)
    maker, checker = staff("incident_commander"), staff("compliance")
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    answers = charge_all(ids, verb, lambda: planning.start(run, actor=maker))
    assert len(answers) == PEOPLE + 1
    passed = TopUp.objects.count()
    assert 0 < passed < PEOPLE, "the flip must hit the middle for the test to mean anything"
    assert late() == 0
    assert capabilities.leaks("top_up:points") == 0
    assert set(TopUp.objects.values_list("switch_version", flat=True)) == {1}
    done = factories.worked_off(run)
    assert done.state == "succeeded"
    assert set(Wallet.objects.values_list("state", flat=True)) == {"charge_frozen"}
    assert Posting.objects.filter(account="wallet_paid").count() == passed
    assert invariants.breached() == {}


def test_the_flip_waits_for_a_charge_under_way_that_is_not_late(own_database, programme, wallets):
    """Rule 2: the flip waits for what is under way, and what comes after it waits for the flip."""
    (one,) = wallets(1)
    passed, go_on = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic():
                capabilities.passed("top_up:points")
                passed.set()
                assert go_on.wait(60)
                verb(one, 1)
        finally:
            connection.close()

    def flip():
        try:
            capabilities.stop("top_up:points", actor=SYSTEM, reason="attack")
        finally:
            connection.close()

    threads = [threading.Thread(target=slow), threading.Thread(target=flip)]
    threads[0].start()
    assert passed.wait(60)
    threads[1].start()
    wait_until_somebody_waits_for_the_switch()
    assert Capability.objects.get(code="top_up:points").state == "enabled"
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert TopUp.objects.count() == 1
    assert late() == 0
    with pytest.raises(CapabilityStopped):
        verb(one, 2)


# --- the proof that the proof can fail ----------------------------------------------------------


def test_a_charge_that_takes_no_lock_is_found(own_database, programme, wallets):
    """The same flip against a charge that reads the switch without its lock: it must be late.

    A barrier between reading and writing holds the window open that is microseconds wide in life.
    """
    (one,) = wallets(1)
    read, flipped = threading.Event(), threading.Event()

    def naive_top_up():
        with transaction.atomic():
            switch = Capability.objects.get(code="top_up:points")
            assert switch.state == "enabled"
            read.set()
            assert flipped.wait(60)
            wallet = Wallet.objects.select_for_update(no_key=True).get(pk=one)
            done = TopUp.objects.create(
                top_up_ref="naive",
                wallet=wallet,
                source="points",
                amount_minor=1,
                occurred_at=clock.now(),
                switch_version=switch.version,
            )
            charging._post_top_up(done, wallet, at=done.occurred_at, actor=SYSTEM)

    def charge():
        try:
            naive_top_up()
        finally:
            connection.close()

    thread = threading.Thread(target=charge)
    thread.start()
    assert read.wait(60)
    capabilities.stop("top_up:points", actor=SYSTEM, reason="attack")
    flipped.set()
    thread.join(60)
    assert late() == 1
    assert capabilities.leaks("top_up:points") == 1
    assert list(invariants.breached()) == ["I7"]
