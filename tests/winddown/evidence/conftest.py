"""A second PostgreSQL cluster, for what leaves one and comes into another."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded
from config.embedded.client import join, stop
from config.embedded.places import place_for


@pytest.fixture(scope="module")
def cluster() -> Iterator[embedded.Postgres]:
    """A new PostgreSQL cluster, whose transactions are numbered from the beginning."""
    directory = Path(tempfile.mkdtemp(prefix="wd-"))
    directory.chmod(0o755)
    server = embedded.Postgres(place_for(directory / ".local"))
    client = join(server)
    yield server
    os.close(client)
    stop(server)
    shutil.rmtree(directory, ignore_errors=True)
