"""`python -m config.tutorial PAGE`: the shell blocks of a page are run verbatim, in one shell.

A block is fenced as `sh`. The indented lines after it are lines of its output; `...` stands for
anything.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```sh\n((?:(?!```).*\n)*)```\n((?:\n|    .*\n)*)", re.MULTILINE)
# Between the outputs of two blocks.
_NEXT = "\x1e"


class Stopped(Exception):
    """A block failed, or did not print what the page says."""


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of the page, and lines that they print."""

    commands: str
    printed: tuple[str, ...]

    def missing(self, output: str) -> list[str]:
        """Returns the lines of the page that are not in the output."""
        there = [line.strip() for line in output.splitlines()]
        return [line for line in self.printed if not any(_fits(line, each) for each in there)]


def _fits(expected: str, line: str) -> bool:
    parts = (re.escape(part) for part in expected.split("..."))
    return re.fullmatch(".*".join(parts), line) is not None


def blocks(page: Path) -> list[Block]:
    """Returns the blocks of the page in their order."""
    return [
        Block(commands, tuple(line.strip() for line in printed.splitlines() if line.strip()))
        for commands, printed in _BLOCK.findall(page.read_text(encoding="utf-8"))
    ]


def run(page: Path, *, environment: dict[str, str], place: Path = ROOT) -> Iterator[str]:
    """Every block has run in the directory `place`. Yields each block, and then what it printed.

    Raises `Stopped` at the first block that fails or does not print its lines.
    """
    todo = blocks(page)
    script = "".join(f"{block.commands}printf '{_NEXT}\\n'\n" for block in todo)
    shell = subprocess.Popen(
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", script],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if shell.stdout is None:
        raise AssertionError("the shell's output is a pipe")
    try:
        for number, block in enumerate(todo, 1):
            yield "\n" + "".join(f"$ {line}\n" for line in block.commands.splitlines())
            output = ""
            for line in shell.stdout:
                if line.rstrip("\n") == _NEXT:
                    break
                output += line
                yield line
            else:
                raise Stopped(f"block {number} of {len(todo)} ended with code {shell.wait()}")
            if missing := block.missing(output):
                raise Stopped(f"block {number} did not print: {missing}")
    finally:
        shell.kill()
        shell.wait()
        shell.stdout.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.tutorial", description=__doc__)
    parser.add_argument("page", type=Path, help="docs/tutorial.md")
    page: Path = parser.parse_args().page
    with tempfile.TemporaryDirectory(prefix="winddown-tutorial-") as place:
        # The embedded servers let nobody else in.
        Path(place).chmod(0o755)
        os.environ["WINDDOWN_LOCAL_DIR"] = place
        # The servers run for as long as this process has the settings.
        from django.conf import settings

        settings.DATABASES  # noqa: B018
        try:
            for line in run(page, environment=dict(os.environ)):
                print(line, end="", flush=True)
        except Stopped as why:
            print(f"\nSTOPPED: {why}", file=sys.stderr)
            return 1
    print(f"\n{page} ran to its end.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
