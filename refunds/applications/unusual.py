"""Unusual applications are found, held while a rule is enforced, and cleared by two people."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from refunds.models import RefundApplication, UnusualHit, UnusualRule
from refunds.payouts import unusual_rules
from refunds.payouts.unusual_rules import RULES, Mode
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval

FIND: Final = "refunds.work_application"
DECIDE: Final = "refunds.decide_unusual"
RULE, CLEAR = "unusual_rule", "clear_unusual"
_SENT = (*RefundApplication.SENT, RefundApplication.State.NEEDS_INFO)

_APPLIED = """
    applied AS MATERIALIZED (
        SELECT a.id, a.submitted_at AS at, coalesce(p.person_id, -a.applicant_id) AS person,
            coalesce(o.network, '') AS network, coalesce(o.device, '') AS device,
            coalesce(o.address, '') AS address, coalesce(y.fingerprint, '') AS payee,
            coalesce(u.mail_address, '') AS mail
        FROM refunds_refundapplication a
        JOIN accounts_user u ON u.id = a.applicant_id
        LEFT JOIN accounts_personaccount p ON p.user_id = a.applicant_id AND p.current
        LEFT JOIN refunds_applicationorigin o ON o.application_id = a.id
        LEFT JOIN refunds_payee y ON y.holder_id = a.applicant_id AND y.replaced_at IS NULL
        WHERE a.live AND a.state = ANY (%(sent)s) AND a.submitted_at <= %(as_of)s
          AND a.submitted_at > %(as_of)s - make_interval(hours => %(hours)s)
    )
"""

# Two people have seen this: no twice as large a group, and the same bank account.
_CLEARED = """
    EXISTS (
        SELECT FROM refunds_unusualhit c
        JOIN refunds_refundapplication a ON a.id = c.application_id
        WHERE c.application_id = g.application AND c.rule = %(rule)s AND c.cleared_at IS NOT NULL
          AND g.size < 2 * c.size
          AND NOT EXISTS (SELECT FROM refunds_payee y WHERE y.holder_id = a.applicant_id
              AND y.replaced_at IS NULL AND y.entered_at > c.cleared_at))
"""


# --- the scan -------------------------------------------------------------------------------------


def find(*, actor: Actor = SYSTEM, reason: str = "") -> dict[str, int]:
    """The applications that a rule finds have a hit, one for each rule. Returns rule -> how many are
    new. A second call finds none twice, and a rule that is off finds none. What two people cleared is
    found again when twice as many are of one kind, or the bank account is another since then.
    """
    require(actor, FIND, by_system=True, action="look for unusual applications")
    at, found = clock.now(), {}
    with transaction.atomic():
        for each in unusual_rules.in_force():
            if each.mode == Mode.OFF:
                continue
            with connection.cursor() as cursor:
                cursor.execute(
                    f"""
                    WITH {_APPLIED}, found (application, size) AS ({each.rule.sql})
                    INSERT INTO refunds_unusualhit (application_id, rule, size, found_at)
                    SELECT g.application, %(rule)s, g.size, %(as_of)s
                    FROM (SELECT application, max(size) AS size FROM found GROUP BY 1) g
                    WHERE NOT {_CLEARED} ORDER BY 1
                    ON CONFLICT (application_id, rule) WHERE cleared_at IS NULL DO NOTHING
                    """,  # noqa: S608  our own SQL
                    {
                        "sent": list(_SENT),
                        "as_of": at,
                        "rule": each.rule.code,
                        "least": each.least,
                        "hours": each.hours,
                    },
                )
                found[each.rule.code] = cursor.rowcount
        if any(found.values()):
            audit.append(
                "unusual.find", "unusual_applications", actor=actor, reason=reason, found=found
            )
    return found


def standing() -> QuerySet[RefundApplication]:
    """Returns the live applications with a hit that nobody cleared, of rules that are not off."""
    codes = [each.rule.code for each in unusual_rules.in_force() if each.mode != Mode.OFF]
    hits = UnusualHit.objects.filter(application=OuterRef("pk"), cleared_at=None, rule__in=codes)
    return RefundApplication.objects.filter(Exists(hits), live=True)


def held() -> QuerySet[RefundApplication]:
    """Returns those of them that are not paid because the rule is enforced."""
    hits = UnusualHit.objects.filter(
        application=OuterRef("pk"), cleared_at=None, rule__in=unusual_rules.enforced()
    )
    return RefundApplication.objects.filter(Exists(hits), live=True)


# --- two people -----------------------------------------------------------------------------------


def ask_rule(
    code: str, *, mode: str, least: int, hours: int, source: str, actor: Actor, reason: str
) -> Approval:
    """A second person is asked to adopt the rule with this mode and these limits."""
    require(actor, DECIDE, action=f"change rule {code}")
    if code not in RULES or mode not in Mode.values or least < 2 or hours < 1:
        raise GuardNotMet(action=says("change the rule"), why=says("these are no limits of a rule"))
    content = {"code": code, "mode": mode, "least": least, "hours": hours, "source": source}
    with transaction.atomic():
        subject = approvals.next_subject(f"{RULE}:{code}")
        return _ask(subject, RULE, content, actor=actor, reason=reason)


def ask_clear(application: RefundApplication, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to clear the application of what rules found. It is not paid before,
    if a rule of them is enforced. Raises `GuardNotMet` if nothing stands against it.
    """
    require(actor, FIND, action=f"clear application {application.pk}")
    with transaction.atomic():
        content = _content(application.pk)
        if not content["rules"]:
            raise GuardNotMet(
                action=says("clear the application"), why=says("no rule stands against it")
            )
        subject = approvals.next_subject(f"unusual:{application.pk}")
        return _ask(subject, CLEAR, content, actor=actor, reason=reason)


