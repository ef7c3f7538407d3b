"""The end of personal data: whose data are due to be deleted, who is kept back and why, what is
deleted, and the scan afterwards.

The rules are in docs/decisions/0031.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Q

from accounts.models import PersonKey, RecoveryCase, User
from accounts.persons import counting
from refunds.models import Entitlement, FraudClaim, Payout
from refunds.models.closing_document import PACK_EXPORTED
from wallets.models import Hold
from winddown import clock, encryption
from winddown.errors import GuardNotMet, says
from winddown.models import AuditEntry, Programme, ProgrammeTransition
from winddown.personal_data import HOUSE, PERSONAL_DATA, DataClass, PersonalColumns
from winddown.resealing import SEALED

HOLDS: Final = (
    "legal_hold",
    "open_payout",
    "open_claim",
    "open_case",
    "open_application",
    "unsettled",
    "not_exported",
)
"""Why all data of a person are kept, the first that holds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When data are due: the days that each class is kept, counted from `completed_at` or from the
    person's last business, up to `until`; and up to when everything was exported.
    """

    keep_days: Mapping[str, int]
    completed_at: dt.datetime
    exported_at: dt.datetime
    until: dt.datetime

    def params(self) -> dict[str, Any]:
        return {
            "codes": list(self.keep_days),
            "days": list(self.keep_days.values()),
            "completed": self.completed_at,
            "exported": self.exported_at,
            "until": self.until,
            "now": clock.now(),
            "customer": User.Kind.CUSTOMER,
            "payout_ended": list(Payout.ENDED),
            "claim_open": list(FraudClaim.OPEN),
            "case_ended": list(RecoveryCase.ENDED),
            "entitlement_ended": list(Entitlement.ENDED),
            "hold_keeps": list(Hold.KEEPING),
        }


def terms(keep_days: Mapping[str, int], *, until: dt.datetime) -> Terms:
    """Returns the terms of a deletion now.

    Raises `GuardNotMet` before the programme is complete, and before the resolution pack was exported
    since then.
    """
    action = says("delete personal data")
    completed = (
        ProgrammeTransition.objects.filter(target=Programme.State.COMPLETED)
        .order_by("-pk")
        .values_list("at", flat=True)
        .first()
    )
    if completed is None:
        raise GuardNotMet(action=action, why=says("the programme is not complete"))
    exported = AuditEntry.objects.filter(action=PACK_EXPORTED).order_by("-seq").first()
    if exported is None or exported.at < completed:
        raise GuardNotMet(
            action=action,
            why=says("the resolution pack was not exported since the programme was completed"),
        )
    return Terms(dict(keep_days), completed, exported.at, until)


def refuse_values_without_secret() -> None:
    """Raises `GuardNotMet` while a value about a person can be opened with the field key alone: its
    key could be destroyed and it would still say something.
    """
    if _without_secret():
        raise GuardNotMet(
            action=says("delete personal data"),
            why=says("values are sealed without the key of their person: run manage.py reseal"),
        )


# --- who is due ----------------------------------------------------------------------------------

# `{only}` limits each query to some people; a table is read as a set when it does not.
_PEOPLE: Final = """
    SELECT u.id, greatest(%(completed)s, o.last, a.last, r.last, c.last, b.last) AS began
    FROM accounts_user u
    LEFT JOIN (SELECT holder_id AS id, max(greatest(booked_at, result_at)) AS last
        FROM refunds_payout WHERE {only:holder_id} GROUP BY 1) o ON o.id = u.id
    LEFT JOIN (SELECT applicant_id AS id, max(greatest(started_at, submitted_at, decided_at)) AS last
        FROM refunds_refundapplication WHERE {only:applicant_id} GROUP BY 1) a ON a.id = u.id
    LEFT JOIN (SELECT account_id AS id, max(greatest(opened_at, decided_at, completed_at)) AS last
        FROM accounts_recoverycase WHERE {only:account_id} GROUP BY 1) r ON r.id = u.id
    LEFT JOIN (SELECT w.account_id AS id,
            max(greatest(f.opened_at, f.confirmed_at, f.rejected_at, f.appeal_until)) AS last
        FROM refunds_fraudclaim f JOIN wallets_wallet w ON w.id = f.wallet_id
        WHERE {only:w.account_id} GROUP BY 1) c ON c.id = u.id
    LEFT JOIN (SELECT holder_id AS id, max(least(lifted_at, ends_at)) AS last
        FROM refunds_paymentblock
        WHERE {only:holder_id} AND (lifted_at IS NOT NULL OR ends_at <= %(now)s) GROUP BY 1) b ON b.id = u.id
    WHERE u.kind = %(customer)s AND {only:u.id}
