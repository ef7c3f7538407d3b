"""A second load of a file, of its rows in another file, or of an overlapping file adds nothing
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuthEvent, ExternalIdentity, User
from tests.factories import bring_to
from tests.winddown.loading.rows import ROWS, at
from wallets.models import Payment, TopUp, Wallet
from wallets.movements import charging, spending
from winddown.actors import SYSTEM
from winddown.errors import NotPermitted
from winddown.loading import file_kinds, loader, outcome
from winddown.models import AuditEntry, LoadedFile

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

Load = Callable[..., outcome.Loaded]
Write = Callable[..., Path]
Everything = Callable[[], dict[str, Any]]

IN_ORDER = (
    "accounts",
    "external_identities",
    "wallets",
    "funding_cards",
    "top_ups",
    "payments",
    "auth_events",
    "log_coverage",
)


def test_the_same_file_is_recognised_and_changes_nothing(
    write: Write, switches: None, everything: Everything
) -> None:
    """Rule 25."""
    assert set(IN_ORDER) == set(ROWS)
    for kind in IN_ORDER:
        done = loader.load(kind, write(kind, {}))
        assert (done.rows, done.inserted, done.repeated) == (1, 1, False)
    before = everything()
    for kind in IN_ORDER:
        again = loader.load(kind, write(kind, {}, name=f"again_{kind}.csv"))
        assert (again.rows, again.inserted, again.already_there, again.repeated) == (1, 0, 1, True)
    assert everything() == before


@pytest.mark.parametrize("kind", [kind for kind in IN_ORDER if file_kinds.get(kind).key])
def test_the_same_rows_in_other_bytes_are_recognised(
    kind: str, write: Write, switches: None, everything: Everything
) -> None:
    for earlier in IN_ORDER:
        loader.load(earlier, write(earlier, {}))
    before = everything()
    again = loader.load(kind, write(kind, {}, encoding="utf-8-sig", newline="\r\n"))
    assert (again.rows, again.inserted, again.repeated) == (1, 0, False)
    after = everything()
    # Only the recognition of the file is recorded.
    for noted in ("winddown.AuditEntry", "winddown.LoadedFile", "winddown.RowDigest"):
        assert after.pop(noted) == before.pop(noted) + 1
    assert after == before


def test_an_overlapping_file_adds_only_the_new_rows(
    people: Callable[[int], None], load: Load
) -> None:
    people(2)
    first = ({}, {"top_up_ref": "T2", "amount_minor": 500})
    load("top_ups", *first)
    done = load("top_ups", *first[1:], {"top_up_ref": "T3", "wallet_ref": "W2", "card_ref": "C2"})
    assert (done.rows, done.inserted, done.already_there) == (2, 1, 1)
    assert done.sum_minor == 10_500
    payments = ({"amount_minor": 10_000}, {"payment_ref": "P2", "amount_minor": 400})
    load("payments", payments[0])
    done = load("payments", *payments)
    assert (done.rows, done.inserted) == (2, 1)
    assert Wallet.objects.get(wallet_ref="W1").paid_minor == 100
    assert Wallet.objects.get(wallet_ref="W2").paid_minor == 10_000


def test_rows_that_changed_since_their_load_are_recognised(
    people: Callable[[int], None], load: Load, write: Write
) -> None:
    """Rows that were posted, voided, reset or suspended since then do not contradict the file."""
    people(1)
    load("external_identities", {})
    load("top_ups", {"state": "authorised"}, {"top_up_ref": "T2"})
    load(
        "payments",
        {"state": "authorised"},
        {"payment_ref": "P2", "state": "authorised", "occurred_at": at(13)},
    )
    spending.settle(Payment.objects.get(payment_ref="P1"), captured=True, actor=SYSTEM)
    spending.settle(Payment.objects.get(payment_ref="P2"), captured=False, actor=SYSTEM)
    charging.post_authorised(TopUp.objects.get(top_up_ref="T1"), actor=SYSTEM)
    bring_to(ExternalIdentity.objects.get(), "suspended")
    User.objects.update(password="!")
    bring_to(Wallet.objects.get(), "closed")
    for kind, rows in (
        ("top_ups", ({"state": "authorised"}, {"top_up_ref": "T2"})),
        (
            "payments",
            (
                {"state": "authorised"},
                {"payment_ref": "P2", "state": "authorised", "occurred_at": at(13)},
            ),
        ),
        ("external_identities", ({},)),
        ("accounts", ({"login_id": "customer1"},)),
    ):
        file = write(kind, *rows, newline="\r\n")
        assert loader.load(kind, file).inserted == 0


def test_every_load_is_recorded_in_the_audit_journal_with_hash_rows_and_sum(
    people: Callable[[int], None], load: Load, staff: Callable[..., Any]
) -> None:
    """Rule 63."""
    people(1)
    person = staff(is_superuser=True)
    done = load("top_ups", {}, actor=person, reason="migration, delivery 1")
    entry = AuditEntry.objects.latest("seq")
    assert (entry.action, entry.actor, entry.reason) == (
        "load.top_ups",
        person,
        "migration, delivery 1",
    )
    assert entry.facts == {
        "file": "top_ups.csv",
        "sha256": done.sha256,
        "rows": 1,
        "inserted": 1,
        "sum_minor": 10_000,
    }
    # The entry covers the postings that the load wrote.
    assert "wallets_posting" in entry.rows
    noted = LoadedFile.objects.get(sha256=done.sha256)
    assert (noted.kind, noted.rows, noted.loaded_by) == ("top_ups", 1, person)


def test_a_person_without_the_permission_loads_nothing(
    write: Write, staff: Callable[..., Any]
) -> None:
    with pytest.raises(NotPermitted):
        loader.load("accounts", write("accounts", {}), actor=staff())
    assert not User.objects.filter(kind="customer").exists()


def test_equal_events_are_recognised_only_by_their_file(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    load("auth_events", {}, {})
    load("auth_events", {}, {}, {"outcome": "unknown_login_id", "account_ref": ""})
    assert AuthEvent.objects.count() == 5
    assert set(AuthEvent.objects.values_list("user_id", flat=True)) == {User.objects.get().pk, None}
    assert set(AuthEvent.objects.values_list("login_id", flat=True)) == {"hanako@example.com"}
