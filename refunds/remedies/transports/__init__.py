"""The formats of requests to an issuer and of its answers. Who sends a file may choose another than
the issuer usually has."""

from __future__ import annotations

from typing import Final

from refunds.models import Issuer
from refunds.remedies.exchange_lines import Transport
from refunds.remedies.transports.csv_exchange import CsvExchange
from refunds.remedies.transports.json_exchange import JsonExchange
from refunds.remedies.transports.request_sheet import RequestSheet

TRANSPORTS: Final[dict[str, Transport]] = {
    "csv": CsvExchange(),
    "json": JsonExchange(),
    "sheet": RequestSheet(),
}
# The transport of an issuer by the issuer's code. An issuer that is not named here takes CSV.
NAMED: Final[dict[str, str]] = {}


def transport_of(issuer: Issuer, chosen: str = "") -> Transport:
    """Returns the transport that carries the requests to `issuer` and its answers, if none is
    chosen.
    """
    return TRANSPORTS[chosen or NAMED.get(issuer.code, "csv")]


def transport_that_wrote(text: str, *, usual: Transport) -> Transport:
    """Returns the transport of which `text` is a file, and `usual` if none knows it."""
    return next((each for each in TRANSPORTS.values() if each.wrote(text)), usual)
