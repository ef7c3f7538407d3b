"""freeze-charges: the funding sources stop at once, and every wallet gets its own recorded
state."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from wallets.models import TopUp, Wallet
from winddown import words
from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.machines.move import transition_one, transition_set
from winddown.models import Batch, Capability, Programme, Run
from winddown.programme import capabilities, declared
from winddown.runs import planning
from winddown.runs.params_form import DeclaredChoices, ParamsForm
from winddown.runs.registry import Moved, PlanContent, Step, Workflow, workflow


class FreezeForm(ParamsForm):
    sources = DeclaredChoices(
        section="funding_sources",
        codes=declared.sources,
        name=lambda code: words.capability_title(f"top_up:{code}"),
        label=_("Sources that end"),
        error_messages={"required": _("Choose at least one.")},
    )
    register = forms.BooleanField(label=_("Registration ends too"), required=False, initial=True)


@workflow
class FreezeCharges(Workflow):
    """Top-ups of the named sources end with the commit that starts the run. Charges that a network
    authorised and nobody posted wait for their reversal. When no source is left, the wallets
    themselves are frozen.

    Parameters: `sources` (all by default) and `register` (registration ends too; the default when
    all sources end).
    """

    name = "freeze-charges"
    stages = Programme.IN_SERVICE
    form = FreezeForm

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        unknown = set(params) - {"sources", "register"}
        known = declared.sources()
        sources = params.get("sources") or known
        strange = [source for source in sources if source not in known]
        if unknown or strange:
            raise GuardNotMet(
                action=says("plan freeze-charges"),
                why=says(
                    "{strange} not understood; sources are {known}",
                    strange=", ".join(sorted(unknown) + strange),
                    known=", ".join(known),
                ),
            )
        ordered = [source for source in known if source in sources]
        return {
            "sources": ordered,
            "register": bool(params.get("register", len(ordered) == len(known))),
        }

    def plan(self, run: Run) -> PlanContent:
        authorised = _authorised(run).aggregate(rows=Count("pk"), amount=Sum("amount_minor"))
        counts = {"authorised_top_ups": authorised["rows"]}
        excluded = {}
        if _last_sources(run):
            totals = Wallet.objects.aggregate(
                active=Count("pk", filter=Q(state=Wallet.State.ACTIVE)), every=Count("pk")
            )
            counts["wallets"] = totals["active"]
            excluded["wallets_in_other_states"] = totals["every"] - totals["active"]
        return PlanContent(
            counts=counts,
            sums_minor={"authorised_top_ups": authorised["amount"] or 0},
            excluded=excluded,
            terms={"switches": _switches(run)},
        )

    def at_once(self, run: Run, *, actor: Actor) -> None:
        checker = planning.checker(run)
        capabilities.lock(_switches(run))
        for code in _switches(run):
            capabilities.stop(code, actor=run.maker, reason=run.reason, ratified_by=checker)
        programme = Programme.objects.filter(state=Programme.State.INCIDENT).first()
        if programme is not None:
            transition_one(programme, "restrict", actor=actor, reason=run.reason, run=run)

    def steps(self, run: Run) -> list[Step]:
        withhold = Step("withhold_authorised_top_ups", _authorised, _withhold)
        freeze = Step("freeze_wallets", _active_wallets, _freeze)
        return [withhold, freeze] if _last_sources(run) else [withhold]

    def verify(self, run: Run) -> list[str]:
        gaps = []
        for code in _switches(run):
            if Capability.objects.get(code=code).state != Capability.State.DISABLED:
                gaps.append(f"{code} is not stopped")
            if leaked := capabilities.leaks(code):
                gaps.append(f"{leaked} movements passed {code} after it was stopped")
        if left := _authorised(run).count():
            gaps.append(f"{left} authorised top-ups are still neither posted nor withheld")
        if _last_sources(run) and (left := _active_wallets(run).count()):
            gaps.append(f"{left} wallets are still active")
        return gaps


def _switches(run: Run) -> list[str]:
    switches = [f"top_up:{source}" for source in run.params["sources"]]
    return switches + (["register"] if run.params["register"] else [])


def _last_sources(run: Run) -> bool:
    """Returns whether this run stops the last funding sources, so that the wallets can be frozen."""
    others = [
        f"top_up:{source}" for source in declared.sources() if source not in run.params["sources"]
    ]
    return (
        not Capability.objects.filter(code__in=others)
        .exclude(state=Capability.State.DISABLED)
        .exists()
    )


def _authorised(run: Run) -> QuerySet[TopUp]:
    return TopUp.objects.filter(state__in=TopUp.AWAITING_POSTING, source__in=run.params["sources"])


def _active_wallets(run: Run) -> QuerySet[Wallet]:
    return Wallet.objects.filter(state=Wallet.State.ACTIVE)


def _withhold(run: Run, batch: Batch, rows: QuerySet[TopUp]) -> Moved:
    return Moved(rows=transition_set(rows, "withhold", run=run))


def _freeze(run: Run, batch: Batch, rows: QuerySet[Wallet]) -> Moved:
    return Moved(rows=transition_set(rows, "freeze_charges", run=run))


def late_top_ups(switch: Capability) -> int:
    """Returns how many top-ups of this source passed the switch and have a ledger time after its
    stop. The number must be 0 (I7).
    """
    source = switch.code.removeprefix("top_up:")
    late = TopUp.objects.filter(
        source=source, occurred_at__gte=switch.since, switch_version__isnull=False
    )
    return late.count()


capabilities.LEAKS.add("top_up:", late_top_ups)
