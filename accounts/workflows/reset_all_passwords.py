"""reset-all-passwords: credentials of customers are no longer accepted, and then removed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, ClassVar

from django import forms
from django.db import connection
from django.db.models import Case, CharField, Exists, F, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.credentials import fencing
from accounts.credentials.passwords import NO_PASSWORD
from accounts.models import (
    CredentialFence,
    DeviceToken,
    ExternalIdentity,
    ResetNotice,
    Session,
    User,
)
from accounts.models.session import SessionQuerySet
from accounts.models.user import WITHOUT_PASSWORD, UserQuerySet, by_mail, by_telephone
from accounts.reset_notices import notices, waves
from winddown import clock
from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.models import Batch, Run, StepTotal
from winddown.runs.params_form import ParamsForm
from winddown.runs.registry import Moved, PlanContent, Step, Workflow, workflow

BATCH_ROWS = 5_000
# Queueing does not block anybody. Each batch asks anew who belongs to the group.
QUEUE_ROWS = 100_000
# At most so many notices go out at once. A pause waits for one notice at most.
SEND_ROWS = 100
SEND_STEPS = ("send_first_wave", "send_second_wave", "send_last_wave")

# A share is of the newest notices. Counted from more of them, none would ever be too large.
COUNTED_FROM_MAX = waves.NEWEST


def _limit(label: Any, name: str) -> forms.FloatField:
    usual = {field.name: field.default for field in fields(waves.Limits)}[name]
    return forms.FloatField(
        label=label,
        required=False,
        min_value=0,
        max_value=100,
        help_text=format_lazy(_("{usual} if left empty."), usual=usual),
    )


class ResetForm(ParamsForm):
    within: ClassVar = {"limits": [each.name for each in fields(waves.Limits)]}
    mail = forms.ChoiceField(
        label=_("Mail is sent"),
        choices=[
            ("smtp", _("by the run, over SMTP, in waves")),
            ("file", _("by a carrier, from a file")),
        ],
    )
    bounced_percent = _limit(_("Pauses above bounces of (percent)"), "bounced_percent")
    complained_percent = _limit(_("Pauses above complaints of (percent)"), "complained_percent")
    failed_resets_percent = _limit(
        _("Pauses above failed resets of (percent)"), "failed_resets_percent"
    )
    counted_from = forms.IntegerField(
        label=_("Shares count from"), required=False, min_value=0, max_value=COUNTED_FROM_MAX
    )
    source = forms.CharField(
        label=_("Source of these limits"),
        required=False,
        max_length=200,
        help_text=_("Needed when a limit is changed."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        limits = (each.name for each in fields(waves.Limits) if each.name != "source")
        if any(given.get(name) is not None for name in limits) and not given.get("source"):
            self.add_error("source", _("Say where the changed limits come from."))
        return given


@workflow
class ResetAllPasswords(Workflow):
    """The commit of the start ends every customer's passwords, sessions and reset links from
    before. Then the passwords are made unusable, the sessions are deleted, and one notice is queued
    for every person who can be reached. Staff are never touched (rule 16).

    A credential has no machine of its own: the fence alone decides what opens an account, and the
    removal after it is one UPDATE per batch. Its evidence is `password_removed_at` in the row, and
    the run's audit entry for the batch with the number of rows.
    """

    name = "reset-all-passwords"
    form = ResetForm
    urgent = True

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """`mail`: `smtp`, sent by the run in waves, or `file`, handed over by `export_notices`;
        `limits`: what differs from the usual ones.
        """

        def refuse(why: str) -> GuardNotMet:
            return GuardNotMet(action=says("plan {workflow}", workflow=self.name), why=why)

        if unknown := sorted(params.keys() - {"mail", "limits"}):
            raise refuse(
                says(
                    "it takes the parameters mail and limits, not {names}", names=", ".join(unknown)
                )
            )
        mail, given = params.get("mail", "smtp"), params.get("limits", {})
        if mail not in ("smtp", "file"):
            raise refuse(says("mail must be smtp or file"))
        known = {each.name: each.type for each in fields(waves.Limits)}
        if not isinstance(given, dict) or given.keys() - known.keys():
            raise refuse(
                says("limits must be an object with some of {names}", names=", ".join(known))
            )
        limits = asdict(waves.Limits()) | given
        numbers = [value for name, value in limits.items() if name != "source"]
        if not all(type(value) in (int, float) and value >= 0 for value in numbers):
            raise refuse(says("limits must be numbers, none below 0"))
        if type(limits["counted_from"]) is not int or limits["counted_from"] > COUNTED_FROM_MAX:
            raise refuse(
                says(
                    "counted_from must be a whole number of at most {most}",
                    most=f"{COUNTED_FROM_MAX:,}",
                )
            )
        if given and not given.get("source"):
            raise refuse(says("limits that differ need a source: say where they come from"))
        return {"mail": mail, "limits": limits}

    def plan(self, run: Run) -> PlanContent:
        """It counts as of the plan. People who register or verify an address later change nothing."""
        everybody = _customers(run)
        told, told_already = _to_be_told(run), _told_already(run)
        only_external = everybody.without_password().filter(_active_identity())
        active = told.filter(_active(run))
        by_mail = told.filter(_by_email(run)).count()
        by_phone = told.exclude(_by_email(run)).filter(by_telephone(_as_of(run))).count()
        limits = waves.limits_of(run)
        sizes = waves.sizes(by_mail, least=limits.counted_from)
        return PlanContent(
            counts={
                "customers": everybody.count(),
                "passwords": everybody.with_password().count(),
                "notices": told.count(),
                "notices_by_email": by_mail,
                "notices_by_phone": by_phone,
                "notices_by_letter": told.count() - by_mail - by_phone,
                **(
                    {f"wave_{number}": size for number, size in enumerate(sizes, 1)}
                    if run.params["mail"] == "smtp"
                    else {}
                ),
            },
            excluded={
                "staff": User.objects.filter(kind=User.Kind.STAFF).count(),
                "told_by_an_earlier_reset": told_already.count(),
            },
            locked_out={
                "without_channel": everybody.without_channel(verified_by=_as_of(run)).count(),
                "only_external_login": only_external.count(),
            },
            terms={
                "fence": "customers",
                "mail": run.params["mail"],
                "bounced_at_most": f"{limits.bounced_percent:g} %",
                "complained_at_most": f"{limits.complained_percent:g} %",
                "failed_resets_at_most": f"{limits.failed_resets_percent:g} %",
                "limits_counted_from": limits.counted_from,
                "limits_source": limits.source,
            },
            estimates=lambda: {
                "sessions": _old_sessions(run).count(),
                "device_tokens": _old_tokens(run).count(),
                "told_first": told.filter(_first(run)).count(),
                "told_next": active.count() - active.filter(_first(run)).count(),
            },
        )

    def at_once(self, run: Run, *, actor: Actor) -> None:
        fencing.raise_fence(run)

    def steps(self, run: Run) -> list[Step]:
        """The notices are queued group by group, so that the people of the first group are told
        first.
        """
        steps = [
            Step("remove_passwords", _old_passwords, _remove_passwords, BATCH_ROWS),
            Step("remove_sessions", _old_sessions, _remove_sessions, BATCH_ROWS),
            Step("revoke_device_tokens", _old_tokens, _revoke_tokens, BATCH_ROWS),
            Step("queue_first_notices", _to_be_told_first, _queue_notices, QUEUE_ROWS),
            Step("queue_next_notices", _to_be_told_next, _queue_notices, QUEUE_ROWS),
            Step("queue_notices", _not_queued, _queue_notices, QUEUE_ROWS),
        ]
        if run.params["mail"] == "smtp":
            steps += [
                Step(name, _wave(number), notices.send, SEND_ROWS, outward=True)
                for number, name in enumerate(SEND_STEPS, 1)
            ]
        return steps

    def reason_to_wait(self, run: Run, step: Step) -> str:
        """Returns why a wave may not open yet. The waves are laid out before the first one.

        A later wave opens when the one before it is clean. An open wave stays open for retries.
        """
        opened = StepTotal.objects.filter(run=run, step=step.name)
        if step.name not in SEND_STEPS or opened.exists():
            return ""
        waves.lay_out(run)
        number = SEND_STEPS.index(step.name)
        return waves.reason_to_wait(run, number) if number else ""

    def reason_to_pause(self, run: Run) -> str:
        return waves.reason_to_pause(run)

    def verify(self, run: Run) -> list[str]:
        """Returns one sentence per gap: old credentials that are left, reachable people without
        notice.
        """
        gaps = []
        if not CredentialFence.objects.filter(run=run, state__in=CredentialFence.IN_FORCE).exists():
            gaps.append("the credential fence of the run does not stand")
        if left := _old_passwords(run).count():
            gaps.append(f"{left} passwords from before the fence are left")
        if left := _old_sessions(run).count():
            gaps.append(f"{left} sessions from before the fence are left")
        if left := _old_tokens(run).count():
            gaps.append(f"{left} device tokens from before the fence are left")
        if left := _to_be_told(run).exclude(_notice(run=run.pk)).count():
            gaps.append(f"{left} people who can be reached have no notice")
        if run.params["mail"] == "smtp" and (left := _not_sent(run).count()):
            gaps.append(f"{left} notices are not sent, or nobody knows whether they are")
        return gaps


def _as_of(run: Run) -> dt.datetime:
    if run.as_of is None:
        raise AssertionError("a run that works has its date")
    return run.as_of


def _not_before(run: Run) -> dt.datetime:
    """Returns the instant of the run's fence. Before the fence is raised, returns the instant of
    the plan.
    """
    fence = CredentialFence.objects.filter(run=run).first()
    return fence.not_before if fence else _as_of(run)


def _before(column: str, instant: dt.datetime) -> Q:
    return Q(**{f"{column}__lt": instant}) | Q(**{column: None})


def _customers(run: Run) -> UserQuerySet:
    return User.objects.customers().registered_by(_as_of(run))


def _active_identity() -> Exists:
    active = ExternalIdentity.State.ACTIVE
    return Exists(ExternalIdentity.objects.filter(user=OuterRef("pk"), state=active))


def _old_passwords(run: Run) -> UserQuerySet:
    with_password = User.objects.customers().with_password()
    return with_password.filter(_before("password_set_at", _not_before(run)))


def _old_sessions(run: Run) -> SessionQuerySet:
    sessions: SessionQuerySet = Session.objects.of_customers()
    return sessions.filter(_before("issued_at", _not_before(run)))


def _old_tokens(run: Run) -> QuerySet[DeviceToken]:
    """Only customers have any."""
    return DeviceToken.objects.filter(revoked_at=None, issued_at__lt=_not_before(run))


def _notice(**which: Any) -> Exists:
    return Exists(ResetNotice.objects.filter(user=OuterRef("pk"), **which))


def _told_already(run: Run) -> UserQuerySet:
    """Returns the people whom an earlier reset told, and who have set no password since."""
    return _reachable(run).filter(_told_before(run), _untouched(run))


def _to_be_told(run: Run) -> UserQuerySet:
    reached = _reachable(run)
    # If no earlier reset has notices, the question would read, for each person, all that the batch
    # has written so far.
    if ResetNotice.objects.filter(run__lt=run.pk).exists():
        reached = reached.exclude(Q(_told_before(run)) & _untouched(run))
    return reached


def _to_be_told_first(run: Run) -> UserQuerySet:
    return _not_queued(run).filter(_first(run))


def _to_be_told_next(run: Run) -> UserQuerySet:
    return _not_queued(run).filter(_active(run))


def _not_queued(run: Run) -> UserQuerySet:
    return _to_be_told(run).exclude(_notice(run=run.pk))


def _first(run: Run) -> Q:
    return waves.belongs(waves.FIRST, as_of=_as_of(run))


def _active(run: Run) -> Q:
    return waves.belongs(waves.ACTIVE, as_of=_as_of(run))


def _by_email(run: Run) -> Q:
    return by_mail(_as_of(run))


def _wave(number: int) -> Callable[[Run], QuerySet[ResetNotice]]:
    """Returns a query of the wave's notices that are not settled. Failed ones wait for their retry."""

    def rows(run: Run) -> QuerySet[ResetNotice]:
        return waves.in_wave(run, number).filter(state__in=ResetNotice.NOT_SETTLED)

    return rows


