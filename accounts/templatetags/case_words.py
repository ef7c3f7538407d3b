"""The words for the codes of an assisted case on a page."""

from __future__ import annotations

from django import template

from accounts.recovery import case_page

register = template.Library()


@register.simple_tag
def rejection(code: str) -> str:
    """Returns the words that the person is told."""
    return str(case_page.REJECTION_WORDS.get(code, code))


@register.simple_tag
def proof(kind: str) -> str:
    return str(case_page.PROOF_WORDS.get(kind, kind))
