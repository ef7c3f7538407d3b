"""Files for the carriers of notices, and files of the people who cannot be reached."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet, Value

from accounts.models import ResetNotice, User
from accounts.reset_notices import notice_codes
from accounts.reset_notices.notices import Letter
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.files import write_once
from winddown.machines.move import named
from winddown.models import Run

ROWS_AT_ONCE = 2_000
ADDRESS_OF = {
    ResetNotice.Channel.EMAIL: "user__email",
    ResetNotice.Channel.PHONE: "user__phone_number",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """The files that were written, without their directory, and how many rows there are."""

    files: tuple[str, ...]
    rows: int


def hand_over(run: Run, *, channel: str, to: Path, actor: Actor, reason: str) -> Exported:
    """Every queued notice of the run for the channel is `sent`. Its row is in a file for the
    carrier. A second file has the words, in which the code replaces `{code}`.

    The files are written before the notices are marked. After a crash between the two, a second
    call writes the same bytes to the same name. Raises `GuardNotMet` for mails that the run sends
    itself. Raises `FileDiffers` when a file exists with other content.
    """
    require(actor, "accounts.send_reset_notice", action="hand over notices")
    if channel == ResetNotice.Channel.EMAIL and run.params["mail"] != "file":
        raise GuardNotMet(
            action=says("hand over notices"),
            why=says("this run sends its mails itself; plan with mail: file"),
        )
    with transaction.atomic():
        # A second call for the same run waits here, and finds nothing left.
        Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        queued = ResetNotice.objects.filter(
            run=run, channel=channel, state=ResetNotice.State.QUEUED, attempts=0
        )
        first = queued.order_by("pk").values_list("pk", flat=True).first()
        if first is None:
            return Exported(files=(), rows=0)
        name = f"notices-run-{run.pk}-{channel}-from-{first}"
        letter = Letter(run, by=channel)
        rows = _Rows(queued.order_by("pk"), address=ADDRESS_OF[ResetNotice.Channel(channel)])
        write_once(to, f"{name}.csv", rows)
        write_once(to, f"{name}.txt", [letter.pattern.encode()])
        with named("hand_over", actor=actor, run=run, reason=reason):
            queued.update(state=Value(ResetNotice.State.SENT.value), sent_at=clock.now())
        audit.append(
            "notices.hand_over",
            run.subject,
            actor=actor,
            reason=reason,
            run=run,
            channel=channel,
            file=f"{name}.csv",
            sha256=rows.digest.hexdigest(),
            rows=rows.number,
        )
    return Exported(files=(f"{name}.csv", f"{name}.txt"), rows=rows.number)


class _Rows:
    """The lines of the carrier's file. It counts and hashes them while they are written."""

    def __init__(self, notices: QuerySet[ResetNotice], *, address: str) -> None:
        self.number = 0
        self.digest = hashlib.sha256()
        self._notices = notices.values_list("pk", address)

    def __iter__(self) -> Iterator[bytes]:
        for piece in _csv(("message_id", "address", "code"), self._lines()):
            self.digest.update(piece)
            yield piece

    def _lines(self) -> Iterator[tuple[str, ...]]:
        for pk, address in self._notices.iterator(chunk_size=ROWS_AT_ONCE):
            self.number += 1
            yield notice_codes.message_id(pk), address, notice_codes.code_of(pk)


def export_unreachable(run: Run, *, to: Path, actor: Actor, reason: str) -> Exported:
    """The file names every customer whom the run's notices cannot reach, by the core system's key
    only. Customers without such a key are named by our own number.
    """
    require(actor, "accounts.send_reset_notice", action="export unreachable people")
    if run.as_of is None:
        raise AssertionError("a run that works has its date")
    people = (
        User.objects.customers().registered_by(run.as_of).without_channel(verified_by=run.as_of)
    )
    found = people.order_by("pk").values_list("pk", "account_ref")
    number = people.count()
    name = f"unreachable-run-{run.pk}.csv"
    lines = ((ref or f"account {pk}",) for pk, ref in found.iterator(chunk_size=ROWS_AT_ONCE))
    with transaction.atomic():
        write_once(to, name, _csv(("account_ref",), lines))
        audit.append(
            "notices.export_unreachable",
            run.subject,
            actor=actor,
            reason=reason,
            run=run,
            file=name,
            rows=number,
        )
    return Exported(files=(name,), rows=number)


def _csv(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    """Yields UTF-8 in pieces. Machines read it, so values are written unchanged."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(header)
    for line in lines:
        out.writerow(line)
        if text.tell() > 1 << 16:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
