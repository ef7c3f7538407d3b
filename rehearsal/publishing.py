"""The publications of a rehearsed notice, one in every channel that the law asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from winddown import clock
from winddown.models import Programme
from winddown.programme import jurisdictions


@contextmanager
def arguments() -> Iterator[list[tuple[str, ...]]]:
    """Yields the arguments of `record_publication` for each channel. The evidence is a file that says
    that it is of a rehearsal; it is there until the end of the block.
    """
    now = f"{clock.now().astimezone(Programme.current().zone):%Y-%m-%dT%H:%M}"
    with TemporaryDirectory() as directory:
        found: list[tuple[str, ...]] = []
        for number, duty in enumerate(jurisdictions.current().publications, 1):
            channel = duty.any_of[0]
            evidence = Path(directory) / f"{channel}.txt"
            evidence.write_text(f"rehearsal of publication {number} in {channel}\n")
            found.append(
                (
                    f"--channel={channel}",
                    "--place=rehearsal",
                    f"--began-at={now}",
                    f"--evidence={evidence}",
                )
            )
        yield found
