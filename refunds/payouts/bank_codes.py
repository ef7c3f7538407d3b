"""The public bank and branch codes in tables, one version beside the other, one of them in force."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction

from refunds.bankfiles.zengin_codes import BankRow, BranchRow
from refunds.models import Bank, BankDataset, Branch
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval

PERMISSION = "refunds.adopt_terms"
SECOND = "refunds.approve_payout_batch"
STAGE = "bank_codes"
# By bank and branch code: what the active list says, and what the other one says.
_COMPARED = """
    FROM (SELECT bank_code, code, name, kana FROM refunds_branch WHERE dataset_id = %(before)s) b
    FULL JOIN (SELECT bank_code, code, name, kana FROM refunds_branch WHERE dataset_id = %(now)s) n
        USING (bank_code, code)
"""
_KIND = """
    CASE WHEN b.name IS NULL THEN 'new' WHEN n.name IS NULL THEN 'closed'
        WHEN (b.name, b.kana) <> (n.name, n.kana) THEN 'changed' END
"""
KINDS = ("new", "changed", "closed")


@dataclass(frozen=True, slots=True)
class Change:
    """A branch that is new, has another name, or is gone."""

    kind: str
    bank_code: str
    code: str
    before: str
    now: str
    payees: int
    """The current payees whose account it has."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a list would change: branches by kind, and the payees who could not be paid any more."""

    counts: dict[str, int]
    payees_closed: int
    shown: list[Change]


def load(
    *,
    version: str,
    banks: Iterable[BankRow],
    branches: Iterable[BranchRow],
    actor: Actor,
    reason: str,
) -> tuple[BankDataset, Approval | None]:
    """The codes of the version are loaded. The first list is in force at once; for every later one a
    second person is asked, and the one before stays in force until then.

    Returns the version and the request; None if the version is in force, now or before. Earlier
    versions stay, so that an old payee can be read as it was entered. Raises `GuardNotMet` for
    other codes under the name of a version that is there.
    """
    require(actor, PERMISSION, by_system=True, action="load bank codes")
    with transaction.atomic():
        # One loader at a time.
        active = BankDataset.objects.select_for_update().filter(active=True).first()
        present = _kept(version, list(banks), list(branches))
        if present.active:
            return present, None
        request = None
        if active is None:
            BankDataset.objects.filter(pk=present.pk).update(active=True)
        else:
            signed = _signed(present)
            content = signed.content()
            approvals.refuse_repeated(
                signed.subject, stage=STAGE, content=content, maker=actor, reason=reason
            )
            request = signed.ask(maker=actor, reason=reason)
        audit.append(
            "bank_codes.load" if request is None else "bank_codes.ask",
            f"bank_dataset:{version}",
            actor=actor,
            reason=reason,
            banks=present.banks,
            branches=present.branches,
        )
        return BankDataset.objects.get(pk=present.pk), request


def changes(dataset: BankDataset, *, shown_max: int = 0) -> Changes:
    """Returns what would change if the list came into force now."""
    active = BankDataset.objects.filter(active=True).first()
    given = {"before": active.pk if active else None, "now": dataset.pk, "most": shown_max}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_KIND} AS kind, count(*) {_COMPARED} GROUP BY 1",
            given,
        )
        counts = {kind: n for kind, n in cursor.fetchall() if kind}
        cursor.execute(
            f"SELECT count(*) FROM refunds_payee p JOIN (SELECT bank_code, code, {_KIND} AS kind"  # noqa: S608
            f" {_COMPARED}) c ON c.bank_code = p.bank_code AND c.code = p.branch_code"
            " WHERE c.kind = 'closed' AND p.replaced_at IS NULL",
            given,
        )
        (payees_closed,) = cursor.fetchone()
        cursor.execute(
            "SELECT kind, bank_code, code, before, now, (SELECT count(*) FROM refunds_payee p"  # noqa: S608
            " WHERE p.bank_code = c.bank_code AND p.branch_code = c.code"
            " AND p.replaced_at IS NULL)"
            f" FROM (SELECT {_KIND} AS kind, bank_code, code, coalesce(b.name, '') AS before,"
            f" coalesce(n.name, '') AS now {_COMPARED}) c WHERE kind IS NOT NULL"
            " ORDER BY kind = 'closed' DESC, kind, bank_code, code LIMIT %(most)s",
            given,
        )
        shown = [Change(*row) for row in cursor.fetchall()]
    return Changes({kind: counts.get(kind, 0) for kind in KINDS}, payees_closed, shown)


