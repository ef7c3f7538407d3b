"""The two payout views: who could be paid at one instant, who could not, and why.

Both are read in one snapshot of the database, beside running payments. The same data gives the same
bytes. Deposit insurers ask for such lists on any day (12 CFR 370; PRA SS18/15, chapter 8).
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import heapq
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BufferedRandom, TextIOWrapper
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Concat

from accounts.persons import counting
from refunds.models import Entitlement, PayoutView, PayoutViewPart, RefundApplication
from refunds.payouts import payable
from refunds.payouts.payable import About, Condition, Cutoff
from wallets.models import Snapshot, Wallet
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Programme
from winddown.one_instant import one_instant

PERMISSION: Final = "refunds.take_payout_view"
RULES: Final = 3
# Two views are at least so far apart: a form that is sent twice takes one.
APART: Final = dt.timedelta(minutes=1)
COLUMNS: Final = (
    "account",
    "wallet",
    "entitlement",
    "amount_minor",
    "currency",
    "state",
    "straight_through",
    "code",
    "reasons",
)
_PART_BYTES: Final = 1024 * 1024
_ROWS_AT_A_TIME: Final = 5_000
_List = PayoutViewPart.List
_State = Entitlement.State

# Why nothing is to be paid now, whatever else is true of the refund. These come first.
BY_STATE: Final[dict[str, str]] = {
    _State.PAID: "paid",
    _State.TRANSFERRED: "transferred",
    _State.DEPOSITED: "deposited",
    _State.PAYING: "in_flight",
    _State.EXCLUDED: "excluded",
    _State.RETURNED: "returned",
}
_DONE: Final = (*Entitlement.DISCHARGED, _State.PAYING)
_REASONS: Final = {each.code: each for each in payable.REASONS if each.counted}
CODES: Final = (
    *BY_STATE.values(),
    *(code for code, each in _REASONS.items() if each.about not in (About.AMOUNT, About.PERSON)),
)
"""The codes of the excluded list. The first that applies to a row is its code."""
_EXCLUDES: Final = frozenset(CODES)
_PASSING: Final = frozenset(code for code, each in _REASONS.items() if each.passes)


class _Row(NamedTuple):
    """One refund, or one balance that is not a refund yet; then `entitlement` is None. `reasons` has
    the codes of all that applies, in their order. A refund that a person of ours decided, or that
    came back, does not go straight through.
    """

    account: int
    wallet: int
    entitlement: int | None
    amount_minor: int
    state: str
    reasons: str

    def codes(self) -> list[str]:
        return self.reasons.split()


@dataclass(slots=True)
class _Told:
    """One list while it is written, and what it has come to."""

    file: BufferedRandom
    rows: int = 0
    minor: int = 0


@dataclass(slots=True)
class _Tally:
    """What the rows of both lists have come to so far. `merged` has, by person of several accounts,
    whether all of their rows so far go straight through; there are few of them, because two people
    decide about each.
    """

    persons: dict[int, int]
    people: int = 0
    straight_people: int = 0
    straight_minor: int = 0
    reasons: dict[str, list[int]] = field(default_factory=dict)
    merged: dict[int, bool] = field(default_factory=dict)

    def count(self, account: int, *, straight: bool) -> None:
        """One more account was read whole."""
        person = self.persons.get(account)
        if person is None:
            self.people += 1
            self.straight_people += straight
        else:
            self.merged[person] = self.merged.get(person, True) and straight

    def end(self) -> None:
        """All accounts were read."""
        self.people += len(self.merged)
        self.straight_people += sum(self.merged.values())


def take(*, actor: Actor, reason: str) -> PayoutView:
    """The two lists of this instant are stored, with their hashes, sums and reasons.

    Nobody's work waits for it. Raises `NotPermitted`, and `GuardNotMet` when there is nothing to
    list or the last view is younger than `APART`. A later call takes the lists of its own instant.
    They have the same bytes if nothing has changed.
    """
    require(actor, PERMISSION, action="take the payout views")
    before = newest()
    if before is not None and clock.now() - before.as_of < APART:
        raise GuardNotMet(
            action=says("take the payout views"),
            why=says("view {number} is less than a minute old: use it, or wait", number=before.pk),
        )
    with ExitStack() as files:
        told = {name: _Told(files.enter_context(tempfile.TemporaryFile("w+b"))) for name in _List}
        view = _read(told)
        view.taken_by_id = actor.pk
        with transaction.atomic():
            view.save(force_insert=True)
            for name, each in told.items():
                _store(view, name, each.file)
            audit.append(
                "payouts.take_view",
                view.subject,
                actor=actor,
                reason=reason,
                payable=view.payable_sha256,
                excluded=view.excluded_sha256,
                difference_minor=view.difference_minor,
            )
    return view


def open_again(number: int, *, actor: Actor, reason: str = "") -> PayoutView:
    """Returns an earlier view; the journal says who took it out. Raises `NotPermitted`, and
    `GuardNotMet` for a view that does not exist.
    """
    require(actor, PERMISSION, action="take the payout views")
    view = PayoutView.objects.filter(pk=number).first()
    if view is None:
        raise GuardNotMet(
            action=says("open payout view {number}", number=number),
            why=says("there is no such view: /console/payout-views/ lists all"),
        )
    with transaction.atomic():
        audit.append("payouts.open_view", view.subject, actor=actor, reason=reason)
    return view


def file_name(view: PayoutView, name: str) -> str:
    """Returns the name of the file of one list, with its instant in UTC."""
    return f"{name}-{view.as_of.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{view.pk}.csv"


def newest() -> PayoutView | None:
    return PayoutView.objects.order_by("-pk").first()


def _read(told: dict[_List, _Told]) -> PayoutView:
    """Both lists are in their files. Returns the view, which is not stored yet."""
    with one_instant():
        at = clock.now()
        tally = _Tally(counting.merged_accounts())
        _write(told, tally, currency=Programme.current().currency, rows=_rows(at))
        control = _control_minor()
    if not tally.people:
        raise GuardNotMet(
            action=says("take the payout views"),
            why=says("no wallet holds value, and nothing is owed"),
        )
    pays, excluded = told[_List.PAYABLE], told[_List.EXCLUDED]
    return PayoutView(
        as_of=at,
        rules=RULES,
        payable_rows=pays.rows,
        payable_minor=pays.minor,
        payable_sha256=_sha256(pays.file),
        excluded_rows=excluded.rows,
        excluded_minor=excluded.minor,
        excluded_sha256=_sha256(excluded.file),
        people=tally.people,
        straight_people=tally.straight_people,
        straight_minor=tally.straight_minor,
        control_minor=control,
        reasons=tally.reasons,
    )


def _write(told: dict[_List, _Told], tally: _Tally, *, currency: str, rows: Iterable[_Row]) -> None:
    """Each row is in its list. Persons go straight through if each row of their accounts does."""
    with ExitStack() as open_files:
        writers = {}
        for name, each in told.items():
            text = TextIOWrapper(each.file, encoding="ascii", newline="")
            open_files.callback(text.detach)
            writers[name] = csv.writer(text, lineterminator="\n")
            writers[name].writerow(COLUMNS)
        account, whole = None, False
        for row in rows:
            codes = row.codes()
            code = BY_STATE.get(row.state) or next(
                (each for each in codes if each in _EXCLUDES), ""
            )
            straight = all(each in _PASSING for each in codes)
            name = _List.EXCLUDED if code else _List.PAYABLE
            writers[name].writerow(
                (
                    row.account,
                    row.wallet,
                    row.entitlement or "",
                    row.amount_minor,
                    currency,
                    row.state,
                    "yes" if straight else "no",
                    code,
                    row.reasons.strip(),
                )
            )
            told[name].rows += 1
            told[name].minor += row.amount_minor
            tally.straight_minor += row.amount_minor if straight else 0
            if code:
                counted = tally.reasons.setdefault(code, [0, 0])
                counted[0] += 1
                counted[1] += row.amount_minor
            if row.account != account:
                if account is not None:
                    tally.count(account, straight=whole)
                account, whole = row.account, straight
            else:
                whole = whole and straight
        if account is not None:
            tally.count(account, straight=whole)
        tally.end()


def _rows(at: dt.datetime) -> Iterator[_Row]:
    """Yields each refund and each balance that is not one yet, ordered by account and wallet."""
    cutoff = payable.cutoff_at(at)
    by_hand = RefundApplication.objects.filter(
        entitlement=OuterRef("pk"), decided_by__isnull=False
    ).exclude(state__in=[RefundApplication.State.REJECTED, RefundApplication.State.WITHDRAWN])
    of_refund = {
        About.REFUND: "",
        About.WALLET: "",
        About.AMOUNT: "",
        About.HOLDER: "wallet__account",
        About.PERSON: "wallet__account",
        About.PAYEE: "payee__",
    }
    refunds = (
        Entitlement.objects.annotate(
            payee=_payee("wallet__account__payees"), owner=F("wallet__account_id")
        )
        .annotate(
            reasons=Concat(
                _named("returned_before", Q(returns__gt=0)),
                _named("decided_by_people", Exists(by_hand)),
                Case(
                    When(state__in=_DONE, then=Value("")),
                    When(
                        payable.by_voucher(),
                        then=_all_named(cutoff, of_refund, besides=About.PAYEE),
                    ),
                    default=_all_named(cutoff, of_refund),
                ),
                output_field=CharField(),
            )
        )
        .order_by("owner", "wallet_id", "pk")
        .values_list("owner", "wallet_id", "pk", "amount_minor", "state", "reasons")
    )
    of_balance = {
        About.AMOUNT: "",
        About.HOLDER: "account",
        About.PERSON: "account",
        About.PAYEE: "payee__",
    }
    balances = (
        Wallet.objects.filter(paid_minor__gt=0)
        .annotate(
            payee=_payee("account__payees"),
            wallet=F("pk"),
            amount_minor=F("paid_minor"),
            none=Value(None, output_field=CharField()),
        )
        .annotate(
            reasons=Concat(
                _named("held", Q(state__in=[Wallet.State.HELD, Wallet.State.HELD_CLOSED])),
                *(
                    _named(code, each.applies(cutoff, of_balance[each.about]))
                    for code, each in _REASONS.items()
                    if each.about in of_balance
                ),
                _named(*_claim(cutoff)),
                output_field=CharField(),
            )
        )
        .order_by("account_id", "pk")
        .values_list("account_id", "pk", "none", "paid_minor", "state", "reasons")
    )
    return heapq.merge(_read_rows(refunds), _read_rows(balances), key=lambda row: row[:2])


def _all_named(cutoff: Cutoff, path: dict[About, str], *, besides: About | None = None) -> Concat:
    """Returns the codes of all reasons that apply, without those about `besides`."""
    return Concat(
        *(
            _named(code, each.applies(cutoff, path[each.about]))
            for code, each in _REASONS.items()
            if each.about is not besides
        )
    )


def _read_rows(rows: QuerySet[Any, Sequence[Any]]) -> Iterator[_Row]:
    for row in rows.iterator(chunk_size=_ROWS_AT_A_TIME):
        yield _Row(*row)


def _claim(cutoff: Cutoff) -> tuple[str, Condition]:
    found = _REASONS["claim_undecided"]
    return found.code, found.applies(cutoff, "")


def _payee(path: str) -> FilteredRelation:
    return FilteredRelation(path, condition=Q(**{f"{path}__replaced_at": None}))


def _named(code: str, applies: Condition) -> Case:
    return Case(When(Q(applies), then=Value(f"{code} ")), default=Value(""))


def _control_minor() -> int:
    """Returns what both lists must come to: the sealed snapshot, or all balances without one."""
    sealed = Snapshot.objects.order_by("-as_of").first()
    if sealed is not None:
        return int(sealed.paid_minor)
    return int(Wallet.objects.aggregate(total=Sum("paid_minor", default=0))["total"])


def _sha256(file: BufferedRandom) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _store(view: PayoutView, name: str, file: BufferedRandom) -> None:
    file.seek(0)
    pieces = iter(lambda: file.read(_PART_BYTES), b"")
    for number, piece in enumerate(pieces, 1):
        PayoutViewPart.objects.create(
            view=view, list=name, number=number, content=zlib.compress(piece)
        )
