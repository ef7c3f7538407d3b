"""Files for the carriers of notices, and files of the people who cannot be reached."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet, Value

from accounts import carrier_files
from accounts.models import CarrierFile, ResetNotice, User
from accounts.reset_notices import notice_codes, reset_letters
from accounts.reset_notices.notices import Letter
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.machines.move import named
from winddown.models import Run

WORKFLOW = "reset-all-passwords"
ROWS_AT_ONCE = 2_000
PIECE_BYTES = 1 << 16
ADDRESS_OF = {
    ResetNotice.Channel.EMAIL: "user__email",
    ResetNotice.Channel.PHONE: "user__phone_number",
}


@dataclass(frozen=True, slots=True)
class Handed:
    """The files of the run and channel that nobody has taken yet, and how many notices they have."""

    files: tuple[CarrierFile, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that is made while it is read: its name, how many rows it has, and its pieces."""

    name: str
    rows: int
    pieces: Iterable[bytes]


def hand_over(run: Run, *, channel: str, actor: Actor, reason: str) -> Handed:
    """Every queued notice of the run for the channel is `sent`. Its row is in a stored file for the
    carrier. A second file has the words, in which the code replaces `{code}`. Letters stand in files
    of pages to print.

    Returns the files that wait, also those of an earlier call that nobody took. Raises
    `GuardNotMet` for mails that the run sends itself, and if the run queues notices meanwhile.
    """
    require(actor, carrier_files.PERMISSION, action="hand over notices")
    action = says("hand over notices")
    if channel == ResetNotice.Channel.EMAIL and run.params["mail"] != "file":
        raise GuardNotMet(
            action=action, why=says("this run sends its mails itself; plan with mail: file")
        )
    with transaction.atomic():
        # A second call for the same run waits here, and finds nothing left.
        Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        queued = queued_for(run, channel)
        stem = f"notices-run-{run.pk}-{channel}-from-"
        if (first := queued.order_by("pk").values_list("pk", flat=True).first()) is not None:
            kept, rows = _kept(run, queued, channel=channel, name=f"{stem}{first}")
            with named("hand_over", actor=actor, run=run, reason=reason):
                sent = queued.update(state=Value(ResetNotice.State.SENT.value), sent_at=clock.now())
            if not sent == rows == sum(file.rows for file in kept):
                raise GuardNotMet(
                    action=action, why=says("the run queues notices now: try it again")
                )
            audit.append(
                "notices.hand_over",
                run.subject,
                actor=actor,
                reason=reason,
                run=run,
                channel=channel,
                file=kept[0].name,
                sha256=kept[0].sha256,
                rows=rows,
            )
        files = tuple(carrier_files.waiting(stem))
    return Handed(files=files, rows=sum(each.rows for each in files))


def _kept(
    run: Run, queued: QuerySet[ResetNotice], *, channel: str, name: str
) -> tuple[list[CarrierFile], int]:
    """The notices stand in stored files. Returns the files, and how many notices they hold."""
    if channel == ResetNotice.Channel.LETTER:
        files = reset_letters.keep(run, queued, name=name)
        return files, sum(file.rows for file in files)
    rows = _Rows(queued.order_by("pk"), address=ADDRESS_OF[ResetNotice.Channel(channel)])
    file = carrier_files.keep(f"{name}.csv", rows, rows=queued.count())
    carrier_files.keep(f"{name}.txt", [Letter(run, by=channel).pattern.encode()], rows=0)
    return [file], rows.number


def queued_for(run: Run, channel: str) -> QuerySet[ResetNotice]:
    """Returns the notices that no file has and that nobody began to send."""
    return ResetNotice.objects.filter(
        run=run, channel=channel, state=ResetNotice.State.QUEUED, attempts=0
    )


class _Rows:
    """The lines of the carrier's file. It counts them while they are written."""

    def __init__(self, notices: QuerySet[ResetNotice], *, address: str) -> None:
        self.number = 0
        self._notices = notices.values_list("pk", address)

    def __iter__(self) -> Iterator[bytes]:
        return _csv(("message_id", "address", "code"), self._lines())

    def _lines(self) -> Iterator[tuple[str, ...]]:
        for pk, address in self._notices.iterator(chunk_size=ROWS_AT_ONCE):
            self.number += 1
            yield notice_codes.message_id(pk), address, notice_codes.code_of(pk)


def unreachable(run: Run) -> QuerySet[User]:
    """Returns every customer whom the run's notices cannot reach."""
    if run.as_of is None:
        raise AssertionError("a run that works has its date")
    customers = User.objects.customers().registered_by(run.as_of)
    return customers.without_channel(verified_by=run.as_of)


def export_unreachable(run: Run, *, actor: Actor, reason: str) -> Listed:
    """The file names every customer whom the run's notices cannot reach, by the core system's key
    only. Customers without such a key are named by our own number.

    The journal records it before the file is read.
    """
    require(actor, carrier_files.PERMISSION, action="export unreachable people")
    people = unreachable(run)
    listed = Listed(
        name=f"unreachable-run-{run.pk}.csv",
        rows=people.count(),
        pieces=_csv(("account_ref",), _references(people)),
    )
    with transaction.atomic():
        audit.append(
            "notices.export_unreachable",
            run.subject,
            actor=actor,
            reason=reason,
            run=run,
            file=listed.name,
            rows=listed.rows,
        )
    return listed


def _references(people: QuerySet[User]) -> Iterator[tuple[str, ...]]:
    found = people.order_by("pk").values_list("pk", "account_ref")
    for pk, ref in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield (ref or f"account {pk}",)


def _csv(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    """Yields UTF-8 in pieces. Machines read it, so values are written unchanged."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(header)
    for line in lines:
        out.writerow(line)
        if text.tell() > PIECE_BYTES:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
