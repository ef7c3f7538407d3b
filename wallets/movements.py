"""The only verbs that move money: top up, pay, reserve, settle, reverse, hold, release, claw back.

Each takes its switch, its wallet's row lock, checks, posts a journal that sums to zero, and changes
the cached balance, all in one transaction. A repeated call with the same reference returns the
first result; the same reference with other values raises `IdempotencyConflict`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from wallets.models import FundingCard, Hold, Journal, LedgerAccount, Payment, TopUp, Wallet
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import (
    CapabilityStopped,
    IdempotencyConflict,
    InsufficientBalance,
    LedgerRefused,
    PastDeadline,
    WalletNotUsable,
)
from winddown.machines.move import named, transition_one
from winddown.programme import capabilities

Recorded = TypeVar("Recorded", TopUp, Payment)
Lines = list[tuple[str, int | None, int]]
"""Postings of one journal: account, wallet or None, signed minor units (positive credits)."""

# Whoever repeats a call because the answer was lost gets the first one's result, though a switch
# was stopped since, or the first call ran beside this one.
FIRST_MAY_STAND = (CapabilityStopped, PastDeadline, IntegrityError)


def post(
    lines: Lines,
    *,
    source: str,
    source_id: int,
    kind: str,
    occurred_at: dt.datetime,
    actor: Any,
    run_id: int | None = None,
    reverses: int | None = None,
) -> int:
    """One journal with its postings is written; returns its id.

    The database refuses lines that do not sum to zero and a second journal of the same source, id
    and kind.
    """
    kept = [line for line in lines if line[2] != 0]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH journal AS (
                INSERT INTO wallets_journal (source, source_id, kind, occurred_at, actor_id, run_id, reverses_id)
                VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
            ), lines AS (
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT journal.id, line.* FROM journal, unnest(%s::text[], %s::bigint[], %s::bigint[]) AS line
            )
            SELECT id FROM journal
            """,
            [
                source,
                source_id,
                kind,
                occurred_at,
                actor.pk,
                run_id,
                reverses,
                [line[0] for line in kept],
                [line[1] for line in kept],
                [line[2] for line in kept],
            ],
        )
        return int(cursor.fetchone()[0])


def _lock(wallet_id: int) -> Wallet:
    wallet: Wallet = Wallet.objects.select_for_update(no_key=True).get(pk=wallet_id)
    return wallet


def _change(wallet: Wallet, *, paid: int = 0, bonus: int = 0, held: int = 0) -> None:
    Wallet.objects.filter(pk=wallet.pk).update(
        paid_minor=F("paid_minor") + paid,
        bonus_minor=F("bonus_minor") + bonus,
        held_minor=F("held_minor") + held,
    )


def top_up(
    wallet_id: int,
    *,
    source: str,
    amount_minor: int,
    top_up_ref: str,
    actor: Any,
    card: FundingCard | None = None,
    authorised_only: bool = False,
) -> TopUp:
    """The wallet holds `amount_minor` more, from `source`; a bonus adds free value, every other
    source paid value.

    With `authorised_only` the charge is recorded and waits to be posted. Raises
    `CapabilityStopped`, `PastDeadline`, `WalletNotUsable` (only an active wallet can be charged) or
    `IdempotencyConflict`.
    """
    if amount_minor <= 0:
        raise LedgerRefused(movement="top-up", why="the amount must be positive")
    values = {"wallet_id": wallet_id, "source": source, "amount_minor": amount_minor}
    try:
        with transaction.atomic():
            passage = capabilities.passed(f"top_up:{source}")
            wallet = _lock(wallet_id)
            earlier = _first_result(TopUp, {"top_up_ref": top_up_ref}, values)
            if earlier is not None:
                return earlier
            if wallet.state != Wallet.State.ACTIVE:
                raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="top-up")
            done = TopUp.objects.create(
                top_up_ref=top_up_ref,
                wallet=wallet,
                source=source,
                card=card,
                amount_minor=amount_minor,
                occurred_at=passage.at,
                switch_version=passage.version,
                state=TopUp.State.AUTHORISED if authorised_only else TopUp.State.POSTED,
            )
            if not authorised_only:
                _post_top_up(done, wallet, at=passage.at, actor=actor)
            return done
    except FIRST_MAY_STAND:
        earlier = _first_result(TopUp, {"top_up_ref": top_up_ref}, values)
        if earlier is None:
            raise
        return earlier


