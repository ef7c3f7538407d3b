"""A single row, a set, the ORM and psql obey one declaration of a machine."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError

from tests import factories
from tests.owning import as_owner
from tests.winddown.bare_rows import BareTable, states_of
from wallets.models import Wallet, WalletTransition
from winddown.actors import SYSTEM
from winddown.errors import ConditionNotMet, NotPermitted, TransitionRefused
from winddown.evidence import audit
from winddown.machines.declare import all_machines
from winddown.machines.move import move_rows, named, transition_one, transition_set
from winddown.models import AuditEntry, Run

MACHINES = list(all_machines())
pytestmark = pytest.mark.usefixtures("database")


def per_machine(test):
    return pytest.mark.parametrize("model", MACHINES, ids=lambda model: model._meta.label)(test)


@per_machine
def test_the_database_accepts_exactly_the_declared_changes(model):
    """I9."""
    table = BareTable(model)
    pk = table.insert(model.first_states()[0])
    let_through = set()
    for source in states_of(model):
        table.put(pk, source)
        for target in states_of(model):
            if target == source:
                continue
            met = table.refusal(f"UPDATE {table.table} SET state = %s WHERE id = %s", [target, pk])
            assert met in (None, "WD010"), f"{source} -> {target}: {met}"
            if met is None:
                let_through.add((source, target))
    assert let_through == {(edge.source, edge.target) for edge in model.edges()}


@per_machine
def test_an_undeclared_state_is_refused(model):
    """I9."""
    table = BareTable(model)
    pk = table.insert(model.first_states()[0])
    sql = f"UPDATE {table.table} SET state = %s WHERE id = %s"
    assert table.refusal(sql, ["nirvana", pk]) == "WD010"


@per_machine
def test_a_new_row_outside_a_declared_first_state_is_refused(model):
    table = BareTable(model)
    accepted = set()
    for number, state in enumerate(states_of(model), start=1):
        try:
            with transaction.atomic():
                table.insert(state, pk=number)
                transaction.set_rollback(True)
            accepted.add(state)
        except DatabaseError as error:
            assert error.__cause__.sqlstate == "WD010", error
    assert accepted == set(model.first_states())


@per_machine
def test_a_declared_update_by_sql_leaves_its_log_row(model):
    """Rule 63."""
    table = BareTable(model)
    pk = table.insert(model.first_states()[0])
    for edge in model.edges():
        table.put(pk, edge.source)
        before = len(table.log(pk))
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table.table} SET state = %s WHERE id = %s", [edge.target, pk])
        (logged,) = table.log(pk)[before:]
        assert logged[1:] == (edge.source, edge.target, None, "")
        same = {e.name for e in model.edges() if (e.source, e.target) == logged[1:3]}
        assert logged[0] in same


@per_machine
def test_a_change_with_the_name_of_another_transition_is_refused(model):
    table = BareTable(model)
    pk = table.insert(model.first_states()[0])
    declared = {(edge.name, edge.source, edge.target) for edge in model.edges()}
    for edge in model.edges():
        table.put(pk, edge.source)
        for name in {other.name for other in model.edges()} | {"whatever"}:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('winddown.transition', %s, true)", [name])
                met = table.refusal(
                    f"UPDATE {table.table} SET state = %s WHERE id = %s", [edge.target, pk]
                )
                transaction.set_rollback(True)
            right = (name, edge.source, edge.target) in declared
            assert met == (None if right else "WD010"), (name, edge)


@per_machine
def test_a_single_row_and_a_set_are_moved_alike(model, staff):
    """One declaration gives the same state and the same log row."""
    table = BareTable(model)
    pk = table.insert(model.first_states()[0])
    actor = staff(is_superuser=True)
    for edge in model.edges():
        outcomes = []
        for way in ("one", "set"):
            table.put(pk, edge.source)
            before = len(table.log(pk))
            with transaction.atomic():
                if way == "one":
                    row = model._default_manager.get(pk=pk)
                    try:
                        transition_one(row, edge.name, actor=actor, reason="why")
                    except ConditionNotMet:
                        assert edge.when is not None
                else:
                    rows = model._default_manager.filter(pk=pk)
                    transition_set(rows, edge.name, run=None, actor=actor, reason="why")
            state = model._default_manager.values_list("state", flat=True).get(pk=pk)
            outcomes.append((state, table.log(pk)[before:]))
        assert outcomes[0] == outcomes[1], edge
        if edge.when is None:
            assert outcomes[0] == (
                edge.target,
                [(edge.name, edge.source, edge.target, actor.pk, "why")],
            )


@per_machine
def test_each_transition_requires_exactly_its_permission(model, staff):
    table = BareTable(model)
    pk = table.insert(model.first_states()[0])
    people = {}
    for edge in model.edges():
        if edge.when is not None:
            continue
        allowed = {}
        for who in ("nobody", "holder", "idle holder", "everything else", "system"):
            key = (who, edge.permission if who != "nobody" else "")
            actor = people.get(key) or people.setdefault(key, _person(*key, staff))
            table.put(pk, edge.source)
            row = model._default_manager.get(pk=pk)
            try:
                with transaction.atomic():
                    transition_one(row, edge.name, actor=actor)
                allowed[who] = True
            except NotPermitted:
                allowed[who] = False
        # Without a permission it is a step of the customer; the page knows whose row it is.
        anybody = not edge.permission
        assert allowed == {
            "nobody": anybody,
            "holder": True,
            "idle holder": False,
            "everything else": anybody,
            "system": edge.by_system,
        }, edge


def _person(who, permission, staff):
    if who == "system":
        return SYSTEM
    person = staff(is_active=who != "idle holder")
    label, _, codename = permission.partition(".")
    own = Permission.objects.filter(content_type__app_label=label, codename=codename)
    if who in ("holder", "idle holder"):
        person.user_permissions.set(own)
    if who == "everything else":
        person.user_permissions.set(Permission.objects.exclude(pk__in=own))
    return person


@per_machine
def test_a_row_cannot_be_deleted_or_given_another_identity(model):
    """A row that is deleted and made again would be back in its first state."""
    table = BareTable(model)
    pk = table.insert(model.first_states()[0])
    name = table.guards["machine_row"]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table.table} ENABLE TRIGGER {name}")
    rename = f"UPDATE {table.table} SET id = id + 1, state = 'nirvana' WHERE id = %s"
    assert table.refusal(rename, [pk]) == "WD011"
    with as_owner():
        for sql in (
            f"DELETE FROM {table.table} WHERE id = %s",
            rename,
            f"TRUNCATE {table.table} CASCADE -- %s",
        ):
            assert table.refusal(sql, [pk]) == "WD011", sql


@pytest.fixture
def frozen(wallet):
    return wallet(state="charge_frozen", paid_minor=100)


def test_a_queryset_update_cannot_make_an_undeclared_change(frozen):
    with pytest.raises(DatabaseError, match="not declared"), transaction.atomic():
        Wallet.objects.filter(pk=frozen.pk).update(state="settled")
    assert Wallet.objects.get(pk=frozen.pk).state == "charge_frozen"


def test_psql_cannot_make_an_undeclared_change(own_database, frozen):
    with own_database.connect() as psql:
        with pytest.raises(Exception, match="charge_frozen -> settled is not declared") as refusal:
            psql.execute("UPDATE wallets_wallet SET state = 'settled' WHERE id = %s", [frozen.pk])
        assert refusal.value.sqlstate == "WD010"
        psql.execute("UPDATE wallets_wallet SET state = 'held' WHERE id = %s", [frozen.pk])
    assert Wallet.objects.get(pk=frozen.pk).state == "held"
    last = WalletTransition.objects.filter(subject_id=frozen.pk).latest("pk")
    assert (last.transition, last.source, last.target) == ("hold", "charge_frozen", "held")


def test_a_set_with_one_undeclared_row_moves_nothing(wallet):
    wallets = [wallet(), wallet(state="charge_frozen"), wallet()]
    with pytest.raises(DatabaseError, match="WD010|not declared"), transaction.atomic():
        Wallet.objects.filter(pk__in=[w.pk for w in wallets]).update(state="charge_frozen")
        Wallet.objects.filter(pk__in=[w.pk for w in wallets]).update(state="settled")
    states = Wallet.objects.filter(pk__in=[w.pk for w in wallets]).order_by("pk")
    assert [w.state for w in states] == ["active", "charge_frozen", "active"]


def test_a_stale_object_does_not_decide_about_its_row(wallet):
    stale = wallet()
    factories.bring_to(stale, "held")
    with pytest.raises(TransitionRefused) as refusal, transaction.atomic():
        transition_one(stale, "freeze_charges", actor=SYSTEM)
    assert refusal.value.facts["source"] == "held"
    assert "active" in refusal.value.facts["sources"]
    with pytest.raises(TransitionRefused) as refusal, transaction.atomic():
        transition_one(stale, "whatever", actor=SYSTEM)
    assert refusal.value.facts["sources"] == "nowhere"


def test_a_set_makes_only_a_transition_that_is_declared():
    with pytest.raises(AssertionError, match="needs exactly one target"):
        transition_set(Wallet.objects.all(), "whatever", run=None)
    with pytest.raises(AssertionError, match="needs exactly one target"):
        move_rows(Wallet, "whatever", [1], actor=SYSTEM)


def test_a_second_run_of_a_transition_changes_nothing(wallet, wallets):
    """Rule 4."""
    ids = wallets(5)
    rows = Wallet.objects.filter(pk__in=ids)
    with transaction.atomic():
        assert transition_set(rows, "freeze_charges", run=None) == 5
        assert transition_set(rows, "freeze_charges", run=None) == 0
    assert WalletTransition.objects.filter(subject_id__in=ids).count() == 5
    one = wallet()
    with transaction.atomic():
        moved = transition_one(one, "freeze_charges", actor=SYSTEM)
    with pytest.raises(TransitionRefused), transaction.atomic():
        transition_one(moved, "freeze_charges", actor=SYSTEM)


def test_a_set_moves_only_rows_that_meet_the_condition(wallet):
    """Rule 34: the condition of `entitle` is paid value; an empty wallet is settled."""
    rich, poor = wallet(paid_minor=1, state="closed"), wallet(bonus_minor=9, state="closed")
    rows = Wallet.objects.filter(pk__in=[rich.pk, poor.pk])
    with transaction.atomic():
        assert transition_set(rows, "entitle", run=None) == 1
        with pytest.raises(ConditionNotMet), transaction.atomic():
            transition_one(poor, "entitle", actor=SYSTEM)
        assert transition_set(rows, "settle_empty", run=None) == 1
    assert Wallet.objects.get(pk=rich.pk).state == "entitled"
    assert Wallet.objects.get(pk=poor.pk).state == "settled"


def test_one_statement_leaves_a_log_row_for_each_row_and_one_digest(wallets):
    """I15: the audit entry covers exactly the rows that the transaction logged."""
    ids = wallets(250)
    with transaction.atomic():
        transition_set(Wallet.objects.filter(pk__in=ids), "freeze_charges", run=None)
        seq = audit.append("test", "wallets", actor=SYSTEM)
    logged = WalletTransition.objects.filter(subject_id__in=ids)
    assert logged.count() == 250
    assert logged.values("xact_id").distinct().count() == 1
    assert logged.values("at").distinct().count() == 1
    (noted,) = AuditEntry.objects.get(seq=seq).rows.split()
    table, first_id, last_id, count, digest = noted.split(":")
    assert (table, int(count), len(digest)) == ("wallets_wallettransition", 250, 64)
    assert (int(first_id), int(last_id)) == (
        logged.earliest("pk").pk,
        logged.latest("pk").pk,
    )


def test_the_log_names_actor_reason_and_run(staff, programme, wallet):
    person = staff("fraud_supervisor")
    one = wallet()
    run = Run(pk=4711)
    with transaction.atomic(), named("hold", actor=person, run=run, reason="taint"):
        Wallet.objects.filter(pk=one.pk).update(state="held")
    logged = WalletTransition.objects.get(subject_id=one.pk)
    assert (logged.actor_id, logged.run_id, logged.reason) == (person.pk, 4711, "taint")


def test_the_name_of_a_transition_does_not_apply_to_the_next_change(wallet):
    first, second = wallet(), wallet()
    with transaction.atomic():
        transition_one(first, "freeze_charges", actor=SYSTEM, reason="incident")
        Wallet.objects.filter(pk=second.pk).update(state="held")
    logged = WalletTransition.objects.get(subject_id=second.pk)
    assert (logged.transition, logged.reason) == ("hold", "")


def test_the_state_has_no_setter(wallet):
    one = wallet()
    with pytest.raises(AttributeError):
        one.state = "settled"


def test_a_change_of_state_outside_a_transaction_is_refused(own_database, wallet):
    one = wallet()
    with pytest.raises(AssertionError, match="needs a transaction"):
        named("hold", actor=SYSTEM).__enter__()
    with pytest.raises(TransactionManagementError):
        transition_one(one, "hold", actor=SYSTEM)
    with pytest.raises(TransactionManagementError):
        transition_set(Wallet.objects.filter(pk=one.pk), "hold", run=None)
    assert Wallet.objects.get(pk=one.pk).state == "active"
