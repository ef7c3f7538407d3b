"""Papers to print at the end, in both languages and signed: one page for each payout batch, and the
final settlement statement of each merchant.
"""

from __future__ import annotations

import hmac
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Max, Min, Q, Sum
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import DeletionCertificate, Payout, PayoutBatch
from wallets.models import LedgerAccount, Payment, Posting
from winddown import clock, encryption, money, words
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Merchant, Programme, Signature
from winddown.personal_data import DataClass
from winddown.words import Text

PERMISSION: Final = "refunds.take_closing_proof"
LANGUAGES: Final = ("ja", "en")
BATCH: Final = "payout_batch"
MERCHANT: Final = "merchant"
DELETION: Final = "deletion"
_SIGNED: Final = "paper"
_FACTS: Final = re.compile(r'<pre id="facts">(.*?)</pre>', re.DOTALL)

TITLES: Final[dict[str, Text]] = {
    BATCH: _("Summary of a payout batch"),
    MERCHANT: _("Final settlement statement of a merchant"),
    DELETION: _("Certificate of the deletion of personal data"),
}
NAMES: Final[dict[str, Text]] = {
    "programme": _("Programme"),
    "as_of": _("As of"),
    "number": pgettext_lazy("paper", "Number"),
    "state": pgettext_lazy("paper", "State"),
    "bank": _("Bank that pays"),
    "file_number": _("Number of the file"),
    "value_date": _("Value date"),
    "payouts": pgettext_lazy("paper", "Payouts"),
    "total_minor": _("Sum"),
    "file_sha256": _("SHA-256 of the file"),
    "signed_digest": _("Digest that was signed"),
    "maker": _("Made by"),
    "approvers": _("Approved by"),
    "sender": _("Sent by"),
    "settled": pgettext_lazy("paper", "Paid"),
    "settled_minor": _("Sum paid"),
    "returned": _("Came back"),
    "returned_minor": _("Sum that came back"),
    "merchant_ref": _("Merchant"),
    "name": pgettext_lazy("paper", "Name"),
    "payments": pgettext_lazy("paper", "Payments"),
    "first_at": _("First payment"),
    "last_at": _("Last payment"),
    "reversed": _("Reversed payments"),
    "reversed_minor": _("Sum of the reversed payments"),
    "due_minor": _("Due to the merchant in all"),
    "paid_out": _("Everything paid out"),
    **{
        f"deleted_{code}": format_lazy(
            _("People whose data were deleted: {data_class}"), data_class=words.data_class(code)
        )
        for code in DataClass.values
    },
    "house": _("Classes deleted for the house too: data of nobody in particular"),
    **{
        f"keep_{code}": format_lazy(
            _("Days for which they were kept: {data_class}"), data_class=words.data_class(code)
        )
        for code in DataClass.values
    },
    "kept_back": _("People left out: under a hold, with something open, or not exported"),
    "scanned": _("Columns scanned afterwards"),
    "readable": _("Rows that could still be read"),
    "covers": _("What this covers"),
    "not_covered": _("What this does not cover"),
    "backups_until": _("Until then a backup can be read"),
    "files_out": _("Files handed out before, backups among them"),
}
SCOPES: Final[dict[str, Text]] = {
    "database": _(
        "The database of the service: every column of the register of personal data, and every"
        " sealed value, whose key is destroyed."
    ),
    "copies": _(
        "Backups and replicas from before, files that were handed out (packs, lists, letters, bank"
        " files), papers, the systems of others, and disk pages that the database has not used"
        " again. What staff wrote into reasons stays with the chain of evidence. Log files hold"
        " numbers only."
    ),
}


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper by its facts: amounts are in minor units, instants in ISO 8601. `signature` is an HMAC
    over the facts with the field key.
    """

    kind: str
    key: str
    facts: dict[str, Any]
    signature: str

    @property
    def file_name(self) -> str:
        return f"{self.kind}-{re.sub('[^A-Za-z0-9_-]', '_', self.key)}.html"

    def languages(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Returns for each language its code, the title, and name and value of each fact."""
        told = []
        for language in LANGUAGES:
            with translation.override(language):
                rows = [(str(NAMES[name]), _spoken(self, name)) for name in self.facts]
                told.append((language, str(TITLES[self.kind]), rows))
        return told

    def content(self) -> bytes:
        """Returns the paper as an HTML file of its own."""
        return render_to_string(
            "refunds/paper_file.html", {"paper": self, "told": self.told()}
        ).encode()

    def told(self) -> str:
        """Returns facts and signature as the canonical text that `verified` reads."""
        return _text({"kind": self.kind, "facts": self.facts, "signature": self.signature})


def of_batch(batch: PayoutBatch) -> Paper:
    """Returns the summary of the batch now. Raises `GuardNotMet` before it is sealed."""
    if batch.sha256 is None:
        raise GuardNotMet(action=says("print the summary"), why=says("the batch is not sealed yet"))
    ended = Payout.objects.filter(batch=batch).aggregate(
        settled=Count("pk", filter=Q(state=Payout.State.SETTLED)),
        settled_minor=Sum("amount_minor", filter=Q(state=Payout.State.SETTLED), default=0),
        returned=Count("pk", filter=Q(state=Payout.State.RETURNED)),
        returned_minor=Sum("amount_minor", filter=Q(state=Payout.State.RETURNED), default=0),
    )
    signed = Signature.objects.filter(subject=batch.subject, part=Signature.Part.APPROVED)
    return _paper(
        BATCH,
        str(batch.pk),
        {
            "number": batch.pk,
            "state": batch.state,
            "bank": batch.bank_code,
            "file_number": batch.sequence,
            "value_date": batch.value_date.isoformat(),
            "payouts": batch.items,
            "total_minor": batch.total_minor,
            "file_sha256": batch.sha256,
            "signed_digest": batch.digest,
            "maker": batch.maker.staff_number,
            "approvers": ", ".join(
                f"{each.staff_number} {each.at.isoformat(timespec='seconds')}"
                for each in signed.order_by("pk")
            ),
            "sender": "" if batch.transmitted_by is None else batch.transmitted_by.staff_number,
            **ended,
        },
    )


