"""Documents that a command prints from the code: updates them, or only compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path


class Printed:
    """The files in a directory that one command prints, as text by name.

    Other files in the directory with one of the same endings are obsolete, unless it is shared with
    documents that people write.
    """

    def __init__(self, directory: Path, wanted: Mapping[str, str], *, shared: bool = False) -> None:
        self._directory = directory
        self._wanted = wanted
        endings = {Path(name).suffix for name in wanted}
        self.stale = [name for name in sorted(wanted) if self._text(name) != wanted[name]]
        self.left_over = sorted(
            path.name
            for path in (directory.iterdir() if directory.is_dir() and not shared else ())
            if path.suffix in endings and path.name not in wanted
        )

    def bring_up_to_date(self) -> None:
        """The directory holds these files with the right text, and no obsolete ones."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for name in self.left_over:
            (self._directory / name).unlink()
        for name in self.stale:
            (self._directory / name).write_text(self._wanted[name], encoding="utf-8")

    def answer(self, *, command: str, check: bool, say: Callable[[str], object]) -> int:
        """Returns the exit code of `manage.py command [--check]`; without `check` all is up to date."""
        if check:
            for name in [*self.stale, *self.left_over]:
                say(f"{self._directory / name} is not up to date: run manage.py {command}")
            return 1 if self.stale or self.left_over else 0
        self.bring_up_to_date()
        say(
            f"{len(self._wanted)} files in {self._directory}, {len(self.stale)} of them written anew."
        )
        return 0

    def _text(self, name: str) -> str | None:
        path = self._directory / name
        return path.read_text(encoding="utf-8") if path.is_file() else None
