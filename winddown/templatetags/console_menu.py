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
    """Returns the pages that the reader may open; none for somebody who is not signed in."""
    request = context["request"]
    here = request.resolver_match.view_name if request.resolver_match else ""
    if not getattr(request.user, "staff_number", ""):
        return []
    return doors.menu(request.user, here=here)