def _not_sent(run: Run) -> QuerySet[ResetNotice]:
    by_mail = ResetNotice.objects.filter(run=run, channel=ResetNotice.Channel.EMAIL)
    return by_mail.filter(state__in=ResetNotice.NOT_SETTLED)


def _reachable(run: Run) -> UserQuerySet:
    return _customers(run).with_channel(verified_by=_as_of(run))


def _told_before(run: Run) -> Exists:
    return _notice(run__lt=run.pk)


def _untouched(run: Run) -> Q:
    """Returns the accounts without a password that this run did not change."""
    return WITHOUT_PASSWORD & _before("password_removed_at", _not_before(run))


def _remove_passwords(run: Run, batch: Batch, rows: QuerySet[User]) -> Moved:
    """The batch's old passwords open nothing for good, and are kept as refused (rule 11).

    A password set after the fence stays. If the fence was lifted, nothing is removed: under the
    lock, this batch is either before or after the lifting.
    """
    fence = fencing.take_fence()
    if not CredentialFence.objects.filter(run=run, state=CredentialFence.State.STANDING).exists():
        return Moved(rows=0)
    # Random, so that what was derived from the old hash cannot be made again.
    random = Func(
        template="translate(gen_random_uuid()::text || gen_random_uuid(), '-', '')",
        output_field=CharField(),
    )
    # PostgreSQL waits for a row that is being changed, and asks again whether its password is old.
    return Moved(
        rows=rows.update(
            refused_hash=F("password"),
            password_removed_at=fence.at,
            password=Concat(Value(NO_PASSWORD), random),
        )
    )


