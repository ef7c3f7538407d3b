"""Every audit entry of a command records where the command was run."""

from __future__ import annotations

import os
import pty
import pwd
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.management import call_command, load_command_class
from django.db import connection

from winddown import command_page, terminal
from winddown.models import AuditEntry
from winddown.programme import capabilities

ROOT = Path(__file__).resolve().parents[2]


def test_the_entry_of_a_command_records_account_host_and_terminal(
    own_database: Any, switches: None, staff: Any
) -> None:
    person = staff("incident_commander")
    connection.close()
    ours, theirs = pty.openpty()
    subprocess.run(
        [
            *(sys.executable, "manage.py", "stop_capability", "spend"),
            *("--by", person.login_id, "--reason", "attack"),
        ],
        cwd=ROOT,
        # A variable that a person could set proves nothing.
        env={**os.environ, **own_database.environment, "LOGNAME": "nobody", "USER": "nobody"},
        stdin=theirs,
        check=True,
        capture_output=True,
    )

    assert AuditEntry.objects.get(action="capability.stop").facts["command"] == {
        "name": "stop_capability",
        "os_account": pwd.getpwuid(os.getuid()).pw_name,
        "host": socket.gethostname(),
        "terminal": os.ttyname(theirs),
    }
    os.close(ours)
    os.close(theirs)


def test_the_entry_of_a_page_or_a_worker_records_no_terminal(switches: None, staff: Any) -> None:
    capabilities.stop("spend", actor=staff("incident_commander"), reason="attack")

    assert "command" not in AuditEntry.objects.get(action="capability.stop").facts
    assert terminal.facts() == {}


def test_entries_after_a_command_do_not_name_it(switches: None, staff: Any) -> None:
    person = staff("incident_commander")
    call_command("stop_capability", "spend", by=person.login_id, reason="attack")

    assert AuditEntry.objects.get(action="capability.stop").facts["command"]["name"]
    assert terminal.facts() == {}


def test_every_command_of_the_project_is_recorded() -> None:
    unrecorded = [
        each.name
        for each in command_page.listed()
        if not isinstance(load_command_class(each.app, each.command), terminal.RecordedCommand)
    ]
    assert unrecorded == []