"""
_HELD: Final = """
    SELECT p.id, p.began, CASE
        WHEN EXISTS (SELECT FROM refunds_paymentblock x WHERE x.holder_id = p.id
            AND x.lifted_at IS NULL AND x.ends_at > %(now)s) THEN 'legal_hold'
        WHEN EXISTS (SELECT FROM refunds_payout x WHERE x.holder_id = p.id
            AND x.state <> ALL (%(payout_ended)s)) THEN 'open_payout'
        WHEN EXISTS (SELECT FROM refunds_fraudclaim x JOIN wallets_wallet w ON w.id = x.wallet_id
            WHERE w.account_id = p.id AND x.state = ANY (%(claim_open)s)) THEN 'open_claim'
        WHEN EXISTS (SELECT FROM accounts_recoverycase x WHERE x.account_id = p.id
            AND x.state <> ALL (%(case_ended)s)) THEN 'open_case'
        WHEN EXISTS (SELECT FROM refunds_refundapplication x WHERE x.applicant_id = p.id AND x.live)
            THEN 'open_application'
        WHEN EXISTS (SELECT FROM wallets_wallet w WHERE w.account_id = p.id AND (w.paid_minor <> 0
            OR EXISTS (SELECT FROM refunds_entitlement x WHERE x.wallet_id = w.id
                AND x.state <> ALL (%(entitlement_ended)s))
            OR EXISTS (SELECT FROM wallets_hold x WHERE x.wallet_id = w.id
                AND x.state = ANY (%(hold_keeps)s)))) THEN 'unsettled'
        WHEN p.began > %(exported)s THEN 'not_exported'
        ELSE '' END AS held
    FROM people p
"""
# What stands against one account of a person stands against all of them.
_HELD_AS_PERSON: Final = """
    SELECT a.id, a.began, coalesce(nullif(a.held, ''), o.held, '') AS held
    FROM alone a LEFT JOIN (
        SELECT m.user_id AS id, min(x.held) AS held
        FROM accounts_personaccount m
        JOIN accounts_personaccount n ON n.person_id = m.person_id AND n.current
            AND n.user_id <> m.user_id
        JOIN alone x ON x.id = n.user_id AND x.held <> ''
        WHERE m.current GROUP BY 1
    ) o ON o.id = a.id
"""
_DUE: Final = """
    SELECT h.id, k.code, h.began, h.held FROM held h
    CROSS JOIN unnest(%(codes)s::text[], %(days)s::int[]) AS k (code, days)
    WHERE h.began + make_interval(days => k.days) <= %(until)s
      AND NOT (EXISTS (SELECT FROM accounts_personkey x WHERE x.person_id = h.id
              AND x.data_class = k.code AND x.destroyed_at IS NOT NULL)
          AND NOT EXISTS (SELECT FROM accounts_personkey x WHERE x.person_id = h.id
              AND x.data_class = k.code AND x.destroyed_at IS NULL))
      AND ({has})
