"""Customers who go through the real pages: they get back in after the reset and look at their money."""

from __future__ import annotations

import csv
import re
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from accounts import addresses
from accounts.addresses import EMAIL
from accounts.models import AccessRequest, User
from refunds.bank_accounts import Account
from refunds.payouts import methods
from refunds.payouts.methods.postal_addresses import PostalAddress
from rehearsal.browser import Browser, Page, PageRefused
from rehearsal.doors import Doors
from rehearsal.mailbox import Mailbox
from wallets.models import Wallet
from winddown import money
from winddown.models import Programme

PEOPLE = 200
AT_ONCE = 4
MESSAGE_S_MAX = 180
_CODE = re.compile(r"\b\d{8}\b")


@dataclass(slots=True)
class Customer:
    """One person, who knows the own login, mailbox or telephone, and balance. `notice_code` is that
    of the notice.
    """

    user_id: int
    login_id: str
    channel: str
    address: str
    balance: str
    notice_code: str
    browser: Browser
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    asked: Page | None = None
    link: str = ""
    code: str = ""
    refused: str = ""

    @property
    def has_answer(self) -> bool:
        return bool(self.link or self.code)


@dataclass(frozen=True, slots=True)
class Wish:
    """How one person wants the money, and the amount in minor units that the page must show. Without
    an account, the one that is known is paid, or another method.
    """

    owed_minor: int
    account: Account | None = None
    method: str = methods.BANK
    fallback_consent: bool = False
    address: PostalAddress | None = None


