"""Properties are judged by their result, never by the speed of the machine they run on."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
