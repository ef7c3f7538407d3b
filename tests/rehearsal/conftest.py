"""The published course of the case, read from its file, and the house of the refunds."""

import pytest

from rehearsal.case import Case, load_case
from tests.refunds.conftest import house as house


@pytest.fixture(scope="module")
def case() -> Case:
    return load_case()
