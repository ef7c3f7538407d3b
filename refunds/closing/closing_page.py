"""The page of the end: the closing proof, and what still holds the completion back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.closing import (
    buckets,
    documents,
    papers,
    proofs,
    regulator_pack,
    resolution_pack,
)
from refunds.closing.document_words import KINDS, RETRIEVAL
from refunds.closing.documents import Given
from refunds.closing.papers import Paper
from refunds.closing.zipped import Zipped
from refunds.models import ClosingDocument, ClosingProof, DeletionCertificate, PayoutBatch
from refunds.workflows.shred_personal_data import certificates
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval, AuditEntry, Run
from winddown.programme import stages
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.fields import AmountField, DayField, EvidenceField, happened, planned
from winddown.site.forms import ReasonForm, RowField, SayingField
from winddown.words import Text

SHOWN_MAX = 50
BUCKETS: dict[str, Text] = {
    "paid": pgettext_lazy("bucket", "Paid"),
    "transferred": _("Taken over by another issuer"),
    "deposited": _("Deposited with the authority"),
    "excluded": _("Excluded from the refund"),
    buckets.CLAWED_BACK: _("Clawed back after fraud"),
    buckets.EMPTY: _("Nothing was left at the close"),
}
SUMS: dict[str, Text] = {
    "sealed": _("Sealed at the close"),
    **{name: BUCKETS[name] for name in (*buckets.ENDS, buckets.CLAWED_BACK)},
    "left": _("Still owed or held"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A closing document as the page shows it."""

    document: ClosingDocument
    kind: Text
    retrieval: Text
    state: str
    waiting: Approval | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of a proof: its wallets, and its sums in the order of `SUMS`."""

    title: Text
    wallets: int
    sums: list[tuple[Text, int]]


@dataclass(frozen=True, slots=True)
class Proof:
    """A closing proof as the page shows it."""

    proof: ClosingProof
    state: str
    waiting: Approval | None
    buckets: list[Bucket]
    totals: list[tuple[Text, int]]
    ledger: list[tuple[Text, int]]


@dataclass(frozen=True, slots=True)
class Pack:
    """For whom the next resolution pack is sealed, what it lacks, and when the last one was made."""

    recipients: list[str]
    missing: list[Text]
    last: AuditEntry | None


@dataclass(frozen=True, slots=True)
class ClosingPage:
    """The newest proof whole, the earlier ones, and what is open."""

    at: dt.datetime
    newest: Proof | None
    earlier: list[Proof]
    sums: list[Text]
    documents: list[Row]
    batches: list[int]
    merchants: list[str]
    deletions: list[int]
    may_print: bool
    pack: Pack
    may_read: bool
    still_open: list[object]
    decisions: list[Decision]


def look(*, actor: Actor) -> ClosingPage:
    """Returns the page as `actor` sees it."""
    found = [
        _shown(each)
        for each in ClosingProof.objects.select_related("taken_by").order_by("-pk")[:SHOWN_MAX]
    ]
    return ClosingPage(
        at=clock.now(),
        newest=found[0] if found else None,
        earlier=found[1:],
        sums=list(SUMS.values()),
        documents=[
            Row(
                document=each,
                kind=KINDS[each.kind],
                retrieval=RETRIEVAL[each.retrieval],
                state=documents.state_of(each),
                waiting=approvals.standing(each.approval_subject, stage=documents.STAGE),
            )
            for each in ClosingDocument.objects.order_by("-pk")[:SHOWN_MAX]
        ],
        batches=list(
            PayoutBatch.objects.exclude(sha256=None)
            .order_by("-pk")
            .values_list("pk", flat=True)[:SHOWN_MAX]
        ),
        merchants=papers.merchants()[:SHOWN_MAX],
        pack=_pack(),
        deletions=list(
            DeletionCertificate.objects.order_by("-pk").values_list("run_id", flat=True)[:SHOWN_MAX]
        ),
        may_print=actor.has_perm(papers.PERMISSION),
        may_read=actor.has_perm(documents.PERMISSION),
        still_open=stages.open_things(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in CLOSING.items()],
    )


def _pack() -> Pack:
    held = documents.in_force()
    return Pack(
        recipients=[each.subject for each in held if each.kind == ClosingDocument.Kind.RECIPIENT],
        missing=[KINDS[kind] for kind in resolution_pack.missing(held)],
        last=resolution_pack.last_export(),
    )


def _shown(proof: ClosingProof) -> Proof:
    return Proof(
        proof=proof,
        state=proofs.state_of(proof),
        waiting=approvals.standing(proof.subject, stage=proofs.STAGE),
        buckets=[
            Bucket(
                title=BUCKETS[name],
                wallets=bucket["wallets"],
                sums=_titled(bucket),
            )
            for name in BUCKETS
            if (bucket := proof.buckets.get(name))
        ],
        totals=_titled({name: buckets.total(proof.buckets, name) for name in buckets.SUMS}),
        ledger=_titled(proof.ledger),
    )


def _titled(sums: Mapping[str, int]) -> list[tuple[Text, int]]:
    return [(SUMS[name], sums[name]) for name in buckets.SUMS]


class DocumentForm(ReasonForm):
    kind = forms.ChoiceField(label=_("Document"), choices=list(KINDS.items()))
    subject = SayingField(
        label=_("About"),
        max_length=120,
        help_text=_("A name. Of a residual: the code of the funding source."),
    )
    owner = SayingField(label=_("Kept up to date by"), max_length=120)
    contact = forms.CharField(
        label=_("How to reach them"),
        max_length=200,
        required=False,
        help_text=_("A successor and a recipient need it."),
    )
    retrieval = forms.ChoiceField(label=_("Can be had"), choices=list(RETRIEVAL.items()))
    reviewed_on = DayField(label=_("Last found right on"), between=happened)
    until_on = DayField(
        label=_("Holds until"),
        between=planned,
        required=False,
        help_text=_("Of the hosting and of the portal."),
    )
    amount = AmountField(
        label=_("Amount withdrawn"),
        required=False,
        max_digits=20,
        help_text=_("Of a residual. 0 if the provider held nothing."),
    )
    evidence = EvidenceField(
        label=_("File"),
        help_text=_("The document itself. Of a recipient: the certificate in PEM."),
    )


def _keep(actor: Actor, given: dict[str, Any]) -> Approval:
    return documents.keep(
        Given(
            kind=given["kind"],
            subject=given["subject"],
            owner=given["owner"],
            contact=given["contact"],
            retrieval=given["retrieval"],
            reviewed_on=given["reviewed_on"],
            until_on=given["until_on"],
            amount_minor=given["amount"],
            file=given["evidence"],
        ),
        actor=actor,
        reason=given["reason"],
    )


class PaperForm(ReasonForm):
    batch = RowField(
        PayoutBatch,
        label=_("Number of the payout batch"),
        required=False,
        missing=_("There is no payout batch of this number."),
    )
    merchant = forms.CharField(label=_("Or the merchant"), max_length=64, required=False)
    deletion = RowField(
        Run,
        label=_("Or the number of the run that deleted personal data"),
        required=False,
        missing=_("There is no run of this number."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        named = [given.get(name) for name in ("batch", "merchant", "deletion")]
        if sum(map(bool, named)) != 1:
            raise forms.ValidationError(_("Name a payout batch, a merchant or a run."))
        return given


def _paper(actor: Actor, given: dict[str, Any]) -> Paper:
    if given["batch"]:
        paper = papers.of_batch(given["batch"])
    elif given["merchant"]:
        paper = papers.of_merchant(given["merchant"])
    else:
        paper = papers.of_deletion(certificates.of_run(given["deletion"]))
    papers.export([paper], actor=actor, reason=given["reason"])
    return paper


CLOSING: dict[str, Act] = {
    "paper": Act(
        title=pgettext_lazy("verb", "Download a signed paper"),
        effect=_(
            "A payout batch, a merchant's final statement or the certificate of a deletion, in both"
            " languages."
        ),
        permission=papers.PERMISSION,
        form=PaperForm,
        do=_paper,
    ),
    "regulator-pack": Act(
        title=pgettext_lazy("verb", "Download the regulator pack"),
        effect=_("Every figure of now with its rows, without names."),
        permission=regulator_pack.PERMISSION,
        do=lambda actor, given: Zipped.written(
            "regulator-pack",
            lambda directory: regulator_pack.export(directory, actor=actor, reason=given["reason"]),
        ),
    ),
    "resolution-pack": Act(
        title=pgettext_lazy("verb", "Download the resolution pack"),
        effect=_("Client records, database, keys and documents, sealed for the recipients."),
        permission=resolution_pack.PERMISSION,
        do=lambda actor, given: Zipped.written(
            "resolution-pack",
            lambda directory: resolution_pack.export(
                directory, actor=actor, reason=given["reason"]
            ),
        ),
        tone="danger",
    ),
    "document": Act(
        title=pgettext_lazy("verb", "Keep a document of the end"),
        effect=_("It counts when a second person has confirmed it."),
        permission=documents.PERMISSION,
        form=DocumentForm,
        do=_keep,
    ),
    "prove": Act(
        title=pgettext_lazy("verb", "Take the closing proof"),
        effect=_("Every wallet is counted now. A second person is asked to confirm the proof."),
        permission=proofs.PERMISSION,
        do=lambda actor, given: proofs.take(actor=actor, reason=given["reason"]),
        tone="main",
        not_now=proofs.not_now,
    ),
}
