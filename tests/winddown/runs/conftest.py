"""A small workflow, two people who may start it, and a run of it."""

from __future__ import annotations

import pytest

from tests import factories
from tests.winddown import freeze_and_hold


@pytest.fixture
def workflow():
    with freeze_and_hold.registered() as registered:
        yield registered


@pytest.fixture
def maker(staff):
    return staff("incident_commander")


@pytest.fixture
def checker(staff):
    return staff("compliance")


@pytest.fixture
def start(maker, checker):
    """`start()` is a running run of the test's workflow, of which no row was moved."""
    return lambda: factories.started_run("test-freeze-and-hold", maker=maker, checker=checker)
