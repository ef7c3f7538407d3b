"""Files of records of fixed width. A file whose frame, order or totals are wrong is refused whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, NoReturn

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.kana import BANK_CHARACTERS
from refunds.bankfiles.sources import Opened, Readable, Source

ENCODING = "cp932"
RECORD_BYTES = 120
RECORDS_MAX = 999_999
SUM_MAX_MINOR = 999_999_999_999
CRLF = b"\r\n"
_EOF_MARK = b"\x1a"
# The records that a file holds at most, with their line ends, and some room.
FILE_BYTES_MAX = 2**27
_RECORDS_PER_READ = 1000


class Field(NamedTuple):
    """One field. `pattern` matches exactly `width` characters. `what` says what must be there."""

    name: str
    width: int
    pattern: str
    what: str

    @property
    def is_read(self) -> bool:
        return not self.name.startswith("_")


def constant(text: str, what: str) -> Field:
    return Field("_constant", len(text), re.escape(text), what)


def digits(name: str, width: int, what: str) -> Field:
    return Field(name, width, f"[0-9]{{{width}}}", what)


def positive(name: str, width: int, what: str) -> Field:
    return Field(name, width, f"(?!0{{{width}}})[0-9]{{{width}}}", what)


def text(name: str, width: int, what: str) -> Field:
    return Field(name, width, f"[{BANK_CHARACTERS}][{BANK_CHARACTERS} ]{{{width - 1}}}", what)


def optional_text(name: str, width: int, what: str) -> Field:
    pattern = f"(?:[{BANK_CHARACTERS}][{BANK_CHARACTERS} ]{{{width - 1}}}| {{{width}}})"
    return Field(name, width, pattern, what)


def month_day(name: str, what: str) -> Field:
    days = "0[1-9]|[12][0-9]"
    pattern = f"(?:(?:0[13578]|1[02])(?:{days}|3[01])|(?:0[469]|11)(?:{days}|30)|02(?:{days}))"
    return Field(name, 4, pattern, what)


def spaces(width: int) -> Field:
    return Field("_spare", width, f" {{{width}}}", "spaces")


class Layout:
    """The fields of one kind of record, `width` bytes together, compiled once into one pattern."""

    def __init__(self, name: str, *fields: Field, width: int = RECORD_BYTES) -> None:
        if sum(field.width for field in fields) != width:
            raise AssertionError(f"the fields of {name} do not fill a record")
        self.name = name
        self.fields = fields
        self._pattern = re.compile(
            "".join(f"({f.pattern})" if f.is_read else f"(?:{f.pattern})" for f in fields)
        )

    def read(self, line: str, *, record: int) -> tuple[str, ...]:
        """Returns the named fields of the line, in order; raises at the first wrong position."""
        match = self._pattern.fullmatch(line)
        if match is None:
            self._refuse(line, record=record)
        return match.groups()

    def _refuse(self, line: str, *, record: int) -> NoReturn:
        start = 0
        for field in self.fields:
            if not re.fullmatch(field.pattern, line[start : start + field.width]):
                raise BankFileError(
                    f"{self.name}: {field.what} expected", record=record, position=start + 1
                )
            start += field.width
        raise AssertionError("a line that breaks the pattern breaks one of its fields")


END = Layout("end record", constant("9", "record class 9"), spaces(RECORD_BYTES - 1))


class Framed:
    """One file of header, data, trailer and end records. It is read once, and memory does not grow
    with it.

    The first header is read at once. The iteration yields the record number and the fields of each
    data record. The control totals, the end record and everything after it are checked before the
    iteration ends. A caller may therefore believe a file only after its loop. Then `count`,
    `sum_minor` and `sha256` are valid. `amount_at` is the index of the amount among the data fields.
    The first two fields of every trailer are the count and the sum.

    A file has one group of header, data and trailer, with data. A subclass may take `several`, and
    groups that are `empty`: it hears of each further header by `begin`, and of each trailer by `end`.
    """

    several = empty = False

    def __init__(
        self,
        source: Source,
        *,
        header: Layout,
        data: Layout,
        trailer: Layout,
        amount_at: int,
    ) -> None:
        self._opened = Opened(source, bytes_max=FILE_BYTES_MAX)
        self._records = records(self._opened)
        self._data = data
        self._trailer = trailer
        self._amount_at = amount_at
        self.count = 0
        self.sum_minor = 0
        self.sha256 = ""
        self._header = header
        number, line = next(self._records)
        self.header = header.read(line, record=number)

    def begin(self, header: tuple[str, ...], *, record: int) -> None:
        """A further group begins with this header."""

    def end(self, trailer: tuple[str, ...], *, record: int) -> None:
        """A group has ended with this trailer, whose count and sum are right."""

    def expect(self, data: Layout) -> None:
        """The data records have this layout: for files whose header says what follows."""
        self._data = data

    def __iter__(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        has_more = True
        while has_more:
            read_data, amount_at = self._data.read, self._amount_at
            count = sum_minor = 0
            for number, line in self._records:
                if line[0] != "2":
                    break
                fields = read_data(line, record=number)
                count += 1
                sum_minor += int(fields[amount_at])
                yield number, fields
            else:
                raise BankFileError("the file is cut off: trailer and end record are missing")
            self.count += count
            self.sum_minor += sum_minor
            has_more = self._close(number, line, count=count, sum_minor=sum_minor)
        self.sha256 = self._opened.sha256

    def _close(self, number: int, line: str, *, count: int, sum_minor: int) -> bool:
        """Returns whether another group begins behind this one."""
        if line[0] != "8":
            raise BankFileError("data record or trailer expected", record=number, position=1)
        trailer = self._trailer.read(line, record=number)
        if not (count or self.empty):
            raise BankFileError("trailer without data records", record=number, position=1)
        check_total(trailer[0], count, of="records", record=number, position=2)
        check_total(trailer[1], sum_minor, of="amounts", record=number, position=8)
        self.end(trailer, record=number)
        number, line = next(self._records, (0, ""))
        if not number:
            raise BankFileError("the file is cut off: the end record is missing")
        if line[0] == "1":
            if not self.several:
                raise BankFileError(
                    "a second header: one file holds one group", record=number, position=1
                )
            self.header = self._header.read(line, record=number)
            self.begin(self.header, record=number)
            return True
        END.read(line, record=number)
        for number, _ in self._records:
            raise BankFileError("records behind the end record", record=number, position=1)
        return False


def check_total(declared: str, found: int, *, of: str, record: int, position: int) -> None:
    """The control total in the trailer equals what the data records hold."""
    if int(declared) != found:
        raise BankFileError(
            f"trailer: the total of {of} differs from the data records",
            record=record,
            position=position,
        )


def records(stream: Readable, *, width: int = RECORD_BYTES) -> Iterator[tuple[int, str]]:
    """Yields (record number from 1, `width` characters): at least one record, each byte a
    character.

    Either no record or every record ends with CRLF, and the first one decides for the whole file.
    The last record may lack its CRLF. LF alone or CR alone is an error at every bank. One 0x1A may
    follow the last record, as in files made for old
    transmission software.
    """
    number, waiting, stride = 0, b"", 0
    while block := stream.read(_RECORDS_PER_READ * (width + len(CRLF))):
        waiting += block
        if not stride:
            if len(waiting) < width + len(CRLF):
                continue
            stride = _stride(waiting, width=width)
        whole = len(waiting) - len(waiting) % stride
        for line in _lines(waiting[:whole], stride=stride, width=width, before=number):
            number += 1
            yield number, line
        waiting = waiting[whole:]
    if not number:
        raise BankFileError("the file is shorter than one header and one end record")
    if len(waiting) in (width, width + 1) and waiting[width:] in (b"", _EOF_MARK):
        yield number + 1, _single_bytes(waiting[:width], stride=stride, before=number)
        waiting = waiting[width:]
    if waiting not in (b"", _EOF_MARK):
        raise BankFileError(
            f"{len(waiting)} bytes where {stride} are expected", record=number + 1, position=1
        )


def _stride(head: bytes, *, width: int) -> int:
    """Returns how many bytes lie between the starts of two records."""
    # Bytes from 0xE0 never occur in a file of single-byte characters, and every kana in UTF-8
    # begins with one.
    if head.startswith(b"\xef\xbb\xbf") or re.search(rb"[\xe3\xef][\x80-\xbf]{2}", head):
        raise BankFileError("the file is UTF-8; the bank's encoding is cp932", record=1)
    ending = head[width : width + 2]
    if ending == CRLF:
        return width + len(CRLF)
    if ending[:1] in (b"\r", b"\n"):
        raise BankFileError(
            "the line ends with LF or CR alone; CRLF or nothing is expected",
            record=1,
            position=width + 1,
        )
    return width


def _lines(block: bytes, *, stride: int, width: int, before: int) -> Iterator[str]:
    """Returns the records of a block as text. The block has whole records only. `before` records
    came earlier.
    """
    characters = _single_bytes(block, stride=stride, before=before)
    for start in range(0, len(characters), stride):
        line = characters[start : start + stride]
        if stride != width:
            if line[width:] != "\r\n":
                raise BankFileError(
                    f"CRLF expected after {width} bytes",
                    record=before + start // stride + 1,
                    position=width + 1,
                )
            line = line[:width]
        yield line


def _single_bytes(block: bytes, *, stride: int, before: int) -> str:
    """Returns the block as text of single-byte characters. Raises with the place of the first other
    byte.
    """
    try:
        characters = block.decode(ENCODING)
    except UnicodeDecodeError as error:
        place = error.start
    else:
        if len(characters) == len(block):
            return characters
        single = (len(character.encode(ENCODING)) == 1 for character in characters)
        place = next(index for index, is_single in enumerate(single) if not is_single)
    raise BankFileError(
        "not a single-byte character of cp932",
        record=before + place // stride + 1,
        position=place % stride + 1,
    )


def encode_records(lines: Sequence[str], *, line_end: bytes, encoding: str = ENCODING) -> bytes:
    """Returns the lines as bytes, each followed by the line end. Raises `BankFileError` if the
    encoding makes a record longer than its 120 bytes.
    """
    ending = line_end.decode("ascii")
    text = ending.join(lines) + ending
    content = text.encode(encoding)
    if len(content) != len(text):
        raise BankFileError(f"a record in {encoding} has more than {RECORD_BYTES} bytes")
    return content
