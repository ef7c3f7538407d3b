"""PostgreSQL and Valkey run under `.local/` for as long as somebody uses them.

Each server has a room of its own with four lock files. The kernel drops a lock when its holder
dies, also by `kill -9`, so no pid file has to be believed:

    start.lock       exclusive, by a client while it checks whether the server runs and starts it
    clients.lock     shared, by every process that uses the server, for that process's life
    supervisor.lock  exclusive, by the supervisor; the file names it and its server
    server.lock      exclusive, inherited by the server and its children: taken means one lives

The supervisor has a session of its own, so that Ctrl-C does not reach it. It keeps the server as
its child, starts it again when it crashes, and stops it when nobody has held clients.lock for a
moment.

`python3 config/embedded` runs this folder where nothing but Python is installed, and so does every
supervisor. Therefore its modules import each other relatively, and nothing but the standard library
until a client needs more.
"""

from .client import ensure
from .errors import EmbeddedServerError
from .postgres import Postgres
from .server import Server
from .servers import SERVERS
from .valkey import Valkey

__all__ = ["SERVERS", "EmbeddedServerError", "Postgres", "Server", "Valkey", "ensure"]
