"""Every invariant is broken on purpose past all guards, and reports it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction

from tests import factories
from tests.owning import as_owner
from tests.unguarded import past_the_guards, taken_back
from tests.winddown import freeze_and_hold
from wallets.movements import charging, spending, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit, invariants
from winddown.models import Milestone

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def house(programme, rehearsal_clock, wallet, staff):
    """Movements, a hold, a reservation, two runs, a fired deadline and a seal."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        if cursor.fetchone()[0] != "on":
            pytest.skip("only a superuser can go past the guards")
    maker, checker = staff("incident_commander"), staff("compliance")
    one, other = wallet(paid_minor=1_000, bonus_minor=10), wallet(paid_minor=50)
    charging.top_up(one.pk, source="points", amount_minor=5, top_up_ref="t", actor=SYSTEM)
    withholding.hold(one.pk, amount_minor=20, reason="taint", actor=SYSTEM)
    spending.reserve(other.pk, amount_minor=7, merchant_ref="m", payment_ref="r", actor=SYSTEM)
    with freeze_and_hold.registered():
        factories.worked_off(
            factories.started_run("test-freeze-and-hold", maker=maker, checker=checker)
        )
    factories.worked_off(factories.started_run("freeze-charges", maker=maker, checker=checker))
    Milestone.objects.create(
        kind="spend_ends", at=clock.now() + dt.timedelta(days=30), ends_capability="spend"
    )
    with transaction.atomic():
        audit.append("test", "test", actor=SYSTEM)
    assert invariants.breached() == {}


DROP = "ALTER TABLE {} DROP CONSTRAINT {}"

