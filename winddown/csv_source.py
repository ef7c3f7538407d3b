"""A CSV file as it came: examined byte by byte, then turned into the lines that COPY takes, in flat memory."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from winddown.errors import LoadRefused

# Shift_JIS as Japanese systems write it is Microsoft's code page 932.
CODECS = {"utf-8": "utf-8", "shift_jis": "cp932"}
BLOCK_BYTES = 1 << 20
LINE_BYTES_MAX = 1 << 20
BOM = b"\xef\xbb\xbf"
# Separates the values of a line that has too many or too few of them.
UNIT_SEPARATOR = "\x1f"

_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uff00-\uffef]")
_COPY_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", UNIT_SEPARATOR: "\t"}
)


@dataclass(frozen=True, slots=True)
class Examined:
    """What one pass over the bytes found: enough to choose how to read them, and to know them again."""

    sha256: str
    size_bytes: int
    has_bom: bool
    is_plain: bool


def examined(path: Path, *, encoding: str) -> Examined:
    """The file is readable and holds no byte that no text has. Raises `LoadRefused`.

    A plain file has no quote and ends every line alike, so that its lines can be split without a parser.
    """
    digest = hashlib.sha256()
    size, lines, plain, judged, head = 0, 1, True, encoding != "shift_jis", b""
    try:
        with path.open("rb") as file:
            for block in _blocks(file, name=path.name):
                head = head or block[:3]
                digest.update(block)
                if b"\0" in block:
                    line, byte = _place(block, block.index(b"\0"), first_line=lines)
                    raise LoadRefused(
                        file=path.name,
                        why=f"line {line}, byte {byte} is a NUL, which no text contains; the file"
                        " may be UTF-16: save it as UTF-8",
                    )
                if not judged and not block.isascii():
                    judged = True
                    _refuse_utf_8_as_shift_jis(block, name=path.name)
                plain = plain and b'"' not in block and block.count(b"\r") == block.count(b"\r\n")
                size += len(block)
                lines += block.count(b"\n")
    except OSError as error:
        raise LoadRefused(file=path.name, why=f"it cannot be read: {error.strerror}") from error
    if size == 0:
        raise LoadRefused(
            file=path.name, why="it is empty; its first line must name the columns"
        )
    return Examined(
        sha256=digest.hexdigest(), size_bytes=size, has_bom=head == BOM, is_plain=plain
    )


def _refuse_utf_8_as_shift_jis(block: bytes, *, name: str) -> None:
    # Much of UTF-8 is also valid Shift_JIS and would load as wrong characters without any error.
    try:
        text = block.decode()
    except UnicodeDecodeError:
        return
    if _JAPANESE.search(text):
        raise LoadRefused(
            file=name, why="it is UTF-8, not Shift_JIS: load it without --encoding shift_jis"
        )


class CsvSource:
    """The rows of an examined file, in the order of the file, as text lines for COPY.

    `header` is in the order of the file. Each COPY line is: line number in the file, the values of a misfit line joined
    by the unit separator (else empty), then one value per column of the header. Empty means NULL. Blank lines are no
    rows. `sha256` is complete when the last line was taken; the caller compares it with what was examined.
    """

    def __init__(self, path: Path, *, encoding: str, found: Examined) -> None:
        self.name = path.name
        self.rows = 0
        self.bytes_read = 0
        self.sha256 = ""
        self._path = path
        self._encoding = encoding
        self._codec = CODECS[encoding]
        self._found = found
        with path.open("rb") as file:
            self.header = self._read_header(file)

    def _read_header(self, file: BinaryIO) -> tuple[str, ...]:
        reader = csv.reader(self._lines(file, track=False), strict=True)
        try:
            return tuple(next(reader, ()))
        except csv.Error as error:
            raise self._refusal(f"line 1 is not CSV ({error})") from error

    def copy_lines(self) -> Iterator[str]:
        with self._path.open("rb") as file:
            yield from self._plain(file) if self._found.is_plain else self._parsed(file)

    def _plain(self, file: BinaryIO) -> Iterator[str]:
        """Every line is one row and every comma separates: whole blocks are turned at once."""
        commas, number = len(self.header) - 1, 0
        for text in self._texts(file, track=True):
            lines = text.replace("\r\n", "\n").split("\n")
            if not lines[-1]:
                lines.pop()
            if number == 0:
                lines[0] = ""
            if {line.count(",") for line in lines} == {commas}:
                turned = "\n".join(lines).replace("\\", "\\\\").replace("\t", "\\t")
                rows = turned.replace(",", "\t").split("\n")
                self.rows += len(rows)
                yield "".join(
                    [f"{line}\t\t{row}\n" for line, row in enumerate(rows, start=number + 1)]
                )
            else:
                yield "".join(
                    self._row(line, row.split(","))
                    for line, row in enumerate(lines, start=number + 1)
                    if row
                )
            number += len(lines)

    def _parsed(self, file: BinaryIO) -> Iterator[str]:
        reader = csv.reader(self._lines(file, track=True), strict=True)
        line = 1
        try:
            next(reader, None)
            line = reader.line_num + 1
            for values in reader:
                if values:
                    yield self._row(line, values)
                line = reader.line_num + 1
        except csv.Error as error:
            raise self._refusal(
                f"line {line} is not CSV ({error}); a value with a quote or a comma stands in"
                " quotes, and a quote inside it is doubled"
            ) from error

    def _row(self, line: int, values: list[str]) -> str:
        self.rows += 1
        joined = UNIT_SEPARATOR.join(values)
        if joined.count(UNIT_SEPARATOR) == len(self.header) - 1:
            return f"{line}\t\t{joined.translate(_COPY_ESCAPES)}\n"
        kept = joined.translate({**_COPY_ESCAPES, ord(UNIT_SEPARATOR): UNIT_SEPARATOR})
        return f"{line}\t{kept}{chr(9) * len(self.header)}\n"

    def _lines(self, file: BinaryIO, *, track: bool) -> Iterator[str]:
        for text in self._texts(file, track=track):
            yield from io.StringIO(text, newline="\n")

    def _texts(self, file: BinaryIO, *, track: bool) -> Iterator[str]:
        """Whole lines, decoded, a block at a time; the hash and the progress move along."""
        digest, line, offset = hashlib.sha256(), 1, 0
        for block in _blocks(file, name=self.name):
            if track:
                digest.update(block)
                self.bytes_read += len(block)
            skip = len(BOM) if offset == 0 and self._found.has_bom else 0
            yield self._decoded(block, skip=skip, first_line=line)
            line += block.count(b"\n")
            offset += len(block)
        if track:
            self.sha256 = digest.hexdigest()

    def _decoded(self, block: bytes, *, skip: int, first_line: int) -> str:
        try:
            return block[skip:].decode(self._codec)
        except UnicodeDecodeError as error:
            line, byte = _place(block, skip + error.start, first_line=first_line)
            spoken, other = ("UTF-8", "shift_jis") if self._codec == "utf-8" else ("Shift_JIS", "utf-8")
            raise self._refusal(
                f"line {line}, byte {byte} (0x{block[skip + error.start]:02X}) is not {spoken}; if the"
                f" file is in the other encoding, load it with --encoding {other}"
            ) from error

    def _refusal(self, why: str) -> LoadRefused:
        return LoadRefused(file=self.name, why=why)


def _blocks(file: BinaryIO, *, name: str) -> Iterator[bytes]:
    """The file in blocks that end with a line. A line feed is one byte in both encodings and part of no other character."""
    rest = b""
    while chunk := file.read(BLOCK_BYTES):
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        if len(rest) > LINE_BYTES_MAX:
            raise LoadRefused(
                file=name, why=f"a line is longer than {LINE_BYTES_MAX:,} bytes; is it a CSV file?"
            )
        if cut:
            yield data[:cut]
    if rest:
        yield rest


def _place(block: bytes, index: int, *, first_line: int) -> tuple[int, int]:
    """Line of the file and byte of that line, both from 1."""
    before = block[:index]
    return first_line + before.count(b"\n"), index - before.rfind(b"\n")
