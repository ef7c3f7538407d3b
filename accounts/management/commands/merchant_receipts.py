"""`manage.py merchant_receipts`: who of the merchants has confirmed the notice."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import translation

from accounts.merchants import merchant_page, notices, receipts
from winddown import files
from winddown.authority.staff_command import StaffCommand, shown


class Command(StaffCommand):
    help = "List the merchants with their receipts, or write the evidence of one receipt to a file."
    examples = (
        "merchant_receipts --by hana",
        "merchant_receipts --show without --by hana",
        'merchant_receipts --evidence 3 --out evidence --by hana --reason "the authority asks"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--show",
            choices=[code for code in merchant_page.RECEIPTS if code],
            default="",
            help="only those merchants; all without it",
        )
        parser.add_argument(
            "--evidence", type=int, metavar="NUMBER", help="number of a receipt with a file"
        )
        parser.add_argument("--out", type=Path, help="directory for the file of --evidence")

    def act(self, options: dict[str, Any]) -> None:
        if options["evidence"] is not None:
            self._evidence(options)
            return
        merchant_page.require_sight(self.actor(options, reason_needed=False))
        text = notices.in_force()
        with translation.override("en"):
            figures = merchant_page.figures(text)
            self.say(
                f"{figures.confirmed:,} of {figures.merchants:,} merchants have confirmed,"
                f" {figures.without_receipt:,} have not; {figures.not_told:,} are not told yet,"
                f" {figures.letters_waiting:,} letters wait to be printed.",
                merchants=figures.merchants,
                confirmed=figures.confirmed,
                without_receipt=figures.without_receipt,
                not_told=figures.not_told,
                letters_waiting=figures.letters_waiting,
            )
            for row in merchant_page.rows(
                list(merchant_page.chosen(text, receipt=options["show"]))
            ):
                confirmed = (
                    f"receipt {row.receipt.pk}, {row.receipt.channel},"
                    f" {shown(row.receipt.received_at)}"
                    if row.receipt
                    else "no receipt"
                )
                self.say(
                    f"{row.merchant.merchant_ref}  {row.standing}  {confirmed}",
                    merchant=row.merchant.merchant_ref,
                    notice=row.standing,
                    receipt=row.receipt.pk if row.receipt else None,
                    channel=row.receipt.channel if row.receipt else None,
                    received_at=row.receipt.received_at if row.receipt else None,
                )

    def _evidence(self, options: dict[str, Any]) -> None:
        if options["out"] is None:
            raise CommandError("--out is missing: name the directory for the file", returncode=2)
        found = receipts.disclose_evidence(
            options["evidence"], actor=self.proven_actor(options), reason=options["reason"]
        )
        name = f"receipt-{options['evidence']}-{found.name}"
        path = files.write_once(options["out"], name, [found.content])
        self.say(f"{path} holds the evidence.", path=str(path))
