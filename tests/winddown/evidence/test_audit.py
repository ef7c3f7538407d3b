"""The audit journal has one chained entry per act, and every kind of tampering is found."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from tests import factories
from tests.oldest import oldest_one, oldest_transaction
from tests.owning import as_owner
from tests.unguarded import past_the_guards
from wallets.models import Posting, Wallet, WalletTransition
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.errors import DoneAlready, ReasonBlank
from winddown.evidence import audit
from winddown.machines.move import transition_set
from winddown.models import AuditEntry, AuditSeal
from winddown.runs import clockwork
from winddown.witness import TABLE

pytestmark = pytest.mark.usefixtures("database")


def entry(number=1, **facts):
    with transaction.atomic():
        return audit.append("test.act", f"thing:{number}", actor=SYSTEM, reason="why", **facts)


def complaints():
    return audit.broken_links() + audit.rows_that_differ()


def seal():
    """Seals what was committed so far.

    A seal stops before the oldest transaction of the whole server, so it waits for tests that run beside this one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (mine,) = cursor.fetchone()
    for _ in range(1200):
        if oldest_transaction() > mine:
            return audit.seal()
        time.sleep(0.1)
    raise AssertionError("some transaction on this server does not end")


def movements():
    """How many rows the seals cover, beside the digests of rows."""
    return sum(
        number
        for seal in AuditSeal.objects.all()
        for table, (number, _) in seal.tables.items()
        if table != TABLE
    )


# --- writing ------------------------------------------------------------------------------------


def test_entries_are_numbered_without_a_gap_and_chained():
    """I14."""
    numbers = [entry(n, note="帳簿") for n in range(5)]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    entries = list(AuditEntry.objects.order_by("seq"))
    for earlier, later in zip(entries, entries[1:], strict=False):
        assert bytes(later.previous) == bytes(earlier.hash)
    assert bytes(entries[0].previous) == b""
    assert complaints() == []


def test_a_rolled_back_act_leaves_no_gap():
    first = entry()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.append("test", "test", actor=SYSTEM)
        raise ZeroDivisionError
    assert entry() == first + 1
    assert complaints() == []


def test_an_entry_outside_a_transaction_is_refused(own_database):
    with pytest.raises(AssertionError, match="belongs to a transaction"):
        audit.append("test", "test", actor=SYSTEM)


def test_a_reason_that_says_nothing_is_refused(database):
    with pytest.raises(ReasonBlank), transaction.atomic():
        audit.append("test", "test", actor=SYSTEM, reason="\u200b \u3000")
    assert not AuditEntry.objects.exists()


def test_an_entry_covers_the_rows_logged_since_the_entry_before(wallets):
    """I15."""
    ids = wallets(6)
    with transaction.atomic():
        transition_set(Wallet.objects.filter(pk__in=ids[:2]), "freeze_charges", run=None)
        first = audit.append("one", "one", actor=SYSTEM)
        transition_set(Wallet.objects.filter(pk__in=ids[2:]), "freeze_charges", run=None)
        second = audit.append("two", "two", actor=SYSTEM)
        third = audit.append("three", "three", actor=SYSTEM)
    covered = [AuditEntry.objects.get(seq=seq).rows.split(":")[3:4] for seq in (first, second)]
    assert covered == [["2"], ["4"]]
    assert AuditEntry.objects.get(seq=third).rows == ""
    assert complaints() == []


def test_text_that_resembles_the_chain_format_does_not_change_the_digest():
    with transaction.atomic():
        audit.append("a\x1fb", "c", actor=SYSTEM, reason="d", text="\x1f' \" \\ 円 %s {}")
    assert complaints() == []


# --- sealing ------------------------------------------------------------------------------------


@pytest.fixture
def spent(own_database, programme, wallet):
    """Payments of customers: they are logged, and no entry of their own covers them."""
    one = wallet(paid_minor=1_000)
    for number in range(5):
        spending.pay(
            one.pk, amount_minor=10, merchant_ref="m", payment_ref=f"p{number}", actor=SYSTEM
        )
    return one


