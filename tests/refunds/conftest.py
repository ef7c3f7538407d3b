"""A programme whose balances are sealed, with banks, limits and people, and short ways through a
refund.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from refunds.applications import payees, submitting
from refunds.bank_accounts import Account
from refunds.bankfiles.zengin_codes import BankRow, BranchRow
from refunds.models import Entitlement, PayoutBatch, ReconciliationBreak
from refunds.payouts import (
    bank_codes,
    batch_ends,
    breaks,
    payout_batches,
    refund_limits,
    results,
    tracing,
)
from rehearsal.bank import Accounts, SimulatedBank
from tests import factories
from tests.owning import as_loader
from wallets.models import Wallet
from wallets.workflows.shut_down_by_deadline import seal
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.evidence import audit, invariants
from winddown.machines.move import transition_set
from winddown.models import Approval, Capability, Milestone, Programme, Run, RunTransition
from winddown.programme.evidence_files import File

TOKYO = ZoneInfo("Asia/Tokyo")
BRANCHES = [("0001", "001"), ("0005", "101"), ("9900", "018")]

# Of the public notice: a Friday.
LAST_DAY = dt.date(2020, 1, 10)


def person(*permissions: str) -> Any:
    """A member of staff who holds exactly these permissions."""
    staff = factories.make_staff()
    for name in permissions:
        label, codename = name.split(".")
        kind, _ = ContentType.objects.get_or_create(app_label=label, model="role")
        permission, _ = Permission.objects.get_or_create(
            content_type=kind, codename=codename, defaults={"name": codename}
        )
        staff.user_permissions.add(permission)
    return staff


def jst(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@dataclass
class House:
    """The operator after the balances were sealed, and the steps that the tests repeat."""

    directory: Path
    treasury: Any
    approver: Any
    approver2: Any
    sender: Any
    second: Any
    support: Any
    checker: Any
    compliance: Any
    bank: SimulatedBank
    accounts: Accounts = field(default_factory=lambda: Accounts(BRANCHES))
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def account(self, quality: str = "ok", *, name: str = "ヤマダ　タロウ") -> Account:
        bank, branch, kind, number = self.accounts.account(
            next(self.numbers), attempt=1, quality=quality
        )
        return Account(bank, branch, kind, number, name)

    def run(self, part: str, *, traced: bool = True, **params: Any) -> Run:
        """One part of refund-balances, planned, approved, worked off and ended. Before an exclusion
        everybody is traced, unless the test says no.
        """
        if part == "exclude" and traced:
            self.trace()
        run = factories.started_run(
            "refund-balances",
            maker=self.treasury,
            checker=self.approver,
            params={"part": part, **params},
        )
        done = factories.worked_off(run)
        told = RunTransition.objects.filter(subject_id=run.pk).order_by("-pk").first()
        assert done.state in Run.ENDED, (
            done.step,
            told and told.reason,
            list(run.batches.values_list("step", "state", "attempts")),
        )
        return done

    def trace(self, *, kinds: tuple[str, ...] = ("letter", "telephone")) -> tracing.Loaded:
        """Everybody who may still apply was looked for in these ways."""
        refs = Wallet.objects.filter(entitlements__state__in=Entitlement.APPLICABLE).values_list(
            "wallet_ref", flat=True
        )
        at = clock.now().astimezone(TOKYO) - dt.timedelta(minutes=1)
        rows = [
            f"{ref},{kind},{at:%Y-%m-%dT%H:%M},not_reached"
            for ref in sorted(set(refs))
            for kind in kinds
        ]
        content = "\n".join([",".join(tracing.COLUMNS), *rows])
        return tracing.load(
            File(name="efforts.csv", content=content.encode()),
            evidence="list 1",
            actor=self.compliance,
            reason="test",
        )

    def entitled(
        self, number: int = 3, *, paid_minor: int = 1000, bonus_minor: int = 0
    ) -> list[Entitlement]:
        """Returns so many wallets with this balance, closed, sealed and entitled."""
        ids = self.close(
            factories.make_wallets(number, paid_minor=paid_minor, bonus_minor=bonus_minor)
        )
        self.seal()
        done = self.run("entitle")
        assert done.state == "succeeded", done
        return list(Entitlement.objects.filter(wallet_id__in=ids).order_by("pk"))

    def close(self, ids: list[int], *, held: bool = False) -> list[int]:
        """The wallets are closed as the shut-down closes them, each with its snapshot line."""
        rows = Wallet.objects.filter(pk__in=ids)
        with transaction.atomic(), connection.cursor() as cursor:
            for name in ("hold", "close_held") if held else ("start_closing", "close"):
                transition_set(rows, name, run=None)
            cursor.execute(
                "INSERT INTO wallets_snapshotline (wallet_id, run_id, paid_minor, bonus_minor, "
                "held_minor)"
                " SELECT id, 1, paid_minor, bonus_minor, held_minor FROM wallets_wallet WHERE "
                "id = ANY (%s)",
                [ids],
            )
            audit.append("test.close", "wallets", actor=SYSTEM)
        return ids

    def seal(self) -> None:
        with transaction.atomic():
            seal(_run_like())

    def apply(
        self, owed: Entitlement, *, quality: str = "ok", channel: str = "app", **more: Any
    ) -> Any:
        """Returns the holder's application after its submission."""
        holder = owed.wallet.account
        return submitting.submit(
            holder,
            channel=channel,
            op_id=uuid.uuid4(),
            actor=holder,
            account=more.pop("account", None) or self.account(quality),
            confirmed_minor=more.pop("confirmed_minor", owed.amount_minor),
            **more,
        )

    def check_payees(self) -> None:
        """The bank was asked about every new payee, and its answer is imported."""
        if payees.export_check_file(self.bank.inbox, actor=self.treasury, reason="test"):
            self.answers()

    def answers(self) -> list[results.Imported]:
        """The bank worked on the files it got, and its answers are imported."""
        taken = self.bank.work(today=payout_batches.today())
        with as_loader():
            return [
                results.import_file(path, actor=self.treasury, reason="test")
                for each in taken
                for path in each.answers
            ]

    def paid_batch(self, value_date: str = "2019-11-15") -> PayoutBatch:
        """The pay part ran, and its one batch waits for approval."""
        done = self.run("pay", value_date=value_date)
        assert done.state == "succeeded", done
        return PayoutBatch.objects.get(run=done)

    def approve(self, batch: PayoutBatch) -> PayoutBatch:
        return payout_batches.approve_batch(
            batch, actor=self.approver2, digest=batch.digest, reason="test"
        )

    def send(self, batch: PayoutBatch) -> PayoutBatch:
        """Approved, exported and with the bank."""
        batch = self.approve(batch)
        payout_batches.export_batch(
            batch, directory=self.bank.inbox, actor=self.treasury, reason="test"
        )
        return payout_batches.mark_transmitted(batch, actor=self.sender, reason="test")

    def agreed(self, request: Approval) -> None:
        """A second person agreed to what was asked for."""
        approvals.carry_out(
            request, shown=request.digest, actor=self.approver2, reason="test", approve=True
        )

    def void(self, batch: PayoutBatch) -> None:
        """Two people agreed that the batch is never sent."""
        self.agreed(batch_ends.ask_void(batch, actor=self.treasury, reason="test"))

    def refuse(self, batch: PayoutBatch, *, sha256: str = "a" * 64) -> None:
        """Two people recorded that the bank refused the whole file."""
        self.agreed(
            batch_ends.ask_refusal(
                batch, sha256=sha256, name="letter.pdf", actor=self.treasury, reason="test"
            )
        )

    def clear(self, found: ReconciliationBreak) -> None:
        """Two people cleared the break."""
        request = breaks.ask_clear(
            found, explanation="the bank called", actor=self.treasury, reason="test"
        )
        self.agree_as_second(request)

    def agree_as_second(self, request: Approval | None = None) -> None:
        """The second person of the reconciliation agreed to what was asked for last."""
        asked = request or Approval.objects.latest("pk")
        approvals.carry_out(
            asked, shown=asked.digest, actor=self.second, reason="test", approve=True
        )

    def clear_all(self) -> None:
        for found in ReconciliationBreak.objects.filter(state="open").order_by("pk"):
            self.clear(found)

    def money_holds(self) -> None:
        assert invariants.breached() == {}


