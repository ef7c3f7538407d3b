"""A reference that came before is known, whatever its form, in little memory."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from refunds.bankfiles.seen import Seen
from refunds.models.payout import reference_of

REFERENCES = st.lists(st.from_regex("0?[0-9]{1,3}|1[0-9]{19}|[0-9A-Z-]{0,35}", fullmatch=True))


@given(REFERENCES)
def test_each_reference_is_known_from_its_second_time_on(references: list[str]) -> None:
    seen, there = Seen(), set[str]()
    for reference in references:
        assert seen.add(reference) == (reference in there)
        there.add(reference)
    assert seen.count == len(there)


def test_a_hundred_thousand_of_our_references_need_little_memory() -> None:
    tracemalloc.start()
    seen = Seen()
    for payout in range(100_000):
        seen.add(reference_of(1, payout))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen.count == 100_000
    assert peak < 2**18
