"""What an operator's rehearsal owes to others: reports to authorities, the notice to merchants, the
documents of the end.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from accounts.merchants import notices
from refunds.models import ClosingDocument
from rehearsal.own_staff import Staff
from winddown import clock
from winddown.models import Announcement, FundingSource, Merchant, Programme
from winddown.programme import filing_duties
from winddown.programme.filing_duties import Due
from winddown.programme.filing_kinds import KINDS

TEXT = "Rehearsal: the operator writes this."
PORTAL_OPEN_FOR = dt.timedelta(days=5 * 365)
MEASURE = "Rehearsal|the operator|{day}"


class OwnDuties:
    """The papers are written under `out`, and every act is a command of the person in charge."""

    def __init__(self, staff: Staff, *, out: Path) -> None:
        self.staff = staff
        self.papers = out / "papers"

    def file_reports(self) -> None:
        """Every report that is due now is with its authority: one person wrote it, two others have
        approved it, and its receipt is kept.
        """
        for due in filing_duties.due():
            if due.is_open and due.filing is None:
                self._file(due)

    def _file(self, due: Due) -> None:
        written = self._paper(f"{due.key.replace(':', '-')}.toml", _sections(due.kind))
        if self.staff.act("compliance", "filing", "write", due.key, str(written)) is None:
            return
        told = self.staff.act("compliance", "filing", "propose", due.key)
        # Two people beside the author, one after the other.
        if not (
            self.staff.decide(told, "compliance", number=1)
            and self.staff.decide(told, "incident_commander")
        ):
            return
        self.staff.act(
            "compliance",
            "filing",
            "file",
            due.key,
            "--number=rehearsal",
            f"--received-on={filing_duties.today()}",
            f"--evidence={self._paper('receipt.txt', TEXT)}",
        )

    def tell_merchants(self) -> None:
        """Every merchant of the file has got the notice of the end, and has confirmed it."""
        if not Merchant.objects.exists():
            return
        self.staff.act(
            "compliance",
            "draft_announcement",
            f"--kind={Announcement.Kind.MERCHANT.value}",
            "--title-ja=リハーサル",
            "--body-ja={service}は終了します。",
            "--title-en=Rehearsal",
            "--body-en={service} ends.",
        )
        draft = Announcement.objects.filter(kind=Announcement.Kind.MERCHANT).latest("pk")
        self.staff.approve(draft.subject, "incident_commander")
        if self.staff.act("compliance", "send_merchant_notice") is None:
            return
        text = notices.in_force()
        if text is None:
            raise AssertionError("what was sent is in force")
        at = f"{clock.now().astimezone(Programme.current().zone):%Y-%m-%dT%H:%M}"
        call = self._paper("call.txt", TEXT)
        for merchant in notices.without_receipt(text):
            self.staff.act(
                "compliance",
                "record_merchant_receipt",
                f"--merchant={merchant.merchant_ref}",
                "--channel=telephone",
                f"--received-at={at}",
                f"--evidence={call}",
            )

    def keep_documents(self) -> None:
        """What the law asks for before the end is shown by documents that a second person confirmed:
        each provider's residual, the hosting, the portal, and a successor.
        """
        paid_on = filing_duties.today() + PORTAL_OPEN_FOR
        until = f"--until-on={paid_on}"
        kind = ClosingDocument.Kind
        self._keep(kind.PORTAL, "portal", until)
        self._keep(kind.HOSTING, "hosting", until)
        self._keep(kind.SUCCESSOR, "successor", "--contact=rehearsal")
        held = FundingSource.objects.exclude(kind=FundingSource.Kind.BONUS)
        for code in held.order_by("code").values_list("code", flat=True):
            self._keep(kind.RESIDUAL, code, "--amount=0")

    def _keep(self, kind: str, subject: str, more: str) -> None:
        told = self.staff.act(
            "compliance",
            "keep_closing_document",
            f"--kind={kind}",
            f"--subject={subject}",
            "--owner=rehearsal",
            "--retrieval=at_once",
            f"--reviewed-on={filing_duties.today()}",
            f"--evidence={self._paper(f'{kind}-{subject}.txt', f'{TEXT} {kind} {subject}')}",
            more,
        )
        self.staff.decide(told, "compliance", number=1)

    def _paper(self, name: str, text: str) -> Path:
        self.papers.mkdir(parents=True, exist_ok=True)
        path = self.papers / name
        path.write_text(text)
        return path


def _sections(kind: str) -> str:
    """Returns the texts of a report as the command reads them."""
    measure = MEASURE.format(day=filing_duties.today())
    return "".join(
        f'{code} = "{measure if section.is_measures else TEXT}"\n'
        for code, section in KINDS[kind].sections.items()
    )
