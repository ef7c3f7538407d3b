"""What an answer tells the person: the messages of the page, and the refusal above its form."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages


def told(answer: Any) -> str:
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    if answer.context and "form" in answer.context:
        said += answer.context["form"].non_field_errors()
    return " ".join(said)
