"""The alarms of the programme and of its machinery: what each is called, and what finds it."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from winddown import words
from winddown.alarm_kinds import ALARM_FINDERS, KINDS, AlarmCondition, AlarmKind, Severity
from winddown.alarms import duty_addresses
from winddown.authority.role_words import ROLE_WORDS
from winddown.evidence import audit
from winddown.models import Capability, Milestone, Programme, Run
from winddown.programme import (
    capabilities,
    filing_duties,
    milestones,
    notice_watch,
    verification,
)
from winddown.runs import clocks, clockwork, stalls, waking
from winddown.site import money_table, run_rows

PLAN_BEFORE = dt.timedelta(days=7)
FILING_NEAR = dt.timedelta(days=2)
# The clockwork's finder, which the watchdog asks with its own patience.
CLOCKWORK = "clockwork"
SILENT_S = 60
GRAVE, WARNING = Severity.GRAVE, Severity.WARNING

KINDS.add_all(
    {
        "tick_silent": AlarmKind(
            _("The clockwork is silent"), "incident_commander", GRAVE, "clockwork-silent.md"
        ),
        "run_unattended": AlarmKind(
            _("A run has no worker"), "incident_commander", GRAVE, "run-unattended.md"
        ),
        "run_rows_failed": AlarmKind(
            _("Rows of a run failed"), "treasury_operator", WARNING, "rows-failed.md"
        ),
        "run_verification_gaps": AlarmKind(
            _("The verification of a run found gaps"),
            "incident_commander",
            GRAVE,
            "verification-gaps.md",
        ),
        "batches_held_up": AlarmKind(
            _("Batches of a run are held up"), "incident_commander", GRAVE, "batches-held-up.md"
        ),
        "clock_off": AlarmKind(
            _("The clock of a host is wrong"), "incident_commander", WARNING, "clock-off.md"
        ),
        "seal_delayed": AlarmKind(
            _("The seal is delayed"), "compliance", WARNING, "seal-delayed.md"
        ),
        "stop_not_ratified": AlarmKind(
            _("A stop is not ratified"), "compliance", GRAVE, "stop-not-ratified.md"
        ),
        "stop_due_for_review": AlarmKind(
            _("A stop is due for review"), "compliance", GRAVE, "stop-due-for-review.md"
        ),
        "leak": AlarmKind(
            _("Movements passed after a stop"), "incident_commander", GRAVE, "leak.md"
        ),
        "money_differs": AlarmKind(
            _("The money table does not add up"), "treasury_approver", GRAVE, "money-table.md"
        ),
        "invariant_breached": AlarmKind(
            _("An invariant did not hold"), "compliance", GRAVE, "invariant-breached.md"
        ),
        "deadline_without_run": AlarmKind(
            _("A deadline is near without an approved run"),
            "compliance",
            GRAVE,
            "deadline-without-run.md",
        ),
        "filing_overdue": AlarmKind(
            _("A filing is overdue"), "compliance", GRAVE, "filing-overdue.md"
        ),
        "filing_due": AlarmKind(_("A filing is due"), "compliance", WARNING, "filing-overdue.md"),
        "deadline_overdue": AlarmKind(
            _("A deadline is overdue"), "incident_commander", GRAVE, "deadline-overdue.md"
        ),
        "notice_interrupted": AlarmKind(
            _("The electronic notice is interrupted"),
            "compliance",
            GRAVE,
            "notice-interrupted.md",
        ),
        "duty_address_changed": AlarmKind(
            _("A duty address was changed"), "incident_commander", WARNING, "duty-address.md"
        ),
    }
)


@ALARM_FINDERS.entry("money", place=-1)
def money_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm if the money table does not add up, and one for each switch that leaks."""
    # The apps add the lines of the money table with their pages, which a worker has not loaded.
    import_module(settings.ROOT_URLCONF)
    counted = money_table.figures()
    if counted is None:
        return []
    found = []
    if counted.money and money_table.money(counted).difference_minor:
        found.append(
            AlarmCondition(
                "money_differs",
                "money_table",
                _("The money table does not add up."),
                reverse("console:breaches"),
            )
        )
    stopped = Capability.objects.exclude(state=Capability.State.ENABLED).values_list(
        "code", flat=True
    )
    text = _("%(switch)s: %(n)s movements passed after the stop.")
    return found + [
        _of_switch("leak", code, text, n=counted.leaks[code])
        for code in stopped
        if counted.leaks.get(code)
    ]


