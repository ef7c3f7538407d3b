"""Our code runs nothing that was stored as data, and no guard is a statement that `python -O`
leaves out.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches

ROOT = Path(__file__).resolve().parents[2]
# These modules store code, which runs when it is read.
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


def test_no_module_runs_stored_data() -> None:
    assert [path for path, text in our_code().items() if RUNS_WHEN_READ.search(text)] == []


@pytest.mark.parametrize(
    "line", ["import pickle", "  from shelve import open", "import marshal as m"]
)
def test_an_import_of_a_module_that_runs_stored_data_is_found(line: str) -> None:
    assert RUNS_WHEN_READ.search(f"import re\n{line}\n")


def test_every_cache_stores_json(settings: Any) -> None:
    for name, options in settings.CACHES.items():
        assert options["BACKEND"] == "django.core.cache.backends.redis.RedisCache", name
        serializer = type(caches[name]._cache._serializer)
        assert f"{serializer.__module__}.{serializer.__name__}" == "config.cache.JsonSerializer"


def test_sessions_are_stored_as_json(settings: Any) -> None:
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


def asserts(text: str) -> list[int]:
    """Returns the lines with an assert statement. The word in a text or comment is none."""
    return [
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME and token.string == "assert"
    ]


def test_no_guard_is_an_assert() -> None:
    assert {path: found for path, text in our_code().items() if (found := asserts(text))} == {}


def test_an_assert_statement_is_found_and_the_word_in_a_text_is_not() -> None:
    assert asserts('"""We assert."""\nif x:\n    assert x, "why"  # assert\n') == [3]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            "from winddown.evidence import audit; from winddown.actors import SYSTEM;"
            " audit.append('a', 'b', actor=SYSTEM)",
            "an audit entry belongs to a transaction",
        ),
        (
            "from winddown import locks; locks.take(locks.Lock.ADDRESS, key=1)",
            "a lock ends with its transaction",
        ),
        (
            "from accounts.reset_notices import notice_codes; notice_codes.code_of(0)",
            "no notice has the number 0",
        ),
    ],
)
def test_a_guard_refuses_under_python_dash_o(call: str, sentence: str) -> None:
    refused = subprocess.run(
        [sys.executable, "-O", "-c", f"import django; django.setup(); {call}"],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": "postgres://nobody@/nothing?host=/nonexistent",
            "REDIS_URL": "redis://127.0.0.1:1/0",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.stderr.splitlines()[-1] == f"AssertionError: {sentence}"