"""


def _due_sql(*, some: bool = False) -> str:
    """Returns the queries `people`, `held` and `due`, over all customers or those of `%(people)s`."""
    due = _DUE.replace("{has}", " OR ".join(_has(each) for each in DataClass))
    people = _people_sql(some=some)
    held = f"alone AS ({_HELD}), held AS ({_HELD_AS_PERSON})"
    return f"WITH people AS ({people}), {held}, due AS ({due})"


def _people_sql(*, some: bool = False) -> str:
    people = _PEOPLE
    for column in ("holder_id", "applicant_id", "w.account_id", "account_id", "u.id"):
        only = f"{column} = ANY (%(people)s)" if some else "true"
        people = people.replace(f"{{only:{column}}}", only)
    return people


def _has(data_class: DataClass) -> str:
    """Returns SQL that is true if the person has data of the class. Every account has those that
    stand in its own row.
    """
    of_class = [
        each for each in _of_people() if each.data_class == data_class and not each.by_number
    ]
    if any(each.model is User for each in of_class):
        return f"k.code = '{data_class}'"
    there = [
        "EXISTS (SELECT FROM accounts_personkey x WHERE x.person_id = h.id"
        f" AND x.data_class = '{data_class}' AND x.destroyed_at IS NULL)",
        *(
            f"EXISTS (SELECT FROM {each.table} WHERE {each.of('h.id')} AND {each.readable()})"
            for each in of_class
        ),
    ]
    return f"(k.code = '{data_class}' AND ({' OR '.join(there)}))"


def _of_people() -> list[PersonalColumns]:
    return [each for each in PERSONAL_DATA.values() if each.whose != str(HOUSE) and _ends(each)]


def _of_house() -> list[PersonalColumns]:
    return [each for each in PERSONAL_DATA.values() if each.whose == str(HOUSE) and each.blank]


def _ends(columns: PersonalColumns) -> bool:
    return bool(columns.blank) or not columns.kept_rows


@dataclass(frozen=True, slots=True)
class Due:
    """By class, how many people's data are due and since when the oldest of them; by reason, how many
    people have data that would be due and are kept. `digest` differs for other people.
    """

    by_class: dict[str, int]
    oldest: dict[str, dt.date]
    held: dict[str, int]
    people: int
    digest: str


def counted(given: Terms) -> Due:
    """Returns what is due now by the terms."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_due_sql()}"  # noqa: S608  our own SQL, here and below
            " SELECT code, held, count(*), min(began)::date, coalesce(sum(hashint8(id)), 0)"
            " FROM due GROUP BY code, held ORDER BY code, held",
            given.params(),
        )
        found = cursor.fetchall()
        cursor.execute(
            f"{_due_sql()} SELECT held, count(DISTINCT id) FROM due GROUP BY held",  # noqa: S608
            given.params(),
        )
        people = dict(cursor.fetchall())
    free = [row for row in found if not row[1]]
    return Due(
        by_class={code: n for code, _, n, _, _ in free},
        oldest={code: oldest for code, _, _, oldest, _ in free},
        held={reason: people[reason] for reason in HOLDS if reason in people},
        people=people.get("", 0),
        digest=" ".join(f"{code}:{number}" for code, _, _, _, number in free),
    )


# --- what is deleted -----------------------------------------------------------------------------


def shred(people: list[int], given: Terms, *, run_id: int) -> int:
    """What is due of these people is deleted: their keys, and what their rows still say. Returns of
    how many people something was deleted.

    Their accounts are locked first, and those of the same persons, so that a hold that was entered
    before wins. A second call finds nothing due. Runs in the caller's transaction.
    """
    merged = counting.accounts_in(set(counting.persons_of(people).values()))
    looked_at = sorted({*people, *merged})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_user WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE",
            [looked_at],
        )
        cursor.execute(
            f"{_due_sql(some=True)} SELECT id, code FROM due"  # noqa: S608
            " WHERE held = '' AND id = ANY (%(chosen)s)",
            given.params() | {"people": looked_at, "chosen": people},
        )
        due = cursor.fetchall()
        if not due:
            return 0
        _destroy(cursor, due, run_id=run_id)
        gone = sorted({person for person, _ in due})
        for each in _of_people():
            if not each.by_number:
                cursor.execute(each.emptied(where=each.of("SELECT unnest(%s::bigint[])")), [gone])
    return len(gone)


def _destroy(cursor: Any, due: list[tuple[int, str]], *, run_id: int) -> None:
    """The keys have no secret any more. Who had no key of a class has one that says when the data of
    the class were deleted.
    """
    given = {
        "people": [person for person, _ in due],
        "codes": [code for _, code in due],
        "run": run_id,
    }
    cursor.execute(
        """
        UPDATE accounts_personkey k SET secret = NULL, destroyed_at = winddown_now(), run_id = %(run)s
        FROM unnest(%(people)s::bigint[], %(codes)s::text[]) AS d (person, code)
        WHERE k.person_id = d.person AND k.data_class = d.code AND k.destroyed_at IS NULL
        """,
        given,
    )
    cursor.execute(
        """
        INSERT INTO accounts_personkey (person_id, data_class, secret, destroyed_at, run_id)
        SELECT d.person, d.code, NULL, winddown_now(), %(run)s
        FROM unnest(%(people)s::bigint[], %(codes)s::text[]) AS d (person, code)
        WHERE NOT EXISTS (SELECT FROM accounts_personkey k
            WHERE k.person_id = d.person AND k.data_class = d.code)
        ORDER BY d.person, d.code
        """,
        given,
    )


