"""Transfers by django-hordak, in a process with its settings (`benchmarks.hordak_settings`)."""

from __future__ import annotations

import random
import time

from django.core.management import call_command
from django.db import transaction
from hordak.models import Account, AccountType, Leg, Transaction
from moneyed import Money

ACCOUNTS = 1_000
PER_CALL = 1_000


def prepare() -> dict[str, float]:
    """The database has hordak's tables, a thousand wallets' accounts and one of the merchants."""
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        for number in range(ACCOUNTS + 1):
            Account.objects.create(
                name=f"wallet {number}", type=AccountType.liability, currencies=["JPY"]
            )
    return {}


def single(transfers: str) -> dict[str, float]:
    """The package's own verb, once for each transfer."""
    merchants, *wallets = Account.objects.order_by("pk")
    chance = random.Random(1)
    begun = time.perf_counter()
    for _ in range(int(transfers)):
        chance.choice(wallets).transfer_to(merchants, Money(100, "JPY"))
    return {"seconds": time.perf_counter() - begun}


def bulk(transfers: str) -> dict[str, float]:
    """Its models by bulk_create, a thousand transfers a call, its database triggers included."""
    merchants, *wallets = Account.objects.order_by("pk")
    chance = random.Random(1)
    amount = Money(100, "JPY")
    begun = time.perf_counter()
    for _ in range(int(transfers) // PER_CALL):
        with transaction.atomic():
            made = Transaction.objects.bulk_create(Transaction() for _ in range(PER_CALL))
            legs = []
            for each in made:
                legs.append(Leg(transaction=each, account=chance.choice(wallets), credit=amount))
                legs.append(Leg(transaction=each, account=merchants, debit=amount))
            Leg.objects.bulk_create(legs)
    return {"seconds": time.perf_counter() - begun}
