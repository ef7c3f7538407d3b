"""refund-balances: every closed wallet's paid value becomes an entitlement, through the ledger."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max, Min

from benchmarks import harness, population, runs
from benchmarks.harness import Bench, Spending, Stopwatch
from refunds.models import Entitlement
from wallets.models import Journal, LedgerAccount, Posting, Snapshot, Wallet, WalletTransition
from wallets.workflows import shut_down_by_deadline
from winddown import clock, witness
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.machines.move import transition_set
from winddown.models import Milestone, Programme, PublicNotice, RowDigest, Run
from winddown.programme import capabilities, declared

LIMIT = "the bare statements in one transaction"
OURS = "workflow, 1 worker"
OURS_2 = "workflow, 2 workers"
ORM = "ORM, wallet by wallet"

_PROCESSOR = "processor seconds of {:,} wallets"
ORM_SAMPLE = 1_000
AT_ONCE = 50_000
TO_BALANCE_FIXED = (
    Programme.State.INCIDENT,
    Programme.State.RESTRICTED,
    Programme.State.ANNOUNCED,
    Programme.State.CLOSING,
    Programme.State.CLOSED,
    Programme.State.BALANCE_FIXED,
)


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("closed", fill, wallets=size)
        bench.side(LIMIT, "limit", size=size, template=template, work=lambda: bare(bench))
        for side, workers in ((OURS, 1), (OURS_2, 2)):
            bench.side(
                side,
                "ours",
                size=size,
                template=template,
                work=lambda workers=workers: workflow(bench, workers=workers),
            )
        if size == bench.largest:
            bench.side(
                ORM,
                "peer",
                size=size,
                template=template,
                work=lambda size=size: orm(min(size, ORM_SAMPLE)),
                repeats=1,
            )
    bench.at_most("whole run, 1 worker, against the bare statements", 1.2, bench.ratio(OURS, LIMIT))
    spent = bench.figures[_PROCESSOR.format(bench.largest)]
    bench.at_most("the same in processor seconds", 1.2, spent[_of(1)] / spent["bare"])
    bench.at_least("faster than the ORM wallet by wallet", 100, bench.ratio(ORM, OURS))
    bench.at_most("growth exponent, 1 worker", 1.05, bench.growth().get(OURS, 1.0), unit="")
    bench.notes += [
        "Every side writes the wallet, its log row, its posting and its entitlement; limit and ORM"
        " on the same tables with the triggers off. The limit writes the digest of each entitlement,"
        " too.",
        "The workflow's seconds are those from the start, which counts the plan again, to the"
        " verified end; batches of 10,000, because no payment can pass any more.",
    ]


# --- What is there --------------------------------------------------------------------------------


def fill(wallets: int) -> None:
    """The service is over: wallets closed, balances sealed, notice published, funds set aside."""
    population.programme()
    population.staff("treasurer", "treasury_operator")
    population.staff("approver", "treasury_approver")
    population.wallets(wallets)
    _stop_everything()
    _close()


def _stop_everything() -> None:
    maker, checker = population.person("maker"), population.person("checker")
    for code in ("spend", *(f"top_up:{source}" for source in declared.sources())):
        capabilities.stop(code, actor=maker, reason="benchmark", ratified_by=checker)
    at = clock.now()
    Milestone.objects.create(kind=Milestone.Kind.SPEND_ENDS, at=at, ends_capability="spend")
    last_day = at.date() + dt.timedelta(days=90)
    with transaction.atomic():
        PublicNotice.objects.create(
            statement="The balances are refunded.",
            issuer_name="operator",
            instrument="wallet",
            window_first_day=at.date(),
            window_last_day=last_day,
            exclusion_statement="What is not claimed is excluded.",
            contact="office",
            how_to_claim="app",
            how_it_is_paid="bank",
            published_at=at,
        )
        after = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time())
        Milestone.objects.create(
            kind=Milestone.Kind.REFUND_WINDOW_ENDS,
            at=after.replace(tzinfo=Programme.current().zone),
        )


def _close() -> None:
    bounds = Wallet.objects.aggregate(first=Min("pk"), last=Max("pk"))
    for first in range(bounds["first"], bounds["last"] + 1, AT_ONCE):
        rows = Wallet.objects.filter(pk__gte=first, pk__lt=first + AT_ONCE)
        with transaction.atomic(), connection.cursor() as cursor:
            for name in ("start_closing", "close"):
                transition_set(rows, name, run=None)
            cursor.execute(
                """
                INSERT INTO wallets_snapshotline
                    (wallet_id, run_id, paid_minor, bonus_minor, held_minor)
                SELECT id, 0, paid_minor, bonus_minor, held_minor FROM wallets_wallet
                WHERE id >= %s AND id < %s ORDER BY id
                """,
                [first, first + AT_ONCE],
            )
            audit.append("benchmark.close", f"wallets:{first}", actor=SYSTEM)
    with transaction.atomic():
        for state in TO_BALANCE_FIXED:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE winddown_programme SET state = %s", [state])
        sealed = shut_down_by_deadline.seal(Run(pk=0))
        Programme.objects.update(safeguarded_minor=sealed.paid_minor)
        audit.append("benchmark.seal", "snapshot", actor=SYSTEM)


# --- The sides ------------------------------------------------------------------------------------


def bare(bench: Bench) -> tuple[int, float]:
    """The same rows are written for all wallets at once, without guard or trigger."""
    with connection.cursor() as cursor:
        _triggers_off(cursor)
        with Spending() as spending, transaction.atomic():
            _post_all(cursor)
            _entitle_all(cursor)
            rows = _move_all(cursor)
    _keep(bench, rows, "bare", spending.spent.processor_s)
    return rows, spending.spent.seconds


def _of(workers: int) -> str:
    return f"workers: {workers}"


def _keep(bench: Bench, size: int, side: str, processor_s: float) -> None:
    """The least of all measurements counts."""
    kept = bench.figures.get(_PROCESSOR.format(size), {}).get(side, processor_s)
    bench.figure(_PROCESSOR.format(size), **{side: min(kept, processor_s)})


def _post_all(cursor: CursorWrapper) -> None:
    """One journal takes every closed wallet's paid value to what is owed."""
    cursor.execute(
        "INSERT INTO wallets_journal (source, source_id, kind, occurred_at)"
        " VALUES ('wallet', 0, 'entitle', clock_timestamp()) RETURNING id"
    )
    (journal,) = cursor.fetchone()
    cursor.execute(
        """
        INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
        SELECT %(journal)s, 'wallet_paid', id, -paid_minor
        FROM wallets_wallet WHERE state = %(closed)s
        UNION ALL
        SELECT %(journal)s, 'refunds_payable', NULL, sum(paid_minor)
        FROM wallets_wallet WHERE state = %(closed)s
        """,
        {"closed": Wallet.State.CLOSED, "journal": journal},
    )