def _ask(
    subject: str, stage: str, content: dict[str, Any], *, actor: Actor, reason: str
) -> Approval:
    approvals.refuse_repeated(subject, stage=stage, content=content, maker=actor, reason=reason)
    asked = approvals.ask(
        subject,
        stage=stage,
        content=content,
        permission=DECIDE,
        maker=actor,
        reason=reason,
        valid_for=dt.timedelta(days=14),
    )
    audit.append(f"unusual.ask_{stage}", subject, actor=actor, reason=reason)
    return asked


def _content(application: int) -> dict[str, Any]:
    hits = UnusualHit.objects.filter(application=application, cleared_at=None).order_by("rule")
    return {"application": application, "rules": dict(hits.values_list("rule", "size"))}


def _rule_decided(said: approvals.Decided) -> object:
    """After an approval the rule holds as it was asked for. Hits stay, whatever the rule becomes."""
    subject = f"{RULE}:{said.key}"
    with transaction.atomic():
        asked = _standing(subject, said)
        if said.approve:
            UnusualRule.objects.create(
                **asked.summary, adopted_at=clock.now(), adopted_by_id=said.actor.pk
            )
        verb = "approve_rule" if said.approve else "reject_rule"
        return audit.append(f"unusual.{verb}", subject, actor=said.actor, reason=said.reason)


def _clear_decided(said: approvals.Decided) -> object:
    """After an approval nothing stands against the application. What another rule finds later does
    again, and so does what this rule finds beyond what was cleared.
    """
    subject = f"unusual:{said.key}"
    with transaction.atomic():
        asked = _standing(subject, said)
        number = asked.summary["application"]
        if said.approve:
            if _content(number) != asked.summary:
                raise GuardNotMet(
                    action=says("clear the application"),
                    why=says("a rule found more meanwhile: reject it and ask anew"),
                )
            UnusualHit.objects.filter(application=number, cleared_at=None).update(
                cleared_at=clock.now(), cleared_by_id=said.actor.pk
            )
        verb = "clear" if said.approve else "keep"
        return audit.append(
            f"unusual.{verb}", f"application:{number}", actor=said.actor, reason=said.reason
        )


def _standing(subject: str, said: approvals.Decided) -> Approval:
    asked = approvals.standing(subject, stage=said.stage)
    if asked is None:
        raise NothingToDecide(subject=subject)
    approvals.decide(
        subject,
        stage=said.stage,
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )
    return asked


approvals.DECIDERS.add("unusual_rule", _rule_decided)
approvals.DECIDERS.add("unusual", _clear_decided)
