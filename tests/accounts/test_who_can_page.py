"""The page that says who can do what today, for the whole staff to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.config.test_every_door import browser_of
from winddown.authority import roles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("programme")]
PAGE = "/console/staff/who-can/"


def ask(reader: Any, **query: str) -> Any:
    return browser_of(reader, headers={"accept-language": "en"}).get(PAGE, query)


def rows_of(answer: Any) -> list[str]:
    return [" ".join(row.split()) for row in answer.content.decode().split("<tr>")[1:]]


def test_the_page_names_the_people_for_each_step(staff: Callable[..., Any]) -> None:
    reader = staff("support", display_name="Reader")
    staff("incident_commander", display_name="Com Mander")
    staff("compliance", display_name="Of Ficer")

    rows = rows_of(ask(reader, of="reset-all-passwords"))

    (approved,) = [row for row in rows if ">Approved<" in row]
    assert "Com Mander" in approved
    assert "Of Ficer" in approved
    assert "Reader" not in approved


def test_what_no_two_people_can_do_is_marked(staff: Callable[..., Any]) -> None:
    reader = staff("treasury_operator")

    (batch,) = [row for row in rows_of(ask(reader)) if "a payout batch" in row]
    assert "No two people can do this" in batch
    staff("treasury_approver")
    (batch,) = [row for row in rows_of(ask(reader)) if "a payout batch" in row]
    assert "No two people can do this" not in batch


def test_every_duty_is_on_the_page_and_an_unknown_workflow_is_said(
    staff: Callable[..., Any],
) -> None:
    answer = ask(staff("support"), of="dance")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "dance is not one of the available choices" in text
    for duty in roles.DUTIES:
        assert f'<th scope="row">{str(duty.subject).replace(chr(39), "&#x27;")}' in text


def test_the_page_costs_the_same_queries_for_every_number_of_colleagues(
    staff: Callable[..., Any],
) -> None:
    reader = staff("support")
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            ask(reader)
        costs.append(len(seen))
        for role in roles.ROLES:
            staff(role)
    assert costs[1] <= costs[0]


def test_only_staff_read_it(customer: Callable[..., Any]) -> None:
    assert ask(customer()).status_code == 403
    assert Client().get(PAGE).status_code == 302
