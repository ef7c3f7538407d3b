"""`python -m proof.postgresql 15 COMMAND ...`: the command runs with an empty server of that version of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.embedded.processes import die_with_parent

ROLE = "winddown"
START_S_MAX = 60
SETTINGS = (
    "listen_addresses=",
    "max_connections=200",
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "jit=off",
    # It is thrown away at the end, so nothing waits for the disk.
    "fsync=off",
    "full_page_writes=off",
    "timezone=UTC",
    "log_timezone=UTC",
)


def main(arguments: Sequence[str]) -> int:
    """Returns the command's exit code."""
    major, *command = arguments
    programs = _programs(major)
    # /tmp: a socket's path is short, and every account may enter.
    place = Path(tempfile.mkdtemp(prefix=f"winddown-postgresql-{major}-", dir="/tmp"))
    server = None
    # A process that is told to stop removes the server and its directory.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    try:
        account = _account(place)
        made = subprocess.run(
            [programs / "initdb", f"--pgdata={place}/data", f"--username={ROLE}", "--auth=trust",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            cwd=place, stdout=subprocess.DEVNULL, check=False, **account,
        )  # fmt: skip
        if made.returncode:
            return made.returncode
        options = [word for setting in SETTINGS for word in ("-c", setting)]
        with (place / "server.log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", place / "data", "-k", place, *options],
                cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGINT), **account,
            )  # fmt: skip
        if not _answers(programs, place, server):
            print((place / "server.log").read_text(errors="replace"), file=sys.stderr)
            return 1
        subprocess.run([programs / "createdb", "-h", place, "-U", ROLE, ROLE], check=True)
        url = f"postgres://{ROLE}@/{ROLE}?host={place}"
        environment = {**os.environ, "DATABASE_URL": url}
        # Ctrl-C reaches the command too, which needs the server while it ends.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait()
        shutil.rmtree(place)


def _programs(major: str) -> Path:
    """Returns Debian's directory of this version's programs. Root installs them if they are
    missing.
    """
    programs = Path(f"/usr/lib/postgresql/{major}/bin")
    if not (programs / "postgres").exists() and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "-y", f"postgresql-{major}"]):
            subprocess.run(["apt-get", "-qq", *words], env=environment, check=False)  # noqa: S607
    if not (programs / "postgres").exists():
        sys.exit(f"PostgreSQL {major} is missing; as root: apt-get install postgresql-{major}")
    return programs


def _account(place: Path) -> dict[str, Any]:
    """Arguments for subprocess: PostgreSQL refuses to run as root. The place belongs to the account."""
    if os.geteuid() != 0:
        return {}
    person = pwd.getpwnam("postgres")
    os.chown(place, person.pw_uid, person.pw_gid)
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}


def _answers(programs: Path, place: Path, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server takes requests before its time is over."""
    deadline = time.monotonic() + START_S_MAX
    while server.poll() is None and time.monotonic() < deadline:
        ready = subprocess.run([programs / "pg_isready", "-q", "-h", place], check=False)
        if ready.returncode == 0:
            return True
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
