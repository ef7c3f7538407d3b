"""Files sealed for named recipients: CMS EnvelopedData (RFC 5652), which openssl opens as well."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from winddown.errors import WinddownError
from winddown.files import write_once

# An envelope is made in memory, so a long file is in several.
PART_BYTES: Final = 16 * 1024 * 1024


class CannotOpen(WinddownError):
    """The pack does not open: {why}"""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One file in the pack: its name, its SHA-256 in plain, and its parts with theirs."""

    name: str
    sha256: str
    parts: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "sha256": self.sha256, "parts": [*map(list, self.parts)]}


def seal(
    directory: Path, name: str, pieces: Iterable[bytes], *, recipients: list[x509.Certificate]
) -> Sealed:
    """The directory has the file in sealed parts, which each of the recipients alone can open."""
    whole, parts = hashlib.sha256(), []
    for number, part in enumerate(_parts(pieces), start=1):
        whole.update(part)
        envelope = pkcs7.PKCS7EnvelopeBuilder().set_data(part)
        envelope = envelope.set_content_encryption_algorithm(algorithms.AES256)
        for each in recipients:
            envelope = envelope.add_recipient(each)
        content = envelope.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
        path = write_once(directory, f"{name}.{number:03}.p7m", [content])
        parts.append((path.name, hashlib.sha256(content).hexdigest()))
    return Sealed(name, whole.hexdigest(), tuple(parts))


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the same bytes in parts of `PART_BYTES`, the last one shorter; at least one."""
    held, empty = bytearray(), True
    for piece in pieces:
        held += piece
        while len(held) >= PART_BYTES:
            empty = False
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held or empty:
        yield bytes(held)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who opens a pack: the certificate that was named, and its private key."""

    certificate: x509.Certificate
    key: RSAPrivateKey

    def opened(self, directory: Path, name: str, parts: Iterable[str]) -> Iterator[bytes]:
        """Yields the file part by part. Raises `CannotOpen`."""
        for part in parts:
            try:
                content = (directory / Path(part).name).read_bytes()
                yield pkcs7.pkcs7_decrypt_der(content, self.certificate, self.key, [])
            except (OSError, ValueError) as fault:
                raise CannotOpen(why=f"{part} of {name} does not open: {fault}") from fault


def recipient(certificate: Path, key: Path) -> Recipient:
    """Returns the recipient of these two PEM files. Raises `CannotOpen`."""
    try:
        found = load_pem_private_key(key.read_bytes(), password=None)
        if not isinstance(found, RSAPrivateKey):
            raise CannotOpen(why=f"{key} is no RSA key")
        return Recipient(x509.load_pem_x509_certificate(certificate.read_bytes()), found)
    except (OSError, ValueError, TypeError) as fault:
        raise CannotOpen(why=f"{certificate} and {key} cannot be used: {fault}") from fault
