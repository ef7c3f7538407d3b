"""The published course of the case, read from its file."""

import pytest

from rehearsal.case import Case, load_case


@pytest.fixture(scope="module")
def case() -> Case:
    return load_case()
