"""The command line of the embedded servers, and how a supervisor is started."""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from . import client
from .errors import EmbeddedServerError
from .places import place_for
from .server import Server
from .servers import SERVERS
from .supervisor import Supervisor

HOME = Path(__file__).resolve().parents[2] / ".local"
# The servers of `make test` are beside those of everything else.
HOMES = (HOME / "tests", HOME)


def main(arguments: Sequence[str]) -> int:
    """The verb has been carried out; returns an exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m config.embedded", description="The embedded PostgreSQL and Valkey."
    )
    parser.add_argument("verb", choices=["status", "stop", "remove", "supervise"])
    parser.add_argument("server", nargs="?", choices=sorted(SERVERS))
    parser.add_argument("--place", type=Path, help="where the servers' rooms are (default: .local)")
    parser.add_argument("--throwaway", action="store_true", help="nobody misses the data")
    options = parser.parse_args(arguments)
    if options.verb == "supervise":
        if os.fork():
            os._exit(0)
        kind = SERVERS[options.server]
        return Supervisor(kind(options.place, throwaway=options.throwaway)).supervise()
    homes = [home for home in HOMES if home.is_dir()] or [HOME]
    places = [options.place] if options.place else [place_for(home) for home in homes]
    chosen = [SERVERS[options.server]] if options.server else list(SERVERS.values())
    try:
        for place in places:
            for kind in chosen:
                _obey(options.verb, kind(place))
    except EmbeddedServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _obey(verb: str, server: Server) -> None:
    if verb == "status":
        pid = server.room.supervisor_pid() if server.room.path.exists() else 0
        state = f"runs under supervisor {pid}, {server.url}" if pid else "stopped"
        print(f"{server.label}: {state}")
        return
    print(f"{server.label}: {'stopped' if client.stop(server) else 'was not running'}")
    if verb == "remove":
        shutil.rmtree(server.room.path, ignore_errors=True)
        server.remove_sockets()
        with contextlib.suppress(OSError):
            # Root's place under /var/tmp holds nothing else; .local does.
            server.place.rmdir()
