"""One small world for every workflow, and the entries of those that it must be prepared for.

A workflow without an entry runs on the world as it stands: July 2019, an operating programme whose
customers have passwords, sessions, identities, device tokens, money, top-ups and payments.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import AuthEvent, DeviceToken, ExternalIdentity, ResetNotice, Session, User
from accounts.reset_notices import mail_results
from refunds.applications import submitting
from refunds.claims import holding
from refunds.models import Entitlement, MethodTerms, Payee
from refunds.models.closing_document import PACK_EXPORTED
from refunds.payouts import payout_batches
from tests import factories
from tests.refunds.claims.scene import Scene
from tests.refunds.conftest import LAST_DAY, House, jst, make_house
from wallets.models import Wallet
from wallets.movements import charging, spending, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import roles
from winddown.evidence import audit
from winddown.models import Programme, Run
from winddown.programme import milestones

HOLDERS = 5
IN_FLIGHT = 3


@dataclass
class World:
    """The operator with its customers, and two people with all roles that one person may hold."""

    directory: Path
    maker: Any
    checker: Any
    house: House = field(init=False)

    def run(self, workflow: str, **params: Any) -> Run:
        """The run of a workflow that had its turn before the one in question, at its end."""
        started = factories.started_run(
            workflow, maker=self.maker, checker=self.checker, params=params
        )
        done = factories.worked_off(started)
        assert done.state == Run.State.SUCCEEDED, (workflow, done.state)
        return done


def _nothing(world: World) -> None:
    """The world needs no change for the workflow."""


def _resumes(world: World, run: Run) -> None:
    """The operator has nothing to do before the run goes on."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to run a workflow: its parameters, what must be there, and what its operator does
    whenever the run pauses itself.
    """

    workflow: str
    title: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    bring: Callable[[World], None] = _nothing
    attend: Callable[[World, Run], None] = _resumes

    def __str__(self) -> str:
        return "-".join(filter(None, (self.workflow, self.title)))


# --- the world ------------------------------------------------------------------------------------


def make_world(directory: Path) -> World:
    """Every kind of row that a workflow may change is there, each at least twice."""
    clock.mark_as_rehearsal()
    clock.travel(jst("2019-07-01T10:00"))
    factories.declare_switches()
    factories.make_programme()
    Programme.objects.update(safeguarded_minor=10**12)
    world = World(
        directory,
        maker=factories.make_staff(*_without("fraud_supervisor", "treasury_approver", "auditor")),
        checker=factories.make_staff(*_without("fraud_analyst", "treasury_operator", "auditor")),
    )
    holders = factories.make_wallets(HOLDERS, paid_minor=1_000, bonus_minor=7)
    empty = factories.make_wallets(2)
    _make_victims()
    _move_money(holders)
    for pk in factories.make_wallets(2, paid_minor=500):
        factories.bring_to(Wallet.objects.get(pk=pk), "held")
    clock.travel(jst("2019-07-04T14:00"))
    strangers = [factories.make_customer().pk for _ in range(2)]
    _give_credentials()
    _sign_in(Wallet.objects.filter(pk__in=empty).values_list("account_id", flat=True))
    assert not AuthEvent.objects.filter(user_id__in=strangers).exists()
    return world


def _without(*names: str) -> list[str]:
    """Returns all other roles: those that one person may hold at once."""
    return [role for role in roles.ROLES if role not in names]


def _make_victims() -> None:
    """Two people lost money of their own to a thief; their claims are confirmed, and the thief has
    no way in any more.
    """
    scene = Scene()
    scene.confirmed(*[scene.victim(own=900, spent=300) for _ in range(2)])
    clock.travel(jst("2019-07-03T12:00"))
    holding.secure(at=clock.now(), actor=SYSTEM, reason="test")


def _move_money(holders: list[int]) -> None:
    """Top-ups that nobody posted yet and payments that nobody captured yet."""
    for number, pk in enumerate(holders[:IN_FLIGHT]):
        charging.top_up(
            pk, source="points", amount_minor=3, top_up_ref=f"t{number}", actor=SYSTEM,
            authorised_only=True,
        )  # fmt: skip
        spending.reserve(
            pk, amount_minor=100, merchant_ref="m", payment_ref=f"r{number}", actor=SYSTEM
        )


def _give_credentials() -> None:
    """Every customer has a password, a channel, an identity, a device and two sessions."""
    at = clock.now()
    customers = list(User.objects.customers().order_by("pk").values_list("pk", flat=True))
    for number, pk in enumerate(customers):
        User.objects.filter(pk=pk).update(
            password=f"argon2$never-matched-{number}",
            password_set_at=at,
            email=f"p{number}@example.com",
            email_verified_at=at,
        )
    ExternalIdentity.objects.bulk_create(
        ExternalIdentity(user_id=pk, provider="line", subject=f"s{pk}", linked_at=at)
        for pk in customers
    )
    Session.objects.bulk_create(
        Session(
            session_key=f"{method}{pk}", session_data="", user_id=pk, method=method,
            issued_at=at, expire_date=jst("2020-12-31T00:00"),
        )
        for pk in customers for method in ("line", "password")
    )  # fmt: skip
    DeviceToken.objects.bulk_create(
        DeviceToken(
            user_id=pk, digest=hashlib.sha256(str(pk).encode()).hexdigest(), device_name="phone",
            issued_at=at, method="password",
        )
        for pk in customers
    )  # fmt: skip


def _sign_in(people: Any) -> None:
    for pk in people:
        AuthEvent.objects.create(
            occurred_at=clock.now(), login_id=f"p{pk}", user_id=pk, outcome="success",
            method="password",
        )  # fmt: skip


# --- what a workflow needs besides ----------------------------------------------------------------


def the_deadline_has_come(world: World) -> None:
    """The programme is announced, and spending ended an hour ago."""
    with transaction.atomic():
        factories.bring_to(Programme.current(), "announced")
        audit.append("test.announce", "programme", actor=SYSTEM)
    milestones.set_milestone(
        "spend_ends",
        at=jst("2019-10-01T00:00"),
        actor=world.maker,
        reason="test",
        ends_capability="spend",
        workflow="shut-down-by-deadline",
    )
    clock.travel(jst("2019-10-01T01:00"))


def balances_are_fixed(world: World) -> None:
    """Charges are frozen, the programme is shut down, and the law's conditions are met."""
    world.run("freeze-charges")
    the_deadline_has_come(world)
    world.run("shut-down-by-deadline")
    factories.publish_everywhere(factories.publish_notice(LAST_DAY))
    clock.travel(jst("2019-11-05T10:00"))
    world.house = make_house(world.directory, file_records_max=4)


