"""The customers, wallets, money and staff that a benchmark begins with."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import Group
from django.db import connection, models, transaction

from accounts.models import User
from rehearsal.case import SET_UP_FILE
from wallets.models import Wallet
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.models import Programme
from winddown.set_up import reading
from winddown.set_up.sections import SECTIONS

PAID_MINOR = 10_000
WALLETS_PER_JOURNAL = 10_000


def copies(model: type[models.Model], example: models.Model, source: str, **values: str) -> None:
    """There is one more row like `example` for each row of `source` (SQL), except for the columns
    in `values` (SQL). The columns are those of the model, so a column that is added to it is copied
    too.
    """
    fields = [f for f in model._meta.concrete_fields if not f.primary_key and not f.generated]
    columns = [f.column for f in fields]
    table = model._meta.db_table
    chosen = ", ".join(values.get(column, f"example.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen}"
            f" FROM {table} example, {source} WHERE example.id = %s",
            [example.pk],
        )


def wallets(number: int, *, paid_minor: int = PAID_MINOR) -> None:
    """`number` customers hold an active wallet with `paid_minor` each, charged in one journal per
    ten thousand.
    """
    at = clock.now()
    with transaction.atomic():
        person = User.objects.create(
            login_id="holder-1", account_ref="holder-1", password="!", registered_at=at
        )
        copies(
            User,
            person,
            f"generate_series(2, {number}) AS n",
            login_id="'holder-' || n",
            account_ref="'holder-' || n",
        )
        wallet = Wallet.objects.create(
            wallet_ref="holder-1", account=person, paid_minor=paid_minor, opened_at=at
        )
        copies(
            Wallet,
            wallet,
            f"(SELECT * FROM accounts_user WHERE id > {person.pk} ORDER BY id) AS holder",
            wallet_ref="holder.account_ref",
            account_id="holder.id",
        )
    _charge(paid_minor)


def _charge(paid_minor: int) -> None:
    bounds = Wallet.objects.aggregate(first=models.Min("pk"), last=models.Max("pk"))
    for first in range(bounds["first"], bounds["last"] + 1, WALLETS_PER_JOURNAL):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                WITH journal AS (
                    INSERT INTO wallets_journal (source, source_id, kind, occurred_at)
                    VALUES ('opening', %(first)s, 'opening', winddown_now()) RETURNING id
                ), charged AS (
                    SELECT id FROM wallets_wallet WHERE id >= %(first)s AND id < %(end)s ORDER BY id
                ), line AS (
                    SELECT 'wallet_paid' AS account, id, %(paid)s::bigint AS amount FROM charged
                    UNION ALL
                    SELECT 'funding_register_cash', NULL, -%(paid)s::bigint * count(*) FROM charged
                )
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT journal.id, line.* FROM journal, line
                """,
                {"first": first, "end": first + WALLETS_PER_JOURNAL, "paid": paid_minor},
            )
            audit.append("benchmark.opening", f"wallets:{first}", actor=SYSTEM)


def staff(login_id: str, *roles: str) -> User:
    """A member of staff in the groups of `roles`."""
    person = User.objects.create(
        login_id=login_id, kind=User.Kind.STAFF, is_staff=True, staff_number=login_id, password="!"
    )
    person.groups.add(*Group.objects.filter(name__in=roles))
    return person


def programme() -> None:
    """A service in operation with all its switches on, and two people who may plan, approve and
    start runs.
    """
    rows = reading.read(SET_UP_FILE.read_bytes())
    for name in ("funding_sources", "login_providers"):
        SECTIONS[name].adopt(rows[name], SYSTEM, "the benchmark begins")
    Programme.objects.create(
        pk=1, name="Benchmark", launched_at=dt.datetime(2019, 7, 1, tzinfo=dt.UTC)
    )
    staff("maker", "incident_commander")
    staff("checker", "incident_commander", "compliance")


def person(login_id: str) -> User:
    return User.objects.get(login_id=login_id)
