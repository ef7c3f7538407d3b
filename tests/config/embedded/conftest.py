"""Directories for embedded servers, closed and removed after the test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.embedded.homes import Home


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that everybody may enter. Pytest's own temporary ones are private."""
    path = Path(tempfile.mkdtemp(prefix="wd-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home(directory: Path) -> Iterator[Home]:
    home = Home(directory / ".local")
    yield home
    home.close()


@pytest.fixture(scope="module")
def valkey() -> Iterator[str]:
    """The address at which our processes reach a running Valkey of the module."""
    with tempfile.TemporaryDirectory(prefix="wd-") as made:
        Path(made).chmod(0o755)
        home = Home(Path(made) / ".local")
        yield home.client().urls()[1]
        home.close()
