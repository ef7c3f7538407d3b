"""Who may do what, end to end, from the declarations: roles, machines, and who decides after whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model

from winddown import words, workflows
from winddown.authority.roles import DUTIES, INCOMPATIBLE, ROLES, roles_with
from winddown.machines.declare import Edge, Stateful, all_machines
from winddown.models import Run

# Stands for every permission among the roles of a person.
SUPERUSER = "superuser"


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission: the roles that hold it, the transitions that need it, and the subjects that
    its holder asks for or decides.
    """

    name: str
    roles: list[str]
    transitions: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    decides: list[str] = field(default_factory=list)


def permissions() -> list[Permission]:
    """Returns every permission that a role holds or a machine needs, by name."""
    taken: dict[str, list[str]] = {}
    for model in all_machines():
        for edge in model.edges():
            if edge.permission:
                step = f"{model.__name__}: {edge.source} -> {edge.target} ({edge.name})"
                by = ", by the system too" if edge.by_system else ""
                taken.setdefault(edge.permission, []).append(step + by)
    granted = {name for held in ROLES.values() for name in held}
    return [
        Permission(
            name=name,
            roles=roles_with(name),
            transitions=taken.get(name, []),
            asks=[str(duty.subject) for duty in DUTIES if duty.asks == name],
            decides=[str(duty.subject) for duty in DUTIES if duty.decides == name],
        )
        for name in sorted(granted | set(taken))
    ]


def duties() -> list[dict[str, object]]:
    """Returns each subject that needs two people: who may ask, who may decide."""
    return [
        {
            "subject": str(duty.subject),
            "asks": roles_with(duty.asks),
            "decides": roles_with(duty.decides),
        }
        for duty in DUTIES
    ]


def incompatible() -> list[dict[str, str]]:
    return [{"one": one, "other": other, "why": why} for (one, other), why in INCOMPATIBLE.items()]


# --- end to end ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way: the changes of state that it may be, and who holds its permission."""

    verb: str
    changes: list[str]
    permission: str
    by_system: bool
    roles: list[str]
    people: list[str]
    """Login ids. Two accounts with one staff number are one person, named once."""


@dataclass(frozen=True, slots=True)
class Way:
    """Everything that people do with one thing, from its first state to its last ones."""

    name: str
    steps: list[Step]

    @property
    def alone(self) -> list[str]:
        """Returns who holds every permission of the way. Where two people are needed, somebody with
        another staff number still has to decide.
        """
        held = [set(step.people) for step in self.steps]
        return sorted(set.intersection(*held)) if held else []

    @property
    def missing(self) -> list[str]:
        """Returns the verbs that nobody can carry out."""
        return [each.verb for each in self.steps if not each.people and not each.by_system]

    @property
    def only(self) -> dict[str, str]:
        """Returns the verbs for which one person alone holds the permission, with that person."""
        return {each.verb: each.people[0] for each in self.steps if len(each.people) == 1}


def ways() -> dict[str, type[Stateful]]:
    """Returns what one can ask about, by name: each workflow, and each machine as `payout-batch`."""
    machines = {
        re.sub(r"(?<!^)(?=[A-Z])", "-", model.__name__).lower(): model for model in all_machines()
    }
    return dict.fromkeys(workflows.NAMES, Run) | machines


def way(name: str) -> Way:
    """Returns the way of the workflow or machine with its people of today."""
    edges = list(_in_order(ways()[name]))
    people = people_with(edge.permission for edge in edges)
    steps: dict[tuple[str, str], Step] = {}
    for edge in edges:
        change = f"{edge.source} -> {edge.target}"
        step = steps.setdefault(
            (edge.name, edge.permission),
            Step(
                verb=edge.name,
                changes=[],
                permission=edge.permission,
                by_system=edge.by_system,
                roles=roles_with(edge.permission),
                people=people[edge.permission],
            ),
        )
        step.changes.append(change)
    return Way(name=name, steps=list(steps.values()))


def people_with(permissions: Iterable[str]) -> dict[str, list[str]]:
    """Returns for each permission the login ids of its holders, one for each staff number."""
    people = _people().values()
    return {
        each: sorted(login for login, held in people if held & {SUPERUSER, *roles_with(each)})
        for each in set(permissions)
    }


def names_with(permission: str) -> list[str]:
    """Returns the names of the people who hold the permission."""
    logins = people_with([permission])[permission]
    found = get_user_model().objects.filter(login_id__in=logins).order_by("login_id")
    return [words.person_name(person) for person in found]


def _in_order(machine: type[Stateful]) -> Iterator[Edge]:
    """Yields the edges that a permission guards, as a row meets them on its way: from each state
    first the edges that lead on, then those that end it.
    """
    goes_on = {edge.source for edge in machine.edges()}
    edges = sorted(machine.edges(), key=lambda edge: edge.target not in goes_on)
    met = list(machine.first_states())
    for state in met:
        for edge in edges:
            if edge.source == state:
                if edge.permission:
                    yield edge
                if edge.target not in met:
                    met.append(edge.target)


def _people() -> dict[str, tuple[str, set[str]]]:
    """Returns for each staff number the first login id and the roles of all its accounts."""
    found: dict[str, tuple[str, set[str]]] = {}
    accounts = get_user_model().objects.filter(kind="staff", is_active=True)
    for account in accounts.prefetch_related("groups").order_by("pk"):
        number = account.staff_number or f"account {account.pk}"
        held = found.setdefault(number, (account.login_id, set()))[1]
        held.update(group.name for group in account.groups.all())
        if account.is_superuser:
            held.add(SUPERUSER)
    return found
