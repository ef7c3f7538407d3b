"""Who may do what, end to end, from the declarations: roles, machines, and who decides after whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from winddown.authority.roles import DUTIES, INCOMPATIBLE, ROLES, roles_with
from winddown.machines.declare import all_machines


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
            asks=[duty.subject for duty in DUTIES if duty.asks == name],
            decides=[duty.subject for duty in DUTIES if duty.decides == name],
        )
        for name in sorted(granted | set(taken))
    ]


def duties() -> list[dict[str, object]]:
    """Returns each subject that needs two people: who may ask, who may decide."""
    return [
        {
            "subject": duty.subject,
            "asks": roles_with(duty.asks),
            "decides": roles_with(duty.decides),
        }
        for duty in DUTIES
    ]


def incompatible() -> list[dict[str, str]]:
    return [{"one": one, "other": other, "why": why} for (one, other), why in INCOMPATIBLE.items()]
