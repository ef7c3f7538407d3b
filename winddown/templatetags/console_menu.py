"""The menu of the console."""

from __future__ import annotations

from typing import Any

from django import template

from winddown.site import doors
from winddown.site.doors import MenuLine

register = template.Library()


@register.filter
def leads_in(url: str, reader: Any) -> bool:
    """Returns whether the reader may open the page at the address."""
    return doors.leads_in(url, reader)


@register.simple_tag(takes_context=True)
def console_menu(context: dict[str, Any]) -> list[MenuLine]:
    """Returns the first line of the menu; nothing for somebody who is not signed in."""
    reader = _reader(context)
    return doors.menu(reader, here=_here(context)) if reader else []


@register.simple_tag(takes_context=True)
def console_beside(context: dict[str, Any]) -> list[MenuLine]:
    """Returns the second line of the menu; nothing for somebody who is not signed in."""
    reader = _reader(context)
    return doors.beside(reader, here=_here(context)) if reader else []


def _reader(context: dict[str, Any]) -> Any:
    user = context["request"].user
    return user if getattr(user, "staff_number", "") else None


def _here(context: dict[str, Any]) -> str:
    match = context["request"].resolver_match
    return match.view_name if match else ""