@ALARM_FINDERS.entry("invariants", place=-1)
def invariant_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm for each invariant that did not hold when last checked."""
    last = verification.last()
    return [
        AlarmCondition(
            "invariant_breached",
            f"invariant:{code}",
            _("Invariant %(code)s did not hold when last checked: %(first)s"),
            reverse("console:breaches"),
            {"code": code, "first": sentences[0]},
        )
        for code, sentences in (last.breached if last else {}).items()
    ]


@ALARM_FINDERS.entry("stops", place=-1)
def stop_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm for each stop whose ratification or review is overdue."""
    unratified, unreviewed = capabilities.overdue(at)
    return [
        _of_switch(
            "stop_not_ratified",
            code,
            _("%(switch)s: the stop is not ratified, and is overdue."),
        )
        for code in unratified
    ] + [
        _of_switch("stop_due_for_review", code, _("%(switch)s: the stop is due for review."))
        for code in unreviewed
    ]


def _of_switch(kind: str, code: str, text: words.Text, **facts: object) -> AlarmCondition:
    title = words.capability_title(code)
    return AlarmCondition(
        kind,
        f"capability:{code}",
        text,
        reverse("console:switch", args=[code]),
        {"switch": title, **facts},
    )


@ALARM_FINDERS.entry("runs", place=-1)
def run_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns the alarms of the newest run of each workflow: failed rows, and gaps."""
    found = []
    for row in run_rows.newest(real_at=waking.real_now()):
        if row.run is None:
            continue
        title, url = words.workflow_title(row.workflow), reverse("console:run", args=[row.run.pk])
        found += [
            AlarmCondition(
                "run_rows_failed",
                f"run:{row.run.pk}:{code}",
                _("%(run)s: %(n)s rows failed (%(code)s)."),
                f"{url}#failures",
                {"run": title, "n": f"{rows:,}", "code": code},
            )
            for code, rows in row.failures.items()
        ]
        if row.state == Run.State.PARTIALLY_FAILED and not row.failures:
            found.append(
                AlarmCondition(
                    "run_verification_gaps",
                    f"run:{row.run.pk}",
                    _("%(run)s: the verification found gaps."),
                    url,
                    {"run": title},
                )
            )
    return found


@ALARM_FINDERS.entry("deadlines", place=-1)
def deadline_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm for each near deadline whose workflow has no approved run, and for each
    passed one that has not fired or whose workflow has not started.
    """
    ahead = list(
        Milestone.objects.filter(fired_at=None, at__lt=at + PLAN_BEFORE)
        .exclude(workflow="")
        .order_by("at")
    )
    approved = set(
        Run.objects.filter(
            workflow__in=[each.workflow for each in ahead], state=Run.State.APPROVED
        ).values_list("workflow", flat=True)
    )
    near = _("%(deadline)s is near, and %(workflow)s has no approved run.")
    unnoticed = _("%(deadline)s has passed, and the clockwork has not noticed it.")
    unstarted_yet = _("%(deadline)s has passed, and %(workflow)s has not started.")
    unfired, unstarted = milestones.overdue(at)
    programme = reverse("console:programme")
    return [
        *(
            _of_deadline("deadline_without_run", each, near, _plan_page(each))
            for each in ahead
            if each.workflow not in approved
        ),
        *(_of_deadline("deadline_overdue", each, unnoticed, programme) for each in unfired),
        *(_of_deadline("deadline_overdue", each, unstarted_yet, programme) for each in unstarted),
    ]


def _plan_page(milestone: Milestone) -> str:
    return reverse("console:plan", args=[milestone.workflow])


def _of_deadline(kind: str, milestone: Milestone, text: words.Text, url: str) -> AlarmCondition:
    return AlarmCondition(
        kind,
        f"milestone:{milestone.kind}",
        text,
        url,
        {
            "deadline": words.milestone_title(milestone.kind),
            "workflow": words.workflow_title(milestone.workflow) if milestone.workflow else "",
        },
    )