def post_authorised(top_up: TopUp, *, actor: Any) -> TopUp:
    """An authorised charge is in the wallet. Raises what a new top-up would raise: a freeze stops
    it too.
    """
    with transaction.atomic():
        passage = capabilities.passed(f"top_up:{top_up.source}")
        wallet = _lock(top_up.wallet_id)
        if wallet.state != Wallet.State.ACTIVE:
            raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="top-up")
        done = transition_one(top_up, "post", actor=actor, switch_version=passage.version)
        _post_top_up(done, wallet, at=passage.at, actor=actor)
        return done


def _post_top_up(done: TopUp, wallet: Wallet, *, at: dt.datetime, actor: Any) -> None:
    free = done.source == "bonus"
    account = LedgerAccount.WALLET_BONUS if free else LedgerAccount.WALLET_PAID
    post(
        [
            (account, wallet.pk, done.amount_minor),
            (f"funding_{done.source}", None, -done.amount_minor),
        ],
        source="top_up",
        source_id=done.pk,
        kind="top_up",
        occurred_at=at,
        actor=actor,
    )
    _change(wallet, paid=0 if free else done.amount_minor, bonus=done.amount_minor if free else 0)


def pay(
    wallet_id: int,
    *,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    actor: Any,
    prefecture: str = "",
    merchant_category: str = "",
) -> Payment:
    """The wallet holds `amount_minor` less and the merchant is owed it; bonus value goes first.

    Raises `CapabilityStopped`, `PastDeadline`, `WalletNotUsable`, `InsufficientBalance` or
    `IdempotencyConflict`.
    """
    return _spend(
        wallet_id,
        amount_minor,
        merchant_ref,
        payment_ref,
        prefecture,
        merchant_category,
        actor,
        LedgerAccount.MERCHANTS,
    )


def reserve(
    wallet_id: int,
    *,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    actor: Any,
    prefecture: str = "",
    merchant_category: str = "",
) -> Payment:
    """`amount_minor` is set aside for a merchant until `settle` posts or voids it, exactly one of
    the two.
    """
    return _spend(
        wallet_id,
        amount_minor,
        merchant_ref,
        payment_ref,
        prefecture,
        merchant_category,
        actor,
        LedgerAccount.RESERVATIONS,
    )


def _spend(
    wallet_id: int,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    prefecture: str,
    merchant_category: str,
    actor: Any,
    to: str,
) -> Payment:
    if amount_minor <= 0:
        raise LedgerRefused(movement="payment", why="the amount must be positive")
    values = {"wallet_id": wallet_id, "amount_minor": amount_minor, "merchant_ref": merchant_ref}
    try:
        with transaction.atomic():
            passage = capabilities.passed("spend")
            wallet = _lock(wallet_id)
            earlier = _first_result(Payment, {"payment_ref": payment_ref}, values)
            if earlier is not None:
                return earlier
            if wallet.state not in Wallet.SPENDABLE:
                raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="payment")
            if amount_minor > wallet.available_minor:
                raise InsufficientBalance(
                    wallet=wallet.pk,
                    available_minor=wallet.available_minor,
                    asked_minor=amount_minor,
                )
            bonus_part = min(wallet.bonus_minor, amount_minor)
            paid_part = amount_minor - bonus_part
            reserved = to == LedgerAccount.RESERVATIONS
            done = Payment.objects.create(
                payment_ref=payment_ref,
                wallet=wallet,
                amount_minor=amount_minor,
                paid_part_minor=paid_part,
                bonus_part_minor=bonus_part,
                merchant_ref=merchant_ref,
                prefecture=prefecture,
                merchant_category=merchant_category,
                occurred_at=passage.at,
                switch_version=passage.version,
                state=Payment.State.AUTHORISED if reserved else Payment.State.POSTED,
            )
            post(
                [*_from_wallet(done), (to, None, amount_minor)],
                source="payment",
                source_id=done.pk,
                kind="reserve" if reserved else "pay",
                occurred_at=passage.at,
                actor=actor,
            )
            _change(wallet, paid=-paid_part, bonus=-bonus_part)
            return done
    except FIRST_MAY_STAND:
        earlier = _first_result(Payment, {"payment_ref": payment_ref}, values)
        if earlier is None:
            raise
        return earlier


