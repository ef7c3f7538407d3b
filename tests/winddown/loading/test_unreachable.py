"""A load of accounts counts the people whom no verified channel reaches, prints and records it."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.winddown.loading.rows import ROWS
from winddown.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]
NOWHERE = {"email": "", "email_verified_at": "", "phone": "", "phone_verified_at": ""}
VERIFIED = "2019-07-01T10:00:00+09:00"
PEOPLE: list[dict[str, Any]] = [
    {},
    {"email_verified_at": ""},
    NOWHERE,
    {**NOWHERE, "phone": "090-1234-5678", "phone_verified_at": VERIFIED},
    # An address that our mailer cannot write to, although it was verified.
    {"email": "a@b", "phone": ""},
]


def loaded(path: Path, people: list[dict[str, Any]], by: Any, *more: str) -> str:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ROWS["accounts"])
        writer.writeheader()
        for number, person in enumerate(people):
            own = {"account_ref": f"A{number}", "login_id": f"p{number}"}
            writer.writerow({**ROWS["accounts"], **own, **person})
    out = StringIO()
    call_command("load_accounts", str(path), f"--by={by.login_id}", *more, stdout=out)
    return out.getvalue()


def test_who_cannot_be_reached_is_counted_printed_and_recorded(
    staff: Any, programme: Any, tmp_path: Path
) -> None:
    by = staff("incident_commander")

    said = loaded(tmp_path / "a.csv", PEOPLE, by)

    assert "3 of these people cannot be reached" in said
    assert AuditEntry.objects.get(action="load.accounts").facts["unreachable"] == 3
    # The people who were there count too: the number is that of the file.
    more = json.loads(loaded(tmp_path / "b.csv", [*PEOPLE, {}], by, "--json"))
    assert (more["inserted"], more["unreachable"]) == (1, 3)


def test_a_file_whose_people_are_all_reached_says_nothing(
    staff: Any, programme: Any, tmp_path: Path
) -> None:
    said = loaded(tmp_path / "a.csv", [{}], staff("incident_commander"))

    assert "cannot be reached" not in said
    assert AuditEntry.objects.get(action="load.accounts").facts["unreachable"] == 0


def test_a_refused_file_counts_nobody(staff: Any, programme: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        loaded(tmp_path / "a.csv", [{"email": "no address"}], staff("incident_commander"))

    assert not AuditEntry.objects.filter(action="load.accounts").exists()
