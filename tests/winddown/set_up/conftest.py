"""Beginnings of a programme from a set-up file."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.winddown.loading.conftest import write as write
from tests.winddown.set_up.steps import Begin
from winddown.set_up.writing import example


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """`begin(changes, "--by", "hana")` is the exit code and the output of `manage.py begin`.

    `changes` maps a text of the example to the one that takes its place.
    """

    def run(
        changes: dict[str, str] | None = None, *words: str, content: str = ""
    ) -> tuple[int, str]:
        text = content or example()
        for before, after in (changes or {}).items():
            assert before in text
            text = text.replace(before, after)
        file = tmp_path / "my.toml"
        file.write_text(text)
        out = StringIO()
        try:
            call_command("begin", str(file), *words, stdout=out)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue()
        except CommandError as end:
            return end.returncode, out.getvalue() + str(end)
        return 0, out.getvalue()

    return run
