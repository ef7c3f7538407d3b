"""A file from outside is read in pieces, within a limit, and unpacked if it is compressed."""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import BinaryIO, Final, Protocol, TypeAlias

from refunds.bankfiles.errors import BankFileError

Source: TypeAlias = bytes | BinaryIO
FILE_BYTES_MAX: Final = 64 * 2**20
# Bank files compress to a twentieth at best. A bomb compresses to a thousandth.
RATIO_MAX: Final = 100
BLOCK_BYTES: Final = 2**16
_GZIP: Final = b"\x1f\x8b"
# The beginnings of formats that hold files of their own, with the words for them.
_ARCHIVES: Final = (
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc", "7z"),
)


def beginning(source: Source, size: int) -> bytes:
    """Returns the first bytes of the file, unpacked. A stream is at its beginning again."""
    head = Opened(source).read(size)
    if not isinstance(source, bytes):
        source.seek(0)
    return head


class Readable(Protocol):
    """What a reader asks of a file."""

    def read(self, size: int, /) -> bytes: ...


class Opened:
    """A file that is read once: gzip is unpacked, and nothing exceeds the limits.

    `read` returns at most `size` bytes, and all of them before the end. It raises `BankFileError`
    if the file is larger than `bytes_max` once unpacked, if it is more than `RATIO_MAX` times as
    large as its compressed form, if its compressed form is damaged or holds a second file, and if
    it is an archive. `sha256` is that of the bytes as they came, and valid after the last read.
    """

    def __init__(self, source: Source, *, bytes_max: int = FILE_BYTES_MAX) -> None:
        self._stream = io.BytesIO(source) if isinstance(source, bytes) else source
        self._digest = hashlib.sha256()
        self._bytes_max = bytes_max
        self._came = self._given = 0
        self._waiting = b""
        head = self._take()
        for mark, word in _ARCHIVES:
            if head.startswith(mark):
                raise BankFileError(
                    f"the file is packed as {word}; gzip or a plain file is expected"
                )
        self._unpack = zlib.decompressobj(wbits=31) if head.startswith(_GZIP) else None
        self._packed = head
        self._ended = not head

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def read(self, size: int, /) -> bytes:
        while len(self._waiting) < size and not self._ended:
            self._waiting += self._next()
        given, self._waiting = self._waiting[:size], self._waiting[size:]
        return given

    def _take(self) -> bytes:
        block = self._stream.read(BLOCK_BYTES)
        self._digest.update(block)
        self._came += len(block)
        return block

    def _next(self) -> bytes:
        """Returns the next piece of the file; `_ended` is true if there is none."""
        if self._unpack is None:
            piece, self._packed = self._packed, b""
            piece = piece or self._take()
            self._ended = not piece
        else:
            piece = self._inflated(self._unpack)
        self._given += len(piece)
        if self._given > self._bytes_max:
            raise BankFileError(f"the file is larger than {self._bytes_max:,} bytes; split it")
        if self._unpack is not None and self._given > max(RATIO_MAX * self._came, BLOCK_BYTES):
            raise BankFileError(f"the file unpacks to more than {RATIO_MAX} times its size")
        return piece

    def _inflated(self, unpack: zlib._Decompress) -> bytes:
        packed = self._packed or self._take()
        try:
            piece = unpack.decompress(packed, BLOCK_BYTES)
        except zlib.error:
            raise BankFileError("the compressed file is damaged") from None
        # All of the input may be taken while a part of the output still waits inside.
        if not (packed or piece or unpack.eof):
            raise BankFileError("the compressed file is cut off")
        self._packed = unpack.unconsumed_tail
        if unpack.eof:
            self._ended = True
            if unpack.unused_data or self._take():
                raise BankFileError("bytes behind the end of the compressed file")
        return piece
