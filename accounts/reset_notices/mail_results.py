"""The results of our notices in the mail server's log. Files record them. The end of a complete log
settles them.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from accounts.models import MailReport, ResetNotice
from accounts.reset_notices import notice_codes
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.loading.file_kinds import REFUSED, ROWS
from winddown.machines.move import transition_set
from winddown.models import Run
from winddown.runs import working

EVENTS = ("accepted", "bounced", "complained")
FOUND = "mail_results_found"
BLOCK = 5_000
# The mail server's clock may differ from ours by this much.
SKEW_S = 300
# After this time the server has a mail that was begun, or never gets it: winddown/mail.py gives up
# before the content after ten seconds, and a lease without a living worker ends after twenty.
AT_THE_SERVER_AFTER = dt.timedelta(seconds=30)


# --- a file of results ----------------------------------------------------------------------------


def find_notices() -> None:
    """Every row of the file is joined to the notice, or to the message of the outbox, of its message
    id. Rows without one, and results of notices that were not sent by then, are refused.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {FOUND} (line bigint, notice_id bigint, key uuid) ON COMMIT DROP"
        )
        if connection.connection is None:
            raise AssertionError("the connection is not open")
        with connection.connection.cursor("mail_results_rows") as rows:
            rows.execute(f"SELECT line, message_id FROM {ROWS}")  # noqa: S608
            while block := rows.fetchmany(BLOCK):
                named = [
                    (line, notice_codes.notice_of_message(text), _key_of(text))
                    for line, text in block
                ]
                with cursor.copy(f"COPY {FOUND} (line, notice_id, key) FROM STDIN") as copy:
                    for row in named:
                        copy.write_row(row)
        cursor.execute(
            f"""
            INSERT INTO {REFUSED}
            SELECT f.line, CASE WHEN n.id IS NULL THEN 'message_id' ELSE 'at' END,
                   CASE WHEN n.id IS NULL THEN 'is not the id of a notice of ours'
                        WHEN coalesce(n.attempted_at, n.sent_at) IS NULL
                            THEN 'is about a notice that was never sent'
                        ELSE 'is earlier than the notice was sent' END
            FROM {FOUND} f JOIN {ROWS} r USING (line)
            LEFT JOIN accounts_resetnotice n ON n.id = f.notice_id
            LEFT JOIN accounts_message m ON m.key = f.key AND m.sent_at IS NOT NULL
            WHERE m.id IS NULL AND (n.id IS NULL OR coalesce(n.attempted_at, n.sent_at) IS NULL
               OR (r.at < coalesce(n.attempted_at, n.sent_at) - make_interval(secs => %s)
                   AND n.attempts <= 1))
            """,  # noqa: S608
            [SKEW_S],
        )


def _key_of(message: str) -> uuid.UUID | None:
    """Returns the key of the message of the outbox that has this id."""
    matched = re.fullmatch(r"<?([0-9a-f]{32})@[^@]+", message.strip())
    return uuid.UUID(matched[1]) if matched else None


def record(actor: Actor, progress: Callable[[int, int], None]) -> int:
    """The notices have the results of the file and the state that follows. Returns how many notices
    changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH told AS (
                SELECT f.notice_id, min(r.at) FILTER (WHERE r.event = 'accepted') AS accepted_at,
                       min(r.at) FILTER (WHERE r.event = 'bounced') AS bounced_at,
                       min(r.at) FILTER (WHERE r.event = 'complained') AS complained_at
                FROM {FOUND} f JOIN {ROWS} r USING (line) GROUP BY f.notice_id
            )
            UPDATE accounts_resetnotice n
            -- What bounced or was complained about was taken before.
            SET accepted_at = least(n.accepted_at,
                    coalesce(t.accepted_at, t.bounced_at, t.complained_at)),
                bounced_at = least(n.bounced_at, t.bounced_at),
                complained_at = least(n.complained_at, t.complained_at),
                reported_at = %s
            FROM told t WHERE n.id = t.notice_id
              AND (n.reported_at IS NULL OR n.accepted_at IS NULL
                   OR (n.bounced_at IS NULL AND t.bounced_at IS NOT NULL)
                   OR (n.complained_at IS NULL AND t.complained_at IS NOT NULL))
            """,  # noqa: S608
            [clock.now()],
        )
        learnt = int(cursor.rowcount)
        cursor.execute(
            f"""
            UPDATE accounts_message m SET bounced_at = t.at
            FROM (SELECT f.key, min(r.at) AS at FROM {FOUND} f JOIN {ROWS} r USING (line)
                  WHERE r.event = 'bounced' GROUP BY f.key) t
            WHERE m.key = t.key AND m.bounced_at IS NULL
            """  # noqa: S608
        )
        learnt += int(cursor.rowcount)
    named = ResetNotice.objects.filter(
        pk__in=RawSQL(f"SELECT notice_id FROM {FOUND}", [])  # noqa: S608, S611  our own table
    )
    transition_set(named, "confirm", run=None, actor=actor)
    transition_set(named, "bounce", run=None, actor=actor)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {FOUND}")
    return learnt


# --- what the log does not hold -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of the notices that were unknown."""

    queued_again: int
    still_unknown: int


def settle(*, complete_until: dt.datetime, actor: Actor, reason: str) -> Settled:
    """The mail server's log is loaded completely up to `complete_until`. The server never took an
    older unknown notice that is not in it. Such a notice is queued again.

    Raises `GuardNotMet` when the instant lies in the future, or when the log cannot be complete,
    because it lacks notices that the server has told us it took.
    """
    require(actor, "accounts.send_reset_notice", by_system=True, action="settle unknown notices")
    action = "settle unknown notices"
    with transaction.atomic():
        now = clock.now()
        if complete_until > now:
            raise GuardNotMet(
                action=action, why=says("{at} is in the future", at=complete_until.isoformat())
            )
        before = ResetNotice.objects.filter(
            attempted_at__lt=complete_until - AT_THE_SERVER_AFTER, reported_at=None
        )
        if lacking := before.filter(state=ResetNotice.State.SENT).count():
            raise GuardNotMet(
                action=action,
                why=says(
                    "the log that was loaded lacks {lacking} notices that the mail server took"
                    " before {at}: load all of it first",
                    lacking=lacking,
                    at=complete_until.isoformat(),
                ),
            )
        again = transition_set(
            before.filter(state=ResetNotice.State.UNKNOWN),
            "queue_again",
            run=None,
            actor=actor,
            reason=reason,
        )
        MailReport.objects.create(
            complete_until=complete_until, recorded_at=now, queued_again=again
        )
        audit.append(
            "notices.settle",
            "notices",
            actor=actor,
            reason=reason,
            complete_until=complete_until,
            queued_again=again,
        )
    unknown = ResetNotice.objects.filter(state=ResetNotice.State.UNKNOWN).count()
    return Settled(queued_again=again, still_unknown=unknown)


def pause_runs_in_trouble() -> None:
    """Every running reset whose results are bad enough is paused."""
    for run in Run.objects.filter(workflow="reset-all-passwords", state=Run.State.RUNNING):
        working.pause_if_told(run.pk)
