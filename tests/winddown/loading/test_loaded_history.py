"""A load makes the same journals, the same split and the same balances as the movements would."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import is_password_usable
from django.db import connection

from accounts import log_coverage
from accounts.attacks import counting
from accounts.models import (
    AccountDevice,
    AttackWatch,
    AuthEvent,
    ExternalIdentity,
    SourceMinute,
    User,
)
from tests.factories import make_wallet
from tests.winddown.loading.rows import HASH, JST, ROWS, at, reasons, refusal
from wallets.models import FundingCard, Journal, Payment, TopUp, Wallet
from wallets.movements import charging, histories, spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import invariants
from winddown.loading import loader, outcome, straight

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

Load = Callable[..., outcome.Loaded]
NO_CARD = {"card_ref": "", "rrn": "", "auth_code": "", "arn": ""}


def _history(source: str, wallet: Wallet) -> list[Any]:
    """Returns the wallet's journals in order of time: kind, time, and signed lines."""
    journals = Journal.objects.filter(postings__wallet=wallet).distinct()
    return [
        (
            journal.source,
            journal.kind,
            journal.occurred_at,
            journal.actor_id,
            journal.reverses_id,
            sorted(
                (line.account, line.wallet_id is not None, line.amount_minor)
                for line in journal.postings.all()
            ),
        )
        for journal in journals.order_by("occurred_at", "pk")
        if journal.source == source
    ]


def test_loaded_movements_equal_those_of_the_verbs(
    people: Callable[[int], None], load: Load
) -> None:
    """Rule 30; invariants I1 and I4."""
    people(1)
    clock.mark_as_rehearsal()
    acts: list[tuple[str, str, dict[str, Any]]] = [
        (at(10), "top_up", {"source": "register_cash", "amount_minor": 1_000}),
        (at(11), "pay", {"amount_minor": 300}),
        (at(12), "top_up", {"source": "bonus", "amount_minor": 500}),
        (at(13), "pay", {"amount_minor": 200}),
        (at(14), "reserve", {"amount_minor": 450}),
        (at(15), "top_up", {"source": "points", "amount_minor": 70}),
        (at(16), "pay", {"amount_minor": 620}),
        (at(17), "top_up", {"source": "atm_cash", "amount_minor": 90, "authorised_only": True}),
    ]
    by_hand = make_wallet()
    top_ups, payments = [], []
    for number, (moment, verb, values) in enumerate(acts):
        clock.travel(dt.datetime.fromisoformat(moment), frozen=True)
        ref = f"M{number}"
        if verb == "top_up":
            charging.top_up(by_hand.pk, top_up_ref=f"hand-{ref}", actor=SYSTEM, **values)
            row = {key: value for key, value in values.items() if key != "authorised_only"}
            state = "authorised" if "authorised_only" in values else "posted"
            top_ups.append(
                {"top_up_ref": ref, "occurred_at": moment, "state": state, **NO_CARD, **row}
            )
        else:
            getattr(spending, verb)(
                by_hand.pk,
                payment_ref=f"hand-{ref}",
                merchant_ref="M130001",
                prefecture="Tokyo",
                actor=SYSTEM,
                **values,
            )
            state = "authorised" if verb == "reserve" else "posted"
            payments.append({"payment_ref": ref, "occurred_at": moment, "state": state, **values})
    clock.travel(dt.datetime(2019, 7, 5, tzinfo=JST))
    load("top_ups", *reversed(top_ups))
    load("payments", *reversed(payments))

    by_file = Wallet.objects.get(wallet_ref="W1")
    by_hand.refresh_from_db()
    assert (by_file.paid_minor, by_file.bonus_minor) == (by_hand.paid_minor, by_hand.bonus_minor)
    for source in ("top_up", "payment"):
        assert _history(source, by_file) == _history(source, by_hand)
    same = ("amount_minor", "state", "occurred_at")
    for model, more in (
        (TopUp, ("source", "card_id", "rrn", "auth_code", "arn")),
        (Payment, ("paid_part_minor", "bonus_part_minor", "merchant_ref", "prefecture")),
    ):
        rows = model._default_manager.order_by("occurred_at").values_list(*same, *more)
        assert list(rows.filter(wallet=by_file)) == list(rows.filter(wallet=by_hand))
    # What another system let through, no switch of ours did.
    assert set(Payment.objects.filter(wallet=by_file).values_list("switch_version", flat=True)) == {
        None
    }
    assert not invariants.breached()


def test_a_loaded_reservation_can_be_settled(people: Callable[[int], None], load: Load) -> None:
    """Rule 31."""
    people(1)
    load("top_ups", {"amount_minor": 1_000})
    load("payments", {"amount_minor": 600, "state": "authorised"})
    assert Wallet.objects.get().paid_minor == 400
    spending.settle(Payment.objects.get(), captured=False, actor=SYSTEM)
    assert Wallet.objects.get().paid_minor == 1_000
    assert not invariants.breached()