def _entitle_all(cursor: CursorWrapper) -> None:
    cursor.execute(
        """
        INSERT INTO refunds_entitlement (wallet_id, part, snapshot_id, amount_minor, state,
            returns, postal_order_offered, notice_undeliverable)
        SELECT id, 1, 1, paid_minor, %(computed)s, 0, false, false
        FROM wallets_wallet WHERE state = %(closed)s
        """,
        {"closed": Wallet.State.CLOSED, "computed": Entitlement.State.COMPUTED},
    )
    cursor.execute(
        f"INSERT INTO {witness.TABLE} (table_name, row_id, digest)"
        f" SELECT '{Entitlement._meta.db_table}', e.id, {harness.digest_of(Entitlement, row='e')}"
        " FROM refunds_entitlement e ORDER BY e.id"
    )


def _move_all(cursor: CursorWrapper) -> int:
    """Every closed wallet is entitled, with its log row; returns how many there were."""
    states = {"closed": Wallet.State.CLOSED, "entitled": Wallet.State.ENTITLED}
    cursor.execute(
        """
        INSERT INTO wallets_wallettransition
            (subject_id, transition, source, target, reason, at, xact_id)
        SELECT id, 'entitle', %(closed)s, %(entitled)s, '', clock_timestamp(),
               pg_current_xact_id()::text::bigint
        FROM wallets_wallet WHERE state = %(closed)s
        """,
        states,
    )
    cursor.execute(
        "UPDATE wallets_wallet SET state = %(entitled)s, paid_minor = 0 WHERE state = %(closed)s",
        states,
    )
    return cursor.rowcount


def workflow(bench: Bench, *, workers: int) -> tuple[int, float]:
    """The real workflow's first part through plan, approval, start, batches and verification."""
    done = runs.ended(
        "refund-balances",
        maker="treasurer",
        checker="approver",
        workers=workers,
        params={"part": "entitle"},
    )
    bench.figure(f"run over {done.rows:,} wallets, {_of(workers)}", **done.parts)
    _keep(bench, done.rows, _of(workers), done.processor_s)
    return done.rows, done.seconds


def orm(rows: int) -> tuple[int, float]:
    """One wallet after another, each in a transaction, as most projects write it."""
    snapshot = Snapshot.objects.get()
    with connection.cursor() as cursor:
        _triggers_off(cursor)
    with Stopwatch() as watch:
        for pk in list(Wallet.objects.order_by("pk").values_list("pk", flat=True)[:rows]):
            with transaction.atomic():
                _entitle_one(pk, snapshot, clock.now())
    return rows, watch.seconds


def _entitle_one(pk: int, snapshot: Snapshot, at: dt.datetime) -> None:
    wallet = Wallet.objects.select_for_update().get(pk=pk)
    amount = wallet.paid_minor
    journal = Journal.objects.create(source="wallet", source_id=pk, kind="entitle", occurred_at=at)
    Posting.objects.create(
        journal=journal, account=LedgerAccount.WALLET_PAID, wallet=wallet, amount_minor=-amount
    )
    Posting.objects.create(
        journal=journal, account=LedgerAccount.REFUNDS_PAYABLE, amount_minor=amount
    )
    Entitlement.objects.create(wallet=wallet, snapshot=snapshot, amount_minor=amount)
    wallet.entitle()
    wallet.paid_minor = 0
    wallet.save(update_fields=["state", "paid_minor"])
    WalletTransition.objects.create(
        subject_id=pk,
        transition="entitle",
        source=Wallet.State.CLOSED,
        target=Wallet.State.ENTITLED,
        reason="",
        at=at,
        xact_id=0,
    )


def _triggers_off(cursor: CursorWrapper) -> None:
    for model in (Wallet, WalletTransition, Journal, Posting, Entitlement, RowDigest):
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")
