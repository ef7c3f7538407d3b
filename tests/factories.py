"""Rows for tests, made in the shortest way that every guard of the database allows."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import uuid
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, transaction

from accounts import birth_dates, person_keys, postal_addresses
from accounts.birth_dates import Birth
from accounts.models import BirthDate, PostalAddress, User
from accounts.postal_addresses import Postal
from tests.unguarded import without
from wallets.models import Wallet
from winddown import clock
from winddown.machines.declare import Stateful
from winddown.machines.move import named, transition_one
from winddown.models import (
    FundingSource,
    LoginProvider,
    Milestone,
    NoticeEvidence,
    NoticePublication,
    Programme,
    PublicNotice,
    Run,
)
from winddown.personal_data import DataClass
from winddown.programme import capabilities, declared, jurisdictions
from winddown.runs import planning, waking, working

_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    return f"{prefix}-{next(_numbers)}-{uuid.uuid4().hex[:6]}"


# --- people -------------------------------------------------------------------------------------


def make_staff(*roles: str, staff_number: str = "", **fields: Any) -> User:
    """A member of staff in the groups of `roles`; `staff_number` makes it another account of that person."""
    login = unique("staff")
    person = User.objects.create(
        login_id=login,
        kind=User.Kind.STAFF,
        is_staff=True,
        staff_number=staff_number or login,
        password="!",
        **fields,
    )
    for role in roles:
        person.groups.add(Group.objects.get(name=role))
    return person


def make_customer(**fields: Any) -> User:
    reference = unique("account")
    return User.objects.create(
        **{
            "login_id": reference,
            "account_ref": reference,
            "password": "!",
            "registered_at": clock.now(),
            **fields,
        }
    )


def give_postal_address(
    person: User, *, code: str = "100-0001", address: str = "千代田1-1"
) -> None:
    """The person has the address, as a file of accounts brings it."""
    text = Postal(code, address).sealed_text
    PostalAddress.objects.create(
        user=person,
        address_sealed=person_keys.seal(
            text.encode(),
            place=postal_addresses.place(person.pk),
            person_id=person.pk,
            data_class=DataClass.CONTACT,
        ),
        fingerprint=postal_addresses.LOAD.fingerprint(text),
    )


def give_birth_date(person: User, day: str = "1980-03-15") -> None:
    """The person has the birth date, as a file of accounts brings it. The name is in full katakana."""
    text = Birth(day, person.kana_name.replace(" ", "")).sealed_text
    BirthDate.objects.create(
        user=person,
        day_sealed=person_keys.seal(
            text.encode(),
            place=birth_dates.place(person.pk),
            person_id=person.pk,
            data_class=DataClass.IDENTITY,
        ),
        fingerprint=birth_dates.LOAD.fingerprint(text),
    )


# --- wallets ------------------------------------------------------------------------------------


def _defaults(model: Any) -> dict[str, Any]:
    """Column -> default, of every column of the model that must not be empty."""
    return {
        field.column: field.get_default()
        for field in model._meta.concrete_fields
        if not field.null and not field.primary_key and not field.generated
    }


def make_wallets(
    number: int,
    *,
    paid_minor: int = 0,
    bonus_minor: int = 0,
    source: str = "register_cash",
    audited: bool = True,
) -> list[int]:
    """`number` customers have an active wallet each, charged by one journal.

    Returns the wallets' ids in order. There are at most three statements. An audit entry seals the
    log rows and postings, as it does for an import.
    """
    from winddown.actors import SYSTEM
    from winddown.evidence import audit

    mark = unique("mass")
    with transaction.atomic():
        ids = _opened(number, mark=mark, paid_minor=paid_minor, bonus_minor=bonus_minor)
        if paid_minor or bonus_minor:
            _charge(ids, paid_minor=paid_minor, bonus_minor=bonus_minor, source=source)
            if audited:
                audit.append("test.opening", f"wallets:{mark}", actor=SYSTEM, rows=number)
    return ids


def _opened(number: int, *, mark: str, paid_minor: int, bonus_minor: int) -> list[int]:
    """The customers and their wallets exist, without a journal. Returns the wallets' ids."""
    people = _defaults(User) | {
        "login_id": None,
        "account_ref": None,
        "password": "!",
        "registered_at": clock.now(),
    }
    columns = ", ".join(people)
    values = ", ".join(
        "mark || '-' || n" if name in ("login_id", "account_ref") else "%s" for name in people
    )
    given = [value for value in people.values() if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH people AS (
                INSERT INTO accounts_user ({columns})
                SELECT {values} FROM generate_series(1, %s) AS n, (SELECT %s AS mark) AS mark
                RETURNING id, account_ref
            )
            INSERT INTO wallets_wallet
                (wallet_ref, account_id, state, paid_minor, bonus_minor, held_minor, opened_at)
            SELECT account_ref, id, 'active', %s, %s, 0, winddown_now() FROM people ORDER BY id
            RETURNING id
            """,
            [*given, number, mark, paid_minor, bonus_minor],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _charge(ids: list[int], *, paid_minor: int, bonus_minor: int, source: str) -> None:
    """One journal says where the value of the wallets came from."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH journal AS (
                INSERT INTO wallets_journal (source, source_id, kind, occurred_at)
                VALUES ('opening', %(first)s, 'opening', winddown_now()) RETURNING id
            ), line AS (
                SELECT 'wallet_paid' AS account, w AS wallet_id, %(paid)s::bigint AS amount
                FROM unnest(%(ids)s::bigint[]) AS w
                UNION ALL
                SELECT 'wallet_bonus', w, %(bonus)s::bigint FROM unnest(%(ids)s::bigint[]) AS w
                UNION ALL
                SELECT %(funding)s, NULL, -%(paid)s::bigint * %(number)s
                UNION ALL
                SELECT 'funding_bonus', NULL, -%(bonus)s::bigint * %(number)s
            )
            INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
            SELECT journal.id, line.account, line.wallet_id, line.amount
            FROM journal, line WHERE line.amount <> 0
            """,
            {
                "first": ids[0],
                "ids": ids,
                "paid": paid_minor,
                "bonus": bonus_minor,
                "number": len(ids),
                "funding": f"funding_{source}",
            },
        )


def make_wallet(*, paid_minor: int = 0, bonus_minor: int = 0, state: str = "active") -> Wallet:
    (pk,) = make_wallets(1, paid_minor=paid_minor, bonus_minor=bonus_minor)
    wallet: Wallet = Wallet.objects.get(pk=pk)
    return bring_to(wallet, state)


# --- machines -----------------------------------------------------------------------------------


def path_to(model: type[Stateful], source: str, target: str) -> list[Any]:
    """Returns the shortest way along declared edges from `source` to `target`."""
    ways: deque[tuple[str, list[Any]]] = deque([(source, [])])
    seen = {source}
    while ways:
        state, way = ways.popleft()
        if state == target:
            return way
        for edge in model.edges():
            if edge.source == state and edge.target not in seen:
                seen.add(edge.target)
                ways.append((edge.target, [*way, edge]))
    raise AssertionError(f"{model.__name__}: no declared way from {source} to {target}")


def bring_to(row: Any, state: str, *, actor: Any = None) -> Any:
    """`row` stands in `state`, moved and logged along declared edges (their conditions are not asked); read anew."""
    from winddown.actors import SYSTEM
    from winddown.evidence import audit

    model = type(row)
    table = model._meta.db_table
    for edge in path_to(model, row.state, state):
        with (
            transaction.atomic(),
            _without_proof(model, edge.target),
            named(edge.name, actor=actor or SYSTEM, reason="test"),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE {table} SET state = %s WHERE id = %s", [edge.target, row.pk])
            audit.append(f"test.{edge.name}", f"{model.__name__}:{row.pk}", actor=SYSTEM)
    return model._default_manager.get(pk=row.pk)


def _without_proof(model: Any, target: str) -> AbstractContextManager[None]:
    """Returns a context in which a programme is completed although nothing proves its end."""
    if model is Programme and target == Programme.State.COMPLETED:
        return without("winddown_programme", "completed_with_its_proof")
    return nullcontext()


# --- the switches -------------------------------------------------------------------------------

# By code: the kind, and the name in both languages.
SOURCES = {
    "credit_card": ("credit_card", "credit card", "クレジットカード"),
    "debit_card": ("debit_card", "debit card", "デビットカード"),
    "atm_cash": ("cash", "cash at an ATM", "ATMの現金"),
    "register_cash": ("cash", "cash at a register", "レジの現金"),
    "points": ("points", "points", "ポイント"),
    "bonus": ("bonus", "bonus value", "特典"),
}
PROVIDERS = {
    "facebook": "Facebook",
    "google": "Google",
    "line": "LINE",
    "twitter": "Twitter",
    "yahoo": "Yahoo! JAPAN",
}


def declare_switches() -> None:
    """The funding sources of `SOURCES` and the providers of `PROVIDERS` are declared, and every
    capability has its row. A second call changes nothing.
    """
    FundingSource.objects.bulk_create(
        [
            FundingSource(code=code, kind=kind, title_en=english, title_ja=japanese)
            for code, (kind, english, japanese) in SOURCES.items()
        ],
        ignore_conflicts=True,
    )
    LoginProvider.objects.bulk_create(
        [
            LoginProvider(code=code, title_en=name, title_ja=name)
            for code, name in PROVIDERS.items()
        ],
        ignore_conflicts=True,
    )
    declared.forget()
    capabilities.declare_all()


# --- the programme and its runs -----------------------------------------------------------------


def make_programme(*, state: str = "operating", **fields: Any) -> Programme:
    programme = Programme.objects.filter(pk=1).first()
    if programme is None:
        programme = Programme.objects.create(
            pk=1,
            **{"name": "Test", "launched_at": dt.datetime(2019, 7, 1, tzinfo=dt.UTC), **fields},
        )
    moved: Programme = bring_to(programme, state)
    return moved


def publish_notice(last_day: dt.date) -> PublicNotice:
    """The public notice stands since now, and the deadline of its window follows from it."""
    with transaction.atomic():
        notice = PublicNotice.objects.create(
            statement="払戻し",
            issuer_name="operator",
            instrument="wallet",
            window_first_day=last_day - dt.timedelta(days=101),
            window_last_day=last_day,
            exclusion_statement="除斥",
            contact="office",
            how_to_claim="app",
            how_it_is_paid="bank",
            published_at=clock.now(),
        )
        after = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time())
        at = after.replace(tzinfo=Programme.current().zone)
        Milestone.objects.create(kind=Milestone.Kind.REFUND_WINDOW_ENDS, at=at)
    return notice


def publish_everywhere(notice: PublicNotice) -> None:
    """The notice has a publication in every channel that the law asks for."""
    recorder = make_staff("compliance")
    for duty in jurisdictions.current().publications:
        channel = duty.any_of[0]
        content = f"{channel} of {notice.pk}".encode()
        evidence = NoticeEvidence.objects.create(
            sha256=hashlib.sha256(content).hexdigest(), file_name=f"{channel}.pdf", content=content
        )
        NoticePublication.objects.create(
            notice=notice,
            channel=channel,
            place=channel,
            began_at=clock.now(),
            evidence=evidence,
            recorded_by=recorder,
        )


def approved_run(
    workflow: str, *, maker: Any, checker: Any, params: dict[str, Any] | None = None
) -> Run:
    """A run of `workflow` that `maker` planned and `checker` approved."""
    run = planning.plan(workflow, actor=maker, reason="test", params=params)
    return planning.approve(run, actor=checker, digest=run.plan_digest, reason="test")


def started_run(
    workflow: str, *, maker: Any, checker: Any, params: dict[str, Any] | None = None
) -> Run:
    run = approved_run(workflow, maker=maker, checker=checker, params=params)
    return planning.start(run, actor=maker)


def worked_off(run: Run, *, rounds_max: int = 1_000) -> Run:
    """This process did all that it can do of the run; returns the run as it then is."""
    for _ in range(rounds_max):
        if run.pk not in waking.owed() or not working.work(run.pk, seconds_max=60):
            break
    return Run.objects.get(pk=run.pk)


def move(row: Any, name: str, *, actor: Any, **changes: Any) -> Any:
    """One audited transition, as a door does it."""
    from winddown.evidence import audit

    with transaction.atomic():
        moved = transition_one(row, name, actor=actor, reason="test", **changes)
        audit.append(f"test.{name}", f"{type(row).__name__}:{row.pk}", actor=actor)
    return moved
