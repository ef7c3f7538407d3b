"""A colleague is added by one person, and can do nothing until two have given roles and a link."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.config.test_every_door import browser_of
from winddown.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("programme")]
NEW = {"login_id": "Mei", "name": "Mei Kato", "email": "mei@example.com", "staff_number": "1003"}


def ran(by: Any, typed: dict[str, str]) -> None:
    words = [f"--{key.replace('_', '-')}={value}" for key, value in typed.items()]
    try:
        call_command(
            "staff", "add", *words, f"--by={by.login_id}", "--reason=joins", stdout=StringIO()
        )
    except SystemExit:
        return


def posted(by: Any, typed: dict[str, str]) -> None:
    browser_of(by).post("/console/staff/add/", typed | {"reason": "joins"})


DOORS = pytest.mark.parametrize("add", [ran, posted], ids=["command", "page"])


@DOORS
def test_a_new_member_has_an_account_that_opens_nothing(
    staff: Callable[..., Any], add: Callable[..., None]
) -> None:
    one = staff("incident_commander")
    add(one, NEW)

    person = User.objects.get(login_id="mei")
    assert (person.kind, person.staff_number, person.display_name) == ("staff", "1003", "Mei Kato")
    assert not person.has_usable_password()
    assert not person.groups.exists()
    entry = AuditEntry.objects.get(action="staff.add")
    assert (entry.actor, entry.reason, entry.subject) == (one, "joins", f"account:{person.pk}")


@DOORS
@pytest.mark.parametrize(
    "changed",
    [
        {"login_id": "taken"},
        {"staff_number": "１００２"},
        {"email": "nowhere"},
        {"name": " "},
        {"login_id": "　"},
        {"staff_number": ""},
        {"staff_number": "10\u200b03"},
        {"staff_number": "10 03"},
    ],
    ids=str,
)
def test_an_account_that_makes_no_sense_is_refused(
    staff: Callable[..., Any], add: Callable[..., None], changed: dict[str, str]
) -> None:
    one = staff("incident_commander")
    User.objects.filter(pk=staff("support", staff_number="1002").pk).update(login_id="taken")
    before = User.objects.count()
    add(one, NEW | changed)
    assert User.objects.count() == before


@DOORS
def test_adding_takes_the_permission(staff: Callable[..., Any], add: Callable[..., None]) -> None:
    add(staff("support"), NEW)
    assert not User.objects.filter(login_id="mei").exists()


def test_the_list_shows_roles_and_ways_in(staff: Callable[..., Any]) -> None:
    one = staff("incident_commander", display_name="One")
    # What a terminal would obey is not printed.
    staff("support", display_name="\x1b[2JTwo\u202e")
    out = StringIO()
    call_command("staff", "list", f"--by={one.login_id}", stdout=out)
    assert "One" in out.getvalue()
    assert "\ufffd[2JTwo\ufffd" in out.getvalue()
    assert "incident_commander" in out.getvalue()
    with pytest.raises(SystemExit):
        call_command("staff", "list", f"--by={staff('support').login_id}", stdout=StringIO())


def by_command(by: Any, whom: Any, verb: str) -> None:
    undo = ["--undo"] if verb == "enable" else []
    words = ["staff", "disable", whom.login_id, *undo, f"--by={by.login_id}", "--reason=left"]
    try:
        call_command(*words, stdout=StringIO())
    except SystemExit:
        return


def on_the_page(by: Any, whom: Any, verb: str) -> None:
    browser_of(by).post(f"/console/staff/{whom.pk}/{verb}/", {"reason": "left"})


@pytest.mark.parametrize("do", [by_command, on_the_page])
def test_a_colleague_is_disabled_and_let_in_again(
    staff: Callable[..., Any], do: Callable[[Any, Any, str], None]
) -> None:
    one, other, stranger = staff("incident_commander"), staff("support"), staff("compliance")
    do(stranger, other, "disable")
    assert User.objects.get(pk=other.pk).is_active
    do(one, other, "disable")
    assert not User.objects.get(pk=other.pk).is_active
    do(one, other, "enable")
    assert User.objects.get(pk=other.pk).is_active
    do(one, one, "disable")
    assert User.objects.get(pk=one.pk).is_active
    acts = AuditEntry.objects.filter(action__in=("access.disable", "access.enable"))
    assert [(each.action, each.actor, each.reason) for each in acts.order_by("seq")] == [
        ("access.disable", one, "left"),
        ("access.enable", one, "left"),
    ]


def test_the_page_offers_what_is_possible(staff: Callable[..., Any]) -> None:
    one, other = staff("incident_commander"), staff("support")
    address = f"/console/staff/{other.pk}/"
    assert f'href="{address}disable/"' in browser_of(one).get(address).content.decode()
    on_the_page(one, other, "disable")
    shown = browser_of(one).get(address).content.decode()
    assert f'href="{address}enable/"' in shown
    assert f'href="{address}disable/"' not in shown


def test_the_command_for_customers_names_the_one_for_colleagues(staff: Callable[..., Any]) -> None:
    one, other = staff("incident_commander"), staff("support")
    with pytest.raises(CommandError, match=f"staff disable {other.login_id}"):
        call_command("disable_account", account=other.login_id, by=one.login_id, reason="left")
    assert User.objects.get(pk=other.pk).is_active
