"""The claims desk: its list, one claim, the figures and the hourly follow-up, over claims in every state."""

from __future__ import annotations

import datetime as dt
import statistics
import time
import uuid
from collections.abc import Callable

from django.db import connection, models
from django.http import QueryDict

from benchmarks import population
from benchmarks.harness import Bench, Measurement
from refunds.claims import appeals, damage, desk_page, ending, holding, victims
from refunds.models import FraudClaim, Issuer, IssuerAction, Loss, Remedy
from refunds.remedies import follow_up
from wallets.models import TopUp, Wallet
from winddown import clock

State = FraudClaim.State
LIST = "the list of everything that waits"
CASE = "one claim, opened"
FIGURES = "the figures as of now"
FOLLOW_UP = "the follow-up of an hour in which nothing is due"
LOOKS = 7
LOST_MINOR = 30_000
SPENT_MINOR = 20_000

# Of every hundred claims so many are in each state, and what became of their losses.
STATES = (
    (20, State.CANDIDATE, "", ""),
    (10, State.REPORTED, "", ""),
    (10, State.INVESTIGATING, "", ""),
    (5, State.PROPOSED_CONFIRM, "", ""),
    (25, State.REMEDYING, Remedy.State.ASKED, IssuerAction.State.SENT),
    (20, State.REMEDIED, Remedy.State.REMEDIED, IssuerAction.State.VERIFIED),
    (5, State.CLOSED, Remedy.State.REMEDIED, IssuerAction.State.CLOSED),
    (5, State.REJECTED, "", ""),
)


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("claimed", fill, claims=size)
        with bench.databases.side(template):
            population.person("maker")
            analyst = population.staff("analyst", "fraud_analyst")
            middle = FraudClaim.objects.filter(state=State.INVESTIGATING).earliest("pk").pk
            looks = {
                LIST: lambda a=analyst: desk_page.queue(QueryDict(), actor=a),
                CASE: lambda a=analyst, m=middle: desk_page.one(m, actor=a),
                FIGURES: lambda: (
                    damage.damage(as_of=clock.now()),
                    damage.suspected(as_of=clock.now()),
                ),
                FOLLOW_UP: _follow_up,
            }
            for name, look in looks.items():
                bench.add(Measurement(name, "ours", size, size, _seconds(look)))
    for name, most in ((LIST, 0.1), (CASE, 0.1), (FIGURES, 1), (FOLLOW_UP, 5)):
        bench.at_most(name, most, bench.at(name).seconds, " s")


def _follow_up() -> None:
    victims.follow_up()
    follow_up.follow_up()
    holding.secure_by_fence()
    appeals.close_after_appeal_time()
    ending.move_on()


def _seconds(look: Callable[[], object]) -> float:
    """Returns the median of the seconds that the look takes."""
    taken = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        assert look() is not False
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def fill(*, claims: int) -> None:
    """Each person has a claim of one charge of `LOST_MINOR`, most of which a thief spent. The rows
    are copied from one claim of each state, without the guards that hold for people.
    """
    population.programme()
    population.wallets(claims)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    issuer = Issuer.objects.create(
        code="HOSHI", name="Hoshi", closes_on_day=15, pays_on_day=10, stop_before_days=5, source="-"
    )
    first = 0
    for share, state, remedied, asked in STATES:
        number = claims * share // 100
        _copies_of_one(first, number, state, remedied, asked, issuer)
        first += number
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")


def _copies_of_one(
    first: int, number: int, state: str, remedied: str, asked: str, issuer: Issuer
) -> None:
    """`number` wallets after the `first` ones have a claim in this state."""
    at = clock.now()
    decided = at if remedied else None
    wallet = Wallet.objects.order_by("pk")[first]
    charge = TopUp.objects.create(
        top_up_ref=f"T-{wallet.pk}",
        wallet=wallet,
        source="credit_card",
        state=TopUp.State.POSTED,
        amount_minor=LOST_MINOR,
        occurred_at=at,
    )
    rejected = (
        {"rejection": "other", "rejected_at": at, "appeal_until": at + dt.timedelta(days=30)}
        if state == State.REJECTED
        else {}
    )
    claim = FraudClaim.objects.create(
        wallet=wallet,
        state=state,
        channel="rule",
        opened_at=at,
        hit_at=at,
        confirmed_at=decided,
        evidence=[{"kind": "payments", "id": 1}],
        **rejected,
    )
    loss = Loss.objects.create(
        claim=claim,
        top_up=charge,
        amount_minor=LOST_MINOR,
        funding="credit",
        issuer=issuer,
        hit_at=at,
        confirmed_at=decided,
        added_at=at,
    )
    others = (
        f"(SELECT w.id, row_number() OVER (ORDER BY w.id) AS n FROM wallets_wallet w"
        f" WHERE w.id > {wallet.pk} ORDER BY w.id LIMIT {number - 1}) AS o"
    )
    population.copies(TopUp, charge, others, wallet_id="o.id", top_up_ref="'T-' || o.id")
    population.copies(FraudClaim, claim, others, wallet_id="o.id")
    mine = _beside("refunds_fraudclaim", claim, "wallet_id")
    population.copies(
        Loss,
        loss,
        f"{mine} JOIN wallets_topup t ON t.wallet_id = o.wallet_id",
        claim_id="o.id",
        top_up_id="t.id",
        amount_minor=f"{LOST_MINOR} - mod(o.id, 1000)",
    )
    if not remedied:
        return
    remedy = Remedy.objects.create(
        loss=loss,
        kind="stop_debit",
        amount_minor=LOST_MINOR,
        state=remedied,
        proposed_at=at,
        asked_at=at,
        remedied_at=at if remedied == Remedy.State.REMEDIED else None,
    )
    action = IssuerAction.objects.create(
        remedy=remedy,
        issuer=issuer,
        kind="stop_debit",
        funding="credit",
        state=asked,
        amount_minor=LOST_MINOR,
        key=uuid.uuid4(),
        attempt=1,
        drafted_at=at,
        deadline_at=at + dt.timedelta(days=20),
        sent_at=at,
        answer_due_at=at + dt.timedelta(days=7),
        statement_on=at.date() + dt.timedelta(days=30),
    )
    losses = (
        f"(SELECT l.id, l.amount_minor FROM refunds_loss l JOIN refunds_fraudclaim c ON c.id = l.claim_id"
        f" WHERE c.state = '{state}' AND l.id > {loss.pk} ORDER BY l.id) AS o"
    )
    population.copies(Remedy, remedy, losses, loss_id="o.id", amount_minor="o.amount_minor")
    remedies = (
        f"(SELECT r.id, r.amount_minor FROM refunds_remedy r WHERE r.id > {remedy.pk}"
        f" AND r.state = '{remedied}') AS o"
    )
    population.copies(
        IssuerAction,
        action,
        remedies,
        remedy_id="o.id",
        key="gen_random_uuid()",
        amount_minor="o.amount_minor",
        deadline_at="example.deadline_at + mod(o.id, 1000) * interval '1 minute'",
    )


def _beside(table: str, example: models.Model, *columns: str) -> str:
    """Returns SQL of the rows that were copied from the example after it."""
    return (
        f"(SELECT id, {', '.join(columns)} FROM {table} WHERE id > {example.pk} ORDER BY id) AS o"
    )
