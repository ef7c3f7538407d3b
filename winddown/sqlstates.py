"""The SQLSTATEs of the database: each code once, under the name of its rule or of its cause.

They are at the top level, not beside the machines, because the guards of every package raise them.
The functions of the first migration contain the codes as text, because a migration never changes.
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class SqlState(StrEnum):
    """Class WD is ours. A code never changes its meaning."""

    CAPABILITY_STOPPED = "WD001"
    PAST_DEADLINE = "WD002"
    UNKNOWN_CAPABILITY = "WD003"
    NOT_YET_OPEN = "WD004"

    EDGE_NOT_DECLARED = "WD010"
    ROW_IS_KEPT = "WD011"
    COLUMN_IS_FIXED = "WD012"
    MILESTONE_REFUSED = "WD013"
    FILING_REFUSED = "WD014"
    WINDOW_TOO_SHORT = "WD015"

    APPEND_ONLY = "WD020"
    CLOCK_REFUSED = "WD021"
    WRITTEN_BY_TRIGGERS = "WD022"
    ENTRY_REFUSED = "WD023"

    SIGNER_REFUSED = "WD030"
    ANOTHER_PLAN = "WD031"
    REQUEST_EXPIRED = "WD032"
    NOT_APPROVED = "WD033"
    SAME_PERSON = "WD034"
    FENCE_REFUSED = "WD035"
    LOSS_WITHOUT_REMEDY = "WD036"
    LOSS_REFUSED = "WD037"
    CREDIT_ALREADY_PROCESSED = "WD038"

    JOURNAL_NOT_BALANCED = "WD040"
    POSTING_OF_ANOTHER_TRANSACTION = "WD041"
    NOT_DECLARED = "WD042"

    PAYEE_REFUSED = "WD050"
    PAYOUT_IS_FROZEN = "WD051"
    BATCH_NOT_APPROVED = "WD052"
    SENDER_NOT_INDEPENDENT = "WD053"
    HOLDER_IS_BLOCKED = "WD054"
    NOT_TO_BE_EXCLUDED = "WD055"
    CAP_EXCEEDED = "WD056"
    MOVEMENT_IS_KNOWN = "WD057"

    LINK_REFUSED = "WD060"
    CASE_REFUSED = "WD061"
    CASE_NOT_APPROVED = "WD062"

    ROLES_EXCLUDE = "WD070"


@unique
class ServerState(StrEnum):
    """PostgreSQL's own codes that the service tells apart (PostgreSQL 18, appendix A)."""

    LOCK_NOT_AVAILABLE = "55P03"
    DEADLOCK_DETECTED = "40P01"
    SERIALIZATION_FAILURE = "40001"
    READ_ONLY_TRANSACTION = "25006"
    IDLE_IN_TRANSACTION = "25P03"
    QUERY_CANCELED = "57014"


def sqlstate_of(error: BaseException) -> str:
    """Returns the SQLSTATE that the database gave, empty where it gave none."""
    return getattr(error.__cause__, "sqlstate", None) or ""
