"""The cached count of the money table is read back unchanged, and no other value is taken for one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.cache import cache

from winddown.site import money_table
from winddown.site.money_table import Figures

AT = dt.datetime(2019, 7, 4, 14, 0, tzinfo=dt.UTC)
COUNTED = Figures(at=AT, seconds=0.25, money={"charged": 500}, leaks={"charge": 0})


def test_a_cached_count_is_read_back_unchanged() -> None:
    assert Figures.read(COUNTED.kept()) == COUNTED


@pytest.mark.parametrize(
    "kept",
    [
        None,
        True,
        "figures",
        [],
        {},
        COUNTED.kept() | {"at": "yesterday"},
        COUNTED.kept() | {"at": "2019-07-04T14:00:00"},
        COUNTED.kept() | {"seconds": "0"},
        COUNTED.kept() | {"money": {"charged": "<script>"}},
        COUNTED.kept() | {"leaks": [1]},
    ],
)
def test_any_other_cached_value_is_not_read_as_a_count(kept: object) -> None:
    assert Figures.read(kept) is None


def test_a_foreign_value_in_the_cache_is_replaced_by_a_new_count(
    programme: Any, fresh_figures: None
) -> None:
    key, fresh = money_table._keys()
    cache.set(key, {"money": "all of it"}, timeout=60)
    cache.set(fresh, True, timeout=60)

    counted = money_table.figures()

    assert counted is not None
    assert money_table.figures() == counted
