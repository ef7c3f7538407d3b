"""docs/commands.md is printed from the commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class

from tests.architecture.test_manual import misread
from winddown import command_page

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "commands.md"


def exit_code(page: Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        call_command("commands", check=True, out=str(page))
    return ended.value.code


def test_the_committed_page_matches_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(PAGE) == 0, capsys.readouterr().out


def test_an_old_or_missing_page_is_found_and_reprinted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "commands.md"
    assert exit_code(page) == 1
    call_command("commands", out=str(page))
    assert exit_code(page) == 0
    page.write_text(page.read_text().replace("`--reject`", "`--refuse`"))
    assert exit_code(page) == 1
    assert "not up to date" in capsys.readouterr().out


def test_every_command_of_the_project_and_no_other_is_listed() -> None:
    files = {
        path.stem
        for app in command_page.APPS
        for path in (ROOT / app / "management" / "commands").glob("*.py")
        if path.stem != "__init__"
    }
    assert {command.command for command in command_page.listed()} == files


def test_every_command_and_every_argument_has_a_help_text() -> None:
    silent = [
        f"{command.name} {argument.spelling}"
        for command in command_page.listed()
        for argument in command.arguments
        if not argument.meaning
    ]
    assert silent == []
    assert [command.name for command in command_page.listed() if not command.help] == []


def test_the_page_says_what_each_command_of_the_staff_asks_of_the_signer() -> None:
    signed = [command for command in command_page.listed() if command.exits.get(1) == "refused"]
    assert len(signed) > 30
    for command in signed:
        assert {"--by LOGIN", "--reason REASON", "--json"} <= {
            argument.spelling for argument in command.arguments
        }


def own_help(name: str, app: str) -> dict[str, str]:
    """Returns the help of the command, or of each of its verbs where it has some."""
    parser = load_command_class(app, name).create_parser("manage.py", name)
    verbs = dict(command_page.verbs(name, parser)) or {name: parser}
    return {called: own.format_help() for called, own in verbs.items()}


def test_the_help_of_every_command_has_examples_that_it_takes_and_its_exit_codes() -> None:
    wrong = []
    for name, app in get_commands().items():
        if app not in command_page.APPS:
            continue
        for called, told in own_help(name, app).items():
            examples = re.findall(r"^  manage\.py (.+)$", told, re.MULTILINE)
            if not any(example.startswith(called) for example in examples):
                wrong.append(f"{called} has no example of itself")
            wrong += [why for each in examples if (why := misread(shlex.split(each)))]
            exits = told.partition("\nexit codes:\n")[2]
            if not re.search(r"^  0  \w", exits, re.MULTILINE):
                wrong.append(f"{called} does not tell its exit codes")
    assert wrong == []


def test_the_help_of_a_workflow_names_the_keys_of_its_parameters() -> None:
    shown = " ".join(own_help("reset_all_passwords", "accounts")["reset_all_passwords"].split())
    assert "counted_from: Shares count from" in shown
    assert "mail" in shown.partition("as a JSON object:")[2]
