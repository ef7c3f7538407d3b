"""The pages of accounts of one person: what is proposed, who is merged, and one person."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, OuterRef, Q, Subquery, Sum

from accounts.models import Person, PersonMatch
from accounts.persons import merging
from refunds.applications.person_acts import PERSONS, SIGNALS
from refunds.models import Entitlement, Payee, RefundApplication
from wallets.models import Wallet
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval, AuditEntry
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 200
OPEN, WAITING, MERGED, APART, UNDONE = "open", "waiting", "merged", "apart", "undone"


@dataclass(frozen=True, slots=True)
class Row:
    """One match: its accounts, what they are owed together, and how it stands."""

    match: PersonMatch
    state: str
    person: Person | None
    owed_minor: int
    waiting: Approval | None

    @property
    def is_merged(self) -> bool:
        return self.state == MERGED

    @property
    def is_apart(self) -> bool:
        return self.state == APART

    @property
    def signals(self) -> list[Text]:
        return [SIGNALS[each] for each in self.match.signals]

    @property
    def query(self) -> str:
        """Fills the forms of its verbs in."""
        return f"?{urlencode({'match': self.match.pk})}"


@dataclass(frozen=True, slots=True)
class PersonsPage:
    """The matches, those that wait for somebody first, and what can be done."""

    at: dt.datetime
    rows: list[Row]
    open: int
    persons: int
    accounts: int
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the person: its wallet, its refunds, its application and its payee."""

    number: int
    wallet: Wallet | None
    refunds: list[Entitlement]
    application: RefundApplication | None
    payee: Payee | None


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person, and what happened to it."""

    at: dt.datetime
    person: Person
    row: Row
    accounts: list[Account]
    timeline: list[AuditEntry]
    waiting: Approval | None
    decisions: list[Decision]

    @property
    def query(self) -> str:
        """Fills the form of its verb in."""
        return f"?{urlencode({'person': self.person.pk})}"


def look(*, actor: Actor) -> PersonsPage:
    """Returns the page as `actor` sees it."""
    live = Person.objects.filter(match=OuterRef("pk"), undone_at=None).values("pk")[:1]
    known = PersonMatch.objects.annotate(live=Subquery(live))
    waits = Q(live=None, apart_at=None)
    # What waits comes first, however much was decided before.
    found = [*known.filter(waits).order_by("pk")[:SHOWN_MAX]]
    found += known.exclude(waits).order_by("-pk")[: SHOWN_MAX - len(found)]
    counted = Person.objects.filter(accounts__current=True).aggregate(
        persons=Count("pk", distinct=True), accounts=Count("accounts")
    )
    return PersonsPage(
        at=clock.now(),
        rows=_rows(found),
        open=known.filter(waits).count(),
        persons=counted["persons"],
        accounts=counted["accounts"],
        decisions=[
            acts.decision(verb, PERSONS[verb], actor=actor)
            for verb in ("find", "name", "merge", "apart")
        ],
    )


def one(number: int, *, actor: Actor) -> PersonPage | None:
    """Returns the page of the person, and None if there is none."""
    person = Person.objects.select_related("match", "merged_by", "undone_by").filter(pk=number)
    found = person.first()
    if found is None:
        return None
    (row,) = _rows([found.match])
    waiting = [
        each
        for each in approvals.open_requests()
        if each.subject.startswith(f"{found.subject}:undo:")
    ]
    entries = AuditEntry.objects.filter(subject__in=[found.subject, found.match.subject])
    return PersonPage(
        at=clock.now(),
        person=found,
        row=row,
        accounts=_accounts(merging.accounts_of(found)),
        timeline=list(entries.select_related("actor").order_by("-seq")[:SHOWN_MAX]),
        waiting=waiting[0] if waiting else None,
        decisions=[acts.decision("undo", PERSONS["undo"], actor=actor)]
        if found.undone_at is None
        else [],
    )


def _rows(matches: Iterable[PersonMatch]) -> list[Row]:
    matches = list(matches)
    waiting = {
        int(each.subject.split(":")[1]): each
        for each in approvals.open_requests()
        if each.subject.startswith("person_match:")
    }
    persons = {
        each.match_id: each for each in Person.objects.filter(match__in=matches).order_by("pk")
    }
    owed = _owed({account for match in matches for account in match.accounts})
    return [
        Row(
            match=match,
            state=_state(match, persons.get(match.pk), waiting.get(match.pk)),
            person=persons.get(match.pk),
            owed_minor=sum(owed[account] for account in match.accounts),
            waiting=waiting.get(match.pk),
        )
        for match in matches
    ]


def _state(match: PersonMatch, person: Person | None, waiting: Approval | None) -> str:
    if waiting is not None:
        return WAITING
    if match.apart_at is not None:
        return APART
    if person is None:
        return OPEN
    return MERGED if person.undone_at is None else UNDONE


def _owed(accounts: set[int]) -> dict[int, int]:
    """Returns account -> what is owed to it now."""
    sums = (
        Entitlement.objects.filter(wallet__account__in=accounts, state__in=Entitlement.UNPAID)
        .values_list("wallet__account")
        .annotate(total=Sum("amount_minor"))
    )
    return defaultdict(int, sums.order_by())


def _accounts(numbers: list[int]) -> list[Account]:
    wallets = {each.account_id: each for each in Wallet.objects.filter(account__in=numbers)}
    refunds: dict[int, list[Entitlement]] = defaultdict(list)
    for each in Entitlement.objects.filter(wallet__account__in=numbers).order_by("part"):
        refunds[each.wallet_id].append(each)
    applied = {
        each.applicant_id: each
        for each in RefundApplication.objects.filter(applicant__in=numbers).order_by("pk")
    }
    payees = {
        each.holder_id: each for each in Payee.objects.filter(holder__in=numbers, replaced_at=None)
    }
    return [
        Account(
            number=number,
            wallet=wallets.get(number),
            refunds=refunds[wallets[number].pk] if number in wallets else [],
            application=applied.get(number),
            payee=payees.get(number),
        )
        for number in numbers
    ]
