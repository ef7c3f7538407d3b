"""The keys of a deployment: made for development, decoded, and refused if they are weak."""

import base64
import binascii
import contextlib
import os
import secrets
from itertools import pairwise
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def development_secret(path: Path) -> str:
    """The path has 32 random bytes in base64, which only their owner can read. Returns them."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not path.exists():
            draft.touch(mode=0o600)
            draft.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
            # Two processes that start together agree on the file that was linked first.
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text()
    except PermissionError as error:
        raise ImproperlyConfigured(
            f"{path} belongs to another user of this checkout (root?): run as that user,"
            f" or have that user remove {path.parent}."
        ) from error


def field_key(value: str, *, variable: str) -> bytes:
    """Returns the 32 bytes that the variable gives in base64. Raises for anything else."""
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ImproperlyConfigured(f"{variable} must be base64.") from error
    if len(key) != 32:
        raise ImproperlyConfigured(f"{variable} must be 32 bytes in base64.")
    return key


def refuse_weak_secret(variable: str, value: str) -> None:
    """Raises if the text is not long and varied enough to sign with."""
    if len(value) < 50 or len(set(value)) < 10:
        raise ImproperlyConfigured(
            f"{variable} must be at least 50 random characters when WINDDOWN_MODE is production:"
            " make it with python -c 'import secrets; print(secrets.token_urlsafe(64))'."
        )


def refuse_weak_key(variable: str, key: bytes) -> None:
    """Raises if the bytes look like a pattern or typed text, and not like random ones."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    # 32 random bytes never have fewer than 16 different ones. All of them are printable only once
    # in many million million keys.
    if min(len(set(key)), len(steps)) < 16 or key.isascii():
        raise ImproperlyConfigured(
            f"{variable} must be 32 random bytes in base64 when WINDDOWN_MODE is production: make"
            " it with python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'."
        )