@ALARM_FINDERS.entry(CLOCKWORK, place=-1)
def clockwork_alarms(at: dt.datetime, *, seconds: int = SILENT_S) -> list[AlarmCondition]:
    """Returns an alarm if no tick came for `seconds`, and one for each running run at which no
    worker was seen for so long.
    """
    url = f"{reverse('console:incident')}#clockwork"
    found = []
    if not waking.was_seen(clockwork.TICK, within_s=seconds):
        found.append(
            AlarmCondition(
                "tick_silent",
                "clockwork",
                _("No tick has come. Are beat and a worker running?"),
                url,
            )
        )
    found += [
        AlarmCondition(
            "run_unattended",
            f"run:{run.pk}",
            _("%(run)s: no worker works on it."),
            reverse("console:run", args=[run.pk]),
            {"run": words.workflow_title(run.workflow)},
        )
        for run in waking.unattended(seconds)
    ]
    return found


@ALARM_FINDERS.entry("causes outside", place=-1)
def fault_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns the alarms about causes outside of the service that hold it up."""
    url = f"{reverse('console:incident')}#clockwork"
    found = [
        AlarmCondition(
            "batches_held_up",
            f"run:{run.pk}:{cause}",
            _("%(run)s: other sessions or the database hold up its batches (%(cause)s)."),
            reverse("console:run", args=[run.pk]),
            {"run": words.workflow_title(run.workflow), "cause": cause},
        )
        for run, causes in stalls.held_up().items()
        for cause in causes
    ]
    found += [
        AlarmCondition(
            "clock_off",
            f"host:{host}",
            _("%(host)s: its clock is %(n)s s off the database's."),
            url,
            {"host": host, "n": s},
        )
        for host, s in clocks.off().items()
    ]
    if audit.seal_delayed_s() is not None:
        delayed = _("An open transaction delays the seal of the audit journal.")
        found.append(AlarmCondition("seal_delayed", "audit", delayed, url))
    return found


@ALARM_FINDERS.entry("filings", place=-1)
def filing_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm for each open filing whose last day is near, or has passed."""
    programme = Programme.objects.filter(pk=1).first()
    if programme is None:
        return []
    today = at.astimezone(programme.zone).date()
    found = []
    for each in filing_duties.due():
        if not each.is_open or each.due_on - today >= FILING_NEAR:
            continue
        subject, url = f"filing:{each.key}", reverse("console:filing", args=[each.key])
        facts = {"filing": each.title, "authority": each.addressee, "day": each.due_on.isoformat()}
        if each.is_overdue(today):
            late = _("%(filing)s to %(authority)s was due on %(day)s.")
            found.append(AlarmCondition("filing_overdue", subject, late, url, facts))
        else:
            near = _("%(filing)s to %(authority)s is due on %(day)s.")
            found.append(AlarmCondition("filing_due", subject, near, url, facts))
    return found


@ALARM_FINDERS.entry("duty addresses", place=-1)
def duty_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns an alarm for each duty address that was replaced or ended within the last day."""
    return [
        AlarmCondition(
            "duty_address_changed",
            duty_addresses.subject_of(each),
            _("The duty address %(shown)s (%(role)s) was replaced or ended."),
            reverse("console:alarms"),
            {"shown": each.shown, "role": ROLE_WORDS[each.role]},
        )
        for each in duty_addresses.changed(at)
    ]


@ALARM_FINDERS.entry("electronic notice", place=-1)
def notice_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns the alarms about the electronic notice."""
    seen, url = notice_watch.meter(), f"{reverse('console:programme')}#interruptions"
    if seen is None:
        return []
    told = {
        "now": (
            any(each.ended_at is None for each in seen.interruptions),
            _("The electronic notice is unreachable or altered."),
        ),
        "correction": (
            any(each.ended_at is not None for each in seen.uncorrected),
            _("An interruption of the notice has no correction."),
        ),
        "probe": (notice_watch.silent(seen), _("The electronic notice is not probed.")),
    }
    return [
        AlarmCondition("notice_interrupted", f"notice:{seen.notice.pk}:{part}", text, url)
        for part, (holds, text) in told.items()
        if holds
    ]
