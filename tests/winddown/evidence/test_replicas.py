"""A copy that PostgreSQL keeps by itself is sealed and verified as the database that it replaces."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, connections

from tests.winddown.evidence.conftest import Cluster, new_cluster
from tests.winddown.evidence.test_audit import complaints, seal
from tests.winddown.evidence.test_restore import AHEAD, newest, tampered
from wallets.models import Payment
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.models import AuditEntry

LeadTo = Callable[[Cluster, str], None]
WAIT_S_MAX = 120.0


@pytest.fixture
def place() -> Iterator[Cluster]:
    """A cluster that was not started yet."""
    with new_cluster() as made:
        yield made


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S_MAX
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def pay(wallet: int, reference: str) -> int:
    """A customer pays; returns the posting's number."""
    spending.pay(wallet, amount_minor=10, merchant_ref="m", payment_ref=reference, actor=SYSTEM)
    return newest("wallets_posting")


def assert_each_is_watched(postings: list[int]) -> None:
    assert complaints() == []
    for posting in postings:
        with tampered(f"UPDATE wallets_posting SET amount_minor = 1 WHERE id = {posting}"):
            assert complaints() != [], posting


def test_a_database_recovered_to_a_point_in_time_goes_on_as_it_was(
    own_database, cluster: Cluster, place: Cluster, lead_to: LeadTo, programme, wallet, tmp_path
) -> None:
    """A base backup and the write-ahead log up to a named point, in front of a mistake."""
    one = wallet(paid_minor=1_000).pk
    # So that each cluster knows which rows came from another one.
    seal()
    connections.close_all()
    cluster.take_in(own_database.url, name="recovered", directory=tmp_path, form="custom")
    lead_to(cluster, "recovered")
    archive = place.server.place / "archive"
    archive.mkdir(parents=True)
    log = subprocess.Popen(
        [cluster.program("pg_receivewal"), "-D", archive, "-d", cluster.address()]
    )
    try:
        postings = [pay(one, "before the base backup")]
        seal()
        place.server.room.make()
        cluster.run("pg_basebackup", "-D", place.server.data, "-d", cluster.address(), "-c", "fast")
        postings.append(pay(one, "after it"))
        seal()
        postings.append(pay(one, "not sealed"))
        epochs = AuditEntry.objects.filter(action="audit.epoch").count()
        cluster.sql("SELECT pg_create_restore_point('before_the_mistake')")
        pay(one, "the mistake")
        ((segment,),) = cluster.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")
        cluster.sql("SELECT pg_switch_wal()")
        wait_until((archive / segment).exists)
    finally:
        log.terminate()
        log.wait()
    with (place.server.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp {archive}/%f %p'\n"
            "recovery_target_name = 'before_the_mistake'\nrecovery_target_action = 'promote'\n"
        )
    (place.server.data / "recovery.signal").touch()
    give_to_the_server(place, archive)
    connections.close_all()
    place.start()
    wait_until(lambda: place.sql("SELECT pg_is_in_recovery()") == [(False,)])

    lead_to(place, "recovered")

    assert not Payment.objects.filter(payment_ref="the mistake").exists()
    postings.append(pay(one, "after the recovery"))
    assert seal() == 8
    # The same cluster's numbers go on, so there is nothing to tell apart.
    assert AuditEntry.objects.filter(action="audit.epoch").count() == epochs
    assert_each_is_watched(postings)


def give_to_the_server(place: Cluster, archive: Path) -> None:
    """Whoever started the test may be root; the server is not."""
    for directory in (place.server.data, archive):
        for path in [directory, *directory.rglob("*")]:
            if place.server.account:
                os.chown(path, *place.server.account)
    place.server.data.chmod(0o700)


def test_a_database_that_was_replicated_logically_opens_an_epoch(
    own_database, cluster: Cluster, place: Cluster, lead_to: LeadTo, programme, wallet, tmp_path
) -> None:
    """Rows that were copied at the beginning, and rows that came as they were committed."""
    one = wallet(paid_minor=1_000).pk
    # So that each cluster knows which rows came from another one.
    seal()
    connections.close_all()
    place.start()
    place.sql("ALTER SYSTEM SET wal_level = 'logical'")
    place.stop()
    place.start()
    # The other server has another group, and comes to this one's socket.
    place.server.gate.chmod(0o711)
    place.take_in(own_database.url, name="published", directory=tmp_path, form="custom")
    lead_to(place, "published")
    with connection.cursor() as cursor:
        cursor.execute(
            f"DO $$ BEGIN FOR n IN 1..{AHEAD} LOOP"
            " PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )
    postings = [pay(one, "sealed")]
    seal()
    postings.append(pay(one, "copied, not sealed"))

    cluster.take_in(place.url("published"), name="copy", directory=tmp_path, form="schema-only")
    place.sql("CREATE PUBLICATION everything FOR ALL TABLES", name="published")
    cluster.sql(
        f"CREATE SUBSCRIPTION copy CONNECTION '{place.address('published')}'"
        " PUBLICATION everything",
        name="copy",
    )
    wait_until(
        lambda: (
            cluster.sql("SELECT count(*) FROM pg_subscription_rel", name="copy") != [(0,)]
            and cluster.sql(
                "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'", name="copy"
            )
            == [(0,)]
        )
    )
    postings.append(pay(one, "streamed"))
    last = max(postings)
    wait_until(lambda: cluster.sql("SELECT max(id) FROM wallets_posting", name="copy") == [(last,)])
    cluster.sql("DROP SUBSCRIPTION copy", name="copy")
    # Logical replication brings rows and no sequences.
    for sequence, value in place.sql(
        "SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences"
        " WHERE last_value IS NOT NULL",
        name="published",
    ):
        cluster.sql(f"SELECT setval('{sequence}', {value})", name="copy")
    before = AuditEntry.objects.count()

    lead_to(cluster, "copy")

    assert AuditEntry.objects.count() == before
    postings.append(pay(one, "after the switch"))
    assert seal() == 12
    postings.append(pay(one, "after the first seal"))
    assert seal() == 4
    # One when the dump was sealed in the publisher, one in the subscriber.
    assert AuditEntry.objects.filter(action="audit.epoch").count() == 2
    assert_each_is_watched(postings)
