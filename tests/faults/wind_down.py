"""A whole wind-down of a small population, chapter by chapter, and a gate that stops a batch before
its commit.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.models import Count, Max, Sum

from accounts.models import ExternalIdentity, ResetNotice, Session, User
from refunds.models import Entitlement, Payout, PayoutBatch
from refunds.payouts import payout_batches
from tests import factories
from tests.conftest import Database
from tests.faults.conftest import wait_until
from tests.owning import as_owner
from tests.refunds.conftest import LAST_DAY, House, jst, make_house
from wallets.models import Posting, Snapshot, Wallet
from wallets.movements import charging, spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit, invariants
from winddown.machines.declare import all_machines
from winddown.models import Alarm, AuditEntry, Batch, Programme, Run
from winddown.programme import milestones
from winddown.runs import progress

WALLETS = 160
IN_FLIGHT = 16
APPLICANTS = 48
ITEMS_PER_FILE = 6
PIECES = 8
DONE_BEFORE_THE_GATE = 2
SLOTS = 2
GATE = 4711


# --- batches --------------------------------------------------------------------------------------


def cut_batches_small() -> None:
    """In this database every batch is opened in eight pieces, so that a few rows are many batches.

    Each piece ends at a gate. After two batches of its step are done, a batch waits before its
    commit, as long as somebody holds the gate of the step shut.
    """
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION test_cut() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE width bigint := ceil((NEW.last_id - NEW.first_id + 1) / {PIECES}.0);
                    share integer := NEW.rows_expected / {PIECES};
            BEGIN
                UPDATE winddown_batch
                SET last_id = NEW.first_id + width - 1,
                    rows_expected = NEW.rows_expected - share * ({PIECES} - 1)
                WHERE id = NEW.id;
                INSERT INTO winddown_batch (run_id, step, first_id, last_id, rows_expected, state,
                    token, attempts, worker, moved, failed, amount_minor)
                SELECT NEW.run_id, NEW.step, first_id, least(first_id + width - 1, NEW.last_id),
                    share, 'waiting', 0, 0, '', 0, 0, 0
                FROM generate_series(NEW.first_id + width, NEW.last_id, width) AS first_id;
                RETURN NULL;
            END $$;
            CREATE TRIGGER test_cut AFTER INSERT ON winddown_batch FOR EACH ROW
                WHEN (pg_trigger_depth() = 0 AND NEW.state = 'waiting'
                      AND NEW.rows_expected >= {PIECES})
                EXECUTE FUNCTION test_cut();
            CREATE FUNCTION test_gate() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF {DONE_BEFORE_THE_GATE} <= (
                    SELECT count(*) FROM winddown_batch
                    WHERE run_id = NEW.run_id AND step = NEW.step AND state = 'done'
                ) THEN
                    PERFORM pg_advisory_xact_lock_shared({GATE}, hashtext(NEW.step));
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER test_gate BEFORE UPDATE ON winddown_batch FOR EACH ROW
                WHEN (OLD.state = 'leased' AND NEW.state = 'done')
                EXECUTE FUNCTION test_gate();
            """
        )


class Gate:
    """Holds the gates of steps shut, from a connection of its own."""

    def __init__(self, psql: psycopg.Connection[Any]) -> None:
        self.psql = psql

    def shut(self, step: str) -> None:
        self.psql.execute(f"SELECT pg_advisory_lock({GATE}, hashtext(%s))", [step])

    def open(self, step: str) -> None:
        self.psql.execute(f"SELECT pg_advisory_unlock({GATE}, hashtext(%s))", [step])

    def stands_before(self, run: Run, step: str) -> bool:
        """Returns whether every slot is inside a batch of the step that cannot commit."""
        row = self.psql.execute(
            "SELECT count(*) FROM pg_stat_activity a"
            " WHERE datname = current_database() AND application_name = 'winddown-worker'"
            " AND wait_event_type = 'Lock' AND EXISTS (SELECT FROM winddown_run"
            " WHERE id = %s AND state = 'running' AND step = %s)",
            [run.pk, step],
        ).fetchone()
        return row is not None and row[0] == SLOTS

    def let_leases_run_out(self) -> None:
        """All leases have expired, as if their twenty seconds had passed."""
        self.psql.execute(
            "UPDATE winddown_batch SET lease_until = lease_until - interval '20 seconds'"
            " WHERE state = 'leased'"
        )


@contextlib.contextmanager
def gate(database: Database) -> Iterator[Gate]:
    # Only the owner sees what other sessions wait for.
    with database.connect("none") as psql:
        yield Gate(psql)