def test_a_loaded_authorisation_can_be_posted_later(
    people: Callable[[int], None], load: Load
) -> None:
    """Rule 3."""
    people(1)
    load("top_ups", {"state": "authorised"})
    assert (Wallet.objects.get().paid_minor, Journal.objects.count()) == (0, 0)
    charging.post_authorised(TopUp.objects.get(), actor=SYSTEM)
    assert Wallet.objects.get().paid_minor == 10_000


@dataclass
class Purse:
    """One wallet that takes movement after movement in order of time."""

    paid: int = 0
    bonus: int = 0
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def charge(self, source: str, amount: int) -> None:
        if source == "bonus":
            self.bonus += amount
        else:
            self.paid += amount

    def spend(self, ref: str, amount: int) -> None:
        bonus = min(self.bonus, amount)
        self.bonus -= bonus
        self.paid -= amount - bonus
        self.parts[ref] = (amount - bonus, bonus)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("deliveries", [1, 3])
def test_bonus_value_is_spent_first_in_order_of_time_for_any_order_of_lines(
    seed: int, deliveries: int, people: Callable[[int], None], load: Load
) -> None:
    """Rule 34: forty wallets get a bonus before, between and after their payments."""
    chance = random.Random(seed)
    wallets = 40
    people(wallets)
    top_ups: list[dict[str, Any]] = []
    payments: list[tuple[float, dict[str, Any]]] = []
    purses = {f"W{number}": Purse() for number in range(1, wallets + 1)}
    for wallet, purse in purses.items():
        # Several movements share an instant: a charge comes before a payment then.
        hours = sorted(chance.randrange(10, 24) for _ in range(chance.randrange(1, 14)))
        for hour in sorted(set(hours)):
            moves = [chance.random() < 0.5 for _ in range(hours.count(hour))]
            for _ in range(moves.count(True)):
                source = chance.choice(["bonus", "bonus", "points"])
                amount = chance.randrange(1, 400)
                purse.charge(source, amount)
                ref = f"T{len(top_ups)}"
                row = {"wallet_ref": wallet, "source": source, "amount_minor": amount, **NO_CARD}
                top_ups.append({"top_up_ref": ref, "occurred_at": at(hour), **row})
            for _ in range(moves.count(False)):
                if purse.paid + purse.bonus == 0:
                    continue
                amount = chance.randrange(1, purse.paid + purse.bonus + 1)
                ref = f"P{len(payments):04}"
                purse.spend(ref, amount)
                state = chance.choice(["posted", "authorised"])
                row = {"wallet_ref": wallet, "amount_minor": amount, "state": state}
                payments.append((hour, {"payment_ref": ref, "occurred_at": at(hour), **row}))
    chance.shuffle(top_ups)
    load("top_ups", *top_ups)
    # Deliveries follow each other in time; within one, the lines of one instant keep their order.
    payments.sort(key=lambda payment: payment[0])
    cuts = [len(payments) * part // deliveries for part in range(deliveries + 1)]
    for begin, end in itertools.pairwise(cuts):
        part = [row for _, row in payments[begin:end]]
        load("payments", *sorted(part, key=lambda row: (row["wallet_ref"], row["payment_ref"])))

    found = {
        ref: (paid, bonus)
        for ref, paid, bonus in Payment.objects.values_list(
            "payment_ref", "paid_part_minor", "bonus_part_minor"
        )
    }
    assert found == {ref: parts for purse in purses.values() for ref, parts in purse.parts.items()}
    assert any(paid and bonus for paid, bonus in found.values())
    assert dict(Wallet.objects.values_list("wallet_ref", "paid_minor")) == {
        ref: purse.paid for ref, purse in purses.items()
    }
    assert dict(Wallet.objects.values_list("wallet_ref", "bonus_minor")) == {
        ref: purse.bonus for ref, purse in purses.items()
    }
    assert not invariants.breached()


def test_a_file_larger_than_one_statement_is_recorded_whole(
    people: Callable[[int], None], load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "RECORDED_AT_ONCE", 7)
    people(3)
    rows = [
        {"top_up_ref": f"T{n}", "wallet_ref": f"W{n % 3 + 1}", "source": "points", **NO_CARD}
        for n in range(50)
    ]
    load("top_ups", *rows)
    load(
        "payments",
        *({"payment_ref": f"P{n}", "wallet_ref": f"W{n % 3 + 1}"} for n in range(50)),
    )
    assert Journal.objects.count() == 100
    assert sum(Wallet.objects.values_list("paid_minor", flat=True)) == 50 * (10_000 - 1_200)
    assert not invariants.breached()


def test_a_loaded_customer_has_the_values_of_the_file(load: Load) -> None:
    load("accounts", {}, {"account_ref": "A2", "login_id": "b", "password_hash": "", "email": "",
                          "email_verified_at": ""})  # fmt: skip
    hanako, other = User.objects.order_by("account_ref")
    assert (hanako.login_id, hanako.kind) == ("hanako@example.com", "customer")
    assert (hanako.is_active, hanako.is_staff, hanako.is_superuser) == (True, False, False)
    assert hanako.password == HASH
    assert hanako.password_set_at == hanako.registered_at
    assert hanako.registered_at == dt.datetime(2019, 7, 1, 9, tzinfo=JST)
    assert hanako.phone_verified_at is None
    assert not is_password_usable(other.password)
    assert (other.email, other.email_verified_at) == ("", None)


def test_loaded_identities_wallets_and_cards_have_the_values_of_the_file(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    load("external_identities", {})
    identity, wallet, card = (
        ExternalIdentity.objects.get(),
        Wallet.objects.get(),
        FundingCard.objects.get(),
    )
    person = User.objects.get()
    assert (identity.user, identity.provider, identity.state) == (person, "line", "active")
    assert (wallet.account, wallet.state, wallet.paid_minor) == (person, "active", 0)
    assert (card.account, card.funding, card.bin, card.last4) == (
        person,
        "credit",
        "404111",
        "1111",
    )
    load("top_ups", {})
    top_up = TopUp.objects.get()
    assert (top_up.card, top_up.rrn, top_up.auth_code) == (card, "918210000001", "123456")
    assert top_up.switch_version is None


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2001:db8:12:34::1", "2001:db8:12:34::1"),
        ("2001:0DB8:0012:0034:0000:0000:0000:0001", "2001:db8:12:34::1"),
        ("::ffff:192.0.2.10", "::ffff:192.0.2.10"),
        ("::", "::"),
        ("192.0.2.10", "192.0.2.10"),
    ],
)
def test_a_sign_in_may_come_from_any_internet_address(
    people: Callable[[int], None], load: Load, written: str, stored: str
) -> None:
    """The site itself stores sign-ins from IPv6. They are counted by the /64 of one connection."""
    people(1)
    wrong = {"outcome": "unknown_login_id", "account_ref": "", "network": written}
    load("auth_events", {**wrong, "login_id": "nobody"}, {**wrong, "login_id": "somebody"})

    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT host(network) FROM accounts_authevent")
        assert cursor.fetchall() == [(stored,)]
        cursor.execute("SELECT max(occurred_at) FROM accounts_authevent")
        (last,) = cursor.fetchone()
    # Not until now: each of the days since is counted by itself.
    counting.count_attempts(until=last + dt.timedelta(days=1))
    sources = SourceMinute.objects.values_list("source", flat=True)
    assert {source.partition("/")[2] for source in sources} <= {"", "24", "64"}
    assert len(sources) == 3


