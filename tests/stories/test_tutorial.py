"""The tutorial is run as its readers run it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from config import tutorial
from rehearsal.serving import free_port
from tests import warm
from tests.conftest import Database
from wallets.models import Snapshot
from winddown.models import Programme

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.as_owner
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("page", "state"),
    [
        ("tutorial.md", Programme.State.REPORTED),
        pytest.param(
            "tutorial-in-euro.md", Programme.State.BALANCE_FIXED, marks=pytest.mark.long_form
        ),
    ],
)
def test_every_block_of_the_tutorial_runs(
    own_database: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    page: str,
    state: str,
) -> None:
    environment = own_database.environment | {
        # As on the reader's own server, where the login owns the database.
        "WINDDOWN_DATABASE_ROLE": "",
        "WINDDOWN_LOCAL_DIR": str(tmp_path),
        "PORT": str(free_port()),
    }
    # The page names the numbers of a new database. Rows that other tests took back used some.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.objid::regclass::text, d.refobjid::regclass::text, a.attname"
            " FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_attribute a"
            " ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
            " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
        )
        for sequence, table, column in cursor.fetchall():
            cursor.execute(
                f"SELECT setval('{sequence}', coalesce(max({column}), 0) + 1, false) FROM {table}"
            )
    with warm.place(tmp_path, environment=environment) as place:
        for line in tutorial.run(DOCS / page, environment=environment, place=place):
            print(line, end="")
    said = capsys.readouterr().out

    assert Programme.current().state == state, said
    assert Snapshot.objects.get().wallets == 50
    assert "BREACH" not in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("```sh\nexit 3\n```\n", "block 1 of 1 ended with code 3"),
        ("```sh\ntrue\nfalse | cat\n```\n\n```sh\necho on\n```\n", "block 1 of 2"),
        ("```sh\necho one\n```\n\n    two\n", "did not print: .*two"),
        ("```sh\necho one two\n```\n\nText.\n\n    one ...\n\n```sh\nfalse\n```\n", "block 2"),
    ],
)
def test_the_runner_stops_where_the_page_is_wrong(tmp_path: Path, text: str, why: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(tutorial.Stopped, match=why):
        list(tutorial.run(page, environment={}))


def test_a_page_that_is_right_runs_in_one_shell(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nname=Mei\n```\n\n```sh\necho $name stays\n```\n\n    Mei ...\n")
    assert [each for each in tutorial.run(page, environment={}) if not each.startswith("\n$")] == [
        "Mei stays\n"
    ]
