"""What staff do with fraud claims and their remedies, one declaration for command and page."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.claims import (
    appeals,
    damage,
    deciding,
    ending,
    evidence_pack,
    holding,
    intake,
    lists,
    log_export,
    losses,
    reporting,
    reserve,
    victims,
    ways_in,
)
from refunds.claims.case_acts import CASES
from refunds.claims.desk_fields import ClaimField, ClaimsField, MovementsField
from refunds.claims.report_acts import REPORT, REPORTS, WORK
from refunds.models import ClaimDecision, FraudClaim, Loss, PaymentPayer
from winddown import clock
from winddown.actors import Actor
from winddown.programme.evidence_files import File
from winddown.site.acts import Act
from winddown.site.fields import EvidenceField, LocalInstantField, happened
from winddown.site.forms import ReasonForm, RowField, ToldField
from winddown.site.pages import stored_file
from winddown.words import Text

DECIDE = "refunds.decide_claim"
REJECTIONS: dict[str, Text] = {
    FraudClaim.Rejection.OWN_TRANSACTION: _("The holder made the movement"),
    FraudClaim.Rejection.NO_LOSS: _("Nothing was lost"),
    FraudClaim.Rejection.DUPLICATE: _("Another claim is about the same"),
    FraudClaim.Rejection.NOT_REACHED: _("The holder could not be reached"),
    FraudClaim.Rejection.OTHER: _("Another reason"),
}
PAYERS: dict[str, Text] = {
    PaymentPayer.Payer.THIEF: _("The thief"),
    PaymentPayer.Payer.HOLDER: _("The holder"),
    PaymentPayer.Payer.UNKNOWN: _("Nobody can say"),
}
FUNDINGS: dict[str, Text] = {
    Loss.Funding.CREDIT: _("Credit card"),
    Loss.Funding.DEBIT: _("Debit card"),
    Loss.Funding.POINTS: _("Points"),
    Loss.Funding.OWN_BALANCE: _("Own balance"),
    Loss.Funding.BONUS: _("Bonus value"),
}


class ClaimsForm(ReasonForm):
    claims = ClaimsField()


class ClaimForm(ReasonForm):
    claim = ClaimField()


class MovementsForm(ClaimForm):
    movements = MovementsField(
        label=_("Movements of the thief"),
        help_text=_("As the claim's page names them: top_up:12 payment:7."),
    )


class PayersForm(ClaimForm):
    payments = MovementsField(
        label=_("Payments"),
        kinds=("payment",),
        help_text=_("As the claim's page names them: payment:7 payment:8."),
    )
    payer = forms.ChoiceField(label=_("Who paid"), choices=list(PAYERS.items()))


class LossForm(ReasonForm):
    loss = RowField(
        Loss, label=_("Number of the loss"), missing=_("There is no loss of this number.")
    )


class ProposeForm(ClaimsForm):
    verdict = forms.ChoiceField(
        label=_("Verdict"),
        choices=[
            (ClaimDecision.Verdict.CONFIRM, _("It was fraud")),
            (ClaimDecision.Verdict.REJECT, _("It was not fraud")),
        ],
    )
    rejection = forms.ChoiceField(
        label=_("Why not"), required=False, choices=[("", "–"), *REJECTIONS.items()]
    )
    note = ToldField(
        label=_("What the customer is told"),
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        rejects = given.get("verdict") == ClaimDecision.Verdict.REJECT
        if rejects and not given.get("rejection"):
            self.add_error("rejection", ValidationError(_("A rejection needs its reason.")))
        if not rejects and given.get("rejection"):
            self.add_error("rejection", ValidationError(_("Only a rejection has a reason.")))
        return given


AGREES = "agrees"


class ReviewForm(ClaimsForm):
    finding = forms.ChoiceField(
        label=_("What you found"),
        choices=[
            (AGREES, _("The evidence bears the verdict")),
            ("disagrees", _("The evidence does not bear it")),
        ],
    )


class DecisionForm(ReasonForm):
    decision = RowField(
        ClaimDecision,
        label=_("Number of the decision"),
        missing=_("There is no decision of this number."),
    )


class ReportsFileForm(ReasonForm):
    file = EvidenceField(
        label=_("File of reports"),
        help_text=_("CSV in UTF-8, with the columns that load_claims --help names."),
    )


class LossesFileForm(ReasonForm):
    file = EvidenceField(
        label=_("File of what thieves did"),
        help_text=_("CSV in UTF-8, with the columns that load_losses --help names."),
    )


class LogsForm(ReasonForm):
    since = LocalInstantField(
        label=_("Since"), between=happened, help_text=_("Like 2019-06-01T00:00.")
    )
    until = LocalInstantField(
        label=_("Until"), between=happened, help_text=_("Like 2019-07-05T24:00, not included.")
    )
    recipient = ToldField(
        label=_("Recipient"), max_length=200, help_text=_("Who investigates, as the contract says.")
    )


class TakeLogsForm(ReasonForm):
    request = forms.IntegerField(
        label=_("Number of the request"),
        min_value=1,
        max_value=2**31 - 1,
        help_text=_("The 3 of log_export:3."),
    )


class FiguresForm(ReasonForm):
    as_of = LocalInstantField(
        label=_("As of"),
        between=happened,
        help_text=_("Like 2019-07-31T17:00, in the programme's time zone."),
    )


def _moves(name: str) -> Any:
    """Returns what makes the declared transition with the claims of the form."""
    return lambda actor, given: reporting.move(
        given["claims"], name, actor=actor, reason=given["reason"]
    )


def _propose(actor: Actor, given: dict[str, Any]) -> object:
    return deciding.propose_lists(
        given["claims"],
        verdict=given["verdict"],
        rejection=given["rejection"],
        note=given["note"],
        actor=actor,
        reason=given["reason"],
    )


def _load_reports(actor: Actor, given: dict[str, Any]) -> intake.Loaded:
    file: File = given["file"]
    return intake.load_reports(file, actor=actor, reason=given["reason"])


def _load_losses(actor: Actor, given: dict[str, Any]) -> intake.Loaded:
    file: File = given["file"]
    return intake.load_losses(file, actor=actor, reason=given["reason"])


def _take_logs(actor: Actor, given: dict[str, Any]) -> FileResponse:
    """Returns the file as an answer that a browser stores. No copy of it stays here."""
    with TemporaryDirectory(prefix="winddown-logs-") as directory:
        path, _done = log_export.write(
            given["request"], Path(directory), actor=actor, reason=given["reason"]
        )
        return FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=path.name,
            content_type="application/octet-stream",
        )


DESK: dict[str, Act] = {
    **REPORTS,
    "pack": Act(
        title=pgettext_lazy("verb", "Take the evidence of a claim"),
        effect=_("One file with a list of digests. The audit journal says who took it."),
        permission=WORK,
        form=ClaimForm,
        do=lambda actor, given: stored_file(
            evidence_pack.take(given["claim"], actor=actor, reason=given["reason"])
        ),
        tone="danger",
    ),
    "load-reports": Act(
        title=pgettext_lazy("verb", "Load a file of reports"),
        effect=_("Each holder of the file has a claim, as if each had called alone."),
        permission=REPORT,
        form=ReportsFileForm,
        do=_load_reports,
    ),
    "load-losses": Act(
        title=pgettext_lazy("verb", "Load a file of what thieves did"),
        effect=_("The losses of the claims follow from the movements in the file."),
        permission=WORK,
        form=LossesFileForm,
        do=_load_losses,
    ),
    "find": Act(
        title=pgettext_lazy("verb", "Look for victims now"),
        effect=_("Each wallet that the rules find has a claim, a weak sign is a suspicion."),
        permission=WORK,
        do=lambda actor, given: victims.claim_candidates(as_of=clock.now(), actor=actor),
    ),
    "take-up": Act(
        title=pgettext_lazy("verb", "Take claims up"),
        effect=_("You work on them. An appeal is for another analyst than before."),
        permission=WORK,
        form=ClaimsForm,
        do=lambda actor, given: reporting.take_up(
            given["claims"], actor=actor, reason=given["reason"]
        ),
    ),
    "resume": Act(
        title=pgettext_lazy("verb", "Go on without waiting"),
        effect=_("The claim is under investigation again."),
        permission=WORK,
        form=ClaimsForm,
        do=_moves("resume"),
    ),
    "losses": Act(
        title=pgettext_lazy("verb", "Name what the thief did"),
        effect=_(
            "A charge is lost whole. Of a payment only what it took of the holder's own value is."
        ),
        permission=WORK,
        form=MovementsForm,
        do=lambda actor, given: losses.name_losses(
            [(given["claim"], each) for each in given["movements"]],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "payers": Act(
        title=pgettext_lazy("verb", "Name who paid"),
        effect=_("The losses of the claim follow. Another answer may replace this one."),
        permission=WORK,
        form=PayersForm,
        do=lambda actor, given: losses.name_payers(
            [(given["claim"], each) for each in given["payments"]],
            given["payer"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "drop-loss": Act(
        title=pgettext_lazy("verb", "Drop a loss"),
        effect=_("The movement counts as the holder's own, and the other losses follow."),
        permission=WORK,
        form=LossForm,
        do=lambda actor, given: losses.drop_loss(
            given["loss"], actor=actor, reason=given["reason"]
        ),
    ),
    "propose": Act(
        title=pgettext_lazy("verb", "Propose a decision"),
        effect=_(
            "A supervisor who did not work on the claims decides. Many become several lists, by how"
            " they were found and by amount."
        ),
        permission=WORK,
        form=ProposeForm,
        do=_propose,
    ),
    "review": Act(
        title=pgettext_lazy("verb", "Review claims of a sample"),
        effect=_("Their list can be decided by somebody else, or is sent back."),
        permission=DECIDE,
        form=ReviewForm,
        do=lambda actor, given: lists.review(
            given["claims"],
            agrees=given["finding"] == AGREES,
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "ask-again": Act(
        title=pgettext_lazy("verb", "Ask for the decision again"),
        effect=_("The request that expired is open for another day, if nothing changed."),
        permission=WORK,
        form=DecisionForm,
        do=lambda actor, given: deciding.ask_again(
            given["decision"], actor=actor, reason=given["reason"]
        ),
    ),
    "release": Act(
        title=pgettext_lazy("verb", "Release what was held"),
        effect=_("The holders can spend it again. Who held it cannot release it."),
        permission="wallets.release_wallet",
        form=ClaimsForm,
        do=lambda actor, given: holding.release(
            given["claims"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
    "drop": Act(
        title=pgettext_lazy("verb", "Drop suspicions"),
        effect=_("The candidates are over, and what was held for them can be spent again."),
        permission=DECIDE,
        form=ClaimsForm,
        do=lambda actor, given: reporting.expire(
            given["claims"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
    "appeal": Act(
        title=pgettext_lazy("verb", "Enter an appeal"),
        effect=_("Another analyst and another supervisor look at the claim again."),
        permission=REPORT,
        form=ClaimForm,
        do=lambda actor, given: appeals.appeal(given["claim"], actor=actor, reason=given["reason"]),
    ),
    "close": Act(
        title=pgettext_lazy("verb", "Close claims"),
        effect=_("Every loss was made good. Nothing is left to do."),
        permission=DECIDE,
        form=ClaimsForm,
        do=lambda actor, given: ending.close(given["claims"], actor=actor, reason=given["reason"]),
    ),
    "reopen": Act(
        title=pgettext_lazy("verb", "Ask to reopen a claim"),
        effect=_("A second person decides. What was made good stays so."),
        permission="refunds.reopen_claim",
        form=ClaimForm,
        do=lambda actor, given: ending.request_reopening(
            given["claim"], actor=actor, reason=given["reason"]
        ),
    ),
    "find-ways": Act(
        title=pgettext_lazy("verb", "Search the ways in"),
        effect=_("Each claim says how the thief came in, as the logs say now."),
        permission=WORK,
        do=lambda actor, given: ways_in.search(actor=actor, reason=given["reason"]),
    ),
    "ask-logs": Act(
        title=pgettext_lazy("verb", "Ask for an export of logs"),
        effect=_("Two people decide, one after the other. Names and addresses are pseudonyms."),
        permission=WORK,
        form=LogsForm,
        do=lambda actor, given: log_export.ask(
            given["since"],
            given["until"],
            given["recipient"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "take-logs": Act(
        title=pgettext_lazy("verb", "Take the logs that were let out"),
        effect=_("Two people agreed. The audit journal says who took them, with the SHA-256."),
        permission=WORK,
        form=TakeLogsForm,
        do=_take_logs,
        tone="danger",
    ),
    "release-reserve": Act(
        title=pgettext_lazy("verb", "Release the reserve of claims"),
        effect=_("The funds need not hold it any more, once a second person agrees."),
        permission=reserve.PERMISSION,
        form=ClaimsForm,
        do=lambda actor, given: reserve.ask_release(
            given["claims"], actor=actor, reason=given["reason"]
        ),
    ),
    "publish": Act(
        title=pgettext_lazy("verb", "Publish the figures"),
        effect=_("Victims and damage as of that instant are kept and never change."),
        permission="winddown.publish_notice",
        form=FiguresForm,
        do=lambda actor, given: damage.publish(
            as_of=given["as_of"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
    **CASES,
}
