"""Who may open which page of the console, the menu that follows from it, and where a role begins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.urls import Resolver404, resolve, reverse

from winddown.actors import Actor
from winddown.authority import roles
from winddown.authority.roles import OR
from winddown.errors import NotPermitted
from winddown.registries import Registry
from winddown.site.decisions import Decision
from winddown.words import Text


@dataclass(frozen=True, slots=True)
class Door:
    """A page of the console. Whoever holds one of `permissions` may open it; none means all staff.

    A page of many verbs is open to all staff here, and `decision_page` asks for the permission of
    the verb. With a `title` the page is in the menu of those who may open it: in the line of the page
    that it is `under`, or in the first line for those who may not open that page.
    """

    permissions: Collection[str] = ()
    title: Text = ""
    under: str = ""

    def opens_to(self, actor: Actor) -> bool:
        return not self.permissions or any(map(actor.has_perm, self.permissions))


DOORS: Registry[Door] = Registry(
    "doors of the console",
    entries_are="by name of the address: who may open the page, and its title in the menu",
    owner=__name__,
)

# What a role needs first after the sign-in. Who has several roles begins at the first of this list.
STARTS = {
    "incident_commander": "console:incident",
    "fraud_supervisor": "console:attack",
    "fraud_analyst": "console:attack",
    "treasury_operator": "console:incident",
    "treasury_approver": "console:incident",
    "compliance": "console:programme",
    "support": "cases:list",
    "auditor": "console:audit",
}


def enter(name: str, actor: Actor) -> None:
    """Raises `NotPermitted` unless `actor` may open the page. A page without a door opens to nobody."""
    door = DOORS[name]
    if not door.opens_to(actor):
        raise NotPermitted(
            actor=actor.pk, action=f"open {name}", permission=OR.join(door.permissions)
        )


def leads_in(url: str, actor: Actor) -> bool:
    """Returns whether `actor` may open the page at the address. What is no page of the console is
    open.
    """
    try:
        name = resolve(url.partition("?")[0].partition("#")[0]).view_name
    except Resolver404:
        return True
    return name not in DOORS or DOORS[name].opens_to(actor)


def enter_verb(name: str, decision: Decision, *, actor: Actor) -> None:
    """Raises `NotPermitted` unless `actor` holds the permission of the verb on the page `name`."""
    if decision.permission and not actor.has_perm(decision.permission):
        raise NotPermitted(
            actor=actor.pk,
            action=f"open {name} to {decision.verb}",
            permission=decision.permission,
        )


@dataclass(frozen=True, slots=True)
class MenuLine:
    """One page in the menu, and whether the reader is there or below it."""

    title: Text
    url: str
    current: bool


def menu(actor: Actor, *, here: str) -> list[MenuLine]:
    """Returns the first line of the menu: the pages that `actor` may open and that are under no
    other. `here` is the name of the present address.
    """
    at = {here, _top(here, actor)}
    return [
        MenuLine(
            title=door.title,
            url=reverse(name),
            current=any(_is_below(each, name) for each in at),
        )
        for name, door in DOORS.items()
        if door.title and door.opens_to(actor) and not _stands_under(door, actor)
    ]


def beside(actor: Actor, *, here: str) -> list[MenuLine]:
    """Returns the second line of the menu: the pages under the one where the reader is, after that
    page itself. It is empty where nothing is under it.
    """
    top = _top(here, actor)
    below = [
        name
        for name, door in DOORS.items()
        if door.title and door.under == top and door.opens_to(actor)
    ]
    return [
        MenuLine(
            title=DOORS[name].title,
            url=reverse(name),
            current=_is_below(here, name),
        )
        for name in ([top, *below] if below and DOORS[top].opens_to(actor) else [])
    ]


def _stands_under(door: Door, actor: Actor) -> bool:
    return bool(door.under) and DOORS[door.under].opens_to(actor)


def _top(here: str, actor: Actor) -> str:
    """Returns the page of the first line to which the page `here` belongs."""
    for name, door in DOORS.items():
        if door.title and _is_below(here, name):
            return door.under if _stands_under(door, actor) else name
    return here


def _is_below(here: str, name: str) -> bool:
    """Returns whether the page `here` belongs to the page `name` of the menu."""
    space, _sep, own = name.partition(":")
    if own == "list":
        return here.startswith(f"{space}:")
    return here == name or here.startswith(f"{name}_")


def start_of(person: Any) -> str:
    """Returns the name of the page where the person begins."""
    held = roles.roles_of(person)
    return next((page for role, page in STARTS.items() if role in held), "console:incident")