def _from_wallet(payment: Payment) -> Lines:
    return [
        (LedgerAccount.WALLET_PAID, payment.wallet_id, -payment.paid_part_minor),
        (LedgerAccount.WALLET_BONUS, payment.wallet_id, -payment.bonus_part_minor),
    ]


def _back_to_wallet(payment: Payment) -> Lines:
    return [(account, wallet, -amount) for account, wallet, amount in _from_wallet(payment)]


def settle(
    payment: Payment, *, captured: bool, actor: Any, run: Any = None, at: dt.datetime | None = None
) -> Payment:
    """The reservation is posted to the merchant, or void and back in the wallet; never both, never
    twice.

    Both outcomes share one idempotency key, so the database refuses the other one later.
    """
    with transaction.atomic():
        wallet = _lock(payment.wallet_id)
        done = transition_one(payment, "post" if captured else "void", actor=actor, run=run)
        back: Lines = (
            [(LedgerAccount.MERCHANTS, None, done.amount_minor)]
            if captured
            else _back_to_wallet(done)
        )
        post(
            [(LedgerAccount.RESERVATIONS, None, -done.amount_minor), *back],
            source="payment",
            source_id=done.pk,
            kind="settle",
            occurred_at=at or clock.now(),
            actor=actor,
            run_id=run.pk if run else None,
        )
        if not captured:
            _change(wallet, paid=done.paid_part_minor, bonus=done.bonus_part_minor)
        return done


def reverse(payment: Payment, *, actor: Any, reason: str) -> Payment:
    """A posted payment is undone: the value is back in the wallet and the merchant is no longer
    owed it.

    Raises `WalletNotUsable` once the wallet is closed: its balance is sealed.
    """
    with transaction.atomic():
        wallet = _lock(payment.wallet_id)
        if wallet.state not in Wallet.OPEN:
            raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="reversal")
        done = transition_one(payment, "reverse", actor=actor, reason=reason)
        undone = Journal.objects.get(
            source="payment", source_id=done.pk, kind__in=["pay", "settle"]
        )
        post(
            [*_back_to_wallet(done), (LedgerAccount.MERCHANTS, None, -done.amount_minor)],
            source="payment",
            source_id=done.pk,
            kind="reverse",
            occurred_at=clock.now(),
            actor=actor,
            reverses=undone.pk,
        )
        _change(wallet, paid=done.paid_part_minor, bonus=done.bonus_part_minor)
        return done


def hold(wallet_id: int, *, amount_minor: int, reason: str, actor: Any) -> Hold:
    """`amount_minor` of the wallet's paid value can no longer be spent; the rest stays spendable.

    Raises `InsufficientBalance` when less paid value is free.
    """
    with transaction.atomic():
        wallet = _lock(wallet_id)
        free = wallet.paid_minor - wallet.held_minor
        if not 0 < amount_minor <= free:
            raise InsufficientBalance(
                wallet=wallet.pk, available_minor=free, asked_minor=amount_minor
            )
        held = Hold.objects.create(
            wallet=wallet,
            amount_minor=amount_minor,
            reason=reason,
            since=clock.now(),
            held_by_id=actor.pk,
        )
        _change(wallet, held=amount_minor)
        return held