class Customers:
    """People all over the service who do by the pages what the reset asks of everybody, and later
    apply by the pages for their refund.

    `browser` makes the browser of a person, and `notices` is the directory with the notices of the
    reset. Codes to telephones leave by the command of the member of staff `by`. Whoever has a
    wallet of `applying` is chosen before the others: these people will apply in the app. `sure`
    returns, of the wallets that can be reached, those whose people must be among them.
    """

    def __init__(
        self,
        browser: Callable[[User], Browser],
        *,
        notices: Path,
        doors: Doors,
        by: str,
        applying: Collection[str] = (),
        sure: Callable[[Collection[str]], Collection[str]] = lambda _reached: (),
    ) -> None:
        self.browser = browser
        self.applying = frozenset(applying)
        self.sure = sure
        self.notices = notices
        self.doors = doors
        self.by = by
        self.mailbox = Mailbox(Path(settings.LOCAL_DIR) / "mail")
        self.by_phone: dict[str, list[str]] = defaultdict(list)
        self._carrier = threading.Lock()

    def come_back(self) -> list[Customer]:
        """At most 200 people have asked for a link, chosen a password by it, signed in with the
        password, seen their balance, and asked whether the notice came from us.

        Returns them. `refused` says what stopped one of them.
        """
        customers = self._chosen()
        with ThreadPoolExecutor(AT_ONCE) as together:
            asked = [together.submit(_tries, self._ask, customer) for customer in customers]
            entered = [
                together.submit(_tries, self._enter, customer)
                for customer in self._answered(customers, asked)
            ]
            for each in (*asked, *entered):
                each.result()
        return customers

    def _chosen(self) -> list[Customer]:
        """Returns people from all over the service who were sent a notice and can be reached."""
        codes: dict[str, str] = {}
        for path in sorted(self.notices.glob("notices-*.csv")):
            if not path.name.endswith(".report.csv"):
                with path.open(newline="") as file:
                    codes |= {row["address"]: row["code"] for row in csv.DictReader(file)}
        told = User.objects.customers().filter(wallet__isnull=False)
        found = [*told.filter(email__in=codes), *told.filter(phone_number__in=codes)]
        people = sorted({each.pk: each for each in found}.values(), key=lambda each: each.pk)
        owners = dict(
            Wallet.objects.filter(account__in=people)
            .order_by("pk")
            .values_list("wallet_ref", "account_id")
        )
        sure = {owners[ref] for ref in self.sure(owners)}
        applies = {owners[ref] for ref in self.applying if ref in owners} - sure
        chosen = [each for each in people if each.pk in sure]
        chosen += _spread([each for each in people if each.pk in applies], PEOPLE - len(chosen))
        others = [each for each in people if each.pk not in applies | sure]
        chosen += _spread(others, PEOPLE - len(chosen))
        balances = dict(
            Wallet.objects.filter(account__in=chosen).values_list("account_id", "paid_minor")
        )
        currency = Programme.current().currency
        return [
            Customer(
                user_id=person.pk,
                login_id=person.login_id,
                channel=own.channel,
                address=own.sent_to,
                balance=money.spoken(balances[person.pk], currency=currency, locale="en").partition(
                    " "
                )[2],
                notice_code=codes.get(person.email or "") or codes[str(person.phone_number)],
                browser=self.browser(person),
            )
            for person in chosen
            if (own := addresses.channel_of(person)) is not None
        ]

    def _ask(self, customer: Customer) -> None:
        page = customer.browser.open("/recovery/")
        customer.asked = customer.browser.send(page, {"who": customer.login_id})

    def _answered(
        self, customers: Sequence[Customer], asked: Sequence[Future[None]]
    ) -> Iterator[Customer]:
        """Yields each customer as soon as the worker has answered: with the link of the own mail, or
        the code of the own telephone.
        """
        deadline = time.monotonic() + MESSAGE_S_MAX
        by_phone = [each for each in customers if each.channel != EMAIL]
        missing = list(customers)
        while missing:
            all_asked = all(each.done() for each in asked)
            sent = self.mailbox.links()
            for customer in missing:
                customer.link = sent.get(customer.address, "")
            if all_asked and any(not each.code for each in by_phone) and not _owed():
                told = self._messages()
                for customer in by_phone:
                    customer.code = customer.code or told.get(customer.address, "")
            yield from (each for each in missing if each.has_answer)
            missing = [each for each in missing if not (each.has_answer or each.refused)]
            if time.monotonic() > deadline:
                for customer in missing:
                    customer.refused = "no message came"
            time.sleep(0.3)

    def _messages(self) -> dict[str, str]:
        """Returns the code in the newest message to each number, as the carrier delivers it."""
        path = self.notices / f"messages-{time.time_ns()}.csv"
        words = ("export_phone_messages", str(path))
        told = self.doors.run(*words, by=self.by, reason="for the carrier")
        # Without a message there is no file.
        if not told or not told["messages"]:
            return {}
        with path.open(newline="") as file:
            found = [(row["number"], _CODE.search(row["text"])) for row in csv.DictReader(file)]
        return {number: code[0] for number, code in found if code}

    def _enter(self, customer: Customer) -> None:
        browser, password = customer.browser, customer.password
        if customer.link:
            page = browser.open(customer.link)
        else:
            if customer.asked is None:
                raise AssertionError("a code comes to somebody who asked")
            page = browser.send(customer.asked, {"code": customer.code})
        page = browser.send(page, {"password": password, "again": password})
        page = browser.send(page, {"login_id": customer.login_id, "password": password})
        if customer.balance not in page.text:
            raise PageRefused(path=page.path, why=f"it does not show {customer.balance}")
        page = browser.open("/is-this-notice-from-us/")
        page = browser.send(page, {"code": customer.notice_code}, stays=True)
        if "Yes." not in page.text:
            raise PageRefused(path=page.path, why="it does not know the code of a notice")

    def apply(self, wishes: Sequence[tuple[Customer, Wish]]) -> None:
        """Each has gone through the form of the refund by the pages: applied, given an account before
        applications open, or given another one. `refused` says what stopped one of them.
        """
        told = {customer.user_id: wish for customer, wish in wishes}

        def applies(customer: Customer) -> None:
            self._fill_in(customer, told[customer.user_id])

        with ThreadPoolExecutor(AT_ONCE) as together:
            for each in [together.submit(_tries, applies, who) for who, _ in wishes]:
                each.result()

    def _fill_in(self, customer: Customer, wish: Wish) -> None:
        """The customer has answered one page after the other until the receipt."""
        browser = customer.browser
        page = browser.open("/account/refund/")
        if page.takes("login_id"):
            page = browser.send(
                page, {"login_id": customer.login_id, "password": customer.password}
            )
        if wish.account is None and wish.method == methods.BANK:
            page = browser.open("/account/refund/check/")
        elif wish.account is None:
            page = browser.send(browser.open("/account/refund/bank/"), {"way": wish.method})
        else:
            page = _name_bank_account(browser, wish.account, consents=wish.fallback_consent)
        if wish.address is not None and page.takes("postal_code"):
            to = {"to": wish.address.name, "postal_code": wish.address.postal_code}
            page = browser.send(page, {**to, "lines": wish.address.lines})
        if page.takes("send"):
            page = self._prove(customer, page)
        amount = {"confirmed_minor": str(wish.owed_minor)} if page.takes("confirmed_minor") else {}
        page = browser.send(page, {"op_id": page.holds("op_id"), **amount})
        if page.takes("password"):
            page = browser.send(page, {"password": customer.password})
        if not page.path.endswith("/done/"):
            raise PageRefused(path=page.path, why=page.told())

    def _prove(self, customer: Customer, page: Page) -> Page:
        """The customer has typed the code that came over the known channel. Returns the page after."""
        before = self._codes(customer)
        page = customer.browser.send(page, {"send": "1"}, stays=True)
        deadline = time.monotonic() + MESSAGE_S_MAX
        while self._codes(customer) == before:
            if time.monotonic() > deadline:
                raise PageRefused(path=page.path, why="no code came")
            time.sleep(0.3)
        return customer.browser.send(page, {"code": self._codes(customer)[-1]})

    def _codes(self, customer: Customer) -> list[str]:
        """Returns the codes that came to the customer so far, the newest last."""
        if customer.channel == EMAIL:
            return self.mailbox.codes(customer.address)
        with self._carrier:
            told = self._messages()
            for number, code in told.items():
                self.by_phone[number].append(code)
            return list(self.by_phone[customer.address])


