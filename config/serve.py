"""The site with its worker and beat, in one terminal: `python -m config.serve --port 8000`.

For one machine. A deployment starts the same four commands under its own process manager.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from config.embedded.processes import die_with_parent

POLL_S = 0.2
# The worker finishes its present batch.
STOP_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the site. It reads its role from WINDDOWN_ROLE."""

    name: str
    role: str
    command: list[str]


def console_port(port: int) -> int:
    """Returns where the console listens beside a portal at the port."""
    return port + 1


def listener(port: int) -> list[str]:
    """Returns the command that serves the site at the port of this machine."""
    return [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]


def parts(port: int) -> list[Part]:
    """Returns the processes. The console has a listener of its own, so a crowd at the portal takes
    none of its threads.
    """
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    return [
        Part("portal", "web", listener(port)),
        Part("console", "web", listener(console_port(port))),
        Part("worker", "worker", [*celery, "worker", "--concurrency", "2", *quiet]),
        Part("beat", "command", [*celery, "beat", "--loglevel", "WARNING"]),
    ]


def serve(port: int) -> int:
    """All parts have run until this process was told to stop or one of them ended.

    Returns 0 in the first case and 1 in the second. None of them outlives this process, also after
    a kill.
    """
    address = f"http://127.0.0.1:{port}"
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: asked.append(received))
    running = {
        part.name: subprocess.Popen(
            part.command,
            # A mail names the site with its port, unless the environment says otherwise.
            env={"WINDDOWN_SITE_URL": address} | os.environ | {"WINDDOWN_ROLE": part.role},
            # Ctrl-C is for this process, which then stops the others in good order.
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        for part in parts(port)
    }
    console = f"http://127.0.0.1:{console_port(port)}/console/"
    print(f"Portal {address}/  Console {console}  (Ctrl-C stops)", flush=True)
    while not asked and all(process.poll() is None for process in running.values()):
        time.sleep(POLL_S)
    ended = {
        name: status for name, process in running.items() if (status := process.poll()) is not None
    }
    for process in running.values():
        process.terminate()
    for process in running.values():
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for name, status in ended.items():
        print(f"The {name} process ended by itself with status {status}.", file=sys.stderr)
    return 0 if asked else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    return serve(parser.parse_args().port)


if __name__ == "__main__":
    sys.exit(main())
