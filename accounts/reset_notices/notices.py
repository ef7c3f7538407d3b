"""Notices of a reset are sent by mail. Each is committed as begun before the server is asked."""

from __future__ import annotations

import datetime as dt
import smtplib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F, QuerySet
from django.template.loader import get_template
from django.utils import translation

from accounts.models import CredentialFence, ResetNotice, User
from accounts.reset_notices import notice_codes
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import TransitionRefused, WinddownError
from winddown.machines.move import transition_one, transition_set
from winddown.mail import TakenPerhaps
from winddown.models import Failure, Programme, Run
from winddown.runs.leases import Lease, Turn

ATTEMPTS_MAX = 3
CONNECTIONS_MAX = 3
CONNECT_AGAIN_S = 2.0
# In one mail, because an account does not say which language its owner reads.
LANGUAGES = ("ja", "en")
UNKNOWN, DEFERRED = "delivery_unknown", "mail_deferred"


class MailServerRefuses(WinddownError):
    """The mail server takes no mail from us: {why}"""


# --- what a person reads --------------------------------------------------------------------------


class Letter:
    """The words of the notices of one run. Only the code differs from person to person."""

    def __init__(self, run: Run, *, by: str = ResetNotice.Channel.EMAIL) -> None:
        programme = Programme.objects.get(pk=1)
        fence = CredentialFence.objects.get(run=run)
        self._shown = {
            "service": programme.name,
            "on": fence.not_before.astimezone(programme.zone).date(),
            # Only the code depends on the person, so it is put in at the end.
            "code": "{code}",
        }
        by_mail = by == ResetNotice.Channel.EMAIL
        self.subject = " / ".join(self._rendered("subject")) if by_mail else ""
        self.body = "\n\n".join(self._rendered("body" if by_mail else "sms")) + "\n"

    @property
    def pattern(self) -> str:
        """Subject and body, with `{code}` where the code belongs."""
        return f"{self.subject}\n\n{self.body}".lstrip()

    def text(self, notice_id: int) -> str:
        return self.body.replace("{code}", notice_codes.code_of(notice_id))

    def _rendered(self, part: str) -> Iterator[str]:
        template = get_template(f"emails/reset_notice.{part}.txt")
        for language in LANGUAGES:
            with translation.override(language):
                yield template.render(self._shown).strip()


# --- one batch ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt: the transition of the notice, and the server's reply."""

    transition: str
    answer: str = ""
    stop: str = ""
    """Why no further mail should be tried, when it is not about this one address."""


SENT = Outcome("send")


def send(run: Run, lease: Lease, rows: QuerySet[ResetNotice]) -> None:
    """Every queued notice of the batch was handed to the mail server once, or is stored with the
    reason of its failure.

    There is one transaction for each notice. It records the outcome of the last one and the
    beginning of the next one. A notice that a dead worker had begun is `unknown`. A temporary
    refusal is tried again, three times in all. Raises `MailServerRefuses` when no mail at all can
    be sent.
    """
    with lease.turn() as turn:
        _settle_what_was_begun(run, lease, turn, rows)
        todo = list(
            rows.filter(state=ResetNotice.State.QUEUED).order_by("pk").values_list("pk", flat=True)
        )
    if not todo:
        return
    with Post(run) as post:
        begun: ResetNotice | None = None
        outcome = SENT
        while True:
            record = partial(_record_and_begin, begun, outcome, todo, run=run)
            begun, todo = lease.take_turn(record)
            if begun is None:
                break
            outcome = post.deliver(begun)
    if outcome.stop:
        raise MailServerRefuses(why=outcome.stop)


def _settle_what_was_begun(run: Run, lease: Lease, turn: Turn, rows: QuerySet[ResetNotice]) -> None:
    """No notice of the batch is `sending`. Each that stays unknown is stored as a failure."""
    transition_set(rows, "lose", run=run)
    turn.moved += transition_set(rows.filter(state=ResetNotice.State.UNKNOWN), "confirm", run=run)
    stored = Failure.objects.filter(run=run, step=lease.batch.step, retried_at=None)
    unknown = rows.filter(state=ResetNotice.State.UNKNOWN)
    for pk in unknown.exclude(pk__in=stored.values("subject_id")).values_list("pk", flat=True):
        turn.fail(pk, UNKNOWN, "the worker died while the mail server was being asked")
    if lease.batch.first_id == lease.batch.last_id and lease.batch.moved == 0:
        turn.moved += _settled_by_report(run, lease)


def _settled_by_report(run: Run, lease: Lease) -> int:
    """Returns 1 when the batch is one retried notice and the mail server's report came before the
    retry.
    """
    pk = lease.batch.first_id
    retried = Failure.objects.filter(
        run=run, step=lease.batch.step, subject_id=pk, retried_at__isnull=False
    )
    settled = ResetNotice.objects.filter(pk=pk, state__in=ResetNotice.SETTLED)
    return int(retried.exists() and settled.exists())