def _signed(dataset: BankDataset) -> SignedList:
    return SignedList(
        subject=approvals.next_subject(f"bank_dataset:{dataset.pk}"),
        stage=STAGE,
        permission=SECOND,
        content=lambda: _content(dataset),
    )


def _content(dataset: BankDataset) -> dict[str, object]:
    """Returns what two people sign: the list by its hash, and what it changes of the one in force."""
    active = BankDataset.objects.filter(active=True).first()
    return {
        "version": dataset.version,
        "sha256": _sha256(dataset),
        "replaces": active.version if active else "",
        **changes(dataset).counts,
    }


def _decided(said: approvals.Decided) -> object:
    """The list that two people signed is in force. A rejected one stays as it is, unused."""
    number, _sep, _request = said.key.partition(":")
    with transaction.atomic():
        BankDataset.objects.select_for_update().filter(active=True).first()
        dataset = BankDataset.objects.select_for_update().filter(pk=number).first()
        if dataset is None:
            raise NothingToDecide(subject=f"bank_dataset:{said.key}")
        _signed(dataset).decide(
            actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
        )
        if said.approve:
            BankDataset.objects.filter(active=True).update(active=False)
            BankDataset.objects.filter(pk=dataset.pk).update(active=True)
        return audit.append(
            "bank_codes.approve" if said.approve else "bank_codes.reject",
            f"bank_dataset:{dataset.version}",
            actor=said.actor,
            reason=said.reason,
        )


def _kept(version: str, banks: list[BankRow], branches: list[BranchRow]) -> BankDataset:
    """Returns the version with these codes, which are copied if it is not there."""
    present = BankDataset.objects.filter(version=version).first()
    if present is None:
        return _copied(version, banks, branches)
    if _sha256(present) != _digest(map(tuple, banks), map(tuple, branches)):
        raise GuardNotMet(
            action=says("load bank codes"),
            why=says("version {version} is there with other codes", version=version),
        )
    return present


def _digest(*tables: Iterable[tuple[object, ...]]) -> str:
    digest = hashlib.sha256()
    for table in tables:
        for row in table:
            digest.update("\x1f".join(map(str, row)).encode() + b"\x1e")
        digest.update(b"\x1d")
    return digest.hexdigest()


def _sha256(dataset: BankDataset) -> str:
    """Returns the digest of all codes and names of the list."""
    banks = Bank.objects.filter(dataset=dataset).order_by("code")
    branches = Branch.objects.filter(dataset=dataset).order_by("bank_code", "code")
    return _digest(
        banks.values_list("code", "name", "kana"),
        branches.values_list("bank_code", "code", "name", "kana"),
    )


def _copied(version: str, banks: list[BankRow], branches: list[BranchRow]) -> BankDataset:
    dataset = BankDataset.objects.create(
        version=version, banks=len(banks), branches=len(branches), loaded_at=clock.now()
    )
    _copy("COPY refunds_bank (dataset_id, code, name, kana) FROM STDIN", dataset, banks)
    _copy(
        "COPY refunds_branch (dataset_id, bank_code, code, name, kana) FROM STDIN",
        dataset,
        branches,
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Bank._meta.db_table}, {Branch._meta.db_table}")
    return dataset


def _copy(sql: str, dataset: BankDataset, rows: Iterable[BankRow | BranchRow]) -> None:
    with connection.cursor() as cursor, cursor.copy(sql) as channel:
        for row in rows:
            channel.write_row((dataset.pk, *row))


approvals.DECIDERS.add("bank_dataset", _decided)
