"""The servers by name."""

from .postgres import Postgres
from .server import Server
from .valkey import Valkey

SERVERS: dict[str, type[Server]] = {server.name: server for server in (Postgres, Valkey)}
