"""The files about people: accounts, their external logins, and the history of their sign-ins."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from django.db import connection
from django.db.models.expressions import RawSQL

from accounts import birth_dates, postal_addresses
from accounts.attacks import counting
from accounts.credentials import hash_costs, imported_hashes
from accounts.models import AuthEvent, ExternalIdentity, LogCoverage, ResetNotice, User
from accounts.models.user import LOGIN_ID_MAX
from accounts.reset_notices import mail_results
from winddown import clock
from winddown.actors import Actor
from winddown.loading import staged_rules, straight
from winddown.loading.csv_source import CsvSource
from winddown.loading.file_kinds import (
    ROWS,
    STAGED,
    Column,
    FileKind,
    Reference,
    Rule,
    Unique,
    choice,
    day,
    declare,
    declared_choice,
    insert_rows,
    instant,
    matching,
    ref,
    reference,
    text,
)
from winddown.programme import declared

ACCOUNT = Reference(
    table=User._meta.db_table,
    key="account_ref",
    name="account",
    says="the account_ref of a loaded account",
)


# The one spelling of a login id, as `UserQuerySet.named` looks for it.
LOGIN_ID = "lower(btrim(normalize({0}, NFKC)))"


def _unreachable() -> int:
    """Returns how many people of the file no verified channel reaches."""
    named = RawSQL(f"SELECT account_ref FROM {ROWS}", ())  # noqa: S608, S611  a constant
    people = User.objects.get_queryset().without_channel(verified_by=clock.now())
    return int(people.filter(account_ref__in=named).count())


def _record_accounts(actor: Actor, progress: Callable[[int, int], None]) -> int:
    """Every new account is stored, and so are the cost of every new hash and, where the file has
    them, the postal addresses and birth dates, sealed. Returns how many accounts are new or have
    got one of them.
    """
    inserted = insert_rows(ACCOUNTS)
    imported_hashes.note_costs()
    for each in SEALED:
        if each.is_loaded():
            inserted += each.record(lambda done: progress(0, 1))
    progress(1, 1)
    return inserted


def _judge_accounts() -> None:
    imported_hashes.refuse_too_many_costs()
    for each in SEALED:
        if each.is_loaded():
            each.refuse_others()


# What the file may have beside, stored sealed.
SEALED = (postal_addresses.LOAD, birth_dates.LOAD)


def _optional(column: Column, *, group: str) -> Column:
    """Returns the column as one that a file may lack and that no file of refusals shows."""
    return replace(column, may_be_absent=True, group=group, is_secret=True)


ACCOUNTS = declare(
    FileKind(
        name="accounts",
        title="Accounts",
        model=User,
        key=("account_ref",),
        columns=(
            ref("account_ref", "the core system's key of the account"),
            matching(
                "login_id",
                "what the customer signs in with; stored in normal width and lower case, unique over staff too",
                form="a login id without blanks",
                length_max=254,
                pattern=r"[^\s,]+",
                typed=LOGIN_ID.format("{0}"),
            ),
            matching(
                "email",
                "where mail reaches the customer",
                form="an e-mail address",
                length_max=254,
                pattern=r"[^\s,@]+@[^\s,@]+",
                required=False,
            ),
            instant(
                "email_verified_at", "when the address was proved to be theirs", required=False
            ),
            matching(
                "phone",
                "where calls and messages reach the customer",
                form="a telephone number",
                length_max=20,
                pattern="[+]?[0-9][0-9-]+",
                required=False,
            ),
            instant("phone_verified_at", "when the number was proved to be theirs", required=False),
            text("display_name", "the name as shown", length_max=100, required=False),
            text(
                "kana_name", "the name in kana, for bank transfers", length_max=100, required=False
            ),
            instant(
                "registered_at",
                "when the account was opened; also stands for when its password was set",
            ),
            matching(
                "password_hash",
                "as the core system stored it; empty for an account without a password",
                form=hash_costs.FORM,
                length_max=128,
                pattern=hash_costs.PATTERN,
                required=False,
            ),
            _optional(
                matching(
                    postal_addresses.POSTAL_CODE,
                    "the postal code of the address",
                    form="a postal code",
                    length_max=12,
                    pattern="[0-9A-Za-z][0-9A-Za-z -]*",
                    required=False,
                ),
                group="post",
            ),
            _optional(
                text(
                    postal_addresses.ADDRESS,
                    "where letters reach the customer; `;` stands between its lines",
                    length_max=200,
                    required=False,
                ),
                group="post",
            ),
            _optional(
                day(
                    birth_dates.COLUMN,
                    "the day of birth, by which accounts of one person are found",
                    required=False,
                ),
                group="birth",
            ),
        ),
        # The password is not compared. A mass reset changes it here, and the same file must stay a
        # repetition.
        compared={
            name: f"e.{name}"
            for name in (
                "login_id",
                "email",
                "email_verified_at",
                "phone",
                "phone_verified_at",
                "display_name",
                "kana_name",
                "registered_at",
            )
        },
        uniques=(
            Unique(("login_id",), shown="login_id", reason="belongs to another account already"),
        ),
        rules=(
            Rule(
                column="login_id",
                breach=f"length(r.login_id) > {LOGIN_ID_MAX}"
                f" OR r.login_id <> {LOGIN_ID.format('r.login_id')}",
                reason="'cannot be stored in normal width and lower case'",
            ),
            Rule(
                column="email_verified_at",
                breach="r.email_verified_at IS NOT NULL AND r.email = ''",
                reason="'says when an e-mail address was verified, and there is none'",
            ),
            Rule(
                column="phone_verified_at",
                breach="r.phone_verified_at IS NOT NULL AND r.phone = ''",
                reason="'says when a telephone number was verified, and there is none'",
            ),
            Rule(
                column=postal_addresses.POSTAL_CODE,
                breach=f"r.{postal_addresses.POSTAL_CODE} <> '' AND r.{postal_addresses.ADDRESS} = ''",
                reason="'is the code of an address, and there is none'",
            ),
        ),
        values={
            "account_ref": "r.account_ref",
            "login_id": "r.login_id",
            "kind": f"'{User.Kind.CUSTOMER.value}'",
            "email": "r.email",
            "email_verified_at": "r.email_verified_at",
            "phone": "r.phone",
            "phone_verified_at": "r.phone_verified_at",
            "display_name": "r.display_name",
            "kana_name": "r.kana_name",
            "registered_at": "r.registered_at",
            "password_set_at": "r.registered_at",
            # An unusable password as Django writes it: the mark, then something nobody can guess.
            "password": "CASE WHEN r.password_hash <> '' THEN r.password_hash"
            " ELSE '!' || replace(gen_random_uuid()::text, '-', '') END",
        },
        judge=_judge_accounts,
        record=_record_accounts,
        unreachable=_unreachable,
    )
)

EXTERNAL_IDENTITIES = declare(
    FileKind(
        name="external_identities",
        title="External identities",
        model=ExternalIdentity,
        key=("provider", "subject"),
        columns=(
            reference("account_ref", "the account that the login opens", ACCOUNT),
            declared_choice(
                "provider",
                "who vouches for the person",
                section="login_providers",
                options=declared.providers,
            ),
            text("subject", "the provider's own key of the person", length_max=255),
            instant("linked_at", "when it was linked; each account has one per provider"),
        ),
        compared={"account_id": "e.user_id", "linked_at": "e.linked_at"},
        uniques=(
            Unique(
                ("account_id", "provider"),
                shown="account_ref",
                reason="has another login at this provider already",
            ),
        ),
        values={
            "user_id": "r.account_id",
            "provider": "r.provider",
            "subject": "r.subject",
            "linked_at": "r.linked_at",
        },
    )
)

# Its first digit decides which alternative holds, so that none is tried in vain.
_OCTET = "(?:1[0-9]{0,2}|2(?:[0-4][0-9]?|5[0-5]?|[6-9])?|[3-9][0-9]?|0)"
# Spelled out, because the pattern judges it in half the time of a repetition.
_IPV4 = r"\.".join([_OCTET] * 4)

_GROUP = "[0-9A-Fa-f]{1,4}"
# Every IPv6 address without an IPv4 address in it. One pair of colons stands for the groups between
# those that are written.
_IPV6 = "|".join(
    (
        f"(?:{_GROUP}:){{7}}{_GROUP}",
        f"(?:{_GROUP}:){{1,7}}:",
        *(f"(?:{_GROUP}:){{1,{before}}}(?::{_GROUP}){{1,{7 - before}}}" for before in range(1, 7)),
        f":(?::{_GROUP}){{1,7}}",
        "::",
    )
)


def _no_such_network(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return "is not an IPv4 or IPv6 address"
    return ""


def _copy_auth_events(source: CsvSource, progress: Callable[[int], None]) -> None:
    """Every attempt of a plain file is recorded. The next count starts at the earliest of them."""
    with connection.cursor() as cursor:
        # Ids that this session took earlier may be smaller than those of recorded attempts.
        cursor.execute("DISCARD SEQUENCES")
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('accounts_authevent', 'id')), greatest(0,"
            " pg_relation_size('accounts_authevent') / current_setting('block_size')::int - 1)"
        )
        last_id, last_page = cursor.fetchone()
    straight.copy(
        AUTH_EVENTS,
        source,
        into={name: name for name in AUTH_EVENTS.names} | {"account_ref": "user_id"},
        lowered="login_id",
        progress=progress,
    )
    if source.rows:
        counting.count_again(partial(_earliest, source.rows, last_id=last_id, last_page=last_page))


def _earliest(rows: int, *, last_id: int, last_page: int) -> dt.datetime:
    """Returns the time of the earliest of the attempts that were recorded after `last_id`.

    COPY usually appends them. All are found if so many rows of one transaction stand from the last
    page on. Otherwise the whole table is read, also when somebody signed in meanwhile.
    """
    new = "FROM accounts_authevent WHERE id > %(last_id)s"
    appended = f"{new} AND ctid >= %(last_page)s::tid"
    said: dict[str, int | str] = {"last_id": last_id, "last_page": f"({last_page},0)"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(occurred_at), count(*), bool_and(xmin = first.by) FROM"  # noqa: S608  constants
            f" (SELECT xmin AS by {appended} LIMIT 1) AS first, LATERAL"
            f" (SELECT occurred_at, xmin {appended} OFFSET 0) AS rows",
            said,
        )
        at, found, of_one_transaction = cursor.fetchone()
        if found != rows or not of_one_transaction:
            cursor.execute(f"SELECT min(occurred_at) {new}", said)
            at = cursor.fetchone()[0]
    if not isinstance(at, dt.datetime):
        raise AssertionError("the copied attempts are not there")
    return at


def _record_auth_events(actor: Actor, progress: Callable[[int, int], None]) -> int:
    """Every attempt is recorded. The next count starts at the earliest of them. An attempt that
    breaks a rule is left out, and the load refuses the file.
    """
    kind = AUTH_EVENTS.with_header(())
    if staged_rules.has_column("event"):
        kind = replace(AUTH_EVENTS, values={**AUTH_EVENTS.values, "event": "r.event"})
    inserted = insert_rows(kind, unless=staged_rules.breached(kind))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(occurred_at) FROM {STAGED}")  # noqa: S608  a constant
        earliest = cursor.fetchone()[0]
    if earliest is not None:
        counting.count_again_from(earliest)
    progress(1, 1)
    return inserted


AUTH_EVENTS = declare(
    FileKind(
        name="auth_events",
        title="Sign-ins",
        model=AuthEvent,
        columns=(
            instant("occurred_at", "when it was tried, or happened"),
            text("login_id", "the typed login id; stored in lower case", length_max=254),
            reference(
                "account_ref",
                "whose login id it is; empty when it is nobody's",
                ACCOUNT,
                required=False,
            ),
            choice("outcome", "what came of it", options=tuple(AuthEvent.Outcome.values)),
            declared_choice(
                "method",
                "password, passkey, or the provider; of another event, the login that it is about",
                section="login_providers",
                options=declared.providers,
                also=AuthEvent.OWN_METHODS,
            ),
            replace(
                matching(
                    "network",
                    "where it came from",
                    form="an IPv4 or IPv6 address",
                    length_max=45,
                    pattern=rf"{_IPV4}|{_IPV6}",
                    bounded=True,
                    sql_type="inet",
                    required=False,
                ),
                doubtful="[0-9A-Fa-f:.]{2,45}",
                judge=_no_such_network,
            ),
            text(
                "device_ref",
                "which device, as the core system knows it",
                length_max=64,
                required=False,
            ),
            matching(
                "country",
                "where the network is",
                form="a country code",
                length_max=2,
                pattern="[A-Z]{2}",
                bounded=True,
                required=False,
            ),
            choice(
                "displaced_session",
                "whether the success ended the account's session on another device; `no` also where"
                " that is not known",
                options=("yes", "no"),
            ),
            replace(
                choice(
                    "event",
                    "what happened; a file without the column has sign-ins only",
                    options=tuple(AuthEvent.Event.values),
                ),
                may_be_absent=True,
                group="event",
            ),
        ),
        rules=(
            Rule(
                column="account_ref",
                breach="r.outcome = 'success' AND r.account_ref IS NULL",
                reason="'is empty; a success opened somebody''s account'",
            ),
            Rule(
                column="account_ref",
                breach="r.outcome = 'unknown_login_id' AND r.account_ref IS NOT NULL",
                reason="'is not empty, and the outcome says that nobody has the login id'",
            ),
            Rule(
                column="displaced_session",
                breach="r.displaced_session = 'yes' AND r.outcome <> 'success'",
                reason="'is yes; only a success can end another session'",
            ),
            Rule(
                column="event",
                breach="r.event <> 'sign_in' AND (r.outcome = 'wrong_password'"
                " OR r.displaced_session = 'yes')",
                reason="'is no sign-in; only a sign-in has a wrong password or displaces a session'",
            ),
        ),
        values={
            "occurred_at": "r.occurred_at",
            "login_id": "lower(r.login_id)",
            "user_id": "r.account_id",
            "outcome": "r.outcome",
            "method": "r.method",
            "network": "r.network",
            "device_ref": "r.device_ref",
            "country": "r.country",
            "displaced_session": "r.displaced_session = 'yes'",
        },
        copy=_copy_auth_events,
        record=_record_auth_events,
    )
)


def _record_coverage(actor: Actor, progress: Callable[[int, int], None]) -> int:
    """Every row is recorded. One that breaks a rule is left out, and the load refuses the file."""
    inserted = insert_rows(LOG_COVERAGE, unless=staged_rules.breached(LOG_COVERAGE))
    progress(1, 1)
    return inserted


LOG_COVERAGE = declare(
    FileKind(
        name="log_coverage",
        title="Coverage of the logs",
        model=LogCoverage,
        columns=(
            choice(
                "log",
                "which events of `load_auth_events` the row is about",
                options=tuple(AuthEvent.Event.values),
            ),
            instant("covered_from", "from when on"),
            instant("covered_until", "until when, that instant not included"),
            choice(
                "complete",
                "`yes`: every event of the time was loaded; `no`: some may be missing",
                options=("yes", "no"),
            ),
            text("source", "who vouches for it, or why it is not complete", length_max=200),
        ),
        rules=(
            Rule(
                column="covered_until",
                breach="r.covered_until <= r.covered_from",
                reason="'is not after covered_from'",
            ),
            Rule(column="source", breach="btrim(r.source) = ''", reason="'is blank'"),
        ),
        values={
            "log": "r.log",
            "covered_from": "r.covered_from",
            "covered_until": "r.covered_until",
            "complete": "r.complete = 'yes'",
            "source": "r.source",
        },
        record=_record_coverage,
    )
)

MAIL_RESULTS = declare(
    FileKind(
        name="mail_results",
        title="Mail results",
        model=ResetNotice,
        columns=(
            matching(
                "message_id",
                "the Message-ID of the mail, with or without its angle brackets",
                form="a message id of a notice",
                length_max=300,
                pattern=r"[^\s,@]+@[^\s,@]+",
            ),
            choice("event", "what the mail server reports", options=mail_results.EVENTS),
            instant("at", "when it happened, by the mail server's clock"),
        ),
        judge=mail_results.find_notices,
        record=mail_results.record,
    )
)