def refuse_unless_in_the_middle(run: Run, step: str) -> None:
    """Some batches of the step are done, some are being done, and some wait."""
    rows = Batch.objects.filter(run=run, step=step)
    states = dict(rows.values_list("state").annotate(n=Count("pk")))
    assert states.get("done", 0) >= DONE_BEFORE_THE_GATE, states
    assert states.get("leased", 0) == SLOTS, states
    assert states.get("waiting", 0) >= 1, states


# --- the programme --------------------------------------------------------------------------------


@dataclass
class WindDown:
    """The operator with its customers, before the incident."""

    directory: Path
    maker: Any
    checker: Any
    wallets: list[int]
    house: House = field(init=False)

    def start(self, workflow: str, **params: Any) -> Run:
        return factories.started_run(
            workflow, maker=self.maker, checker=self.checker, params=params
        )

    def refund(self, part: str, **params: Any) -> Run:
        return factories.started_run(
            "refund-balances",
            maker=self.house.treasury,
            checker=self.house.approver,
            params={"part": part, **params},
        )


def make_wind_down(directory: Path) -> WindDown:
    """July 2019: customers with passwords, sessions, identities and money, some of it in flight."""
    cut_batches_small()
    clock.mark_as_rehearsal()
    clock.travel(jst("2019-07-01T10:00"), frozen=True)

    factories.declare_switches()
    factories.make_programme()
    Programme.objects.update(safeguarded_minor=10**12)
    ids = factories.make_wallets(WALLETS, paid_minor=1000, bonus_minor=7)
    people = list(
        Wallet.objects.filter(pk__in=ids).order_by("pk").values_list("account", flat=True)
    )
    for number, account in enumerate(people):
        User.objects.filter(pk=account).update(
            password=f"argon2$never-matched-{number}",
            password_set_at=clock.now(),
            email=f"p{number}@example.com",
            email_verified_at=clock.now(),
        )
    ExternalIdentity.objects.bulk_create(
        ExternalIdentity(
            user_id=account, provider="line", subject=f"s{number}", linked_at=clock.now()
        )
        for number, account in enumerate(people)
    )
    Session.objects.bulk_create(
        Session(
            session_key=f"key{number}", session_data="", user_id=account, method="line",
            issued_at=clock.now(), expire_date=jst("2020-12-31T00:00"),
        )
        for number, account in enumerate(people)
    )  # fmt: skip
    for number, pk in enumerate(ids[:IN_FLIGHT]):
        charging.top_up(
            pk, source="points", amount_minor=3, top_up_ref=f"t{number}", actor=SYSTEM,
            authorised_only=True,
        )  # fmt: skip
        spending.reserve(
            pk, amount_minor=100, merchant_ref="m", payment_ref=f"r{number}", actor=SYSTEM
        )
    return WindDown(
        directory,
        maker=factories.make_staff("incident_commander"),
        checker=factories.make_staff("compliance"),
        wallets=ids,
    )


@dataclass(frozen=True, slots=True)
class Chapter:
    """One run, and the steps within which it is hit.

    `begin` prepares the world for the run and returns the run. A run that a deadline starts is
    running only after a tick of the clockwork.
    """

    title: str
    struck: tuple[str, ...]
    begin: Callable[[WindDown], Run]


def _freeze(place: WindDown) -> Run:
    clock.travel(jst("2019-07-04T14:00"), frozen=True)
    return place.start("freeze-charges")


def _reset(place: WindDown) -> Run:
    clock.travel(jst("2019-07-30T10:00"), frozen=True)
    # Mails that the run sends itself have a test of their own, with a mail server.
    return place.start("reset-all-passwords", mail="file")


def _suspend(place: WindDown) -> Run:
    return place.start("suspend-external-login")


def _shut_down(place: WindDown) -> Run:
    """Approved in September; the deadline starts it, and the clockwork is nine hours late."""
    clock.travel(jst("2019-09-01T10:00"), frozen=True)
    with transaction.atomic():
        factories.bring_to(Programme.current(), "announced")
        audit.append("test.announce", "programme", actor=SYSTEM)
    milestones.set_milestone(
        "spend_ends",
        at=jst("2019-10-01T00:00"),
        actor=place.maker,
        reason="announced",
        ends_capability="spend",
        workflow="shut-down-by-deadline",
    )
    run = factories.approved_run("shut-down-by-deadline", maker=place.maker, checker=place.checker)
    clock.travel(jst("2019-10-01T09:00"), frozen=True)
    return run


