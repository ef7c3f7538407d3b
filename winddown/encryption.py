"""Field encryption: values encrypted for one table, column and row, their keyed fingerprints, and
signatures under documents that leave the house.

A value about a customer needs a secret beside the field key, which is kept for the person and class
of data alone. Without the secret it can never be read again (docs/decisions/0031).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from winddown.errors import WinddownError

_KEY_ID_BYTES = 4
_NONCE_BYTES = 12


class SealBroken(WinddownError):
    """The sealed value at {place} does not open: another key, another place, or changed bytes."""


def seal(text: bytes, *, place: str, secret: bytes | None = None) -> bytes:
    """Returns `text` encrypted. It can be read only with the field key, with the `secret` if one is
    given, and only at `place` ("table/column/pk").

    The value holds key id, nonce, ciphertext and tag. A copy in another row or column cannot be
    decrypted.
    """
    key = settings.FIELD_KEY
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _cipher_of(key, secret).encrypt(nonce, text, place.encode())
    return _key_id(key, needs_secret=secret is not None) + nonce + sealed


def unseal(sealed: bytes | memoryview, *, place: str, secret: bytes | None = None) -> bytes:
    """Returns the text that was encrypted for `place`; raises `SealBroken`. The secret is not used
    for a value that was sealed without one.
    """
    value = bytes(sealed)
    key_id, rest = value[:_KEY_ID_BYTES], value[_KEY_ID_BYTES:]
    used = secret if needs_secret(value) else None
    for key in _keys():
        if _key_id(key, needs_secret=used is not None) == key_id:
            try:
                return _cipher_of(key, used).decrypt(
                    rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place.encode()
                )
            except InvalidTag:
                break
    raise SealBroken(place=place)


def needs_secret(sealed: bytes | memoryview) -> bool:
    """Returns whether the value was sealed with a secret beside the field key."""
    return bytes(sealed)[:_KEY_ID_BYTES] in {_key_id(key, needs_secret=True) for key in _keys()}


def is_current(sealed: bytes | memoryview, *, with_secret: bool = False) -> bool:
    """Returns whether the newest key sealed the value, with a secret or without one as said."""
    return bytes(sealed)[:_KEY_ID_BYTES] == _key_id(settings.FIELD_KEY, needs_secret=with_secret)


def ids_without_secret() -> list[bytes]:
    """Returns the first bytes of values that the field key alone opens."""
    return [_key_id(key) for key in _keys()]


def fingerprint(text: str, *, of: str) -> str:
    """Returns 64 hex digits, equal for equal `text` of the same kind. Without the key they reveal
    nothing.
    """
    return _fingerprint(settings.FIELD_KEY, text, of)


def fingerprinter(*, of: str) -> Callable[[str], str]:
    """Returns what gives each of many texts its `fingerprint`: the key is worked in only once."""
    begun = hmac.new(_derived(settings.FIELD_KEY, b"fingerprint"), f"{of}\x1f".encode(), "sha256")

    def fingerprint_of(text: str) -> str:
        digest = begun.copy()
        digest.update(text.encode())
        return digest.hexdigest()

    return fingerprint_of


def fingerprints(text: str, *, of: str) -> list[str]:
    """Returns the fingerprint under the newest key and under each older one."""
    return [_fingerprint(key, text, of) for key in _keys()]


def fingerprint_under(key: bytes, text: str, *, of: str) -> str:
    """Returns the fingerprint under a key that is not of this deployment."""
    return _fingerprint(key, text, of)


def _fingerprint(key: bytes, text: str, of: str) -> str:
    derived = _derived(key, b"fingerprint")
    return hmac.digest(derived, f"{of}\x1f{text}".encode(), "sha256").hex()


def signature(document: bytes) -> bytes:
    """Returns the Ed25519 signature (64 bytes) of the document under the newest key."""
    return _signer(settings.FIELD_KEY).sign(document)


def is_signed(document: bytes, given: bytes) -> bool:
    """Returns whether the signature is ours, by the newest key or an older one."""
    for key in _keys():
        try:
            _signer(key).public_key().verify(given, document)
        except InvalidSignature:
            continue
        return True
    return False


def verifying_key() -> bytes:
    """Returns the public key (32 bytes) by which anybody can check a signature of ours."""
    return _signer(settings.FIELD_KEY).public_key().public_bytes_raw()


@lru_cache(maxsize=8)
def _signer(key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_derived(key, b"signature"))


def _keys() -> tuple[bytes, ...]:
    """Returns the key that encrypts, and the older keys that still decrypt after a rotation."""
    return (settings.FIELD_KEY, *settings.FIELD_KEY_FALLBACKS)


@lru_cache(maxsize=16)
def _key_id(key: bytes, *, needs_secret: bool = False) -> bytes:
    what = b"key id with a secret\x1f" if needs_secret else b"key id\x1f"
    return hashlib.sha256(what + key).digest()[:_KEY_ID_BYTES]


def _cipher_of(key: bytes, secret: bytes | None) -> AESGCM:
    if secret is None:
        return _cipher(key)
    # Not cached: there are as many secrets as people.
    return AESGCM(hmac.digest(_derived(key, b"secret"), secret, "sha256"))


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(_derived(key, b"field"))


@lru_cache(maxsize=16)
def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"winddown " + purpose).derive(key)