def test_movements_of_customers_are_sealed_once(spent):
    seal()
    # Five payments of a journal and two postings, and the opening's journal.
    assert movements() == 5 * 3 + 1
    assert seal() == 0
    assert AuditSeal.objects.count() == 1
    assert complaints() == []


def test_a_movement_that_commits_late_is_covered_by_the_next_seal(spent, own_database):
    """A seal covers only rows that are older than every running transaction."""
    opened, go = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                spending.pay(
                    spent.pk, amount_minor=1, merchant_ref="m", payment_ref="slow", actor=SYSTEM
                )
                opened.set()
                go.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    opened.wait(30)
    audit.seal()
    early = movements()
    go.set()
    thread.join()
    assert early <= 16
    seal()
    assert movements() == 19
    assert complaints() == []


def test_a_seal_that_finds_the_horizon_where_it_left_it_adds_nothing(spent, own_database):
    """An open transaction keeps it there."""
    with oldest_one(own_database):
        audit.seal()
        assert audit.seal() == 0
    assert not AuditEntry.objects.filter(action=audit.EPOCH).exists()


def test_an_epoch_begins_also_in_a_cluster_that_is_further_on(spent):
    audit.seal()
    with transaction.atomic():
        past_the_guards("UPDATE winddown_audithorizon SET cluster = cluster + 1")
    audit.seal()
    assert AuditEntry.objects.filter(action=audit.EPOCH).count() == 1


def test_rows_that_an_entry_covers_are_not_sealed_again(own_database, wallets):
    ids = wallets(3, paid_minor=5)
    with transaction.atomic():
        transition_set(Wallet.objects.filter(pk__in=ids), "freeze_charges", run=None)
        audit.append("test", "test", actor=SYSTEM)
    seal()
    (sealed,) = AuditSeal.objects.all()
    assert set(sealed.tables) == {"wallets_journal", TABLE}


# --- tampering ----------------------------------------------------------------------------------


class Attacker:
    """A superuser with every trigger off, who undoes each change that was not found."""

    def __init__(self) -> None:
        self.unnoticed: list[str] = []

    def tries(self, what: str, *statements: str) -> None:
        with transaction.atomic(), as_owner():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                for statement in statements:
                    cursor.execute(statement)
                    assert cursor.rowcount != 0, statement
            if not complaints():
                self.unnoticed.append(what)
            transaction.set_rollback(True)