def _remove_sessions(run: Run, batch: Batch, rows: QuerySet[Session]) -> Moved:
    if not isinstance(rows, SessionQuerySet):
        raise AssertionError("the rows are sessions")
    return Moved(rows=rows.remove())


def _revoke_tokens(run: Run, batch: Batch, rows: QuerySet[DeviceToken]) -> Moved:
    return Moved(rows=rows.update(revoked_at=clock.now()))


def _queue_notices(run: Run, batch: Batch, rows: QuerySet[User]) -> Moved:
    """Each person of the batch has one notice of this run: by e-mail, or else by telephone, or else
    as a letter.
    """
    of = ResetNotice.Channel
    by_email = When(_by_email(run), then=Value(of.EMAIL.value))
    by_phone = When(by_telephone(_as_of(run)), then=Value(of.PHONE.value))
    told = rows.annotate(channel=Case(by_email, by_phone, default=Value(of.LETTER.value)))
    inner, params = told.order_by("pk").values_list("pk", "channel").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO accounts_resetnotice
                (user_id, run_id, channel, state, queued_at, attempts, answer)
            SELECT id, %s, channel, %s, %s, 0, '' FROM ({inner}) AS told (id, channel)
            ON CONFLICT (run_id, user_id) DO NOTHING
            """,  # noqa: S608  the ORM's own SQL, its values are parameters
            [run.pk, ResetNotice.State.QUEUED, clock.now(), *params],
        )
        return Moved(rows=cursor.rowcount)