def _name_bank_account(browser: Browser, account: Account, *, consents: bool) -> Page:
    """Returns the page after bank, account and name."""
    page = browser.open("/account/refund/bank/")
    if f'value="{account.bank_code}"' not in page.text:
        page = browser.send(page, {"q": account.bank_code})
    page = browser.send(page, {"bank": account.bank_code})
    typed = {"branch": account.branch_code, "kind": account.account_type}
    page = browser.send(page, {**typed, "number": account.account_number})
    if not page.takes("family"):
        # Who corrects an account sees the name that is known.
        page = browser.open("/account/refund/name/")
    family, given = account.name.split(maxsplit=1)
    named = {"family": family, "given": given}
    if consents and page.takes("fallback"):
        named["fallback"] = "on"
    after = browser.send(page, named, stays=True)
    if after.takes("as_written"):
        # It is asked whether the bank writes the name like that; such a person says yes.
        after = browser.send(after, {**named, "as_written": "on"})
    if after.path == page.path:
        raise PageRefused(path=page.path, why=after.told())
    return after


def _spread(people: list[User], number: int) -> list[User]:
    """Returns so many of the people from all over the list."""
    return people[:: max(1, len(people) // number)][:number] if number > 0 else []


def _tries(does: Callable[[Customer], None], customer: Customer) -> None:
    try:
        does(customer)
    except PageRefused as refusal:
        customer.refused = str(refusal)


def _owed() -> bool:
    """Returns whether the worker has not answered everybody yet."""
    return AccessRequest.objects.filter(answered_at=None).exists()
