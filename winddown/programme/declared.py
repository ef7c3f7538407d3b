"""The funding sources and login providers that the programme declares, and their names."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.core.signals import request_started
from django.utils.functional import lazy
from django.utils.translation import get_language

from winddown import words
from winddown.models import FundingSource, LoginProvider

TOP_UP, LOGIN = "top_up", "login_external"
_KEPT_S = 60


def sources() -> list[str]:
    """Returns the codes of the funding sources, in the order of their declaration."""
    return list(FundingSource.objects.values_list("code", flat=True))


def sources_of(*kinds: str) -> list[str]:
    """Returns the codes of the funding sources of these kinds."""
    return list(FundingSource.objects.filter(kind__in=kinds).values_list("code", flat=True))


def providers() -> list[str]:
    """Returns the codes of the login providers, in the order of their declaration."""
    return list(LoginProvider.objects.values_list("code", flat=True))


class _Names(threading.local):
    """The names by capability, as this thread last read them."""

    read: dict[str, dict[str, str]] | None = None
    until = 0.0


_names = _Names()


def forget(**_: Any) -> None:
    """The names are read anew at their next use."""
    _names.read = None


request_started.connect(forget, dispatch_uid="winddown.declared.forget")


def _name(capability: str) -> str:
    """Returns the name in the reader's language; the code itself if nobody declared it.

    A name that was read is kept until the next request, for a minute at most.
    """
    if _names.read is None or capability not in _names.read or time.monotonic() > _names.until:
        _names.read = {
            f"{kind}:{row['code']}": {"en": row["title_en"], "ja": row["title_ja"]}
            for kind, model in ((TOP_UP, FundingSource), (LOGIN, LoginProvider))
            for row in model._default_manager.values("code", "title_en", "title_ja")
        }
        _names.until = time.monotonic() + _KEPT_S
    titles = _names.read.get(capability)
    if titles is None:
        return capability.partition(":")[2]
    return titles["ja" if (get_language() or "").startswith("ja") else "en"]


_lazy_name = lazy(_name, str)
words.DECLARED.add(TOP_UP, lambda code: _lazy_name(f"{TOP_UP}:{code}"))
words.DECLARED.add(LOGIN, lambda code: _lazy_name(f"{LOGIN}:{code}"))
