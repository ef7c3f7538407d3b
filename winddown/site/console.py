"""The console at /console/: staff see the incident, and stop, plan, approve and run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from winddown import words
from winddown.errors import GuardNotMet, UnknownWorkflow, WinddownError
from winddown.evidence import invariants
from winddown.evidence import refused as refusals
from winddown.models import Approval, Capability, Programme, Run
from winddown.programme import capabilities, verification
from winddown.runs import control, planning, progress, registry
from winddown.site import (
    acts,
    alarm_views,
    approval_page,
    approvals_page,
    audit_page,
    filing_views,
    incident_page,
    look_up_page,
    panels,
    programme_page,
    reading,
    run_page,
    run_rows_page,
    switch_page,
)
from winddown.site.doors import DOORS, Door
from winddown.site.forms import (
    RateForm,
    ReasonForm,
    RetryForm,
    StopForm,
    plan_form,
)
from winddown.site.pages import (
    act_page,
    actor_of,
    decision_page,
    fresh_page,
    is_poll,
    page,
    refusals_told,
    staff_page,
    told,
    zone_of,
)
from winddown.site.programme_acts import PROGRAMME
from winddown.site.witness_acts import WITNESS

_Act = Callable[[Run, Any, dict[str, Any]], Any]
_RUN_ACTS: dict[str, _Act] = {
    "approve": lambda run, by, given: planning.approve(
        run, actor=by, digest=given["digest"], reason=given["reason"]
    ),
    "reject": lambda run, by, given: planning.reject(
        run, actor=by, digest=given["digest"], reason=given["reason"]
    ),
    "plan-again": lambda run, by, given: planning.replan(run, actor=by, reason=given["reason"]),
    "start": lambda run, by, given: planning.start(run, actor=by, reason=given["reason"]),
    "pause": lambda run, by, given: control.pause(run, actor=by, reason=given["reason"]),
    "resume": lambda run, by, given: control.resume(run, actor=by, reason=given["reason"]),
    "retry": lambda run, by, given: control.retry_failed(
        run, reason_code=given["reason_code"], actor=by, reason=given["reason"]
    ),
    "abort": lambda run, by, given: control.abort(run, actor=by, reason=given["reason"]),
    "rate": lambda run, by, given: control.set_rate(
        run, rows_s_max=given["rows_s_max"], actor=by, reason=given["reason"]
    ),
}
_SWITCH_ACTS: dict[str, Callable[..., Any]] = {
    "stop": capabilities.stop,
    "ratify": capabilities.ratify,
    "request-restore": capabilities.request_restore,
    "restore": capabilities.restore,
    "keep-stopped": capabilities.keep_stopped,
}


@require_safe
@staff_page
def incident(request: HttpRequest) -> HttpResponse:
    programme = Programme.objects.filter(pk=1).first()
    if programme is None:
        return page(request, "winddown/incident_none.html")
    seen = incident_page.look(programme, actor=actor_of(request))
    template = "winddown/_incident.html" if is_poll(request) else "winddown/incident.html"
    return page(request, template, programme=programme, rehearsal=seen.now.rehearsal, incident=seen)


# --- runs ---------------------------------------------------------------------------------------


@require_safe
@staff_page
def run(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(Run.objects.select_related("maker"), pk=number)
    seen = run_page.look(found, actor=actor_of(request))
    template = "winddown/_run.html" if is_poll(request) else "winddown/run.html"
    return page(request, template, rehearsal=seen.now.rehearsal, seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def run_decide(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    found = get_object_or_404(Run.objects.select_related("maker"), pk=number)
    if verb not in _RUN_ACTS:
        raise Http404
    seen = run_page.look(found, actor=actor_of(request))
    return decision_page(
        request,
        "winddown/run_decide.html",
        form=_run_form(request, verb, seen),
        decision=seen.decision(verb),
        act=lambda given: _RUN_ACTS[verb](found, request.user, given),
        back=reverse("console:run", args=[number]),
        gone=_("The run is no longer in a state in which this is possible."),
        about=words.workflow_title(found.workflow),
        seen=seen,
        rehearsal=seen.now.rehearsal,
    )


def _run_form(request: HttpRequest, verb: str, seen: run_page.RunPage) -> ReasonForm:
    initial = {"digest": seen.run.plan_digest}
    if verb == "retry":
        codes = list(seen.row.failures)
        return RetryForm(request.POST or None, initial=initial, codes=codes)
    if verb == "rate":
        return RateForm(request.POST or None, initial={"rows_s_max": seen.run.rate_rows_s_max})
    return ReasonForm(request.POST or None, initial=initial)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def plan(request: HttpRequest, name: str) -> HttpResponse:
    try:
        workflow = registry.get(name)
    except UnknownWorkflow as unknown:
        raise Http404 from unknown
    try:
        workflow.refuse_out_of_stage()
    except GuardNotMet as refused:
        messages.error(request, told(refused))
        return redirect("console:incident")
    form = plan_form(workflow.form)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = planning.plan(
                name,
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
                params=form.params(),
            )
        except WinddownError as refused:
            refusals.note(refused, actor_of(request))
            form.add_error(None, told(refused))
        else:
            messages.success(request, _("The plan is written and waits for a second person."))
            return redirect("console:run", made.pk)
    shown = {"workflow": workflow, "form": form, "active": progress.active(name)}
    return page(request, "winddown/run_plan.html", **shown)


# --- switches -----------------------------------------------------------------------------------


@require_safe
@staff_page
def switch(request: HttpRequest, code: str) -> HttpResponse:
    seen = switch_page.look(code, actor=actor_of(request))
    if seen is None:
        raise Http404
    return page(request, "winddown/switch.html", rehearsal=seen.now.rehearsal, seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def switches_stop(request: HttpRequest) -> HttpResponse:
    choices, decision = switch_page.stoppable(actor=actor_of(request))
    return decision_page(
        request,
        "winddown/switches_stop.html",
        form=StopForm(request.POST or None, choices=choices),
        decision=decision,
        act=lambda given: [
            capabilities.stop(code, actor=actor_of(request), reason=given["reason"])
            for code in given["codes"]
        ],
        back=reverse("console:incident"),
        gone="",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def switch_decide(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    seen = switch_page.look(code, actor=actor_of(request))
    if seen is None or verb not in _SWITCH_ACTS:
        raise Http404
    return decision_page(
        request,
        "winddown/switch_decide.html",
        form=ReasonForm(request.POST or None),
        decision=seen.decision(verb),
        act=lambda given: _SWITCH_ACTS[verb](code, actor=actor_of(request), reason=given["reason"]),
        back=reverse("console:switch", args=[code]),
        gone=_("The switch is no longer in a state in which this is possible."),
        about=seen.title,
        seen=seen,
        rehearsal=seen.now.rehearsal,
    )


@require_POST
@staff_page
@fresh_page
def switch_probe(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(Capability, code=code)
    with refusals_told(request):
        probed = capabilities.probe(code)
        if probed.refused:
            messages.success(request, _("The attempt was refused."))
        else:
            messages.warning(request, _("The attempt passed: the switch is on."))
    return redirect("console:switch", code)


# --- invariants ---------------------------------------------------------------------------------


@require_safe
@staff_page
def breaches(request: HttpRequest) -> HttpResponse:
    checked = verification.last()
    found = checked.breached if checked else {}
    rows = [
        {"invariant": each, "breaches": found.get(each.code, [])} for each in invariants.known()
    ]
    older = [acts.decision("witness", WITNESS, actor=actor_of(request))]
    return page(request, "winddown/breaches.html", verification=checked, rows=rows, decisions=older)


@require_POST
@staff_page
@fresh_page
def verify(request: HttpRequest) -> HttpResponse:
    try:
        verification.verify(actor=actor_of(request))
    except OperationalError:
        messages.error(request, _("The check takes too long for a page. Run: manage.py verify"))
    return redirect("console:breaches")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def witness(request: HttpRequest) -> HttpResponse:
    return act_page(
        request,
        WITNESS,
        back=reverse("console:breaches"),
        crumb=_("Invariants"),
        decision=acts.decision("witness", WITNESS, actor=actor_of(request)),
    )


# --- what staff read -----------------------------------------------------------------------------

_SOURCES = {
    each.code: each
    for each in (
        audit_page.SOURCE,
        approvals_page.SOURCE,
        look_up_page.SOURCE,
        run_rows_page.SOURCE,
    )
}


@require_safe
@staff_page
def read(request: HttpRequest, source: str) -> HttpResponse:
    """The rows that the filters in the address find. The audit journal records the reading."""
    programme = Programme.objects.filter(pk=1).first()
    reason = request.session.get(look_up_page.REASON, "")
    with timezone.override(zone_of(programme)):
        seen = reading.disclose(
            _SOURCES[source], request.GET, actor=actor_of(request), reason=reason
        )
    shown: dict[str, Any] = {"programme": programme, "seen": seen}
    if source == look_up_page.SOURCE.code:
        if not look_up_page.is_filtered(seen):
            shown["find"] = look_up_page.FindForm(initial={"q": request.GET.get("q", "")})
        if request.user.has_perm(reading.READ_AUDIT):
            shown["reveals"] = look_up_page.reveals(at=seen.at)
    return page(request, "winddown/reading.html", **shown)


@require_safe
@staff_page
def read_file(request: HttpRequest, source: str) -> HttpResponse:
    """The same rows as a file. A query that is not understood is shown on the page, with its
    errors.
    """
    address = reverse(f"console:{source}")
    programme = Programme.objects.filter(pk=1).first()
    with timezone.override(zone_of(programme)):
        seen = reading.disclose(
            _SOURCES[source],
            request.GET,
            actor=actor_of(request),
            as_file=True,
            reason=request.session.get(look_up_page.REASON, ""),
        )
        if not seen.asked:
            return redirect(f"{address}?{request.GET.urlencode()}")
        text = reading.as_csv(seen, address=address)
        name = f"{source}-{timezone.localtime(seen.at):%Y%m%d-%H%M%S}.csv"
    # Spreadsheets recognise UTF-8 by its mark.
    answer = HttpResponse(text.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def find(request: HttpRequest) -> HttpResponse:
    """What was typed leads to the page of the subject that it names, whose address says nothing
    about a person; several accounts that share it are shown, each with a link. What names nothing
    stays in the form, and in no address. Without anything sent it is the empty form.
    """
    sent = request.POST if request.method == "POST" else None
    form, by = look_up_page.FindForm(sent), actor_of(request)
    found: list[panels.Card] = []
    if form.is_valid():
        reason = request.session[look_up_page.REASON] = form.cleaned_data["reason"]
        found = look_up_page.disclose_found(form.cleaned_data["q"], actor=by, reason=reason)
        if len(found) == 1:
            subject = urlencode({"q": found[0].subject})
            return redirect(f"{reverse('console:look_up')}?{subject}")
        if not found:
            form.add_error("q", form.fields["q"].error_messages["unknown"])
    seen = reading.disclose(look_up_page.SOURCE, {}, actor=by)
    return page(request, "winddown/reading.html", seen=seen, find=form, several=found)


# --- the programme ------------------------------------------------------------------------------


@require_safe
@staff_page
def programme(request: HttpRequest) -> HttpResponse:
    found = get_object_or_404(Programme, pk=1)
    with timezone.override(found.zone):
        return page(
            request,
            "winddown/programme.html",
            seen=programme_page.look(found, actor=actor_of(request)),
        )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def programme_act(request: HttpRequest, verb: str) -> HttpResponse:
    found = get_object_or_404(Programme, pk=1)
    if verb not in PROGRAMME:
        raise Http404
    return act_page(
        request,
        PROGRAMME[verb],
        back=reverse("console:programme"),
        crumb=_("Programme"),
        decision=programme_page.look(found, actor=actor_of(request)).decision(verb),
        gone=_("The programme is no longer in a state in which this is possible."),
    )


# --- requests ---------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def approval_decide(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    approval = get_object_or_404(Approval.objects.select_related("maker"), pk=number)
    if not approval_page.knows(verb):
        raise Http404
    actor = actor_of(request)
    seen = approval_page.look(approval, actor=actor)
    return decision_page(
        request,
        "winddown/approval_decide.html",
        form=approval_page.DecideForm(
            request.POST or None,
            initial={"digest": approval.digest},
            sum_minor=seen.sum_minor(verb),
        ),
        decision=seen.decision(verb),
        act=lambda given: approval_page.decide(approval, verb, actor=actor, given=given),
        back=reverse("console:incident"),
        gone=_("This request no longer waits."),
        about=seen.waiting.page.title,
        seen=seen,
    )


_OF_AUDIT = (reading.READ_AUDIT,)
DOORS.add_all(
    {
        "console:incident": Door(title=_lazy("Incident")),
        "console:programme": Door(title=_lazy("Programme")),
        "console:programme_act": Door(),
        "console:run": Door(),
        "console:run_decide": Door(),
        "console:plan": Door(permissions=("winddown.plan_run",)),
        "console:switch": Door(),
        "console:switch_decide": Door(),
        "console:switch_probe": Door(),
        "console:switches_stop": Door(permissions=("winddown.stop_capability",)),
        "console:verify": Door(),
        "console:run_rows": Door(),
        "console:run_rows_file": Door(),
        "console:approval_decide": Door(),
    }
)
DOORS.add("console:witness", Door((WITNESS.permission,)))
DOORS.add("console:breaches", Door(title=_lazy("Invariants")), place=2)
DOORS.add("console:audit", Door(_OF_AUDIT, title=_lazy("Audit")), place=7)
DOORS.add("console:approvals", Door(_OF_AUDIT, title=_lazy("Approvals")), place=8)
DOORS.add("console:look_up", Door((look_up_page.LOOK_UP,), title=_lazy("Look-up")), place=9)
DOORS.add("console:look_up_find", Door((look_up_page.LOOK_UP,)))
for _file in ("audit_file", "approvals_file", "look_up_file"):
    DOORS.add(f"console:{_file}", Door(_OF_AUDIT))

urlpatterns = [
    *alarm_views.urlpatterns,
    path("", incident, name="incident"),
    path("programme/", programme, name="programme"),
    path("programme/<slug:verb>/", programme_act, name="programme_act"),
    *filing_views.urlpatterns,
    path("runs/<int:number>/", run, name="run"),
    path("runs/<int:number>/<slug:verb>/", run_decide, name="run_decide"),
    path("workflows/<slug:name>/plan/", plan, name="plan"),
    path("switches/stop/", switches_stop, name="switches_stop"),
    path("switches/<str:code>/", switch, name="switch"),
    path("switches/<str:code>/probe/", switch_probe, name="switch_probe"),
    path("switches/<str:code>/<slug:verb>/", switch_decide, name="switch_decide"),
    path("invariants/", breaches, name="breaches"),
    path("invariants/verify/", verify, name="verify"),
    path("invariants/witness/", witness, name="witness"),
    path("audit/", read, {"source": "audit"}, name="audit"),
    path("audit/file/", read_file, {"source": "audit"}, name="audit_file"),
    path("approvals/", read, {"source": "approvals"}, name="approvals"),
    path("approvals/<int:number>/<slug:verb>/", approval_decide, name="approval_decide"),
    path("approvals/file/", read_file, {"source": "approvals"}, name="approvals_file"),
    path("run-rows/", read, {"source": "run_rows"}, name="run_rows"),
    path("run-rows/file/", read_file, {"source": "run_rows"}, name="run_rows_file"),
    path("look-up/", read, {"source": "look_up"}, name="look_up"),
    path("look-up/find/", find, name="look_up_find"),
    path("look-up/file/", read_file, {"source": "look_up"}, name="look_up_file"),
]
app_name = "console"
