"""A database that was restored into another cluster is sealed and verified there as before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from tests.owning import as_owner
from tests.winddown.evidence.conftest import Cluster
from tests.winddown.evidence.test_audit import complaints, seal
from wallets.models import Wallet
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.evidence import audit, restores
from winddown.machines.move import transition_set
from winddown.models import AuditEntry

# More transactions than a new cluster needs to take a restored database in.
AHEAD = 20_000


@pytest.fixture(params=["custom", "plain", "data-only"])
def restore(
    request: pytest.FixtureRequest,
    own_database,
    cluster: Cluster,
    lead_to: Callable[[Cluster, str], None],
    tmp_path: Path,
) -> Callable[[], None]:
    """`restore()` takes a dump, and Django is connected to the restored database of the new
    cluster.
    """

    def to_the_new_cluster() -> None:
        connections.close_all()
        form = request.param
        cluster.take_in(own_database.url, name=form, directory=tmp_path, form=form)
        lead_to(cluster, form)

    return to_the_new_cluster


@contextlib.contextmanager
def tampered(statement: str) -> Iterator[None]:
    """Inside, a superuser has changed a row with every trigger off."""
    with transaction.atomic(), as_owner():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement)
            assert cursor.rowcount == 1, statement
        yield
        transaction.set_rollback(True)


def newest(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM {table}")
        return int(cursor.fetchone()[0])


def test_movements_after_a_restore_are_sealed(restore, programme, wallet, wallets) -> None:
    def pay(reference: str) -> int:
        """A customer pays; returns the number of the posting."""
        spending.pay(one.pk, amount_minor=10, merchant_ref="m", payment_ref=reference, actor=SYSTEM)
        return newest("wallets_posting")

    def freeze(ids: list[int]) -> int:
        """Somebody freezes wallets; returns the number of the last logged change."""
        with transaction.atomic():
            transition_set(Wallet.objects.filter(pk__in=ids), "freeze_charges", run=None)
            audit.append("test", "test", actor=SYSTEM)
        return newest("wallets_wallettransition")

    with connection.cursor() as cursor:
        cursor.execute(
            f"DO $$ BEGIN FOR n IN 1..{AHEAD} LOOP"
            " PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )
    one, first, second = wallet(paid_minor=1_000), wallets(2), wallets(2)
    postings = [pay("sealed")]
    changes = [freeze(first)]
    seal()
    postings.append(pay("committed, not sealed"))
    before = AuditEntry.objects.count()

    assert restores.noticed_at() is None
    restore()

    postings.append(pay("before the first seal"))
    changes.append(freeze(second))
    # A journal, two postings and a digest for each of the two payments, and no row that was covered
    # before.
    assert seal() == 8
    actions = AuditEntry.objects.filter(seq__gt=before + 1).order_by("seq")
    assert list(actions.values_list("action", flat=True)) == [
        "audit.seal",
        "audit.epoch",
        "audit.seal",
    ]
    postings.append(pay("after it"))
    assert seal() == 4
    assert seal() == 0
    assert complaints() == []
    for posting in postings:
        with tampered(f"UPDATE wallets_posting SET amount_minor = 1 WHERE id = {posting}"):
            assert complaints() != [], posting
        with tampered(f"DELETE FROM wallets_posting WHERE id = {posting}"):
            assert complaints() != [], posting
    for change in changes:
        with tampered(f"UPDATE wallets_wallettransition SET reason = 'x' WHERE id = {change}"):
            assert complaints() != [], change