def of_merchant(merchant_ref: str) -> Paper:
    """Returns the merchant's final settlement statement. Raises `GuardNotMet` for a merchant that
    neither the set-up nor a payment knows, while a payment is not settled, and if the statements of
    all merchants do not come to the ledger's control account.
    """
    action = says("print the statement")
    merchant = Merchant.objects.filter(merchant_ref=merchant_ref).first()
    payments = Payment.objects.filter(merchant_ref=merchant_ref)
    if merchant is None and not payments.exists():
        raise GuardNotMet(action=action, why=says("there is no merchant {name}", name=merchant_ref))
    if waiting := payments.filter(state__in=Payment.IN_FLIGHT).count():
        raise GuardNotMet(
            action=action, why=says("{n} of its payments are not settled yet", n=waiting)
        )
    _refuse_difference(action)
    taken = Q(state__in=Payment.TAKEN)
    back = Q(state=Payment.State.REVERSED)
    found = payments.aggregate(
        payments=Count("pk", filter=taken),
        due_minor=Sum("amount_minor", filter=taken, default=0),
        first_at=Min("occurred_at", filter=taken),
        last_at=Max("occurred_at", filter=taken),
        reversed=Count("pk", filter=back),
        reversed_minor=Sum("amount_minor", filter=back, default=0),
    )
    return _paper(
        MERCHANT,
        merchant_ref,
        {
            "merchant_ref": merchant_ref,
            "name": merchant.name if merchant else "",
            "payments": found["payments"],
            "first_at": found["first_at"] and found["first_at"].isoformat(),
            "last_at": found["last_at"] and found["last_at"].isoformat(),
            "reversed": found["reversed"],
            "reversed_minor": found["reversed_minor"],
            "due_minor": found["due_minor"],
            "paid_out": bool(merchant and merchant.paid_out),
        },
    )


def of_deletion(certificate: DeletionCertificate) -> Paper:
    """Returns the certificate of a run of shred-personal-data."""
    return _paper(DELETION, str(certificate.run_id), certificate.facts)


def merchants() -> list[str]:
    """Returns the merchants that get a statement: those of the set-up and those of payments."""
    known = set(Merchant.objects.values_list("merchant_ref", flat=True))
    return sorted(known.union(Payment.objects.values_list("merchant_ref", flat=True).distinct()))


def export(asked: Iterable[Paper], *, actor: Actor, reason: str) -> list[Paper]:
    """The audit journal says that `actor` took the papers out, which are returned."""
    require(actor, PERMISSION, action="export papers")
    papers = list(asked)
    with transaction.atomic():
        for each in papers:
            audit.append(
                "paper.export",
                f"{each.kind}:{each.key}",
                actor=actor,
                reason=reason,
                signature=each.signature,
            )
    return papers


def verified(content: str) -> Paper | None:
    """Returns the paper that the file is, or None if it was changed or is none of ours: the facts
    have their signature, and the file says nothing but them.
    """
    found = _FACTS.search(content)
    if found is None:
        return None
    try:
        told = json.loads(html.unescape(found[1]))
        facts, signature = told["facts"], str(told["signature"])
        paper = Paper(told["kind"], str(facts.get("number", facts.get("merchant_ref"))), facts,
                      signature)  # fmt: skip
        known = encryption.fingerprints(_text([paper.kind, facts]), of=_SIGNED)
        ours = any(hmac.compare_digest(each.encode(), signature.encode()) for each in known)
        return paper if ours and paper.content().decode() == content else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _paper(kind: str, key: str, facts: dict[str, Any]) -> Paper:
    programme = Programme.current()
    told = {"programme": programme.name, **facts, "as_of": clock.now().isoformat()}
    return Paper(kind, key, told, encryption.fingerprint(_text([kind, told]), of=_SIGNED))


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=False, ensure_ascii=False)


def _refuse_difference(action: str) -> None:
    due = Payment.objects.filter(state__in=Payment.TAKEN).aggregate(
        total=Sum("amount_minor", default=0)
    )["total"]
    booked = Posting.objects.balance_minor(LedgerAccount.MERCHANTS)
    if due != booked:
        raise GuardNotMet(
            action=action,
            why=says(
                "all payments come to {due}, the ledger owes merchants {booked}",
                due=due,
                booked=booked,
            ),
        )


def _spoken(paper: Paper, name: str) -> str:
    value = paper.facts[name]
    if value is None or value == "":
        return "–"
    if name.endswith("_minor"):
        language = translation.get_language() or "en"
        return money.spoken(value, currency=Programme.current().currency, locale=language)
    if name in ("covers", "not_covered"):
        return str(SCOPES[value])
    if name == "house":
        return ", ".join(str(words.data_class(code)) for code in value.split(", "))
    if name == "state":
        return str(words.state_word(BATCH, value).word)
    if isinstance(value, bool):
        return str(pgettext_lazy("paper", "Yes") if value else pgettext_lazy("paper", "No"))
    return f"{value:,}" if name in ("payouts", "payments", "settled", "returned") else str(value)