def holds_set_parts_free(world: World) -> None:
    """Of two wallets a hold kept a part until now, and of all others everything."""
    balances_are_fixed(world)
    clock.travel(clock.now() + dt.timedelta(minutes=1))
    kept = []
    rows = Wallet.objects.filter(state__in=Wallet.ENDED, paid_minor__gt=1).order_by("-state", "pk")
    parted = {wallet.pk for wallet in rows.filter(state=Wallet.State.CLOSED)[:2]}
    for wallet in rows:
        amount = 1 if wallet.pk in parted else wallet.paid_minor - wallet.held_minor
        if amount > 0:
            kept.append(
                withholding.hold(wallet.pk, amount_minor=amount, reason="test", actor=SYSTEM)
            )
    world.run("refund-balances", part="entitle")
    lost = [hold for hold in kept if hold.wallet_id not in parted][-2:]
    for hold in kept:
        (withholding.claw_back if hold in lost else withholding.release)(hold, actor=SYSTEM)


def refunds_are_open(world: World) -> None:
    balances_are_fixed(world)
    world.run("refund-balances", part="entitle")


def refunds_are_approved(world: World) -> None:
    """Everybody applied; the files in which the first three were to be paid were never sent. Two ask
    for a claim code.
    """
    refunds_are_open(world)
    MethodTerms.objects.create(
        code="claim_code",
        place=2,
        amount_max_minor=30_000,
        costs=[[30_000, 250]],
        money_days=2,
        valid_days=60,
        source="test",
    )
    owed = list(Entitlement.objects.filter(state__in=Entitlement.APPLICABLE).order_by("pk"))
    small = [each for each in owed[2:] if each.amount_minor <= 30_000][:2]
    owed = [each for each in owed if each not in small]
    _ask_for_a_code(small[0])
    _apply(world, owed[:2])
    clock.travel(jst("2019-11-07T10:00"))
    world.run("refund-balances", part="pay", value_date="2019-11-15")
    for batch in payout_batches.PayoutBatch.objects.order_by("pk"):
        world.house.void(batch)
    _ask_for_a_code(small[1])
    _apply(world, owed[2:])
    clock.travel(jst("2019-11-09T10:00"))


