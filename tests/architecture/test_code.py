"""What our code does not do: it runs nothing that was stored as data."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches

ROOT = Path(__file__).resolve().parents[2]
# What these modules store is code that runs when it is read.
RUNS_WHEN_READ = re.compile(
    r"^\s*(?:import|from)\s+_?(?:c?pickle|marshal|shelve|dill|cloudpickle|joblib)\b",
    re.IGNORECASE | re.MULTILINE,
)


def our_code() -> dict[str, str]:
    """Returns the text of every Python file outside the tests and the benchmarks, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return {
        path: (ROOT / path).read_text()
        for path in listed
        if not path.startswith(("tests/", "benchmarks/")) and (ROOT / path).exists()
    }


def test_nothing_stored_is_run() -> None:
    assert [path for path, text in our_code().items() if RUNS_WHEN_READ.search(text)] == []


@pytest.mark.parametrize(
    "line", ["import pickle", "  from shelve import open", "import marshal as m"]
)
def test_an_import_of_such_a_module_is_seen(line: str) -> None:
    assert RUNS_WHEN_READ.search(f"import re\n{line}\n")


def test_every_cache_keeps_json(settings: Any) -> None:
    for name, options in settings.CACHES.items():
        assert options["BACKEND"] == "django.core.cache.backends.redis.RedisCache", name
        serializer = type(caches[name]._cache._serializer)
        assert f"{serializer.__module__}.{serializer.__name__}" == "config.cache.JsonSerializer"


def test_no_session_is_a_pickle(settings: Any) -> None:
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
