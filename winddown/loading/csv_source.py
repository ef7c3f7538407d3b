"""A CSV file as it came: checked byte by byte, then converted for COPY, in constant memory."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from winddown import texts
from winddown.card_numbers import CARD_NUMBER, card_number_in
from winddown.errors import LoadRefused
from winddown.loading.file_kinds import Column, FileKind

# Shift_JIS as Japanese systems write it is Microsoft's code page 932.
CODECS = {"utf-8": "utf-8", "shift_jis": "cp932"}
# So much text and its pieces fit into a processor's cache.
BLOCK_BYTES = 1 << 16
LINE_BYTES_MAX = 1 << 20
ROWS_AT_ONCE = 1_000
BOM = b"\xef\xbb\xbf"
# Separators in the description of a row's faults: between column and reason, and between faults.
UNIT_SEPARATOR = "\x1f"
RECORD_SEPARATOR = "\x1e"
Acceptable = Callable[[str], object]
CARD_NUMBER_FOUND = "looks like a full card number; send the issuer's token instead"

_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Examined:
    """What one pass over the bytes found: how to read them, and their hash."""

    sha256: str
    size_bytes: int
    has_bom: bool
    is_plain: bool


def examined(path: Path, *, encoding: str) -> Examined:
    """Returns what the bytes are. Raises `LoadRefused` if they are not readable text.

    A plain file has no quote and the same end on every line, so no parser is needed to split it.
    """
    digest = hashlib.sha256()
    size, plain, judged, head = 0, True, encoding != "shift_jis", b""
    try:
        with path.open("rb") as file:
            for block in _blocks(file, name=texts.name_of(path)):
                head = head or block[:3]
                digest.update(block)
                if b"\0" in block:
                    line, byte = _place(path, size + block.index(b"\0"))
                    raise LoadRefused(
                        file=texts.name_of(path),
                        why=f"line {line}, byte {byte} is a NUL, which no text contains; the file"
                        " may be UTF-16: save it as UTF-8",
                    )
                if not judged and not block.isascii():
                    judged = True
                    _refuse_utf_8_as_shift_jis(block, name=texts.name_of(path))
                plain = plain and b'"' not in block
                if plain and b"\r" in block:
                    plain = block.count(b"\r") == block.count(b"\r\n")
                size += len(block)
    except OSError as error:
        raise LoadRefused(
            file=texts.name_of(path), why=f"it cannot be read: {error.strerror}"
        ) from error
    if size == 0:
        raise LoadRefused(
            file=texts.name_of(path), why="it is empty; its first line must name the columns"
        )
    return Examined(sha256=digest.hexdigest(), size_bytes=size, has_bom=head == BOM, is_plain=plain)


def _refuse_utf_8_as_shift_jis(block: bytes, *, name: str) -> None:
    # Most UTF-8 text is also valid Shift_JIS. It would load as wrong characters without any error.
    try:
        text = block.decode()
    except UnicodeDecodeError:
        return
    if _JAPANESE.search(text):
        raise LoadRefused(
            file=name, why="it is UTF-8, not Shift_JIS: load it without --encoding shift_jis"
        )


class Faulty(Exception):
    """A line may have a fault, or is blank: each line must be judged by itself."""


class CsvSource:
    """The rows of an examined file, in the order of the file. Blank lines are no rows.

    `header` is in the order of the file. `read_as` comes before reading. `sha256` is complete when
    the last COPY line was taken; the caller compares it with what was examined.
    """

    def __init__(self, path: Path, *, encoding: str, found: Examined) -> None:
        self.name = texts.name_of(path)
        self.rows = 0
        self.bytes_read = 0
        self.sha256 = ""
        self.columns: tuple[Column, ...] = ()
        self.no_card_numbers_in: frozenset[str] = frozenset()
        self._path = path
        self._encoding = encoding
        self._codec = CODECS[encoding]
        self._found = found
        with path.open("rb") as file:
            reader = csv.reader(self._lines(file), strict=True)
            try:
                self.header = tuple(next(reader, ()))
            except csv.Error as error:
                raise self._refusal(f"line 1 is not CSV ({error})") from error

    def read_as(self, kind: FileKind) -> None:
        """The values are judged by the kind's columns, which the header names."""
        by_name = {column.name: column for column in kind.columns}
        self.columns = tuple(by_name[name] for name in self.header)
        self.no_card_numbers_in = kind.no_card_numbers_in

    def faultless_blocks(self) -> Iterator[str]:
        """Yields the lines of a plain file after its header as they came, for COPY in CSV format.

        One pattern judges a block of lines at once. Raises `Faulty` at a block in which a line may
        have a fault; `copy_lines` then says which line and why.
        """
        line = ",".join(column.in_line for column in self.columns)
        # Possessive: a line that was matched is never tried again, so memory and time stay flat.
        faultless = re.compile(f"(?>(?:{line})\n)*+", re.MULTILINE)
        self.rows = self.bytes_read = 0
        with self._path.open("rb") as file:
            begun = False
            for text in self._texts(file, track=True):
                # One character is found in a tenth of the time of two.
                lines = text.replace("\r\n", "\n") if "\r" in text else text
                if not begun:
                    lines, begun = lines.partition("\n")[2], True
                if lines and not lines.endswith("\n"):
                    lines += "\n"
                matched = faultless.match(lines)
                if matched is None or matched.end() != len(lines):
                    raise Faulty
                if self.no_card_numbers_in and CARD_NUMBER.search(lines):
                    raise Faulty
                self.rows += lines.count("\n")
                yield lines

    def copy_lines(self) -> Iterator[str]:
        """Yields text for COPY: line number, the row's faults (empty if none), then its values.

        The values are in the header's order, and left out of a row with a fault. Empty means NULL.
        """
        self.rows = self.bytes_read = 0
        with self._path.open("rb") as file:
            acceptable = re.compile(",".join(column.in_line for column in self.columns)).fullmatch
            if self._found.is_plain:
                yield from self._turned(file, acceptable)
            else:
                rows = self._parsed(file, track=True)
                while portion := list(islice(rows, ROWS_AT_ONCE)):
                    yield "".join([self._turned_row(*row, acceptable) for row in portion])

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yields line number and values of every row, as they came."""
        with self._path.open("rb") as file:
            if self._found.is_plain:
                for line, text in enumerate(self._lines(file), 1):
                    if line > 1 and text.strip("\r\n"):
                        yield line, text.strip("\r\n").split(",")
            else:
                yield from self._parsed(file)

    def _turned(self, file: BinaryIO, acceptable: Acceptable) -> Iterator[str]:
        """Yields the COPY text of a plain file: every line is one row, so one pattern checks a
        whole line.

        Lines without fault are converted a block at a time. They hold no control character, so only
        the backslash is special to COPY.
        """
        card_number = CARD_NUMBER.search if self.no_card_numbers_in else None
        number = 0
        for text in self._texts(file, track=True):
            lines = text.replace("\r\n", "\n").split("\n")
            if not lines[-1]:
                lines.pop()
            if number == 0:
                lines[0] = ""
            if all(map(acceptable, lines)) and not (card_number and card_number(text)):
                self.rows += len(lines)
                rows = "\n".join(lines).replace("\\", "\\\\").replace(",", "\t").split("\n")
                yield "".join([f"{line}\t\t{row}\n" for line, row in enumerate(rows, number + 1)])
            else:
                yield "".join(
                    self._row(line, row.split(","))
                    for line, row in enumerate(lines, number + 1)
                    if row
                )
            number += len(lines)

    def _parsed(self, file: BinaryIO, *, track: bool = False) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(self._lines(file, track=track), strict=True)
        line = 1
        try:
            next(reader, None)
            line = reader.line_num + 1
            for values in reader:
                if values:
                    yield line, values
                line = reader.line_num + 1
        except csv.Error as error:
            raise self._refusal(
                f"line {line} is not CSV ({error}); a value with a quote or a comma stands in"
                " quotes, and a quote inside it is doubled"
            ) from error

    def _turned_row(self, line: int, values: list[str], acceptable: Acceptable) -> str:
        """Returns the row's COPY text. One pattern checks a row in which no value has a comma."""
        row = ",".join(values)
        if (
            row.count(",") != len(self.columns) - 1
            or not acceptable(row)
            or (self.no_card_numbers_in and CARD_NUMBER.search(row))
        ):
            return self._row(line, values)
        self.rows += 1
        turned = row.replace("\\", "\\\\").replace(",", "\t")
        return f"{line}\t\t{turned}\n"

    def _row(self, line: int, values: list[str]) -> str:
        self.rows += 1
        faults = self._faults(values)
        if not faults:
            row = "\t".join(values).replace("\\", "\\\\")
            return f"{line}\t\t{row}\n"
        listed = RECORD_SEPARATOR.join(f"{name}{UNIT_SEPARATOR}{why}" for name, why in faults)
        return f"{line}\t{listed}{chr(9) * len(self.header)}\n"

    def _faults(self, values: list[str]) -> list[tuple[str, str]]:
        if len(values) != len(self.columns):
            return [
                ("", f"has {len(values)} values, the first line names {len(self.columns)} columns")
            ]
        judged = [
            (column.name, column.fault(value))
            for column, value in zip(self.columns, values, strict=True)
        ]
        faults = [(name, why) for name, why in judged if why]
        for column, value in zip(self.columns, values, strict=True):
            if column.name in self.no_card_numbers_in and card_number_in(value):
                faults.append((column.name, CARD_NUMBER_FOUND))
        return faults

    def _lines(self, file: BinaryIO, *, track: bool = False) -> Iterator[str]:
        for text in self._texts(file, track=track):
            yield from io.StringIO(text, newline="\n")

    def _texts(self, file: BinaryIO, *, track: bool) -> Iterator[str]:
        """Yields whole lines, decoded, a block at a time, and updates the hash and the progress."""
        digest, offset = hashlib.sha256(), 0
        for block in _blocks(file, name=self.name):
            if track:
                digest.update(block)
                self.bytes_read += len(block)
            skip = len(BOM) if offset == 0 and self._found.has_bom else 0
            yield self._decoded(block, skip=skip, offset=offset)
            offset += len(block)
        if track:
            self.sha256 = digest.hexdigest()

    def _decoded(self, block: bytes, *, skip: int, offset: int) -> str:
        try:
            return block[skip:].decode(self._codec)
        except UnicodeDecodeError as error:
            line, byte = _place(self._path, offset + skip + error.start)
            spoken, other = (
                ("UTF-8", "shift_jis") if self._codec == "utf-8" else ("Shift_JIS", "utf-8")
            )
            raise self._refusal(
                f"line {line}, byte {byte} (0x{block[skip + error.start]:02X}) is not {spoken}; if"
                f" the file is in the other encoding, load it with --encoding {other}"
            ) from error

    def _refusal(self, why: str) -> LoadRefused:
        return LoadRefused(file=self.name, why=why)


def _blocks(file: BinaryIO, *, name: str) -> Iterator[bytes]:
    """Yields the file in blocks that end with a line.

    A line feed is one byte in both encodings and part of no other character.
    """
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


def _place(path: Path, offset: int) -> tuple[int, int]:
    """Returns the line that has the byte at `offset`, and the byte of that line, both from 1."""
    line, begun, read = 1, 0, 0
    with path.open("rb") as file:
        while before := file.read(min(BLOCK_BYTES, offset - read)):
            line += before.count(b"\n")
            begun = max(begun, read + before.rfind(b"\n") + 1) if b"\n" in before else begun
            read += len(before)
    return line, offset - begun + 1