def _ask_for_a_code(owed: Entitlement) -> None:
    holder = owed.wallet.account
    submitting.submit(
        holder,
        channel="app",
        op_id=uuid.uuid4(),
        actor=holder,
        confirmed_minor=owed.amount_minor,
        method="claim_code",
    )


def _apply(world: World, owed: list[Entitlement]) -> None:
    """The holders applied, and the bank has answered about each of their accounts."""
    for each in owed:
        world.house.apply(each)
    while Payee.objects.filter(state=Payee.State.ENTERED).exists():
        world.house.check_payees()


def the_window_is_over(world: World) -> None:
    refunds_are_open(world)
    clock.travel(jst("2020-01-11T00:00"))
    world.house.trace()


def everything_is_over(world: World) -> None:
    """The programme is complete, the pack was exported, and the time of all data is over. Whoever
    still has money in a wallet keeps them.
    """
    factories.bring_to(Programme.current(), "completed")
    with transaction.atomic():
        audit.append(PACK_EXPORTED, "resolution_pack", actor=world.maker, reason="test")
    clock.travel(jst("2036-01-15T10:00"))


def the_identities_are_suspended(world: World) -> None:
    world.run("suspend-external-login")


def the_log_of_the_mail_server_is_loaded(world: World, run: Run) -> None:
    """All that was sent was taken, and the log that says so is complete."""
    clock.travel(clock.now() + dt.timedelta(minutes=2))
    at = clock.now()
    ResetNotice.objects.filter(attempts__gt=0).update(accepted_at=at, reported_at=at)
    mail_results.settle(complete_until=at, actor=world.maker, reason="test")


CASES: dict[str, list[Case]] = {
    "reset-all-passwords": [
        Case("reset-all-passwords", "by-file", {"mail": "file"}),
        Case(
            "reset-all-passwords",
            "by-mail",
            {"limits": {"counted_from": 1, "bounced_percent": 100, "source": "test"}},
            attend=the_log_of_the_mail_server_is_loaded,
        ),
    ],
    "suspend-external-login": [
        Case("suspend-external-login"),
        Case(
            "suspend-external-login",
            "restore",
            {"restore": True},
            bring=the_identities_are_suspended,
        ),
    ],
    "shut-down-by-deadline": [Case("shut-down-by-deadline", bring=the_deadline_has_come)],
    "refund-balances": [
        Case("refund-balances", "entitle", {"part": "entitle"}, bring=holds_set_parts_free),
        Case(
            "refund-balances",
            "pay",
            {"part": "pay", "value_date": "2019-11-20"},
            bring=refunds_are_approved,
        ),
        Case("refund-balances", "exclude", {"part": "exclude"}, bring=the_window_is_over),
    ],
    "shred-personal-data": [
        Case(
            "shred-personal-data",
            params={"backups_until": "2036-12-31"},
            bring=everything_is_over,
        )
    ],
}
"""Only what the world must be prepared for. A workflow that is not here runs without parameters."""


def cases_of(workflow: str) -> list[Case]:
    return CASES.get(workflow, [Case(workflow)])
