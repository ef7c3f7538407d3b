"""Console and portal on the replayed case, with worker, beat and the sign-ins that are shown."""

from __future__ import annotations

import secrets
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console
from rich.table import Table

from accounts.credentials import passwords
from accounts.models import User
from config.serve import console_port, listener
from refunds.models import Entitlement
from rehearsal.processes import Processes
from rehearsal.stage import CHEAP_HASHES, PEOPLE, Cast
from winddown import clock
from winddown.errors import WinddownError

ANSWER_S_MAX = 60


class PortTaken(WinddownError):
    """Something else listens on port {port}: name another one (make demo PORT={other})."""


class NotServing(WinddownError):
    """The site does not answer: {why}"""


class Site(Processes):
    """`with Site(...)`: worker, beat, portal and console run inside, and all end with it. They
    answer after `wait`.
    """

    names = ("worker", "beat", "portal", "console")

    more: ClassVar[dict[str, str]] = {}

    def __init__(
        self, *, port: int, logs: Path, tick_s: int = 15, portal_processes: int = 1
    ) -> None:
        super().__init__(logs=logs, tick_s=tick_s)
        self.portal_processes = portal_processes
        self.ports = {"portal": port, "console": console_port(port)}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports['portal']}"

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.ports['console']}"

    def environment(self) -> dict[str, str]:
        """Returns the variables of the site. Mails name the site by its port, unless the
        environment has another address.
        """
        return {"WINDDOWN_SITE_URL": self.address} | super().environment() | self.more

    def __enter__(self) -> Site:
        refuse_taken(self.ports["portal"])
        super().__enter__()
        for name, port in self.ports.items():
            quiet = ["--env", "WINDDOWN_ROLE=web", "--log-level", "warning"]
            number = self.portal_processes if name == "portal" else 1
            # The code is imported once for all processes of a listener.
            self._start(name, [*listener(port), f"--workers={number}", "--preload", *quiet])
        return self

    def wait(self) -> None:
        """Portal and console answer. Raises `NotServing`."""
        for address in (self.address, self.console):
            self._wait_until_it_answers(address)

    def _wait_until_it_answers(self, address: str) -> None:
        deadline = time.monotonic() + ANSWER_S_MAX
        while True:
            if dead := self.dead():
                raise NotServing(why=dead)
            try:
                with urllib.request.urlopen(f"{address}/sign-in/", timeout=10):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError) as error:
                if time.monotonic() > deadline:
                    raise NotServing(why=f"{error}; see {self.logs}") from error
                time.sleep(0.3)


class RehearsedSite(Site):
    """A site for simulated people. A proxy is believed to report their networks, and no mail leaves
    the machine.
    """

    more = {**CHEAP_HASHES, "WINDDOWN_TRUSTED_PROXIES": "1", "WINDDOWN_EMAIL_URL": ""}


def free_port() -> int:
    """Returns a port of this machine that is free for a portal, as the next one is for a console."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        with suppress(PortTaken):
            refuse_taken(port)
            return port


def refuse_taken(port: int) -> None:
    """Raises `PortTaken` unless the portal's port and the console's are free on this machine."""
    for each in (port, console_port(port)):
        with socket.socket() as probe:
            # As gunicorn does. A port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", each))
            except OSError as error:
                raise PortTaken(port=each, other=port + 2) from error


@dataclass(frozen=True, slots=True)
class SignIn:
    """A login and what can be seen with it."""

    login_id: str
    what: str


def customers_to_show() -> tuple[list[SignIn], str]:
    """Two customers with something to see have a new password, because the reset ended the old
    ones. Returns their sign-ins and the password.
    """
    password = secrets.token_urlsafe(9)
    chosen = []
    for what, states in (
        (
            "with an open refund",
            [*Entitlement.OWED, Entitlement.State.PAYING, Entitlement.State.EXCLUDED],
        ),
        ("with a refund that arrived", [Entitlement.State.PAID]),
    ):
        owed = _first(states)
        if owed is not None:
            chosen.append((owed.wallet.account, f"{what}: {owed.state}"))
    for customer, _what in chosen:
        passwords.choose_password(customer, password, authority_at=clock.now())
    return [SignIn(customer.login_id, what) for customer, what in chosen], password


def _first(states: Sequence[str]) -> Entitlement | None:
    """Returns an entitlement whose holder can sign in. It is in the first of the states that any
    entitlement has.
    """
    for state in states:
        found = (
            Entitlement.objects.filter(state=state, wallet__account__is_active=True)
            .filter(wallet__account__kind=User.Kind.CUSTOMER)
            .select_related("wallet__account")
            .order_by("pk")
            .first()
        )
        if found is not None:
            return found
    return None


def show_sign_ins(
    console: Console, site: Site, *, cast: Cast, customers: list[SignIn], password: str
) -> None:
    """Addresses, sign-ins and the staff's second step are on the terminal."""
    console.print(f"\n[bold]Console[/bold]  {site.console}/console/")
    console.print(f"[bold]Portal[/bold]   {site.address}/\n")
    table = Table(title="Sign-ins", title_justify="left")
    for title in ("sign-in", "who", "password", "authenticator secret"):
        # Wrapped and never shortened, because people type it, also from a narrow terminal.
        table.add_column(title, overflow="fold")
    for login, role in PEOPLE.items():
        person = cast.enrolled[login]
        table.add_row(login, role.replace("_", " "), person.password, person.secret)
    table.add_section()
    for customer in customers:
        table.add_row(customer.login_id, f"customer {customer.what}", password, "")
    console.print(table)
    console.print(
        "Staff are asked for a code after the password. Put the secret into an app, or ask"
    )
    console.print(
        "in another terminal:  [bold].venv/bin/python manage.py staff_code commander[/bold]"
    )
    console.print("Ctrl-C ends it.")


@contextmanager
def until_told_to_end() -> Iterator[None]:
    """Inside, Ctrl-C and SIGTERM end the block without a traceback."""

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def serve(console: Console, *, port: int, logs: Path, cast: Cast) -> None:
    """The site has answered until somebody ended it.

    Raises `NotServing` when a part of it ends by itself.
    """
    customers, password = customers_to_show()
    with until_told_to_end(), Site(port=port, logs=logs) as site:
        site.wait()
        show_sign_ins(console, site, cast=cast, customers=customers, password=password)
        while (dead := site.dead()) is None:
            time.sleep(1)
        raise NotServing(why=dead)