@pytest.fixture
def journal(spent, wallets):
    """A chain of acts of staff, batches with their rows, and seals."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        if cursor.fetchone()[0] != "on":
            pytest.skip("only a superuser can switch the guards off")
    for n in range(3):
        entry(n)
        ids = wallets(3, paid_minor=7)
        with transaction.atomic():
            transition_set(Wallet.objects.filter(pk__in=ids), "freeze_charges", run=None)
            audit.append("test.batch", f"batch:{n}", actor=SYSTEM)
        spending.pay(spent.pk, amount_minor=1, merchant_ref="m", payment_ref=f"q{n}", actor=SYSTEM)
        seal()
    assert complaints() == []
    return list(AuditEntry.objects.order_by("seq"))


def test_every_change_to_an_entry_is_found(journal):
    """Rule 63, I14: each entry is changed, and each column of the first and the last one."""
    attacker = Attacker()
    changes = {
        "rows": "ltrim(rows || ' wallets_posting:1:1:1:aa')",
        "at": "at + interval '1 microsecond'",
        "actor_id": "coalesce(actor_id, 0) + 1",
        "action": "action || '.'",
        "subject": "subject || '0'",
        "reason": "reason || '!'",
        "run_id": "coalesce(run_id, 0) + 1",
        "facts": "facts || '{\"a\": 1}'",
        "xact_id": "xact_id + 1",
        "previous": "sha256(previous)",
        "hash": "sha256(hash)",
        "seq": "seq + 1000",
    }
    for column, value in changes.items():
        rows = journal if column == "reason" else (journal[0], journal[-1])
        for row in rows:
            attacker.tries(
                f"{column} of {row.seq}",
                f"UPDATE winddown_auditentry SET {column} = {value} WHERE seq = {row.seq}",
            )
    assert attacker.unnoticed == []


def test_every_deleted_entry_is_found(journal):
    attacker = Attacker()
    for row in journal[:-1]:
        attacker.tries(
            f"deleted {row.seq}",
            f"DELETE FROM winddown_auditentry WHERE seq = {row.seq}",
        )
        attacker.tries(
            f"deleted {row.seq} and closed the gap",
            f"DELETE FROM winddown_auditentry WHERE seq = {row.seq}",
            f"UPDATE winddown_auditentry SET seq = -seq + 1 WHERE seq > {row.seq}",
            "UPDATE winddown_auditentry SET seq = -seq WHERE seq < 0",
        )
    assert attacker.unnoticed == []


def test_two_swapped_entries_are_found(journal):
    attacker = Attacker()
    for one, other in zip(journal, journal[1:], strict=False):
        attacker.tries(
            f"swapped {one.seq} and {other.seq}",
            f"UPDATE winddown_auditentry SET seq = -1 WHERE seq = {one.seq}",
            f"UPDATE winddown_auditentry SET seq = {one.seq} WHERE seq = {other.seq}",
            f"UPDATE winddown_auditentry SET seq = {other.seq} WHERE seq = -1",
        )
    assert attacker.unnoticed == []


def test_an_inserted_entry_is_found(journal):
    attacker = Attacker()
    last = journal[-1].seq
    columns = "at, actor_id, action, subject, reason, run_id, facts, rows, xact_id, previous, hash"
    for row in journal:
        attacker.tries(
            f"copied {row.seq} to the end",
            f"INSERT INTO winddown_auditentry (seq, {columns})"
            f" SELECT {last + 1}, {columns} FROM winddown_auditentry WHERE seq = {row.seq}",
        )
        attacker.tries(
            f"put a copy before {row.seq}",
            f"UPDATE winddown_auditentry SET seq = -seq - 1 WHERE seq >= {row.seq}",
            "UPDATE winddown_auditentry SET seq = -seq WHERE seq < 0",
            f"INSERT INTO winddown_auditentry (seq, {columns})"
            f" SELECT {row.seq}, {columns} FROM winddown_auditentry WHERE seq = {row.seq} + 1",
        )
    assert attacker.unnoticed == []


@pytest.mark.parametrize("what", ["wallets_posting:x:y:1:z", "wallets_posting:1:1:²:z"])
def test_an_entry_that_cannot_be_read_is_found_and_stops_no_seal(own_database, wallet, what):
    one = wallet(paid_minor=1_000)
    seal()
    entry()
    last = AuditEntry.objects.order_by("-seq")[0].seq
    with transaction.atomic():
        past_the_guards(f"UPDATE winddown_auditentry SET rows = '{what}' WHERE seq = {last}")
    spending.pay(one.pk, amount_minor=1, merchant_ref="m", payment_ref="p", actor=SYSTEM)
    assert seal() == 4
    assert f"entry {last}: what it covers cannot be read" in complaints()


def test_every_changed_row_that_is_covered_is_found(journal):
    """An entry or a seal covers each movement and each change of state."""
    attacker = Attacker()
    for table, model, changes in (
        (
            "wallets_posting",
            Posting,
            {
                "amount_minor": "amount_minor * 2",
                "account": "CASE account WHEN 'wallet_paid' THEN 'wallet_bonus' ELSE 'bank' END",
                "journal_id": "journal_id + 1",
                "xact_id": "xact_id + 100000",
            },
        ),
        (
            "wallets_wallettransition",
            WalletTransition,
            {
                "target": "'settled'",
                "source": "'held'",
                "transition": "'release'",
                "subject_id": "subject_id + 1",
            },
        ),
    ):
        every = list(model.objects.order_by("pk").values_list("pk", flat=True))
        for pk in every:
            for column, value in changes.items() if pk in (every[0], every[-1]) else ():
                attacker.tries(
                    f"{column} of {table} {pk}",
                    f"UPDATE {table} SET {column} = {value} WHERE id = {pk}",
                )
            attacker.tries(f"deleted {table} {pk}", f"DELETE FROM {table} WHERE id = {pk}")
    assert attacker.unnoticed == []


def test_a_rewritten_actor_or_reason_of_a_state_change_is_found(journal):
    """Rule 63: actor, reason, run and time of a logged change are covered too."""
    attacker = Attacker()
    pk = WalletTransition.objects.earliest("pk").pk
    for column, value in {
        "actor_id": "42",
        "run_id": "42",
        "reason": "'another'",
        "at": "at - interval '1 day'",
    }.items():
        attacker.tries(
            column, f"UPDATE wallets_wallettransition SET {column} = {value} WHERE id = {pk}"
        )
    assert attacker.unnoticed == []


def test_a_rewritten_time_of_a_movement_is_found(journal):
    """Deadlines depend on the date of a movement, so the journal row is covered as its postings
    are.
    """
    attacker = Attacker()
    for column, value in {
        "occurred_at": "occurred_at - interval '1 day'",
        "source_id": "source_id + 1000000",
        "kind": "reverse(kind)",
        "actor_id": "coalesce(actor_id, 0) + 1",
    }.items():
        attacker.tries(column, f"UPDATE wallets_journal SET {column} = {value}")
    assert attacker.unnoticed == []


def test_a_deleted_tail_is_found_only_by_an_exported_head(journal):
    """I14: therefore the head is exported every day."""
    for cut in range(1, len(journal)):
        exported = audit.head()
        with transaction.atomic(), as_owner():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                last = journal[-1].seq - cut
                cursor.execute("DELETE FROM winddown_auditseal WHERE entry_id > %s", [last])
                cursor.execute("DELETE FROM winddown_auditentry WHERE seq > %s", [last])
            assert audit.broken_links() == []
            assert audit.verify_against(exported) == (
                f"the chain ends before entry {exported['seq']}, which was exported"
            )
            transaction.set_rollback(True)
    assert audit.verify_against(audit.head()) is None


def test_heads_that_the_chain_does_not_contain_are_returned(database):
    entry()
    known = audit.head()
    others = [known | {"hash": "00"}, known | {"seq": known["seq"] + 1}]
    assert audit.not_in_the_chain([known, *others]) == others


REWRITE = """
DO $$
DECLARE e winddown_auditentry; last bytea := ''; mine bytea;
BEGIN
    FOR e IN SELECT * FROM winddown_auditentry ORDER BY seq LOOP
        mine := winddown_audit_hash(last, e.seq, e.at, e.actor_id, e.action, e.subject, e.reason, e.run_id, e.facts,
                                    e.rows, e.xact_id);
        UPDATE winddown_auditentry SET previous = last, hash = mine WHERE seq = e.seq;
        last := mine;
    END LOOP;
