"""reset-all-passwords: no password and no session opens anything, and a notice is due to each
person."""

from __future__ import annotations

import statistics
import uuid

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.credentials import fencing
from accounts.models import CredentialFence, ResetNotice, ResetNoticeTransition, Session, User
from benchmarks import population, runs
from benchmarks.harness import Bench, Stopwatch
from winddown import clock
from winddown.models import Run

LIMIT = "the bare statements in one transaction"
OURS = "workflow, 1 worker"
OURS_2 = "workflow, 2 workers"
ORM = "ORM, person by person"

ORM_SAMPLE = 1_000
FENCES = 21


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("people", fill, people=size)
        bench.side(LIMIT, "limit", size=size, template=template, work=bare)
        for side, workers in ((OURS, 1), (OURS_2, 2)):
            bench.side(
                side,
                "ours",
                size=size,
                template=template,
                work=lambda size=size, workers=workers: workflow(bench, size, workers=workers),
            )
        with bench.databases.side(template):
            fence_ms = raise_fences()
            bench.figure(f"fence before {size:,} people", **fence_ms)
        if size == bench.largest:
            bench.at_most("the fence's transaction, median", 5, fence_ms["median ms"], " ms")
            bench.side(
                ORM,
                "peer",
                size=size,
                template=template,
                work=lambda size=size: orm(min(size, ORM_SAMPLE)),
                repeats=1,
            )
    bench.at_most("whole run, 1 worker, against the bare statements", 1.5, bench.ratio(OURS, LIMIT))
    bench.at_least("faster than the ORM person by person", 80, bench.ratio(ORM, OURS))
    bench.at_most("growth exponent, 1 worker", 1.05, bench.growth().get(OURS, 1.0), unit="")
    bench.notes += [
        "A row is a person: the password made unusable and kept as refused, the session deleted, a"
        " notice queued. Nothing is sent here; a mail server sets that pace.",
        "The workflow's seconds are those from the start, which raises the fence, through the"
        " second count of the plan to the verified end; limit and ORM on the same tables with the triggers off.",
    ]


# --- What is there --------------------------------------------------------------------------------


def fill(people: int) -> None:
    """Everybody has a password, an address that was verified, and one session."""
    population.programme()
    population.wallets(people)
    at = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_user SET password = 'argon2$' || login_id, password_set_at = %(at)s,"
            " email = login_id || '@example.com', email_verified_at = %(at)s"
            " WHERE kind = 'customer'",
            {"at": at},
        )
    first = User.objects.filter(kind="customer").earliest("pk")
    session = Session.objects.create(
        session_key="session-1", session_data="", expire_date=at, user=first, issued_at=at
    )
    population.copies(
        Session,
        session,
        f"(SELECT * FROM accounts_user WHERE kind = 'customer' AND id > {first.pk}) AS holder",
        session_key="'session-' || holder.id",
        user_id="holder.id",
    )


# --- The sides ------------------------------------------------------------------------------------


def bare() -> tuple[int, float]:
    """The same rows are written for everybody at once, without fence, guard or trigger."""
    with connection.cursor() as cursor:
        _triggers_off(cursor)
        with Stopwatch() as watch, transaction.atomic():
            cursor.execute(
                """
                UPDATE accounts_user
                SET refused_hash = password, password_removed_at = clock_timestamp(),
                    password = '!'
                        || translate(gen_random_uuid()::text || gen_random_uuid(), '-', '')
                WHERE kind = 'customer'
                """
            )
            rows = cursor.rowcount
            cursor.execute(f"DELETE FROM {Session._meta.db_table}")
            cursor.execute(
                """
                INSERT INTO accounts_resetnotice
                    (user_id, run_id, channel, state, queued_at, attempts, answer)
                SELECT id, 1, %(email)s, %(queued)s, clock_timestamp(), 0, ''
                FROM accounts_user WHERE kind = %(customer)s
                """,
                {
                    "email": ResetNotice.Channel.EMAIL,
                    "queued": ResetNotice.State.QUEUED,
                    "customer": User.Kind.CUSTOMER,
                },
            )
    return rows, watch.seconds


def workflow(bench: Bench, people: int, *, workers: int) -> tuple[int, float]:
    """The real workflow through plan, approval, fence, batches and verification."""
    done = runs.ended(
        "reset-all-passwords",
        maker="maker",
        checker="checker",
        workers=workers,
        params={"mail": "file"},
    )
    assert done.rows == 3 * people, done.rows
    bench.figure(f"run over {people:,} people, workers: {workers}", **done.parts)
    return people, done.seconds


def raise_fences() -> dict[str, float]:
    """Returns the milliseconds of the transaction that ends all old credentials."""
    maker, at = population.person("maker"), clock.now()
    seconds = []
    for number in range(FENCES):
        # A workflow has one run at a time, and a run raises one fence.
        requested = Run.objects.create(
            workflow=f"reset-{number}", maker=maker, reason="benchmark", requested_at=at, as_of=at
        )
        with Stopwatch() as watch, transaction.atomic():
            fencing.raise_fence(requested)
        seconds.append(watch.seconds)
    return {"median ms": 1_000 * statistics.median(seconds), "longest ms": 1_000 * max(seconds)}


def orm(people: int) -> tuple[int, float]:
    """One person after another, each in a transaction, as most projects write it."""
    with connection.cursor() as cursor:
        _triggers_off(cursor)
    with Stopwatch() as watch:
        customers = User.objects.filter(kind="customer").order_by("pk")
        for pk in list(customers.values_list("pk", flat=True)[:people]):
            with transaction.atomic():
                _reset_one(pk)
    return people, watch.seconds


def _reset_one(pk: int) -> None:
    person = User.objects.select_for_update().get(pk=pk)
    person.refused_hash, person.password = person.password, f"!{uuid.uuid4().hex}"
    person.password_removed_at = clock.now()
    person.save(update_fields=["refused_hash", "password", "password_removed_at"])
    Session.objects.filter(user=person).delete()
    ResetNotice.objects.create(
        user=person, run_id=1, channel=ResetNotice.Channel.EMAIL, queued_at=clock.now()
    )


def _triggers_off(cursor: CursorWrapper) -> None:
    for model in (User, Session, ResetNotice, ResetNoticeTransition, CredentialFence):
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")
