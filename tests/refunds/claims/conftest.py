"""Fixtures of the claims tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.refunds.claims.scene import HIT_AT, Scene


@pytest.fixture
def scene(rehearsal_clock: Any, programme: Any) -> Scene:
    rehearsal_clock.travel(HIT_AT, frozen=True)
    return Scene()
