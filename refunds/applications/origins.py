"""Where applications come from: kept as keyed hashes, which say only whether two are equal."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from refunds.models import ApplicationOrigin, RefundApplication
from refunds.payouts.methods.postal_addresses import PostalAddress
from winddown import encryption

# The last number of an address, with what a flat or a house is called after it.
_LAST_NUMBER = re.compile(r"[\s\-‐−ー、,]*[0-9]+[a-z]?(号室|号|番地|番|室)?$")


@dataclass(frozen=True, slots=True)
class Origin:
    """The network and the device of a customer, in clear."""

    network: str = ""
    device: str = ""

    def __repr__(self) -> str:
        return "Origin(...)"


UNKNOWN_ORIGIN: Final = Origin()


def keep(application: RefundApplication, origin: Origin, address: PostalAddress | None) -> None:
    """The origin of the application is kept, once. Nothing is kept where nothing is known."""
    said = {
        "network": origin.network,
        "device": origin.device,
        "address": _without_last_number(address) if address else "",
    }
    if any(said.values()):
        ApplicationOrigin.objects.get_or_create(
            application=application,
            defaults={
                name: encryption.fingerprint(text, of=f"origin:{name}") if text else ""
                for name, text in said.items()
            },
        )


def _without_last_number(address: PostalAddress) -> str:
    text = unicodedata.normalize("NFKC", address.lines).lower().strip()
    return f"{address.postal_code} {_LAST_NUMBER.sub('', text)}"