BREACHES = {
    "one line of a journal raised": (
        "I1",
        "UPDATE wallets_posting SET amount_minor = amount_minor * 2"
        " WHERE id = (SELECT max(id) FROM wallets_posting)",
    ),
    "a whole journal deleted": (
        "I4",
        "DELETE FROM wallets_posting WHERE journal_id = (SELECT min(id) FROM wallets_journal)",
    ),
    "a balance raised": ("I4", "UPDATE wallets_wallet SET paid_minor = paid_minor + 1"),
    "bonus value raised": ("I4", "UPDATE wallets_wallet SET bonus_minor = bonus_minor + 1"),
    "money moved from one wallet to another": (
        "I4",
        "UPDATE wallets_wallet SET paid_minor = paid_minor + CASE id"
        " WHEN (SELECT min(id) FROM wallets_wallet) THEN 5 ELSE -5 END",
    ),
    "a posting of nobody's wallet": (
        "I4b",
        "UPDATE wallets_posting SET wallet_id = 999999"
        " WHERE id = (SELECT min(id) FROM wallets_posting WHERE wallet_id IS NOT NULL)",
    ),
    "a journal deleted under its postings": (
        "I4b",
        "DELETE FROM wallets_journal WHERE id = (SELECT max(id) FROM wallets_journal)",
    ),
    "a hold released by hand": ("I4c", "UPDATE wallets_wallet SET held_minor = 0"),
    "a hold deleted": ("I4c", "DELETE FROM wallets_hold"),
    "a charge dated after the stop": (
        "I7",
        "UPDATE wallets_topup SET occurred_at = (SELECT max(since) FROM winddown_capability)",
    ),
    "a payment dated after the end": (
        "I7b",
        "UPDATE wallets_payment SET occurred_at = (SELECT at FROM winddown_milestone)",
    ),
    "a change of state that nobody declared": (
        "I9",
        "UPDATE wallets_wallettransition SET target = 'settled'"
        " WHERE id = (SELECT min(id) FROM wallets_wallettransition)",
    ),
    "a state changed without its log": (
        "I9b",
        "UPDATE wallets_wallet SET state = 'settled'"
        " WHERE id = (SELECT min(id) FROM wallets_wallet)",
    ),
    "an approval deleted": ("I10", "DELETE FROM winddown_signature WHERE part = 'approved'"),
    "an approval by the maker": (
        "I10",
        "UPDATE winddown_signature s SET signer_id = r.maker_id FROM winddown_run r"
        " WHERE s.subject = 'run:' || r.id AND s.part = 'approved'",
    ),
    "an approval of another plan": (
        "I10",
        "UPDATE winddown_run SET plan_digest = repeat('0', 64)",
    ),
    "a second role in one hand": (
        "I10b",
        "INSERT INTO accounts_user_groups (user_id, group_id)"
        " SELECT r.maker_id, g.id FROM winddown_run r, auth_group g WHERE g.name = 'auditor' LIMIT 1",
    ),
    "an audit entry rewritten": (
        "I14",
        "UPDATE winddown_auditentry SET reason = 'x' WHERE seq = 2",
    ),
    "an audit entry deleted": ("I14", "DELETE FROM winddown_auditentry WHERE seq = 2"),
    "a logged row deleted": (
        "I14",
        "DELETE FROM wallets_wallettransition"
        " WHERE id = (SELECT max(id) FROM wallets_wallettransition)",
    ),
    "a switch flipped back in time": (
        "I14b",
        "UPDATE winddown_capability SET since = since - interval '1 day' WHERE code = 'spend'",
    ),
    "a switch deleted": ("I14b", "DELETE FROM winddown_capability WHERE code = 'payout'"),
    "a deadline that nobody set": (
        "I14b",
        "INSERT INTO winddown_milestone (kind, at, ends_capability, workflow, owner_role, gate, needs)"
        " VALUES ('refund_window_ends', now(), '', '', '', '', '{}')",
    ),
    "a seal that no entry tells of": (
        "I14c",
        "INSERT INTO winddown_auditseal (entry_id, from_xact_id, to_xact_id, tables)"
        " SELECT max(seq), 0, 1, '{}' FROM winddown_auditentry",
    ),
    "the audit horizon moved into the future": (
        "I14c",
        "INSERT INTO winddown_audithorizon (id, xact_id, cluster, epoch, last_ids)"
        " SELECT 1, 1000000000000, system_identifier, 0, '{}' FROM pg_control_system()",
    ),
    "a logged row of a transaction to come": (
        "I14c",
        "UPDATE winddown_rowdigest SET xact_id = 1000000000000",
    ),
    "a guard switched off": (
        "I14d",
        "ALTER TABLE wallets_journal DISABLE TRIGGER ALL",
    ),
    "a guard with another text": (
        "I14d",
        """DO $do$ DECLARE guard text; BEGIN
            SELECT tgname INTO guard FROM pg_trigger WHERE tgname LIKE 'pgtrigger_append_only_%'
            LIMIT 1;
            EXECUTE 'CREATE OR REPLACE FUNCTION ' || guard || '() RETURNS trigger AS'
                || ' ''BEGIN RETURN NULL; END'' LANGUAGE plpgsql';
        END $do$""",
    ),
    "a constraint dropped": (
        "I14d",
        "ALTER TABLE wallets_wallet DROP CONSTRAINT paid_value_not_negative",
    ),
    "a role whose sessions skip the guards": (
        "I14d",
        "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
    ),
    "a deadline that the journal set elsewhere": (
        "I16b",
        "SELECT set_config('session_replication_role', 'origin', true),"
        " winddown_audit_append(NULL, 'milestone.set', 'milestone:spend_ends', '', NULL,"
        ' \'{"at": "2001-01-01T00:00:00Z"}\'::jsonb)',
    ),
    "a deadline un-fired": (
        "I16b",
        "SELECT set_config('session_replication_role', 'origin', true),"
        " winddown_audit_append(NULL, 'milestone.fire', 'milestone:spend_ends', '', NULL,"
        " '{}'::jsonb)",
    ),
    "a state that nothing led to": (
        "I9c",
        "UPDATE winddown_capability SET state = 'restoring' WHERE code = 'payout'",
    ),
    "a plan rewritten": (
        "I10c",
        "UPDATE winddown_plan SET content = content || '{\"counts\": {}}'",
    ),
    "the parameters of a run changed": (
        "I10c",
        "UPDATE winddown_run SET params = '{\"stage\": 9}'",
    ),
    "a payment deleted": ("I18b", "DELETE FROM wallets_payment"),
    "a payment of another amount": (
        "I18b",
        "UPDATE wallets_payment SET amount_minor = amount_minor + 1,"
        " paid_part_minor = paid_part_minor + 1",
    ),
    "a top-up deleted": ("I18b", "DELETE FROM wallets_topup"),
    "a top-up from another source": ("I18b", "UPDATE wallets_topup SET source = 'atm_cash'"),
    "a change without an actor": (
        "I15",
        "INSERT INTO wallets_wallettransition"
        " (subject_id, transition, source, target, reason, at, xact_id)"
        " SELECT id, 'freeze_charges', 'active', 'charge_frozen', '', now(), 1 FROM wallets_wallet"
        " LIMIT 1",
    ),
    "a deadline fired early": (
        "I16",
        "UPDATE winddown_milestone SET fired_at = at - interval '1 second', late_by = '0'",
    ),
    "a reservation that was lost": ("I18", "UPDATE wallets_payment SET state = 'voided'"),
    "a run ended over an unfinished batch": (
        "I20",
        "UPDATE winddown_batch SET state = 'waiting'",
    ),
    "a batch that counts twice": ("I20", "UPDATE winddown_batch SET moved = moved + 1"),
    "a lease that nobody reaps": (
        "I21",
        "UPDATE winddown_batch SET state = 'leased', lease_until = now() - interval '1 hour'",
    ),
}


