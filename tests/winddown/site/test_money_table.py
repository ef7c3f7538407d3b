"""The count that the money table keeps: read back as it was, and nothing else is taken for one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.cache import cache

from winddown.site import money_table
from winddown.site.money_table import Figures

AT = dt.datetime(2019, 7, 4, 14, 0, tzinfo=dt.UTC)
COUNTED = Figures(at=AT, seconds=0.25, money={"charged": 500}, leaks={"charge": 0})


def test_a_kept_count_is_read_back_as_it_was() -> None:
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
def test_anything_else_under_the_key_is_no_count(kept: object) -> None:
    assert Figures.read(kept) is None


def test_a_stranger_s_words_under_the_key_are_counted_over(
    programme: Any, fresh_figures: None
) -> None:
    key, fresh = money_table._keys()
    cache.set(key, {"money": "all of it"}, timeout=60)
    cache.set(fresh, True, timeout=60)

    counted = money_table.figures()

    assert counted is not None
    assert money_table.figures() == counted
