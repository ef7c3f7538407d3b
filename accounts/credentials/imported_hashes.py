"""The password hashes of a file of accounts: how many costs they may have, and the note of each."""

from __future__ import annotations

from typing import Final

from django.db import connection

from accounts.credentials import hash_costs, password_checks
from accounts.models import ImportedHashCost
from winddown import clock
from winddown.loading.file_kinds import REFUSED, ROWS

COSTS_MAX = 2
_ARGON2_COST: Final = " || '$' || ".join(
    f"split_part(r.password_hash, '$', {part})" for part in range(1, 5)
)
_NEW: Final = f"{ROWS} r WHERE r.earlier_id IS NULL AND r.password_hash LIKE"


def refuse_too_many_costs() -> None:
    """Rows are refused whose hashes would give a check of a password more work than it may have.

    A check does the work of the present cost, of PBKDF2, and of `COSTS_MAX` further costs. All
    costs of PBKDF2 are one, because iterations add up.
    """
    known = {cost for cost in password_checks.costs_in_use() if not hash_costs.iterations_of(cost)}
    known.add(hash_costs.present_cost())
    brought = [cost for cost in _costs_of_argon2() if cost not in known]
    room = COSTS_MAX + 1 - len(known)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {REFUSED} SELECT r.line, 'password_hash', %s"  # noqa: S608  constants
            f" FROM {_NEW} 'argon2$%%' AND {_ARGON2_COST} = ANY (%s)",
            [
                f"has a cost of its own; loaded hashes have {COSTS_MAX} costs of argon2 at most",
                brought[max(room, 0) :],
            ],
        )


def note_costs() -> None:
    """Every cost of the new rows has its row. Belongs to the transaction of the load."""
    costs = _costs_of_argon2()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT max(split_part(r.password_hash, '$', 2)::integer)"  # noqa: S608  constants
            f" FROM {_NEW} 'pbkdf2%'"
        )
        iterations = cursor.fetchone()[0]
    if iterations:
        costs.append(f"{hash_costs.PBKDF2}${iterations}")
    at = clock.now()
    ImportedHashCost.objects.bulk_create(
        ImportedHashCost(cost=cost, loaded_at=at) for cost in costs
    )


def _costs_of_argon2() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT {_ARGON2_COST} FROM {_NEW} 'argon2$%' ORDER BY 1"  # noqa: S608
        )
        return [cost for (cost,) in cursor.fetchall()]