def _run_like() -> Any:
    return type("RunLike", (), {"pk": 1})()


@pytest.fixture
def house(rehearsal_clock: Any, programme: Any, tmp_path: Path) -> House:
    """Balances are fixed since 1 October 2019, and refunds are not open; it is 5 November."""
    with transaction.atomic():
        factories.make_programme(state="balance_fixed")
        audit.append("test.programme", "programme", actor=SYSTEM)
    Programme.objects.update(safeguarded_minor=10**12)
    clock.travel(jst("2019-09-30T12:00"))
    Milestone.objects.create(kind="spend_ends", at=jst("2019-10-01T00:00"), ends_capability="spend")
    factories_stop_top_ups()
    factories.publish_everywhere(factories.publish_notice(LAST_DAY))
    clock.travel(jst("2019-11-05T10:00"), frozen=True)
    return make_house(tmp_path)


def make_house(directory: Path, **limits: Any) -> House:
    """Banks and limits are known, and all people for a refund exist."""
    settled = person("refunds.adopt_terms")
    bank_codes.load(
        version="test",
        banks=[
            BankRow("0001", "みずほ", "ﾐｽﾞﾎ"),
            BankRow("0005", "三菱", "ﾐﾂﾋﾞｼ"),
            BankRow("9900", "ゆうちょ", "ﾕｳﾁﾖ"),
        ],
        branches=[BranchRow(bank, branch, "店", "ﾐｾ") for bank, branch in BRANCHES],
        actor=settled,
        reason="test",
    )
    refund_limits.adopt(
        actor=settled,
        reason="test",
        source="test",
        remitter_code="1234567890",
        remitter_name="ｾﾌﾞﾝ ﾍﾟｲ",
        bank_code="0001",
        branch_code="001",
        account_number="7654321",
        auto_approve_max_minor=100_000,
        **limits,
    )
    inbox, outbox = directory / "to_bank", directory / "from_bank"
    inbox.mkdir()
    run_rights = (
        "winddown.plan_run",
        "winddown.start_run",
        "winddown.pause_run",
        "winddown.resume_run",
    )
    return House(
        directory=directory,
        treasury=person(
            *run_rights,
            "refunds.make_payout_batch",
            "refunds.reconcile",
            "refunds.take_payout_view",
        ),
        approver=person("winddown.approve_run", "refunds.approve_payout_batch"),
        approver2=person("refunds.approve_payout_batch", "refunds.decide_application"),
        sender=person("refunds.transmit_payout_batch"),
        second=person("refunds.reconcile"),
        support=person("refunds.work_application"),
        checker=person(
            "refunds.decide_application",
            "refunds.approve_late_claim",
            "refunds.override_name_check",
            "refunds.work_application",
        ),
        compliance=person("winddown.publish_notice"),
        bank=SimulatedBank(inbox=inbox, outbox=outbox, quality_of=Accounts.quality_of),
    )


def factories_stop_top_ups() -> None:
    """Every funding source is stopped."""
    with transaction.atomic():
        transition_set(Capability.objects.filter(code__startswith="top_up:"), "stop", run=None)
        audit.append("test.stop", "capabilities", actor=SYSTEM)
