"""Customers who go through the real pages: they get back in after the reset and look at their money."""

from __future__ import annotations

import csv
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from accounts.models import User
from rehearsal.browser import Browser, PageRefused
from rehearsal.mailbox import Mailbox
from rehearsal.operations import Operations
from rehearsal.people import home_network
from wallets.models import Wallet

PEOPLE = 200
AT_ONCE = 4
MAIL_S_MAX = 180


@dataclass(slots=True)
class Customer:
    """One person, who knows the own login, mailbox and balance. `code` is that of the notice."""

    login_id: str
    email: str
    network: str
    paid_minor: int
    code: str
    browser: Browser
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    link: str = ""


class Customers:
    """`come_back`: so many customers did by the pages what the reset asked of everybody."""

    def __init__(self, operations: Operations, *, notices: Path) -> None:
        self.operations = operations
        self.notices = notices
        self.mailbox = Mailbox(Path(settings.LOCAL_DIR) / "mail")

    def come_back(self) -> None:
        """200 people have asked for a link, chosen a password by it, signed in with the password,
        seen their balance, and asked whether the notice came from us. Raises `PageRefused`.
        """
        with self.operations.report.phase("customers at the pages") as phase:
            customers = self._chosen()
            self._each(customers, self._ask)
            self._wait_for_links(customers)
            self._each(customers, self._enter)
            phase.rows = len(customers)
        self.operations.report.customers = phase.rows
        self.operations.tell(
            f"{phase.rows:,} customers chose a password by the mailed link, signed in and saw their"
            f" balance, in {phase.seconds:.1f} s."
        )

    def _chosen(self) -> list[Customer]:
        """Returns people from all over the service who were sent a notice by mail."""
        codes: dict[str, str] = {}
        for path in self.notices.glob("notices-*-email-*.csv"):
            if not path.name.endswith(".report.csv"):
                with path.open(newline="") as file:
                    codes |= {row["address"]: row["code"] for row in csv.DictReader(file)}
        addresses = sorted(codes)
        chosen = addresses[:: max(1, len(addresses) // PEOPLE)][:PEOPLE]
        people = User.objects.filter(email__in=chosen, kind=User.Kind.CUSTOMER).order_by("pk")
        balances = dict(
            Wallet.objects.filter(account__in=people).values_list("account", "paid_minor")
        )
        return [
            Customer(
                login_id=person.login_id,
                email=person.email,
                network=(network := home_network(int(str(person.account_ref)[1:]) - 1)),
                paid_minor=balances[person.pk],
                code=codes[person.email],
                browser=self.operations.browser(network=network),
            )
            for person in people
        ]

    def _each(self, customers: list[Customer], does: Callable[[Customer], None]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as together:
            for _done in together.map(does, customers):
                pass

    def _ask(self, customer: Customer) -> None:
        page = customer.browser.open("/recovery/")
        customer.browser.send(page, {"who": customer.login_id})

    def _wait_for_links(self, customers: list[Customer]) -> None:
        """The worker has answered everybody. Each has the link of the own mail."""
        deadline = time.monotonic() + MAIL_S_MAX
        while missing := [each for each in customers if not each.link]:
            sent = self.mailbox.links()
            for customer in missing:
                customer.link = sent.get(customer.email, "")
            if time.monotonic() > deadline:
                raise PageRefused(path="/recovery/", why=f"{len(missing)} mails did not come")
            time.sleep(0.2)

    def _enter(self, customer: Customer) -> None:
        browser, password = customer.browser, customer.password
        page = browser.send(browser.open(customer.link), {"password": password, "again": password})
        page = browser.send(page, {"login_id": customer.login_id, "password": password})
        if f"{customer.paid_minor:,}" not in page.text:
            raise PageRefused(path=page.path, why=f"it does not show {customer.paid_minor:,}")
        page = browser.open("/is-this-notice-from-us/")
        page = browser.send(page, {"code": customer.code}, stays=True)
        if "Yes." not in page.text:
            raise PageRefused(path=page.path, why="it does not know the code of a notice")
