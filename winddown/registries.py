"""Registries: lists that one app owns and the later apps fill.

This is the one mechanism for all of them. docs/registries.md is printed from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from winddown.errors import WinddownError

Entry = TypeVar("Entry")
Given = TypeVar("Given")


class AlreadyRegistered(WinddownError):
    """{registry} already has an entry {name}."""


class NotRegistered(WinddownError):
    """{registry} has no entry {name}; known are {known}."""


class Registry(Generic[Entry]):
    """Entries of one kind by name, in the order of their places, then of registration.

    A registry is filled while the apps start, and read afterwards.
    """

    all: ClassVar[dict[str, Registry[Any]]] = {}

    def __init__(self, name: str, *, entries_are: str, owner: str) -> None:
        """`entries_are` says in one clause what an entry is; `owner` is the module that owns the
        registry.
        """
        if name in Registry.all:
            raise AlreadyRegistered(registry="the list of registries", name=name)
        self.name = name
        self.entries_are = entries_are
        self.owner = owner
        self.entries: dict[str, Entry] = {}
        self._places: dict[str, int] = {}
        Registry.all[name] = self

    def add(self, name: str, entry: Entry, *, place: int = 0) -> None:
        """The registry has the entry. Raises `AlreadyRegistered` for a second one of that name."""
        if name in self.entries:
            raise AlreadyRegistered(registry=self.name, name=name)
        self.entries[name] = entry
        self._places[name] = place

    def add_all(self, entries: Mapping[str, Entry]) -> None:
        """The registry has all entries, at the end. Raises `AlreadyRegistered`."""
        for name, entry in entries.items():
            self.add(name, entry)

    def entry(self, name: str, *, place: int = 0) -> Callable[[Given], Given]:
        """The function or class under it is the entry `name`."""

        def register(given: Given) -> Given:
            self.add(name, given, place=place)  # type: ignore[arg-type]
            return given

        return register

    def get(self, name: str) -> Entry | None:
        """Returns the entry, or None."""
        return self.entries.get(name)

    def __getitem__(self, name: str) -> Entry:
        """Returns the entry; raises `NotRegistered`, which lists the known names."""
        if name not in self.entries:
            raise NotRegistered(registry=self.name, name=name, known=", ".join(self.names()))
        return self.entries[name]

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> list[str]:
        """Returns the names in order of their places."""
        return sorted(self.entries, key=lambda name: self._places.get(name, 0))

    def values(self) -> list[Entry]:
        """Returns the entries in order of their places."""
        return [self.entries[name] for name in self.names()]

    def items(self) -> list[tuple[str, Entry]]:
        """Returns names and entries in order of their places."""
        return [(name, self.entries[name]) for name in self.names()]