ATTEMPTS: tuple[dict[str, str], ...] = (
    {},
    {"login_id": "SABURO@example.com", "outcome": "wrong_password", "network": "192.0.2.1"},
    {"account_ref": "", "outcome": "unknown_login_id", "network": "", "device_ref": ""},
    {"country": "", "displaced_session": "yes", "occurred_at": "2019-06-30T23:00:00Z"},
    {"account_ref": "A2", "device_ref": "back\\slash", "occurred_at": "2019-07-02 01:00:00-05:00"},
)


@pytest.mark.parametrize(
    ("more", "columns", "is_copied"),
    [
        ((), (), True),
        (({"login_id": "Ｓａｂｕｒｏ"},), (), False),
        (({"account_ref": "back\\slash"},), (), True),
        (({"network": "2001:db8::1"}, {"network": "::"}), (), True),
        (({"network": "::ffff:192.0.2.10"},), (), False),
        ((), ("login_id", *(n for n in ROWS["auth_events"] if n != "login_id")), False),
        ((), ("country", *(n for n in ROWS["auth_events"] if n != "country")), True),
        ((), tuple(n for n in ROWS["auth_events"] if n != "event"), True),
    ],
    ids=[
        "plain",
        "wide letters",
        "backslash in a key",
        "IPv6",
        "IPv4 in IPv6",
        "login id first",
        "another order",
        "without event",
    ],
)
def test_sign_ins_are_the_same_whether_they_are_copied_or_staged(
    more: tuple[dict[str, str], ...],
    columns: tuple[str, ...],
    is_copied: bool,
    people: Callable[[int], None],
    load: Load,
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that COPY can write as it is needs no staging, and a staged one brings equal rows."""
    people(2)
    load("accounts", {"account_ref": "back\\slash", "login_id": "slash"})
    rows = (*ATTEMPTS, *more)
    phases: set[str] = set()

    def loaded(name: str, **form: Any) -> list[Any]:
        phases.clear()
        before = set(AuthEvent.objects.values_list("pk", flat=True))
        done = loader.load(
            "auth_events",
            write("auth_events", *rows, name=name, columns=columns, **form),
            progress=lambda phase, done, total: phases.add(phase),
        )
        assert done.inserted == len(rows)
        new = AuthEvent.objects.exclude(pk__in=before).order_by("pk")
        return [{**row, "id": None} for row in new.values()]

    copied = loaded("copied.csv")
    assert ("checking" not in phases) == is_copied
    quoted = loaded("quoted.csv", quoting=csv.QUOTE_ALL)
    assert "checking" in phases
    monkeypatch.setattr(straight, "KEYS_MAX", 1)
    staged = loaded("staged.csv", newline="\r\n")
    assert "checking" in phases
    assert copied == quoted == staged


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_other_events_of_the_ways_in_are_loaded_and_no_attack_is_seen_in_them(
    people: Callable[[int], None], load: Load, write: Callable[..., Path], quoting: int
) -> None:
    people(1)
    unknown = {"account_ref": "", "outcome": "unknown_login_id"}
    rows = (
        {"event": "sign_in"},
        {"event": "reset", "device_ref": "d2"},
        {"event": "reminder", **unknown},
        {"event": "contact_change", "outcome": "refused"},
        {"event": "link"},
        {"event": "token", "method": "line"},
    )
    columns = ("event", *(name for name in ROWS["auth_events"] if name != "event"))
    loader.load("auth_events", write("auth_events", *rows, columns=columns, quoting=quoting))
    assert list(AuthEvent.objects.order_by("pk").values_list("event", flat=True)) == [
        row["event"] for row in rows
    ]
    counted = counting.count_attempts(until=dt.datetime.fromisoformat(at(48)))
    assert counted.attempts == 1
    assert list(AccountDevice.objects.values_list("device_ref", flat=True)) == ["d1"]
    assert not SourceMinute.objects.exists()
    wrong = write("auth_events", {"event": "reset", "outcome": "wrong_password"}, columns=columns)
    assert "is no sign-in" in str(reasons(refusal(loader.load, "auth_events", wrong)))


def test_a_log_is_complete_where_the_last_word_says_so(rehearsal_clock: Any, load: Load) -> None:
    """Of one file the row that says incomplete holds; a later file is a later word."""
    rehearsal_clock.travel(dt.datetime.fromisoformat(at(24)), frozen=True)
    hours = [dt.datetime.fromisoformat(at(hour)) for hour in range(10)]
    row = {"log": "reset", "covered_from": at(1), "covered_until": at(8)}
    load(
        "log_coverage",
        {**row, "covered_from": at(3), "covered_until": at(4), "complete": "no"},
        row,
    )
    assert log_coverage.coverage().gaps("reset", hours[0], hours[9]) == [
        (hours[0], hours[1]),
        (hours[3], hours[4]),
        (hours[8], hours[9]),
    ]
    assert log_coverage.coverage().gaps("reset", hours[4], hours[8]) == []
    assert log_coverage.coverage().gaps("token", hours[4], hours[5]) == [(hours[4], hours[5])]
    clock.travel(clock.now() + dt.timedelta(hours=1), frozen=True)
    load("log_coverage", {**row, "covered_from": at(3), "covered_until": at(5)})
    assert log_coverage.coverage().gaps("reset", hours[1], hours[8]) == []
    refused = refusal(load, "log_coverage", {**row, "covered_until": at(1)})
    assert "is not after covered_from" in str(reasons(refused))


def test_sign_ins_that_come_late_are_counted_again_from_the_earliest_of_them(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    load("auth_events", {"occurred_at": at(10)})
    counting.count_attempts(until=dt.datetime.fromisoformat(at(30)))
    load("auth_events", {"occurred_at": at(12.5)}, {"occurred_at": at(11)}, {"occurred_at": at(12)})
    assert AttackWatch.objects.get().read_until == dt.datetime.fromisoformat(at(11))


def test_the_query_planner_has_statistics_after_a_load(
    people: Callable[[int], None], load: Load
) -> None:
    """Without them, reading the newest minute scans millions of attempts and is late for an attack."""
    if connection.pg_version < 170_000:
        pytest.skip("before PostgreSQL 17 only the owner may analyse; autovacuum does it later")
    people(1)
    load("auth_events", {})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'accounts_authevent'")
        assert cursor.fetchone()[0] > 0
