"""`manage.py closing_proof`: every wallet is proved to have ended in exactly one bucket."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from refunds.closing import buckets, proofs
from refunds.models import ClosingProof
from winddown.authority.staff_command import StaffCommand, shown, shown_amount


class Command(StaffCommand):
    help = (
        "Take the closing proof: every wallet in exactly one bucket, the sums as the ledger says"
        " them. A second person confirms it. --check counts the newest proof again."
    )
    examples = (
        'closing_proof --by hana --reason "all has ended"',
        "closing_proof --check",
    )
    exits: ClassVar[dict[int, str]] = {
        0: "the proof is taken, or was found again",
        1: "refused, or something moved since the proof",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--check", action="store_true", help="count the newest proof again, and change nothing"
        )

    def act(self, options: dict[str, Any]) -> None:
        if options["check"]:
            self._check()
        else:
            self._take(options)

    def _take(self, options: dict[str, Any]) -> None:
        asked = proofs.take(actor=self.actor(options), reason=options["reason"])
        proof = proofs.newest()
        if proof is None:
            raise AssertionError("the proof was just stored")
        self._tell(proof)
        self.say_awaited("The closing proof is taken.", asked)

    def _check(self) -> None:
        proof = proofs.newest()
        if proof is None:
            self.say("No closing proof was taken.")
            raise SystemExit(1)
        self._tell(proof)
        said = proofs.found_again(proof)
        for sentence in said:
            self.say(sentence)
        if said:
            raise SystemExit(1)
        self.say(
            f"Proof {proof.pk} ({proofs.state_of(proof)}) was found again to the unit.",
            proof=proof.pk,
            state=proofs.state_of(proof),
            digest=proof.digest,
        )

    def _tell(self, proof: ClosingProof) -> None:
        self.say(
            f"Closing proof {proof.pk} as of {shown(proof.as_of)}: {proof.wallets:,} wallets in"
            f" {proof.currency}, digest {proof.digest}.",
            proof=proof.pk,
            as_of=proof.as_of,
            digest=proof.digest,
        )
        for name, bucket in proof.buckets.items():
            self.say(
                f"  {name:<12} {bucket['wallets']:>9,} wallets, {shown_amount(bucket['sealed'])}",
                bucket=name,
                **bucket,
            )
        for name in buckets.SUMS:
            self.say(
                f"  {name:<12} rows {shown_amount(buckets.total(proof.buckets, name))},"
                f" ledger {shown_amount(proof.ledger[name])}",
                sum=name,
                rows_minor=buckets.total(proof.buckets, name),
                ledger_minor=proof.ledger[name],
            )
