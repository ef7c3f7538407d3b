"""A password is compared with a stored hash by the same work for every account."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import connection

from accounts.credentials import hash_costs
from accounts.models import CredentialFence
from winddown.models import Run


@dataclass(frozen=True, slots=True)
class Compared:
    """Whether the password is right. `renewed` is its hash of the present cost when the stored one
    is of another cost.
    """

    right: bool
    renewed: str = ""


def compare(raw_password: str, encoded: str) -> Compared:
    """Returns whether the stored hash is that of the password.

    Each call does the work of one hash of the present cost and of every cost that loaded hashes
    have. Therefore the time does not tell which hash an account has, or whether it has any.
    """
    present, own = hash_costs.present_cost(), hash_costs.cost_of(encoded)
    right, renewed = False, ""
    if own == present:
        right = hash_costs.verify(raw_password, encoded)
    else:
        renewed = make_password(raw_password)
    costs = {own, *costs_in_use()} - {"", present}
    for cost in sorted(cost for cost in costs if not hash_costs.iterations_of(cost)):
        if cost == own:
            right = hash_costs.verify(raw_password, encoded)
        else:
            hash_costs.work(raw_password, cost)
    # Iterations add up: an account with fewer has the rest as well.
    rest = max(map(hash_costs.iterations_of, costs), default=0)
    if done := hash_costs.iterations_of(own):
        right = hash_costs.verify(raw_password, encoded)
        rest -= done
    if rest:
        hash_costs.work(raw_password, f"{hash_costs.PBKDF2}${rest}")
    return Compared(right, renewed if right else "")


def costs_in_use() -> list[str]:
    """Returns the costs of the hashes that files brought and no finished reset has removed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT c.cost FROM accounts_importedhashcost c
            WHERE NOT EXISTS (
                SELECT FROM accounts_credentialfence f JOIN winddown_run r ON r.id = f.run_id
                WHERE f.state = ANY (%s) AND r.state = %s AND f.not_before > c.loaded_at)
            """,
            [list(CredentialFence.IN_FORCE), Run.State.SUCCEEDED],
        )
        return [cost for (cost,) in cursor.fetchall()]
