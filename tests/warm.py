"""`python -m tests.warm SOCKET`: manage.py in a process that has started already.

A start takes seconds of CPU, and a page of commands starts it a hundred times. The process forks
itself for each command, so each runs as if it had been started: with its own arguments, streams and
exit code. A module (`-m`), and a command for another place, are started as usual.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What a page calls in place of Python: it hands its arguments and streams over.
ASKS = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1] == "-m" or os.environ["WINDDOWN_LOCAL_DIR"] != {local!r}:
    os.chdir({root!r})
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
warm = socket.socket(socket.AF_UNIX)
warm.connect({address!r})
socket.send_fds(warm, [json.dumps(sys.argv[1:]).encode()], [0, 1, 2])
sys.exit(int(warm.recv(16) or b"70"))
"""


@contextmanager
def place(path: Path, *, environment: dict[str, str]) -> Iterator[Path]:
    """Yields a directory like that of the repository, whose `.venv/bin/python` is warm."""
    address = str(path / "warm")
    python = path / "root" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        ASKS.format(
            python=sys.executable,
            address=address,
            local=environment["WINDDOWN_LOCAL_DIR"],
            root=str(ROOT),
        )
    )
    python.chmod(0o755)
    for name in ("docs", "manage.py"):
        (path / "root" / name).symlink_to(ROOT / name)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", address],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
    )
    try:
        if server.stdout is None or not server.stdout.readline():
            raise AssertionError("the warm process did not start")
        yield path / "root"
    finally:
        server.kill()
        server.communicate()
        shutil.rmtree(path / "root")


def serve(address: str) -> None:
    """Each command is run in a fork, one after another, until this process is killed."""
    import django

    import manage

    django.setup()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            asked, _ = listener.accept()
            with asked:
                said, streams, _, _ = socket.recv_fds(asked, 1 << 16, 3)
                child = os.fork()
                if not child:
                    for number, stream in enumerate(streams):
                        os.dup2(stream, number)
                    sys.stdin, sys.stdout, sys.stderr = (
                        os.fdopen(0),
                        os.fdopen(1, "w"),
                        os.fdopen(2, "w"),
                    )
                    sys.argv = json.loads(said)
                    _run(manage.main)
                for stream in streams:
                    os.close(stream)
                asked.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def _run(main: object) -> None:
    """The command has run, and this process has ended with its exit code."""
    code: object = 1
    try:
        code = main() or 0  # type: ignore[operator]
    except SystemExit as end:
        code = end.code or 0
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve(sys.argv[1])
