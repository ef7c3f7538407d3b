"""Locks on things that have no row: taken inside a transaction, released at its end.

PostgreSQL's advisory locks share one range of numbers in the whole database. All of them are named
here, so that two modules never use the same number by accident.
"""

from __future__ import annotations

from enum import IntEnum, unique

from django.db import connection


@unique
class Lock(IntEnum):
    """The kind of thing that is locked. A key says which one; it is 0 where there is only one."""

    SWITCH = 7001  # by capability; written out in winddown_pass()
    AUDIT_CHAIN = 7002  # written out in winddown_audit_append()
    AUDIT_SEAL = 7003
    LOAD = 7004
    FENCE = 7005
    ADDRESS = 7006  # by the hash of the address
    PAYOUT_BATCHES = 7007  # by run
    FILE_NUMBER = 7008  # by bank
    BANK_ANSWER = 7009
    CANDIDATES = 7010
    CLAIM_DECISIONS = 7011
    CASE_FORM = 7012  # by the hash of what was written
    VERIFICATION = 7013
    SET_UP = 7014
    NOTICE = 7015
    MILESTONES = 7016
    FILINGS = 7017
    ANNOUNCEMENT = 7018
    STAFF = 7020  # while an account of staff is made
    REMINDERS = 7021
    ALARMS = 7022
    DUTY_ADDRESS = 7023
    PHONE_MESSAGES = 7024
    MERCHANTS = 7025
    CLAIM_LISTS = 7033
    PERSONS = 7027
    REQUESTS = 7031  # while a request gets its number
    PAYOUT_DAY = 7026  # by value date; written out in sealed_batch_is_frozen


def take(lock: Lock, key: int = 0) -> None:
    """This transaction alone holds the lock until it ends; waits for all other holders."""
    _execute("pg_advisory_xact_lock", lock, key)


def share(lock: Lock, key: int = 0) -> None:
    """This transaction shares the lock until it ends. Waits behind earlier calls of `take`."""
    _execute("pg_advisory_xact_lock_shared", lock, key)


def try_take(lock: Lock, key: int = 0) -> bool:
    """As `take`, but returns False at once while somebody else holds the lock."""
    return bool(_execute("pg_try_advisory_xact_lock", lock, key))


def _execute(function: str, lock: Lock, key: int) -> object:
    if not connection.in_atomic_block:
        raise AssertionError("a lock ends with its transaction")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s::int, %s::int)", [int(lock), key])
        return cursor.fetchone()[0]
