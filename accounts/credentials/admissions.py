"""The origin of an attempt to sign in, and the admission that a successful one gets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from accounts.credentials.devices import Device


@dataclass(frozen=True, slots=True)
class Origin:
    """The known origin of an attempt to sign in."""

    network: str | None = None
    device: Device | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """When somebody was let in, by which method, and under which version of that method's switch.

    Staff pass no switch: `switch_version` is None.
    """

    at: dt.datetime
    method: str
    switch_version: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "method": self.method,
            "switch_version": self.switch_version,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Admission:
        return cls(
            at=dt.datetime.fromisoformat(stored["at"]),
            method=stored["method"],
            switch_version=stored["switch_version"],
        )
