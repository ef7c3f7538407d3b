"""Files that we export: complete or absent, and never two different files under one name."""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from winddown.errors import WinddownError


class FileDiffers(WinddownError):
    """{name} exists with other bytes; it was not touched."""


def write_once(directory: Path, name: str, pieces: Iterable[bytes]) -> Path:
    """`directory/name` holds exactly these bytes on disk, and only its owner can read it.

    A reader sees the complete file or no file. A second call with the same bytes changes nothing;
    with other bytes it raises `FileDiffers`. What a process that was killed had begun of this file
    is removed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path, draft = directory / name, directory / f".{name}.{os.getpid()}"
    _remove_abandoned(directory, name)
    digest = hashlib.sha256()
    descriptor = _open_draft(draft)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, not a rename: a rename would silently replace an existing file.
            os.link(draft, path)
        except FileExistsError:
            if _sha256(path) != digest.hexdigest():
                raise FileDiffers(name=name) from None
    finally:
        draft.unlink(missing_ok=True)
    _sync(directory)
    return path


def _open_draft(draft: Path) -> int:
    """Returns the descriptor of the empty draft. Its lock says that somebody writes it, and a killed
    process holds none.
    """
    while True:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Whoever had the lock before may have removed the draft.
        if os.fstat(descriptor).st_nlink:
            os.truncate(descriptor, 0)
            return descriptor
        os.close(descriptor)


def _remove_abandoned(directory: Path, name: str) -> None:
    for draft in directory.glob(f".{glob.escape(name)}.*"):
        try:
            descriptor = os.open(draft, os.O_WRONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink(missing_ok=True)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
