"""The formats of requests to an issuer and of its answers. Each issuer has one."""

from __future__ import annotations

from typing import Final

from refunds.models import Issuer
from refunds.remedies.exchange_lines import Transport
from refunds.remedies.transports.csv_exchange import CsvExchange

TRANSPORTS: Final[dict[str, Transport]] = {
    "csv": CsvExchange(),
}
# The transport of an issuer by the issuer's code. An issuer that is not named here takes CSV.
NAMED: Final[dict[str, str]] = {}


def transport_of(issuer: Issuer) -> Transport:
    """Returns the transport that carries the requests to `issuer` and its answers."""
    return TRANSPORTS[NAMED.get(issuer.code, "csv")]
