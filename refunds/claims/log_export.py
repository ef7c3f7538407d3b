"""Logs for outside investigators: every event of a span under keyed pseudonyms, after two approvals.

A pseudonym is an HMAC under a key that is derived from the field key for this request alone. The key
is in no file, and the pseudonyms of two requests cannot be joined.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from accounts.models import User
from refunds.models import LogExport
from winddown import clock, encryption, files
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval, Signature

SUBJECT: Final = "log_export"
PERMISSION: Final = "refunds.work_claim"
# Who agrees: first whoever decides about claims, then whoever answers for what leaves the house.
STAGES: Final = {"claims": "refunds.decide_claim", "compliance": "winddown.file_filing"}
FIRST, SECOND = STAGES
DAYS_MAX: Final = 400
COLUMNS: Final = (
    "at",
    "event",
    "outcome",
    "method",
    "country",
    "account",
    "login",
    "address",
    "network",
    "device",
    "displaced_session",
)
_DIGITS: Final = 32
_ROWS_AT_A_TIME: Final = 5_000


def ask(
    since: dt.datetime, until: dt.datetime, recipient: str, *, actor: Actor, reason: str
) -> Approval:
    """Two people, one after the other, are asked to let the logs of the span out to the recipient.

    Raises `GuardNotMet` for an empty span, one that is not over, or one longer than `DAYS_MAX`.
    """
    require(actor, PERMISSION, action="ask for an export of logs")
    if not since < until <= clock.now() or until - since > dt.timedelta(days=DAYS_MAX):
        raise GuardNotMet(
            action=says("export the logs"),
            why=says("the span must be over and have at most {days} days", days=DAYS_MAX),
        )
    content = _content(since, until, recipient)
    with transaction.atomic():
        asked = approvals.ask_anew(
            SUBJECT,
            stage=FIRST,
            content=content,
            permission=STAGES[FIRST],
            maker=actor,
            reason=reason,
        )
        audit.append(
            "log_export.ask", asked.subject, actor=actor, reason=reason, n=content["events"]
        )
        return asked


def _content(since: dt.datetime, until: dt.datetime, recipient: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM accounts_authevent WHERE occurred_at >= %s AND occurred_at < %s",
            [since, until],
        )
        (events,) = cursor.fetchone()
    return {
        "since": since.astimezone(dt.UTC).isoformat(),
        "until": until.astimezone(dt.UTC).isoformat(),
        "recipient": recipient,
        "events": events,
    }


def _again(asked: Approval) -> dict[str, Any]:
    """Returns what the request is about, as it is now."""
    told = asked.summary
    since, until = (dt.datetime.fromisoformat(told[name]) for name in ("since", "until"))
    return _content(since, until, told["recipient"])


def _decided(said: approvals.Decided) -> object:
    """One more person has agreed, or somebody refused. After the first of the two the second is
    asked. Raises `PlanChanged` when the span has other events by now.
    """
    subject = f"{SUBJECT}:{said.key}"
    with transaction.atomic():
        asked = approvals.standing(subject, stage=said.stage)
        if asked is None or said.stage not in STAGES:
            raise NothingToDecide(subject=subject)
        signed = approvals.SignedList(
            subject,
            stage=said.stage,
            permission=STAGES[said.stage],
            content=lambda: _again(asked),
        )
        signed.decide(
            actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
        )
        if said.approve and said.stage == FIRST:
            approvals.ask(
                subject,
                stage=SECOND,
                content=asked.summary,
                permission=STAGES[SECOND],
                maker=User.objects.get(pk=asked.maker_id),
                reason=asked.reason,
            )
        return audit.append(
            "log_export.decide",
            subject,
            actor=said.actor,
            reason=said.reason,
            stage=said.stage,
            approve=said.approve,
        )


approvals.DECIDERS.add(SUBJECT, _decided)


def let_out() -> list[int]:
    """Returns the numbers of the requests that two people agreed to, the newest first."""
    agreed = Signature.objects.filter(
        subject__startswith=f"{SUBJECT}:", stage=SECOND, part=Signature.Part.APPROVED
    )
    return [
        int(subject.removeprefix(f"{SUBJECT}:"))
        for subject in agreed.order_by("-pk").values_list("subject", flat=True)
    ]


def write(number: int, directory: Path, *, actor: Actor, reason: str) -> tuple[Path, LogExport]:
    """The directory has the file of the request that two people let out. Its hash is recorded.

    The journal says who takes it before the first byte is written. A second call writes the same
    bytes. Raises `NothingToDecide` for a request that does not exist, and `GuardNotMet` when it
    lacks an approval, or when its events are others than before.
    """
    require(actor, PERMISSION, action="export the logs")
    subject = f"{SUBJECT}:{number}"
    asked = approvals.newest(subject)
    action = says("export the logs")
    agreed = Signature.objects.filter(subject=subject, part=Signature.Part.APPROVED)
    if agreed.count() < len(STAGES):
        raise GuardNotMet(action=action, why=says("two people have not let them out"))
    if _again(asked) != asked.summary:
        raise GuardNotMet(
            action=action, why=says("the span has other events than were approved: ask anew")
        )
    with transaction.atomic():
        audit.append("log_export.take", subject, actor=actor, reason=reason)
    since, until = (dt.datetime.fromisoformat(asked.summary[each]) for each in ("since", "until"))
    digest, rows = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal rows
        for lines, number_of_rows in _pieces(subject, since, until):
            digest.update(lines)
            rows += number_of_rows
            yield lines

    path = files.write_once(directory, f"logs-{number}.csv", counted())
    with transaction.atomic():
        done, is_first = LogExport.objects.get_or_create(
            request=subject,
            defaults={
                "recipient": asked.summary["recipient"],
                "since": since,
                "until": until,
                "rows": rows,
                "sha256": digest.hexdigest(),
                "written_at": clock.now(),
                "written_by_id": actor.pk,
            },
        )
        if done.sha256 != digest.hexdigest():
            path.unlink()
            raise GuardNotMet(
                action=action, why=says("the events are others than in the file before")
            )
        if is_first:
            audit.append(
                "log_export.write", subject, actor=actor, reason=reason, sha256=done.sha256, n=rows
            )
    return path, done


def _pieces(subject: str, since: dt.datetime, until: dt.datetime) -> Iterator[tuple[bytes, int]]:
    """Yields the file in pieces, UTF-8 CSV, each with its number of rows."""

    @lru_cache(maxsize=200_000)
    def pseudonym(kind: str, value: str) -> str:
        if not value:
            return ""
        return encryption.fingerprint(value, of=f"{subject} {kind}")[:_DIGITS]

    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    yield text.getvalue().encode(), 0
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_EVENTS, [since, until])
        while found := cursor.fetchmany(_ROWS_AT_A_TIME):
            text.seek(0)
            text.truncate()
            for at, event, outcome, method, country, *who, displaced in found:
                account, login, address, network, device = who
                out.writerow(
                    (
                        at.astimezone(dt.UTC).isoformat(),
                        event,
                        outcome,
                        method,
                        country,
                        pseudonym("account", account),
                        pseudonym("login", login),
                        pseudonym("address", address),
                        pseudonym("network", network),
                        pseudonym("device", device),
                        "yes" if displaced else "no",
                    )
                )
            yield text.getvalue().encode(), len(found)


_EVENTS: Final = """
    SELECT occurred_at, event, outcome, method, country, coalesce(user_id::text, ''), login_id,
        coalesce(host(network), ''),
        coalesce(text(network(set_masklen(network, CASE family(network) WHEN 4 THEN 24 ELSE 64 END))),
            ''),
        device_ref, displaced_session
    FROM accounts_authevent WHERE occurred_at >= %s AND occurred_at < %s ORDER BY occurred_at, id
"""