END $$
"""


def test_a_rewritten_chain_is_found_only_by_an_exported_head(journal):
    """I14: a superuser can rewrite everything inside, so the anchor is outside."""
    exported = audit.head()
    with transaction.atomic(), as_owner():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE winddown_auditentry SET reason = 'innocent' WHERE seq = 1")
            cursor.execute(REWRITE)
        assert audit.broken_links() == []
        assert "is not the one that was exported" in audit.verify_against(exported)
        transaction.set_rollback(True)


def test_verify_reports_a_breach_by_its_exit_code(journal, tmp_path, capsys):
    head = tmp_path / "head.json"
    call_command("verify", export_head=str(head))
    assert json.loads(head.read_text())["seq"] == journal[-1].seq
    entry()
    call_command("verify", head=str(head))
    with transaction.atomic(), as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE winddown_auditentry SET reason = 'x' WHERE seq = 2")
    capsys.readouterr()
    with pytest.raises(SystemExit) as breach:
        call_command("verify", "--json")
    assert breach.value.code == 1
    assert "I14" in json.loads(capsys.readouterr().out)["breached"]


def test_verify_finds_a_deleted_tail_with_the_head_and_not_without(journal, tmp_path):
    head = tmp_path / "head.json"
    call_command("verify", export_head=str(head))
    with transaction.atomic(), as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM winddown_auditseal WHERE entry_id = %s", [journal[-1].seq])
        cursor.execute("DELETE FROM winddown_auditentry WHERE seq = %s", [journal[-1].seq])
    with pytest.raises(SystemExit) as breach:
        call_command("verify", head=str(head))
    assert breach.value.code == 1


def test_a_state_changed_past_the_guard_differs_from_its_log(own_database, wallet, journal):
    """I9b."""
    from winddown.evidence import invariants

    frozen = factories.bring_to(wallet(), "charge_frozen")
    with transaction.atomic(), as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE wallets_wallet SET state = 'settled' WHERE id = %s", [frozen.pk])
    assert invariants.breached()["I9b"] == [
        f"Wallet {frozen.pk} is settled, its log says charge_frozen"
    ]


def test_the_follow_up_writes_the_head_of_a_day_once(journal, tmp_path, settings, capsys):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    clockwork.follow_up()
    (file,) = settings.AUDIT_HEADS_DIR.iterdir()
    assert json.loads(file.read_text())["seq"] == journal[-1].seq
    entry()
    clockwork.follow_up()
    assert json.loads(file.read_text())["seq"] == journal[-1].seq
    call_command("verify", head=str(file))


def test_a_rehearsal_keeps_no_head(rehearsal_clock, programme, tmp_path):
    entry()
    assert audit.keep_head(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_failing_follow_up_does_not_stop_the_others(journal, settings, tmp_path):
    (tmp_path / "heads").write_text("no directory")
    settings.AUDIT_HEADS_DIR = tmp_path / "heads" / "below"
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(clockwork.FOLLOW_UPS.entries, "the last one", lambda: seen.append(1))
        clockwork.follow_up()
    assert seen == [1]


def test_what_is_done_twice_within_a_minute_is_refused(staff, rehearsal_clock):
    """The same person, reason and facts; anything else is meant."""
    one, said = staff("compliance"), {"reason": "why", "amount_minor": 5}
    rehearsal_clock.travel(rehearsal_clock.now(), frozen=True)
    at = rehearsal_clock.now()
    audit.refuse_repeated("test.act", "thing:1", actor=one, **said)
    with transaction.atomic():
        audit.append("test.act", "thing:1", actor=one, **said)
    for seconds in (0, 60):
        rehearsal_clock.travel(at + dt.timedelta(seconds=seconds), frozen=True)
        with pytest.raises(DoneAlready):
            audit.refuse_repeated("test.act", "thing:1", actor=one, **said)
    for other in ({"reason": "else"}, {"amount_minor": 6}):
        audit.refuse_repeated("test.act", "thing:1", actor=one, **(said | other))
    audit.refuse_repeated("test.act", "thing:1", actor=staff("compliance"), **said)
    audit.refuse_repeated("test.act", "thing:2", actor=one, **said)
    audit.refuse_repeated("test.other", "thing:1", actor=one, **said)
    rehearsal_clock.travel(at + dt.timedelta(seconds=61), frozen=True)
    audit.refuse_repeated("test.act", "thing:1", actor=one, **said)
