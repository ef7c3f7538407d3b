"""A directory of files as one file that a browser saves."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self


@dataclass(frozen=True, slots=True)
class Zipped:
    """The files of a directory, which is gone, in one file without a name on the disk."""

    name: str
    file: IO[bytes]

    @classmethod
    def written(cls, name: str, write: Callable[[Path], object]) -> Self:
        """Returns what `write` writes into an empty directory. Raises what `write` raises."""
        with tempfile.TemporaryDirectory(prefix="winddown-zip-") as kept:
            directory = Path(kept) / name
            directory.mkdir()
            write(directory)
            file = tempfile.TemporaryFile()  # noqa: SIM115  whoever sends it closes it
            with zipfile.ZipFile(file, "w", compression=zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(directory.iterdir()):
                    archive.write(path, f"{name}/{path.name}")
        file.seek(0)
        return cls(f"{name}.zip", file)
