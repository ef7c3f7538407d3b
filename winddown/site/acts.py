"""Acts of staff: one declaration makes the command and the page."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from winddown.actors import Actor
from winddown.authority.role_words import who_may
from winddown.site.decisions import Decision
from winddown.site.forms import ReasonForm
from winddown.words import Text


@dataclass(frozen=True, slots=True)
class Act:
    """What a member of staff does with a form and a reason. The verb itself checks the permission.

    `states` are those of the programme in which it is offered; none means all. `not_now` says why
    it would be refused now, before anything is typed; an empty text means that it would not. A
    command asks at the terminal for the fields that are `typed`: they are keys, and every account
    of the machine can read the arguments of a command. `says` adds a sentence about what `do`
    returned, such as a reference, to what the next page and the command say.
    """

    title: Text
    effect: Text
    permission: str
    do: Callable[[Actor, dict[str, Any]], object]
    form: type[ReasonForm] = ReasonForm
    tone: str = "plain"
    states: Collection[str] = ()
    not_now: Callable[[], Text] | None = None
    typed: Collection[str] = ()
    says: Callable[[Any], Text] | None = None


def decision(verb: str, act: Act, *, actor: Actor) -> Decision:
    """Returns the button of the act, or why it is refused to this person."""
    refused: Text = ""
    if not actor.has_perm(act.permission):
        refused = who_may(act.permission)
    elif act.not_now is not None:
        refused = act.not_now()
    return Decision(
        verb=verb,
        title=act.title,
        tone=act.tone,
        refused=refused,
        permission=act.permission,
        then=act.effect,
    )