def house_due(given: Terms) -> list[str]:
    """Returns the classes of which nobody's data are kept any more, and whose time is over for the
    house too: what is about many people, or about somebody whom no account names. While anybody is
    kept back there are none, because a file of the house may be about that person.
    """
    live = "k.person_id = %(house)s AND k.data_class = c.code AND k.destroyed_at IS NULL"
    has = " OR ".join(
        _has(each).replace("h.id", "u.id").replace("k.code", "c.code") for each in DataClass
    )
    gone = (
        "EXISTS (SELECT FROM accounts_personkey x WHERE x.person_id = u.id"
        " AND x.data_class = c.code AND x.destroyed_at IS NOT NULL)"
        " AND NOT EXISTS (SELECT FROM accounts_personkey x WHERE x.person_id = u.id"
        " AND x.data_class = c.code AND x.destroyed_at IS NULL)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH people AS ({_people_sql()}), held AS ({_HELD})"  # noqa: S608
            " SELECT c.code FROM unnest(%(codes)s::text[], %(days)s::int[]) AS c (code, days)"
            " WHERE %(completed)s + make_interval(days => c.days) <= %(until)s"
            f" AND EXISTS (SELECT FROM accounts_personkey k WHERE {live})"
            " AND NOT EXISTS (SELECT FROM held WHERE held <> '')"
            " AND NOT EXISTS (SELECT FROM accounts_user u WHERE u.kind = %(customer)s"
            f" AND NOT ({gone}) AND ({has}))",
            given.params() | {"house": HOUSE},
        )
        return [code for (code,) in cursor.fetchall()]


def shred_house(codes: list[str], *, run_id: int) -> None:
    """The house's keys of the classes are destroyed, and its rows say nothing of them."""
    with connection.cursor() as cursor:
        _destroy(cursor, [(HOUSE, code) for code in codes], run_id=run_id)
        for each in _of_house():
            if each.data_class in codes:
                cursor.execute(each.emptied(where="true"))


def by_number() -> list[PersonalColumns]:
    """Returns the tables that are gone through by the numbers of their rows."""
    return [each for each in PERSONAL_DATA.values() if each.by_number]


def empty(columns: PersonalColumns, *, first_id: int, last_id: int) -> int:
    """The rows between these numbers say nothing of people whose data were deleted."""
    between = f"{columns.table}.id BETWEEN %s AND %s"
    with connection.cursor() as cursor:
        cursor.execute(columns.emptied(where=between), [first_id, last_id])
        return int(cursor.rowcount)


# --- the scan afterwards --------------------------------------------------------------------------


def readable() -> dict[str, int]:
    """Returns by entry of the register how many rows still say something although the data of their
    person were deleted: in plain, or sealed so that the field key alone opens it.
    """
    found: dict[str, int] = {}
    if not PersonKey.objects.filter(destroyed_at__isnull=False).exists():
        return found
    with connection.cursor() as cursor:
        for name, each in PERSONAL_DATA.items():
            left = [each.left()] if _ends(each) else []
            left += [
                f"({each.deleted()}"
                f" AND substring({each.table}.{column} FROM 1 FOR 4) = ANY (%(ids)s))"
                for column in each.sealed
                if each.kept_rows
            ]
            if not left:
                continue
            cursor.execute(
                f"SELECT count(*) FROM {each.table} WHERE {' OR '.join(left)}",  # noqa: S608
                {"ids": encryption.ids_without_secret()},
            )
            if rows := cursor.fetchone()[0]:
                found[name] = int(rows)
    return found


def _without_secret() -> int:
    """Returns how many values about people the field key alone opens: from before people had keys."""
    total = 0
    with connection.cursor() as cursor:
        for sealed in SEALED.values():
            if sealed.secrets is None:
                continue
            cursor.execute(
                f"SELECT count(*) FROM {sealed.model._meta.db_table}"  # noqa: S608
                f" WHERE substring({sealed.column} FROM 1 FOR 4) = ANY (%s)",
                [encryption.ids_without_secret()],
            )
            total += int(cursor.fetchone()[0])
    return total


def columns_scanned() -> int:
    """Returns how many columns the scan reads."""
    return sum(len(each.blank) + len(each.sealed) for each in PERSONAL_DATA.values())


def left_the_house() -> dict[str, int]:
    """Returns by act how often personal data left the house in a file: no deletion reaches these."""
    entries = AuditEntry.objects.filter(
        Q(action__in=("backup.take", "carrier_file.take")) | Q(action__contains=".export")
    )
    return dict(entries.values_list("action").annotate(n=Count("pk")).order_by("action"))
