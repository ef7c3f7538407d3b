"""Detection rules: a code, a version, its thresholds, and the stored row that a hit refers to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import DetectionRule

Thresholds = dict[str, int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule and its thresholds. `version` rises with every change of thresholds, text or `sql`.

    A stored hit names code and version, so that it can be decided again from its evidence alone.
    `source` says where the thresholds come from.
    """

    code: str
    version: int
    thresholds: Thresholds
    source: str
    sql: str = ""


def declare(rules: Iterable[Rule], *, at: dt.datetime) -> dict[str, DetectionRule]:
    """Every rule has a row of its present version. Returns the rows by code. A second call changes
    nothing.
    """
    rules = list(rules)
    known = {
        (row.code, row.version): row
        for row in DetectionRule.objects.filter(code__in=[rule.code for rule in rules])
    }
    if any((rule.code, rule.version) not in known for rule in rules):
        DetectionRule.objects.bulk_create(
            [
                DetectionRule(
                    code=rule.code,
                    version=rule.version,
                    thresholds=rule.thresholds,
                    source=rule.source,
                    since=at,
                )
                for rule in rules
                if (rule.code, rule.version) not in known
            ],
            ignore_conflicts=True,
        )
        return declare(rules, at=at)
    return {rule.code: known[rule.code, rule.version] for rule in rules}
