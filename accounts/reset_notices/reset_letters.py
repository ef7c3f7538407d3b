"""The notices of a reset to people whom only the post reaches, as pages to print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts import carrier_files, postal_addresses
from accounts.models import CarrierFile, CredentialFence, ResetNotice, User
from accounts.postal_addresses import Postal
from accounts.reset_notices import notice_codes
from winddown.models import Programme, Run
from winddown.programme import letter_files


@dataclass(frozen=True, slots=True)
class ResetLetter:
    """One letter. The code shows that it is ours; it opens nothing."""

    pk: int
    holder: User
    postal: Postal | None
    code: str


def keep(run: Run, queued: QuerySet[ResetNotice], *, name: str) -> list[CarrierFile]:
    """Every queued notice is a page in one of the stored files, which are returned."""
    files: list[CarrierFile] = []
    for number, letters in enumerate(_portions(queued), 1):
        more = f"-{number}" if number > 1 else ""
        file = letter_files.printable(
            f"{name}{more}.html", "accounts/reset_letters.html", letters=letters, on=_on(run)
        )
        files.append(carrier_files.keep(file.name, [file.content], rows=len(letters)))
    return files


def _portions(queued: QuerySet[ResetNotice]) -> Iterator[list[ResetLetter]]:
    after = 0
    known = queued.select_related("user__postal_address").order_by("pk")
    while portion := list(known.filter(pk__gt=after)[: letter_files.ROWS_MAX]):
        after = portion[-1].pk
        yield [
            ResetLetter(
                pk=each.pk,
                holder=each.user,
                postal=postal_addresses.of(each.user),
                code=notice_codes.code_of(each.pk),
            )
            for each in portion
        ]


def _on(run: Run) -> object:
    fence = CredentialFence.objects.get(run=run)
    return fence.not_before.astimezone(Programme.current().zone).date()
