"""The rules that find unusual applications: their limits, and whether they hold a payment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from refunds.models import UnusualRule

Mode = UnusualRule.Mode
_OWN: Final = "assumed: the operator's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with its usual limits. `sql` gives application and size out of `applied`, with `least`.

    `owner` is the role that answers for it.
    """

    code: str
    sql: str
    least: int
    hours: int
    source: str
    owner: str = "fraud_supervisor"


def _of_many(column: str) -> str:
    """Returns SQL of the applications of which many persons share the column."""
    return f"""
        SELECT a.id, s.size FROM applied a JOIN (
            SELECT {column}, count(DISTINCT person) AS size FROM applied WHERE {column} <> ''
            GROUP BY 1 HAVING count(DISTINCT person) >= %(least)s) s USING ({column})
    """  # noqa: S608  our own columns


# Two texts that differ by one letter are equal after each lost one letter at some place, or one lost
# the letter that the other does not have.
_NEAR_MAIL: Final = """
    WITH parts AS (
        SELECT id, person, split_part(mail, '@', 1) AS name, split_part(mail, '@', 2) AS host
        FROM applied WHERE length(split_part(mail, '@', 1)) >= 5
    ), shapes AS (
        SELECT id, person, host, left(name, i - 1) || substr(name, i + 1) AS shape
        FROM parts CROSS JOIN LATERAL generate_series(1, length(name)) AS i
        UNION SELECT id, person, host, name FROM parts
    ), near AS (
        SELECT host, shape, count(DISTINCT person) AS size FROM shapes
        GROUP BY 1, 2 HAVING count(DISTINCT person) >= %(least)s
    )
    SELECT s.id, max(n.size) FROM shapes s JOIN near n USING (host, shape) GROUP BY 1
"""

# Five times what an hour brought on average in the fortnight before.
_BURST: Final = """
    WITH hours AS (
        SELECT date_trunc('hour', at) AS hour, count(*) AS size FROM applied GROUP BY 1
    ), usual AS (
        SELECT count(*) / 336.0 AS each FROM refunds_refundapplication
        WHERE submitted_at > %(as_of)s - make_interval(hours => %(hours)s) - interval '14 days'
          AND submitted_at <= %(as_of)s - make_interval(hours => %(hours)s)
    )
    SELECT a.id, h.size FROM applied a JOIN hours h ON h.hour = date_trunc('hour', a.at)
    CROSS JOIN usual WHERE h.size >= %(least)s AND h.size >= 5 * usual.each
"""

RULES: Final = {
    rule.code: rule
    for rule in (
        Rule(code="one_device", sql=_of_many("device"), least=3, hours=720, source=_OWN),
        Rule(code="shared_payee", sql=_of_many("payee"), least=3, hours=720, source=_OWN),
        Rule(code="one_network", sql=_of_many("network"), least=10, hours=24, source=_OWN),
        Rule(code="near_address", sql=_of_many("address"), least=4, hours=720, source=_OWN),
        Rule(code="near_mail", sql=_NEAR_MAIL, least=5, hours=168, source=_OWN),
        Rule(code="burst", sql=_BURST, least=1_000, hours=24, source=_OWN),
    )
}


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule as it holds now."""

    rule: Rule
    mode: str
    least: int
    hours: int
    source: str


def in_force() -> list[InForce]:
    """Returns the rules as they hold now, in their usual order."""
    newest = {
        each.code: each for each in UnusualRule.objects.order_by("code", "-pk").distinct("code")
    }
    found = []
    for code, rule in RULES.items():
        adopted = newest.get(code)
        said = adopted or rule
        mode = adopted.mode if adopted else Mode.OBSERVE
        found.append(InForce(rule, mode, said.least, said.hours, said.source))
    return found


def enforced() -> list[str]:
    """Returns the codes of the rules that hold payments now."""
    return [each.rule.code for each in in_force() if each.mode == Mode.ENFORCE]