def hold_each(asked: Mapping[int, tuple[int, str]], *, actor: Any) -> tuple[int, int]:
    """Of each wallet, by id, the amount asked for (and its reason) can no longer be spent, or as much
    of it as is still free; returns how many wallets were held, and the sum.

    One statement for all of them, with the wallets locked in the order of their ids.
    """
    wanted = dict(sorted(asked.items()))
    with transaction.atomic(), connection.cursor() as cursor:
        said: dict[str, Any] = {
            "wallets": list(wanted),
            "amounts": [amount for amount, _ in wanted.values()],
            "reasons": [reason for _, reason in wanted.values()],
            "actor": actor.pk,
        }
        cursor.execute(
            "SELECT FROM wallets_wallet WHERE id = ANY (%(wallets)s) ORDER BY id FOR NO KEY UPDATE",
            said,
        )
        cursor.execute(
            """
            WITH asked AS (
                SELECT * FROM unnest(%(wallets)s::bigint[], %(amounts)s::bigint[],
                    %(reasons)s::text[]) AS asked (wallet_id, amount_minor, reason)
            ), granted AS (
                SELECT asked.wallet_id, asked.reason,
                    least(asked.amount_minor, w.paid_minor - w.held_minor) AS amount_minor
                FROM asked JOIN wallets_wallet w ON w.id = asked.wallet_id
                WHERE least(asked.amount_minor, w.paid_minor - w.held_minor) > 0
            ), changed AS (
                UPDATE wallets_wallet w SET held_minor = w.held_minor + granted.amount_minor
                FROM granted WHERE w.id = granted.wallet_id
            ), held AS (
                INSERT INTO wallets_hold
                    (wallet_id, amount_minor, state, reason, since, held_by_id)
                SELECT wallet_id, amount_minor, 'active', reason, winddown_now(), %(actor)s::bigint
                FROM granted
                RETURNING amount_minor
            )
            SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM held
            """,
            said,
        )
        count, amount_minor = cursor.fetchone()
        return int(count), int(amount_minor)


def release(held: Hold, *, actor: Any, reason: str = "") -> Hold:
    """The held value is spendable again."""
    with transaction.atomic():
        wallet = _lock(held.wallet_id)
        done = transition_one(held, "release", actor=actor, reason=reason)
        _change(wallet, held=-done.amount_minor)
        return done


def claw_back(held: Hold, *, actor: Any, reason: str = "") -> Hold:
    """The held value left the wallet and lowers the operator's fraud loss (rule 22)."""
    with transaction.atomic():
        wallet = _lock(held.wallet_id)
        done = transition_one(held, "take", actor=actor, reason=reason)
        post(
            [
                (LedgerAccount.WALLET_PAID, wallet.pk, -done.amount_minor),
                (LedgerAccount.FRAUD_LOSS, None, done.amount_minor),
            ],
            source="hold",
            source_id=done.pk,
            kind="claw_back",
            occurred_at=clock.now(),
            actor=actor,
        )
        _change(wallet, paid=-done.amount_minor, held=-done.amount_minor)
        return done


def _first_result(
    model: type[Recorded], reference: dict[str, str], values: dict[str, Any]
) -> Recorded | None:
    """What was recorded under the reference, or None; raises `IdempotencyConflict` when it has
    other values.
    """
    earlier = model._default_manager.filter(**reference).first()
    different = [
        name for name, value in values.items() if earlier and getattr(earlier, name) != value
    ]
    if different:
        ((field, wanted),) = reference.items()
        raise IdempotencyConflict(
            source=field.removesuffix("_ref"), source_id=wanted, difference=", ".join(different)
        )
    return earlier


# --- Histories: what another system moved, recorded as if it had moved here -----------------------

RECORDED_AT_ONCE = 50_000


def record_top_ups(
    rows: str, *, actor: Any, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Every new row of the temporary table `rows` is a top-up with the journal and the balance
    `top_up` would have made.

    The table has line, earlier_id (not NULL: already recorded, left alone) and the columns of
    `TopUp`, checked by the caller, who holds the wallets' locks. Authorised ones move nothing yet.
    Returns how many were recorded.
    """
    moves = _numbered(rows, table="wallets_topup", columns="r.*", joined="")
    for first, last, total in _slices(moves):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO wallets_topup (id, top_up_ref, wallet_id, source, card_id, amount_minor,
                    state, occurred_at, rrn, auth_code, arn)
                SELECT id, top_up_ref, wallet_id, source, card_id, amount_minor, state, occurred_at,
                       rrn, auth_code, arn
                FROM {moves} WHERE place BETWEEN %s AND %s ORDER BY place
                """,  # noqa: S608  the caller's table
                [first, last],
            )
            cursor.execute(
                f"""
                INSERT INTO wallets_journal
                    (id, source, source_id, kind, occurred_at, recorded_at, actor_id)
                SELECT journal_id, 'top_up', id, 'top_up', occurred_at, (SELECT winddown_now()), %s
                FROM {moves} WHERE place BETWEEN %s AND %s AND state = 'posted' ORDER BY place
                """,  # noqa: S608
                [actor.pk, first, last],
            )
            cursor.execute(
                f"""
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT m.journal_id, line.account, line.wallet_id, line.amount_minor
                FROM {moves} m CROSS JOIN LATERAL (VALUES
                    (1, CASE m.source WHEN 'bonus' THEN 'wallet_bonus' ELSE 'wallet_paid' END,
                        m.wallet_id, m.amount_minor),
                    (2, 'funding_' || m.source, NULL, -m.amount_minor)
                ) AS line (number, account, wallet_id, amount_minor)
                WHERE m.place BETWEEN %s AND %s AND m.state = 'posted' ORDER BY m.place, line.number
                """,  # noqa: S608
                [first, last],
            )
        progress(last, total)
    return _recorded(
        moves,
        paid="sum(amount_minor) FILTER (WHERE source <> 'bonus' AND state = 'posted')",
        bonus="sum(amount_minor) FILTER (WHERE source = 'bonus' AND state = 'posted')",
    )


