"""What a message tells of a change of the ways into an account."""

from __future__ import annotations

from django import template

from accounts.access_events import EVENTS, AccessEvent

register = template.Library()


@register.simple_tag
def access_event(code: str) -> AccessEvent:
    return EVENTS[code]
