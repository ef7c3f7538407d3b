"""`python -m proof.nginx COMMAND ...`: the command runs on a machine with nginx."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Returns the command's exit code. Root has nginx installed if it is missing."""
    if not _is_there() and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "-y", "nginx-light"]):
            subprocess.run(["apt-get", "-qq", *words], env=environment, check=False)  # noqa: S607
    if not _is_there():
        sys.exit("nginx is missing; as root: apt-get install nginx-light")
    return subprocess.run(arguments, check=False).returncode


def _is_there() -> bool:
    return bool(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
