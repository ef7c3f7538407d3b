"""XML from outside, read as a stream: no document type, no entity, no network, and limits on all.

The parser is expat, and it is given nothing that could open a file or a connection. A document type
is refused where it begins, so no entity can be declared, neither one that grows nor one that names a
file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.sources import BLOCK_BYTES, Opened

DEPTH_MAX: Final = 32
# Of one element with all that is in it; only one is in memory.
ELEMENTS_MAX: Final = 100_000
TEXT_MAX: Final = 10_000
ATTRIBUTES_MAX: Final = 16
_SEPARATOR: Final = "|"


@dataclass(slots=True)
class Element:
    """An element with everything in it. `tag` has no namespace if it is the document's own."""

    tag: str
    attributes: dict[str, str]
    line: int
    column: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, path: str) -> list[Element]:
        """Returns the elements at the path, as `Refs/EndToEndId`; none is no error."""
        found = [self]
        for tag in path.split("/"):
            found = [child for one in found for child in one.children if child.tag == tag]
        return found

    def first(self, *paths: str) -> Element | None:
        """Returns the first element that is at one of the paths."""
        for path in paths:
            if found := self.all(path):
                return found[0]
        return None

    def said(self, *paths: str, length_max: int = 140) -> str:
        """Returns the text at the first of the paths that exists, stripped; empty if none does."""
        found = self.first(*paths)
        if found is None:
            return ""
        text = found.text.strip()
        if len(text) > length_max:
            found.refuse(f"{found.tag}: at most {length_max} characters expected")
        return text

    def refuse(self, reason: str) -> NoReturn:
        raise BankFileError(reason, record=self.line, position=self.column)


@dataclass(frozen=True, slots=True)
class Event:
    """A container begins (`begins`), a container ends, or an element that is in one is complete.

    `path` is that of the container, and `element` is None unless an element is complete.
    """

    path: str
    begins: bool
    element: Element | None
    line: int


class _Reader:
    """Collects events from the parser's calls."""

    def __init__(self, containers: frozenset[str], *, namespaces: re.Pattern[str]) -> None:
        self._containers = containers
        self._namespaces = namespaces
        self._prefix = ""
        self.events: list[Event] = []
        self._path: list[str] = []
        self._open: list[Element] = []
        self._elements = 0
        self.parser = expat.ParserCreate(encoding="UTF-8", namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.EntityDeclHandler = self._document_type
        self.parser.ExternalEntityRefHandler = self._document_type
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def refuse(self, reason: str) -> NoReturn:
        raise BankFileError(
            reason,
            record=self.parser.CurrentLineNumber,
            position=self.parser.CurrentColumnNumber + 1,
        )

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in ("UTF-8", "UTF8"):
            self.refuse("encoding UTF-8 expected")

    def _document_type(self, *_: object) -> int:
        self.refuse("a document without a document type and entities expected")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) + len(self._open) >= DEPTH_MAX:
            self.refuse(f"at most {DEPTH_MAX} levels expected")
        if len(attributes) > ATTRIBUTES_MAX:
            self.refuse(f"at most {ATTRIBUTES_MAX} attributes expected")
        if not self._path:
            self._prefix = self._version(name)
        # The name of an element of another namespace keeps it, so nothing looks for it.
        tag = name.removeprefix(self._prefix)
        parser, is_open = self.parser, self._open
        if not is_open:
            path = "/".join([*self._path, tag])
            if path in self._containers:
                self._path.append(tag)
                line = parser.CurrentLineNumber
                self.events.append(Event(path, begins=True, element=None, line=line))
                return
            if not self._path:
                self.refuse("the root of this format's documents expected")
            self._elements = 0
        self._elements += 1
        if self._elements > ELEMENTS_MAX:
            self.refuse(f"at most {ELEMENTS_MAX:,} elements in one part expected")
        element = Element(tag, attributes, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        if is_open:
            is_open[-1].children.append(element)
        is_open.append(element)

    def _version(self, root: str) -> str:
        """Returns what the names of the document's own namespace begin with."""
        namespace, separator, _ = root.rpartition(_SEPARATOR)
        if not self._namespaces.fullmatch(namespace):
            self.refuse("a document of one of the versions that this format has, expected")
        return namespace + separator

    def _end(self, _name: str) -> None:
        line = self.parser.CurrentLineNumber
        if not self._open:
            path = "/".join(self._path)
            self._path.pop()
            self.events.append(Event(path, begins=False, element=None, line=line))
            return
        element = self._open.pop()
        if not self._open:
            path = "/".join(self._path)
            self.events.append(Event(path, begins=False, element=element, line=line))

    def _characters(self, text: str) -> None:
        if not self._open:
            if text.strip():
                self.refuse("an element expected, and no text")
            return
        element = self._open[-1]
        element.text += text
        if len(element.text) > TEXT_MAX:
            self.refuse(f"at most {TEXT_MAX:,} characters expected")


def events(
    opened: Opened, *, containers: frozenset[str], namespaces: re.Pattern[str]
) -> Iterator[Event]:
    """Yields what a document holds, one part after the other.

    A container is named by its path, as `Document/CstmrPmtStsRpt`, and is never in memory as a
    whole. Every other element in a container is yielded once it is complete. `namespaces` matches the
    versions that are read. Raises `BankFileError` with line and column.
    """
    reader = _Reader(containers, namespaces=namespaces)
    is_last = False
    while not is_last:
        block = opened.read(BLOCK_BYTES)
        is_last = not block
        try:
            reader.parser.Parse(block, is_last)
        except expat.ExpatError as error:
            raise BankFileError(
                f"well-formed XML in UTF-8 expected ({expat.ErrorString(error.code)})",
                record=error.lineno,
                position=error.offset + 1,
            ) from None
        found, reader.events = reader.events, []
        yield from found
