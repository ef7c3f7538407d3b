"""Processes that build, approve, export, send, book and void payouts are killed. A second start
finishes, nothing happens twice, and every file is whole.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from refunds.models import BankFile, Payout, PayoutBatch, VoidedFile
from refunds.payouts import batch_ends, payout_batches, results, voiding
from tests import factories
from tests.conftest import Database
from tests.owning import as_loader
from tests.refunds.conftest import House, jst
from wallets.models import Posting
from winddown import clock
from winddown.authority import approvals
from winddown.errors import NothingToDecide
from winddown.evidence import invariants
from winddown.models import Approval, AuditEntry, Run
from winddown.runs import waking, working

# In the proof, some two thousand processes are killed, and every invariant is looked at after each.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(4 * 3600)]

# Outside the proof, the distance from one point to the next grows by this factor.
STRIDE = 4
WRITES = frozenset({"os.link", "os.remove", "os.rename", "os.truncate"})


class Killer:
    """Counts the points that its process passes, and kills it at one of them: before and after each
    statement, and before each change of a file.
    """

    def __init__(self, at: int) -> None:
        self._at = at
        self._passed = 0

    def point(self) -> None:
        self._passed += 1
        if self._passed == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        sys.addaudithook(self._on_event)
        connection.execute_wrappers.append(self._on_statement)

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if event in WRITES or is_write:
            self.point()

    def _on_statement(self, execute: Any, *arguments: Any) -> Any:
        self.point()
        result = execute(*arguments)
        self.point()
        return result


def is_killed(verb: Callable[[], object], *, at: int) -> bool:
    """Returns whether a process of its own was killed at this point of the verb. Otherwise the verb
    was done, now or before.
    """
    connections.close_all()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Killer(at).watch()
            verb()
            code = 0
        except NothingToDecide:
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the verb failed after a kill"
    return False


def swept(
    verb: Callable[[], object],
    *,
    proof: bool,
    each: bool = False,
    after: Callable[[], object] = lambda: None,
) -> None:
    """The verb is done, after its process was killed at later and later points, and once more. In
    the proof they are all its points, and every invariant is looked at after each.
    """
    points: Iterator[int] = itertools.count(1) if each or proof else strides()
    kills = 0
    for at in points:
        if not is_killed(verb, at=at):
            break
        kills += 1
        after()
        assert not proof or invariants.breached() == {}
    assert not is_killed(verb, at=sys.maxsize)
    after()
    assert kills > 1
    if proof:
        # The recorder keeps lines that begin so, and shows them as they come.
        print(f"\nproof: {verb.__name__} killed {kills} times")


def strides() -> Iterator[int]:
    at = 2.0
    while True:
        yield int(at)
        at *= STRIDE


def only_whole_files(directory: Path, sha256s: set[str]) -> None:
    for path in directory.glob("transfer-*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in sha256s


def money() -> dict[str, int]:
    found: dict[str, int] = {}
    for account, amount in Posting.objects.filter(wallet=None).values_list(
        "account", "amount_minor"
    ):
        found[account] = found.get(account, 0) + amount
    return {name: found.get(name, 0) for name in ("refunds_payable", "payouts_in_flight", "bank")}


def acts(*names: str) -> list[int]:
    return [AuditEntry.objects.filter(action=name).count() for name in names]


def built(house: House, *, proof: bool) -> PayoutBatch:
    """A run of payouts has ended though its workers were killed."""
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )

    def work() -> None:
        while run.pk in waking.owed():
            working.work(run.pk)

    swept(work, proof=proof, after=leases_have_run_out)
    assert Run.objects.get(pk=run.pk).state == Run.State.SUCCEEDED
    return PayoutBatch.objects.get(run=run)


def leases_have_run_out() -> None:
    """As if the deaths had been far apart: neither a lease nor an attempt remembers them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE winddown_batch SET attempts = 0, lease_until = clock_timestamp()"
            " - interval '1 second' WHERE state = 'leased'"
        )


def test_killed_processes_pay_nothing_twice_and_leave_no_half_file(
    own_database: Database, house: House, long_form: bool
) -> None:
    for owed in house.entitled(4)[:3]:
        house.apply(owed)
    house.check_payees()
    inbox = house.bank.inbox
    in_flight = {"refunds_payable": 1000, "payouts_in_flight": 3000, "bank": 0}

    batch = built(house, proof=long_form)
    assert (batch.items, batch.total_minor, batch.sequence) == (3, 3000, 1)
    assert Payout.objects.count() == 3
    assert money() == in_flight

    def approve() -> None:
        house.approve(PayoutBatch.objects.get(pk=batch.pk))

    swept(approve, proof=long_form)

    def release() -> None:
        found = PayoutBatch.objects.get(pk=batch.pk)
        payout_batches.hand_out(found, actor=house.treasury, reason="test")

    swept(release, proof=long_form)

    def export() -> None:
        found = PayoutBatch.objects.get(pk=batch.pk)
        payout_batches.export_batch(found, directory=inbox, actor=house.treasury, reason="test")

    # A file has few points, and each is another half file.
    swept(
        export,
        proof=long_form,
        each=True,
        after=lambda: only_whole_files(inbox, {batch.sha256}),
    )
    assert len(list(inbox.glob("transfer-*"))) == 1
    assert not list(inbox.glob(".*")), "what a killed process had begun is removed"

    def send() -> None:
        found = PayoutBatch.objects.get(pk=batch.pk)
        if found.state != PayoutBatch.State.TRANSMITTED:
            payout_batches.mark_transmitted(found, actor=house.sender, reason="test")

    swept(send, proof=long_form)

    clock.travel(jst("2019-11-15T12:00"), frozen=True)
    (taken,) = house.bank.work(today=payout_batches.today())
    (answer,) = taken.answers

    def book() -> None:
        with as_loader():
            results.import_file(answer, actor=house.treasury, reason="test")

    swept(book, proof=long_form)
    assert BankFile.objects.filter(kind=BankFile.Kind.RESULTS).count() == 1
    settled = {"refunds_payable": 1000, "payouts_in_flight": 0, "bank": 3000}
    assert money() == settled

    file = BankFile.objects.get(kind=BankFile.Kind.RESULTS)
    asked = voiding.ask_void(file, actor=house.treasury, reason="another customer's")

    def agree(request: Approval = asked) -> None:
        approvals.carry_out(
            request, shown=request.digest, actor=house.second, reason="test", approve=True
        )

    swept(agree, proof=long_form)
    assert VoidedFile.objects.count() == 1
    assert money() == in_flight
    assert acts(
        "payout_batch.approve", "payout_batch.export", "payout_batch.transmit", "bank_file.void"
    ) == [1, 1, 1, 1]
    house.money_holds()


def test_a_killed_void_of_a_batch_frees_its_payouts_once(
    own_database: Database, house: House, long_form: bool
) -> None:
    house.apply(house.entitled(1)[0])
    house.check_payees()
    batch = house.approve(house.paid_batch())
    asked = batch_ends.ask_void(batch, actor=house.treasury, reason="test")

    def void() -> None:
        house.agreed(asked)

    swept(void, proof=long_form)
    assert PayoutBatch.objects.get(pk=batch.pk).state == PayoutBatch.State.VOIDED
    assert Payout.objects.filter(batch=None).count() == 1
    house.money_holds()