def split_payments(rows: str) -> str:
    """How each new payment of the temporary table `rows` divides into bonus and paid value; returns
    the table's name.

    Bonus value goes first, in the order of `occurred_at` and then of the file. At its time a
    payment may take no more than the wallet had then and has had at every recorded moment since, so
    that what was recorded before stays covered; a hold counts as taken now. With F the least bonus
    value from a payment's time on (it never falls from one payment to the next) and C the sum of
    the wallet's new payments so far, the bonus value used so far is C + min(0, min(F - C)): the
    running minimum that a balance which cannot fall below zero has. `is_short` marks payments that
    are not covered, `available_minor` says what there was for them.
    """
    split = f"{rows}_split"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {split}")
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE {split} ON COMMIT DROP AS
            WITH firsts AS MATERIALIZED (
                SELECT wallet_id, min(occurred_at) AS at FROM {rows}
                WHERE earlier_id IS NULL GROUP BY wallet_id
            ), later AS MATERIALIZED (
                SELECT p.wallet_id, j.occurred_at,
                       coalesce(sum(p.amount_minor) FILTER (WHERE p.account = 'wallet_paid'), 0) AS paid,
                       coalesce(sum(p.amount_minor) FILTER (WHERE p.account = 'wallet_bonus'), 0) AS bonus
                FROM wallets_journal j
                     JOIN wallets_posting p ON p.journal_id = j.id
                     JOIN firsts ON firsts.wallet_id = p.wallet_id AND j.occurred_at > firsts.at
                WHERE j.occurred_at > (SELECT min(at) FROM firsts)
                GROUP BY p.wallet_id, j.occurred_at
            ), moments AS (
                SELECT wallet_id, occurred_at, 1 AS place, line, amount_minor, 0 AS paid, 0 AS bonus
                FROM {rows} WHERE earlier_id IS NULL
                UNION ALL
                SELECT wallet_id, occurred_at, 0, 0, 0, paid, bonus FROM later
            ), standing AS (
                SELECT m.*, w.paid_minor - w.held_minor AS free_now,
                       w.paid_minor - coalesce(sum(m.paid) OVER afterwards, 0)::bigint AS paid_then,
                       w.bonus_minor - coalesce(sum(m.bonus) OVER afterwards, 0)::bigint AS bonus_then
                FROM moments m JOIN wallets_wallet w ON w.id = m.wallet_id
                WINDOW afterwards AS (
                    PARTITION BY m.wallet_id ORDER BY m.occurred_at DESC, m.place DESC, m.line DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            ), free AS (
                SELECT *, least(min(paid_then) OVER onwards, free_now) AS paid_free,
                       min(bonus_then) OVER onwards AS bonus_free
                FROM standing
                WINDOW onwards AS (
                    PARTITION BY wallet_id ORDER BY occurred_at DESC, place DESC, line DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            ), spent AS (
                SELECT wallet_id, occurred_at, line, amount_minor, paid_free, bonus_free,
                       (sum(amount_minor) OVER so_far)::bigint AS spent
                FROM free WHERE place = 1
                WINDOW so_far AS (
                    PARTITION BY wallet_id ORDER BY occurred_at, line
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            ), used AS (
                SELECT *, spent + least(0, min(bonus_free - spent) OVER so_far) AS bonus_used
                FROM spent
                WINDOW so_far AS (
                    PARTITION BY wallet_id ORDER BY occurred_at, line
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            )
            SELECT wallet_id, occurred_at, line,
                   bonus_used - lag(bonus_used, 1, 0::bigint) OVER in_time AS bonus_part_minor,
                   amount_minor - bonus_used
                       + lag(bonus_used, 1, 0::bigint) OVER in_time AS paid_part_minor,
                   spent - bonus_used > paid_free AS is_short,
                   paid_free + bonus_free - (spent - amount_minor) AS available_minor
            FROM used WINDOW in_time AS (PARTITION BY wallet_id ORDER BY occurred_at, line)
            """  # noqa: S608  the caller's table
        )
        cursor.execute(f"ANALYZE {split}")
    return split


def record_payments(
    rows: str, *, actor: Any, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Every new row of the temporary table `rows` is a payment with the journal and the balance
    `pay` or `reserve` would have made, divided as `split_payments` found.

    The table has line, earlier_id and the columns of `Payment` without the parts, checked by the
    caller, who holds the wallets' locks. Returns how many were recorded.
    """
    moves = _numbered(
        rows,
        table="wallets_payment",
        columns="r.*, s.paid_part_minor, s.bonus_part_minor",
        joined=f"JOIN {rows}_split s ON s.line = r.line",
    )
    for first, last, total in _slices(moves):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO wallets_payment (id, payment_ref, wallet_id, amount_minor,
                    paid_part_minor, bonus_part_minor, merchant_ref, prefecture,
                    merchant_category, state, occurred_at)
                SELECT id, payment_ref, wallet_id, amount_minor,
                       paid_part_minor, bonus_part_minor, merchant_ref, prefecture,
                       merchant_category, state, occurred_at
                FROM {moves} WHERE place BETWEEN %s AND %s ORDER BY place
                """,  # noqa: S608
                [first, last],
            )
            cursor.execute(
                f"""
                INSERT INTO wallets_journal
                    (id, source, source_id, kind, occurred_at, recorded_at, actor_id)
                SELECT journal_id, 'payment', id, CASE state WHEN 'posted' THEN 'pay' ELSE 'reserve' END,
                       occurred_at, (SELECT winddown_now()), %s
                FROM {moves} WHERE place BETWEEN %s AND %s ORDER BY place
                """,  # noqa: S608
                [actor.pk, first, last],
            )
            cursor.execute(
                f"""
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT m.journal_id, line.account, line.wallet_id, line.amount_minor
                FROM {moves} m CROSS JOIN LATERAL (VALUES
                    (1, 'wallet_paid', m.wallet_id, -m.paid_part_minor),
                    (2, 'wallet_bonus', m.wallet_id, -m.bonus_part_minor),
                    (3, CASE m.state WHEN 'posted' THEN 'merchants' ELSE 'reservations' END,
                        NULL, m.amount_minor)
                ) AS line (number, account, wallet_id, amount_minor)
                WHERE m.place BETWEEN %s AND %s AND line.amount_minor <> 0 ORDER BY m.place, line.number
                """,  # noqa: S608
                [first, last],
            )
        progress(last, total)
    return _recorded(moves, paid="-sum(paid_part_minor)", bonus="-sum(bonus_part_minor)")


def _numbered(rows: str, *, table: str, columns: str, joined: str) -> str:
    """A temporary table of the new rows in time order, each with its place and the ids it and its
    journal will have.
    """
    moves = f"{rows}_moves"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {moves}")
        # Looked up once: by name it would be found again for every row.
        cursor.execute(
            "SELECT pg_get_serial_sequence(%s, 'id')::regclass::oid::bigint,"
            " pg_get_serial_sequence('wallets_journal', 'id')::regclass::oid::bigint",
            [table],
        )
        ids, journal_ids = cursor.fetchone()
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE {moves} ON COMMIT DROP AS
            SELECT row_number() OVER () AS place, nextval({ids}::oid::regclass) AS id,
                   nextval({journal_ids}::oid::regclass) AS journal_id, ordered.*
            FROM (SELECT {columns} FROM {rows} r {joined} WHERE r.earlier_id IS NULL
                  ORDER BY r.occurred_at, r.line) AS ordered
            """  # noqa: S608  the caller's table
        )
        cursor.execute(f"CREATE INDEX ON {moves} (place)")
        cursor.execute(f"ANALYZE {moves}")
    return moves


def _slices(moves: str) -> Iterator[tuple[int, int, int]]:
    """First and last place of each slice, and the number of all: a journal's postings stay within
    one statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {moves}")  # noqa: S608
        total = int(cursor.fetchone()[0])
    for first in range(1, total + 1, RECORDED_AT_ONCE):
        yield first, min(first + RECORDED_AT_ONCE - 1, total), total


def _recorded(moves: str, *, paid: str, bonus: str) -> int:
    """The wallets hold what the recorded movements left them; returns how many movements there
    were.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE wallets_wallet w
            SET paid_minor = w.paid_minor + moved.paid, bonus_minor = w.bonus_minor + moved.bonus
            FROM (
                SELECT wallet_id, coalesce({paid}, 0)::bigint AS paid,
                       coalesce({bonus}, 0)::bigint AS bonus
                FROM {moves} GROUP BY wallet_id
            ) AS moved
            WHERE w.id = moved.wallet_id AND (moved.paid <> 0 OR moved.bonus <> 0)
            """  # noqa: S608
        )
        cursor.execute(f"SELECT count(*) FROM {moves}")  # noqa: S608
        count = int(cursor.fetchone()[0])
        cursor.execute(f"DROP TABLE IF EXISTS {moves}")
    return count


# --- the closing balances leave the wallets -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Emptied:
    """What one set of closing balances came to: wallets, their paid and bonus value, and the
    journal that moved it.
    """

    wallets: int
    paid_minor: int
    bonus_minor: int
    journal_id: int | None


def empty_closed_wallets(rows: Any, name: str, *, run: Any, at: dt.datetime) -> Emptied:
    """The wallets of `rows` made the transition `name` (entitle, entitle_held, settle_empty) and
    hold nothing: their paid value is owed as refunds, their bonus value has expired.

    One statement and one journal for the whole set, with a line per wallet and one control line
    each. Wallets that are not in the transition's source state, or do not meet its condition, are
    left alone. Raises `LedgerRefused` when a wallet is not what its line in the sealed snapshot
    says, and then nothing happened.
    """
    edge = next(edge for edge in Wallet.edges() if edge.name == name)
    chosen = rows.filter(state=edge.source)
    if edge.when is not None:
        chosen = chosen.filter(edge.when)
    chosen = chosen.order_by("pk").select_for_update(of=("self",), no_key=True)
    inner, params = chosen.values("pk", "paid_minor", "bonus_minor").query.sql_with_params()
    with named(name, actor=SYSTEM, run=run, reason=run.reason), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH chosen (id, paid, bonus) AS MATERIALIZED ({inner}),
            moved AS (
                UPDATE wallets_wallet w SET state = %s, paid_minor = 0, bonus_minor = 0
                FROM chosen c WHERE w.id = c.id
            ), journal AS (
                INSERT INTO wallets_journal (source, source_id, kind, occurred_at, run_id)
                SELECT 'wallet', min(id), 'entitle', %s, %s FROM chosen HAVING sum(paid + bonus) > 0
                RETURNING id
            ), lines AS (
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT journal.id, line.account, line.wallet_id, line.amount FROM journal, (
                    SELECT 'wallet_paid' AS account, id AS wallet_id, -paid AS amount FROM chosen
                    UNION ALL SELECT 'wallet_bonus', id, -bonus FROM chosen
                    UNION ALL SELECT 'refunds_payable', NULL, sum(paid) FROM chosen
                    UNION ALL SELECT 'bonus_expired', NULL, sum(bonus) FROM chosen
                ) line WHERE line.amount <> 0
            )
            SELECT count(*), coalesce(sum(c.paid), 0), coalesce(sum(c.bonus), 0),
                   (SELECT id FROM journal),
                   count(*) FILTER (WHERE (s.paid_minor, s.bonus_minor) IS DISTINCT FROM (c.paid, c.bonus))
            FROM chosen c LEFT JOIN wallets_snapshotline s ON s.wallet_id = c.id
            """,  # noqa: S608
            [*params, edge.target, at, run.pk],
        )
        wallets, paid_minor, bonus_minor, journal_id, different = cursor.fetchone()
    if different:
        raise LedgerRefused(
            movement="entitlement", why=f"{different} wallets differ from the sealed snapshot"
        )
    return Emptied(wallets, int(paid_minor), int(bonus_minor), journal_id)