def _entitle(place: WindDown) -> Run:
    clock.travel(jst("2019-11-05T10:00"), frozen=True)
    factories.publish_everywhere(factories.publish_notice(LAST_DAY))
    place.house = make_house(place.directory, file_records_max=ITEMS_PER_FILE)
    return place.refund("entitle")


def _pay(place: WindDown) -> Run:
    # Workers entitle the batches in any order, so the numbers of entitlements say nothing.
    for owed in Entitlement.objects.order_by("wallet_id")[:APPLICANTS]:
        place.house.apply(owed)
    # A file to the bank holds few accounts, as a file of payments does.
    for _ in range(APPLICANTS // ITEMS_PER_FILE):
        place.house.check_payees()
    return place.refund("pay", value_date="2019-11-15")


def _exclude(place: WindDown) -> Run:
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    place.house.trace()
    return place.refund("exclude")


CHAPTERS = (
    Chapter("freeze-charges", ("freeze_wallets",), _freeze),
    Chapter("reset-all-passwords", ("remove_passwords",), _reset),
    Chapter("suspend-external-login", ("suspend_identities",), _suspend),
    Chapter("shut-down-by-deadline", ("settle_in_flight", "close_wallets"), _shut_down),
    Chapter("refund-balances entitle", ("entitle_wallets",), _entitle),
    Chapter("refund-balances pay", ("book_refunds", "seal_batches"), _pay),
    Chapter("refund-balances exclude", ("exclude_unclaimed",), _exclude),
)


# --- how it stands --------------------------------------------------------------------------------


def sealed_files() -> dict[int, str]:
    """Payout batch -> SHA-256 of the bytes that stand sealed; each is what the batch says of it."""
    found = {}
    for batch in PayoutBatch.objects.exclude(sequence=None).order_by("pk"):
        found[batch.pk] = hashlib.sha256(b"".join(payout_batches.content(batch))).hexdigest()
        assert found[batch.pk] == batch.sha256
    return found


def figures(run: Run) -> dict[str, Any]:
    """Returns every total that must be the same with and without faults."""
    by_state = {}
    logged = {}
    # Alarms tell of the faults themselves.
    for model in (each for each in all_machines() if each is not Alarm):
        label = model._meta.label
        by_state[label] = dict(model._default_manager.values_list("state").annotate(n=Count("pk")))
        log = model.log_model()._default_manager
        logged[label] = {
            (row["transition"], row["source"], row["target"]): (row["n"], row["subjects"])
            for row in log.values("transition", "source", "target").annotate(
                n=Count("pk"), subjects=Count("subject_id", distinct=True)
            )
        }
    return {
        "run": (run.state, progress.moved(run), progress.failures_by_reason(run)),
        "states": by_state,
        "logged": logged,
        "ledger": {
            row["account"]: (row["n"], row["total"])
            for row in Posting.objects.values("account").annotate(
                n=Count("wallet", distinct=True), total=Sum("amount_minor")
            )
        },
        "wallets": Wallet.objects.aggregate(
            paid=Sum("paid_minor"), bonus=Sum("bonus_minor"), held=Sum("held_minor")
        ),
        "passwords": User.objects.customers().with_password().count(),
        "sessions": Session.objects.count(),
        "notices": ResetNotice.objects.aggregate(
            n=Count("pk"), people=Count("user", distinct=True)
        ),
        "snapshot": list(Snapshot.objects.values_list("wallets", "paid_minor", "digest")),
        "owed": dict(Entitlement.objects.values_list("state").annotate(Sum("amount_minor"))),
        "paid": Payout.objects.aggregate(
            n=Count("pk"), owed=Count("entitlement", distinct=True), total=Sum("amount_minor")
        ),
        # Which payout is in which file depends on the order in which the slots were done.
        "files": PayoutBatch.objects.aggregate(
            n=Count("pk"),
            last=Max("sequence"),
            hashes=Count("sha256", distinct=True),
            items=Sum("items"),
            total=Sum("total_minor"),
        ),
        "deadlines": AuditEntry.objects.filter(action="milestone.fire").count(),
        "breached": invariants.breached(),
    }


def wait_for_the_end(run: Run, said: Callable[[], str]) -> Run:
    wait_until(
        lambda: Run.objects.get(pk=run.pk).state in Run.ENDED, f"run {run.pk} ends: {said()}"
    )
    return Run.objects.get(pk=run.pk)
