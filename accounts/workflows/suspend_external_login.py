"""suspend-external-login: the providers' logins stop at once, and every identity is suspended. It
can be undone.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import ExternalIdentity, Session, User
from accounts.models.session import SessionQuerySet
from accounts.models.user import UserQuerySet
from winddown import words
from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.machines.move import transition_set
from winddown.models import Batch, Capability, Run
from winddown.programme import capabilities, declared
from winddown.runs import planning
from winddown.runs.params_form import DeclaredChoices, ParamsForm
from winddown.runs.registry import Moved, PlanContent, Step, Workflow, workflow

BATCH_ROWS = 5_000


class SuspendForm(ParamsForm):
    providers = DeclaredChoices(
        section="login_providers",
        codes=declared.providers,
        name=words.provider,
        label=_("Providers"),
        error_messages={"required": _("Choose at least one.")},
    )
    restore = forms.BooleanField(
        label=_("Let these sign in again instead of stopping them"), required=False
    )


@workflow
class SuspendExternalLogin(Workflow):
    """From the commit of the start, no login of the named providers opens a session, and their
    sessions are not accepted. Then each identity is suspended and the sessions are deleted.

    Parameters: `providers` (all by default), and `restore`. The people who have no other way in are
    counted first. A run with `restore` makes the identities active again and touches no switch.
    They open an account when two people have restored their provider's switch.
    """

    name = "suspend-external-login"
    form = SuspendForm

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(params) - {"providers", "restore"})
        known = declared.providers()
        asked, restore = params.get("providers") or known, params.get("restore", False)
        strange = [str(each) for each in asked if each not in known]
        if isinstance(asked, str) or not isinstance(restore, bool) or unknown or strange:
            raise GuardNotMet(
                action=says("plan {workflow}", workflow=self.name),
                why=says(
                    "{strange} not understood; `providers` is a list out of {known}, `restore` is true"
                    " or false",
                    strange=", ".join(unknown + strange) or params,
                    known=", ".join(known),
                ),
            )
        return {"providers": [each for each in known if each in asked], "restore": restore}

    def plan(self, run: Run) -> PlanContent:
        """It counts as of the plan. Identities that are linked later change nothing."""
        linked = ExternalIdentity.objects.filter(
            provider__in=run.params["providers"], linked_at__lte=run.as_of
        )
        active = Count("pk", filter=Q(state=ExternalIdentity.State.ACTIVE))
        per_provider = dict(
            linked.values("provider").annotate(active=active).values_list("provider", "active")
        )
        totals = linked.aggregate(active=active, every=Count("pk"))
        if run.as_of is None:
            raise AssertionError("a run that works has its date")
        if run.params["restore"]:
            return PlanContent(
                counts={"identities_to_restore": totals["every"] - totals["active"]},
                excluded={"identities_active_already": totals["active"]},
            )
        stranded = _stranded(run)
        return PlanContent(
            counts={
                "identities": totals["active"],
                **{
                    f"identities_{provider}": per_provider.get(provider, 0)
                    for provider in run.params["providers"]
                },
            },
            excluded={"identities_suspended_already": totals["every"] - totals["active"]},
            locked_out={
                "only_external_login": stranded.count(),
                "only_external_login_without_channel": stranded.without_channel(
                    verified_by=run.as_of
                ).count(),
            },
            terms={"switches": _switches(run)},
            estimates=lambda: {"sessions": _sessions(run).count()},
        )

    def at_once(self, run: Run, *, actor: Actor) -> None:
        if run.params["restore"]:
            return
        checker = planning.checker(run)
        capabilities.lock(_switches(run))
        for code in _switches(run):
            capabilities.stop(code, actor=run.maker, reason=run.reason, ratified_by=checker)

    def steps(self, run: Run) -> list[Step]:
        if run.params["restore"]:
            return [Step("restore_identities", _suspended_identities, _restore, BATCH_ROWS)]
        return [
            Step("suspend_identities", _active_identities, _suspend, BATCH_ROWS),
            Step("remove_sessions", _sessions, _remove_sessions, BATCH_ROWS),
        ]

    def verify(self, run: Run) -> list[str]:
        if run.params["restore"]:
            left = _suspended_identities(run).count()
            return [f"{left} identities are still suspended"] if left else []
        gaps = []
        for code in _switches(run):
            if Capability.objects.get(code=code).state != Capability.State.DISABLED:
                gaps.append(f"{code} is not stopped")
            if leaked := capabilities.leaks(code):
                gaps.append(f"{leaked} sessions were issued by {code} after it was stopped")
        if left := _active_identities(run).count():
            gaps.append(f"{left} identities are still active")
        if left := _sessions(run).count():
            gaps.append(f"{left} sessions of suspended providers are left")
        return gaps


def _switches(run: Run) -> list[str]:
    return [f"login_external:{provider}" for provider in run.params["providers"]]


def _active_identities(run: Run) -> QuerySet[ExternalIdentity]:
    return ExternalIdentity.objects.filter(
        state=ExternalIdentity.State.ACTIVE, provider__in=run.params["providers"]
    )


def _suspended_identities(run: Run) -> QuerySet[ExternalIdentity]:
    return ExternalIdentity.objects.filter(
        state=ExternalIdentity.State.SUSPENDED, provider__in=run.params["providers"]
    )


def _sessions(run: Run) -> SessionQuerySet:
    sessions: SessionQuerySet = Session.objects.of_customers()
    return sessions.filter(method__in=run.params["providers"])


def _stranded(run: Run) -> UserQuerySet:
    """Returns the customers without a password whose active identities all belong to the named
    providers.
    """
    if run.as_of is None:
        raise AssertionError("a run that works has its date")
    identity = ExternalIdentity.objects.filter(
        user=OuterRef("pk"), state=ExternalIdentity.State.ACTIVE, linked_at__lte=run.as_of
    )
    named = Q(provider__in=run.params["providers"])
    return (
        User.objects.customers()
        .without_password()
        .filter(Exists(identity.filter(named)), ~Exists(identity.exclude(named)))
    )


def _suspend(run: Run, batch: Batch, rows: QuerySet[ExternalIdentity]) -> Moved:
    return Moved(rows=transition_set(rows, "suspend", run=run))


def _restore(run: Run, batch: Batch, rows: QuerySet[ExternalIdentity]) -> Moved:
    return Moved(rows=transition_set(rows, "restore", run=run))


def _remove_sessions(run: Run, batch: Batch, rows: QuerySet[Session]) -> Moved:
    if not isinstance(rows, SessionQuerySet):
        raise AssertionError("the rows are sessions")
    return Moved(rows=rows.remove())