def test_every_breach_is_found(house):
    """P4: twenty ways and more."""
    overlooked = []
    for breach, (code, statement) in BREACHES.items():
        with taken_back():
            if code == "I16":
                with as_owner(), connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute(DROP.format("winddown_milestone", "milestone_not_fired_early"))
            if code == "I21":
                past_the_guards("UPDATE winddown_run SET state = 'running'")
            past_the_guards(statement)
            if code not in invariants.breached():
                overlooked.append(breach)
    assert overlooked == []
    assert invariants.breached() == {}


def test_every_invariant_of_runs_and_wallets_is_broken_in_this_file():
    """So that each new one is proved. Invariants of refunds are broken in the tests of refunds."""
    here = {
        each.code
        for each in invariants.known()
        if each.breaches.__module__ in ("winddown.evidence.invariants", "wallets.invariants")
    }
    assert {code for code, _ in BREACHES.values()} | {"I32", "I33"} == here


def test_a_snapshot_that_differs_from_its_lines_is_found(house):
    """I32, I33."""
    past_the_guards(
        "INSERT INTO wallets_snapshot"
        " (as_of, wallets, paid_minor, bonus_minor, held_minor, digest, run_id, sealed_at)"
        " VALUES (now(), 1, 1, 0, 0, 'x', 1, now())"
    )
    assert {"I32", "I33"} <= set(invariants.breached())


def test_verify_exits_with_1_on_a_breach_and_names_it(house, capsys):
    call_command("verify")
    assert "BREACH" not in capsys.readouterr().out
    past_the_guards("UPDATE wallets_wallet SET paid_minor = paid_minor + 1")
    with pytest.raises(SystemExit) as breach:
        call_command("verify")
    assert breach.value.code == 1
    assert "BREACH I4 " in capsys.readouterr().out


def test_what_an_invariant_is_about_decides_what_its_breach_stops():
    every = [invariants.Invariant("X", "", about, list) for about in invariants.About]
    guards = {each.about for each in every if each.guards_release}
    assert guards == {"money", "victims", "approval"}
    assert {each.about for each in every if each.stops_payouts} == guards | {"evidence"}


def test_what_cannot_be_read_does_not_hold_and_a_cancelled_query_is_no_answer(database):
    unreadable = invariants._surely(lambda: invariants.rows("SELECT 1 / 0", "{0}"))
    (sentence,) = unreadable()
    assert sentence.startswith("cannot be checked: DataError")
    slow = invariants._surely(lambda: invariants.rows("SELECT pg_sleep(60)", "{0}"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 1")
    with pytest.raises(OperationalError, match="statement timeout"):
        slow()


@pytest.mark.parametrize(("early", "found"), [("1 microsecond", 1), ("0", 0)])
def test_a_milestone_that_fired_at_its_instant_was_not_early(database, early, found):
    """I16."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(DROP.format("winddown_milestone", "milestone_not_fired_early"))
    past_the_guards(
        "INSERT INTO winddown_milestone (kind, at, ends_capability, workflow, owner_role, gate,"
        " needs, fired_at, late_by)"
        f" VALUES ('spend_ends', now(), '', '', '', '', '{{}}', now() - interval '{early}', '0')"
    )
    assert len(invariants.milestones_fired_early()) == found


def test_invariants_are_listed_by_their_numbers():
    codes = [each.code for each in invariants.known()]
    wanted = ["I9", "I9b", "I10", "I10b", "I14", "I21"]
    assert [code for code in codes if code in wanted] == wanted
