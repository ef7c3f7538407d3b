"""The load commands: their output and their exit codes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.factories import make_staff
from winddown.loading import file_kinds

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

Write = Callable[..., Path]
DOCUMENT = Path(__file__).parents[3] / "docs" / "data-in.md"


def run(*words: Any) -> tuple[int, str]:
    """Returns exit code and output of a command, signed by a person who may load."""
    out = io.StringIO()
    if "--by" not in words:
        words += ("--by", make_staff("treasury_operator").login_id)
    try:
        call_command(*map(str, words), stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.parametrize("kind", [kind.name for kind in file_kinds.known()])
def test_every_kind_of_file_has_its_command_and_prints_its_columns(kind: str) -> None:
    code, text = run(f"load_{kind}", "--columns")
    assert code == 0
    assert file_kinds.get(kind).described() in text


def test_a_load_reports_its_result_and_a_second_one_reports_no_change(write: Write) -> None:
    file = write("accounts", {})
    assert run("load_accounts", file, "--expect-rows", 1) == (
        0,
        "accounts.csv: 1 accounts loaded (1 rows).\n",
    )
    assert run("load_accounts", file) == (
        0,
        "accounts.csv was loaded before, byte for byte: nothing was changed.\n",
    )
    assert run("load_accounts", write("accounts", {}, newline="\r\n")) == (
        0,
        "accounts.csv: all 1 rows were already there: nothing was changed.\n",
    )


def test_a_refusal_names_the_next_step_and_exits_with_1(write: Write) -> None:
    file = write("accounts", {"phone": "x"}, {"account_ref": ""})
    code, text = run("load_accounts", file)
    assert code == 1
    assert "accounts.csv was refused whole, nothing was changed: 2 of 2 rows are refused" in text
    assert "line 2, phone: is not a telephone number" in text
    assert "line 3, account_ref: is empty; it must have a value" in text
    assert f"{file}.refused.csv" in text
    assert not User.objects.customers().exists()


def test_refusals_do_not_print_what_customers_entered(write: Write) -> None:
    """Rule 65."""
    file = write("accounts", {"email": "hanako-at-home", "login_id": "my password is x"})
    _, text = run("load_accounts", file)
    assert "hanako-at-home" not in text
    assert "my password" not in text


def test_the_json_output_holds_the_same_facts(write: Write) -> None:
    code, text = run("load_accounts", write("accounts", {}), "--json")
    loaded = json.loads(text)
    assert code == 0
    assert (loaded["kind"], loaded["rows"], loaded["inserted"], loaded["already_there"]) == (
        "accounts",
        1,
        1,
        0,
    )
    code, text = run("load_accounts", write("accounts", {"phone": "x"}), "--json")
    refused = json.loads(text)
    assert code == 1
    assert refused["refused"] == "LoadRefused"
    assert refused["refused_rows"] == 1
    assert refused["first"][0]["line"] == 2
    assert Path(refused["refused_file"]).exists()


def test_the_load_is_signed_by_a_member_of_staff(write: Write, staff: Callable[..., Any]) -> None:
    person = staff(is_superuser=True)
    words = ("load_accounts", write("accounts", {}), "--by", person.login_id, "--reason", "move")
    assert run(*words)[0] == 0
    with pytest.raises(CommandError, match="not an active member of staff"):
        run("load_accounts", write("accounts", {}), "--by", "nobody")


@pytest.mark.parametrize("kind", [kind.name for kind in file_kinds.known()])
def test_a_load_that_nobody_signs_is_refused(kind: str, write: Write) -> None:
    with pytest.raises(CommandError, match="--by is missing: name the member of staff") as caught:
        call_command(f"load_{kind}", str(write("accounts", {})))
    assert caught.value.returncode == 2
    assert not User.objects.exists()


def test_a_command_without_a_file_is_refused() -> None:
    with pytest.raises(CommandError, match="FILE is missing") as caught:
        run("load_accounts")
    assert caught.value.returncode == 2


def test_the_document_lists_the_columns_as_declared() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for kind in file_kinds.known():
        assert f"`load_{kind.name}`" in text
        assert kind.described() in text, f"copy the output of manage.py load_{kind.name} --columns"


@pytest.mark.parametrize("kind", [kind.name for kind in file_kinds.known()])
def test_no_accepted_text_is_longer_than_its_database_column(kind: str) -> None:
    """A longer text must be refused with its line. The database would refuse it without naming the
    line.
    """
    declared = file_kinds.get(kind)
    stored = {value.split(".")[-1].rstrip(")"): name for name, value in declared.values.items()}
    checked = 0
    for column in declared.columns:
        name = stored.get(column.name, column.name)
        fields = {field.column: field for field in declared.model._meta.concrete_fields}
        length = getattr(fields.get(name), "max_length", None)
        if length is None or column.refers is not None:
            continue
        too_long = column.fault("1" * (length + 1)) or column.fault("x" * (length + 1))
        assert too_long, column.name
        checked += 1
    assert checked or not declared.values, (
        "what is recorded in another way has no column of its own"
    )