def _record_and_begin(
    begun: ResetNotice | None, outcome: Outcome, todo: list[int], turn: Turn, *, run: Run
) -> tuple[ResetNotice | None, list[int]]:
    """The outcome of the begun notice is recorded, and the next notice is begun. Returns the next
    one, or None when no further mail may be tried, and the list of those that are left.
    """
    at, left = clock.now(), list(todo)
    sending = ResetNotice.State.SENDING
    # An earlier call may have committed, though its answer was lost.
    unrecorded = begun and ResetNotice.objects.filter(pk=begun.pk, state=sending).exists()
    if begun and unrecorded and _record(begun, outcome, turn, run=run, at=at):
        left.append(begun.pk)
    if outcome.stop or not turn.goes_on:
        return None, left
    return _begin(left, run=run, at=at), left


def _begin(todo: list[int], *, run: Run, at: dt.datetime) -> ResetNotice | None:
    """The next notice of the list is begun. Returns it, or None when none is left.

    A notice that the mail server's report has settled since is skipped.
    """
    while todo:
        notice = ResetNotice(pk=todo.pop(0))
        attempt: dict[str, Any] = {"attempts": F("attempts") + 1, "attempted_at": at, "answer": ""}
        try:
            return transition_one(notice, "begin", actor=SYSTEM, run=run, **attempt)
        except TransitionRefused:
            continue
    return None


def _record(
    notice: ResetNotice, outcome: Outcome, turn: Turn, *, run: Run, at: dt.datetime
) -> bool:
    """The row has the outcome of the attempt. Returns True when it should be tried again."""
    changes: dict[str, Any] = {"answer": outcome.answer}
    if outcome.transition == "send":
        changes["sent_at"] = at
    if outcome.transition == "give_up":
        changes["reported_at"] = at
    done = transition_one(notice, outcome.transition, actor=SYSTEM, run=run, **changes)
    if outcome.transition in ("send", "give_up"):
        turn.moved += 1
    elif outcome.transition == "lose":
        turn.fail(done.pk, UNKNOWN, "the connection broke while the mail server was taking it")
    elif done.attempts < ATTEMPTS_MAX or outcome.stop:
        return True
    else:
        turn.fail(done.pk, DEFERRED, f"put off {done.attempts} times, last with {outcome.answer}")
    return False


# --- the mail server ------------------------------------------------------------------------------


class Post:
    """`with Post(run)`: one connection to the mail server, opened again when it breaks."""

    def __init__(self, run: Run) -> None:
        self._letter = Letter(run)
        self._connection = get_connection()
        self._open = False

    def __enter__(self) -> Post:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def deliver(self, notice: ResetNotice) -> Outcome:
        """The notice was offered to the mail server. The returned outcome is certain, or `lose`."""
        reached = User.objects.filter(pk=notice.user_id, mail_address__isnull=False)
        address = reached.values_list("email", flat=True).first()
        if not address:
            return Outcome("give_up", "no address")
        if why := self._connect():
            return Outcome("defer", "no connection", stop=why)
        try:
            self._connection.send_messages([self._message(notice, address)])
        except TakenPerhaps:
            self._close()
            return Outcome("lose", "connection broke")
        except smtplib.SMTPRecipientsRefused as refused:
            code = next(iter(refused.recipients.values()))[0]
            return self._refused(code)
        except smtplib.SMTPSenderRefused as refused:
            self._close()
            return Outcome("defer", str(refused.smtp_code), stop=f"the sender: {refused.smtp_code}")
        except smtplib.SMTPResponseException as refused:
            return self._refused(refused.smtp_code)
        except (smtplib.SMTPNotSupportedError, ValueError, UnicodeError):
            # The server cannot take this address, though its form may be right.
            self._close()
            return Outcome("give_up", "address")
        except (smtplib.SMTPException, OSError):
            # It broke before the content, so the server certainly did not take the mail.
            self._close()
            return Outcome("defer", "connection broke")
        return SENT

    def _refused(self, code: int) -> Outcome:
        if code == 421:
            self._close()
        return Outcome("give_up" if 500 <= code < 600 else "defer", str(code))

    def _message(self, notice: ResetNotice, address: str) -> EmailMessage:
        if notice.attempted_at is None:
            raise AssertionError("a notice is sent after it was claimed")
        return EmailMessage(
            self._letter.subject,
            self._letter.text(notice.pk),
            settings.DEFAULT_FROM_EMAIL,
            [address],
            headers={
                "Message-ID": notice_codes.message_id(notice.pk),
                "Date": format_datetime(notice.attempted_at),
                "Auto-Submitted": "auto-generated",
            },
            connection=self._connection,
        )

    def _connect(self) -> str:
        """A connection is open. Returns an empty string, or the reason why there is none."""
        why = ""
        for attempt in range(CONNECTIONS_MAX):
            if self._open:
                return ""
            if attempt:
                threading.Event().wait(CONNECT_AGAIN_S)
            try:
                self._connection.open()
                self._open = True
            except smtplib.SMTPResponseException as refused:
                why = f"it answers {refused.smtp_code}"
            except (smtplib.SMTPException, OSError) as broken:
                why = f"no connection ({type(broken).__name__})"
        return "" if self._open else why

    def _close(self) -> None:
        self._open = False
        try:
            self._connection.close()
        except (smtplib.SMTPException, OSError):
            self._connection = get_connection()
