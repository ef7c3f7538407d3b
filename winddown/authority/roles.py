"""Who may do what: roles as groups, granted from this table after every migration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps as installed
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _

from winddown.actors import Actor
from winddown.words import Text

ROLES: dict[str, tuple[str, ...]] = {
    "incident_commander": (
        "winddown.declare_incident",
        "winddown.restrict_programme",
        "winddown.withdraw_incident",
        "winddown.restore_programme",
        "winddown.announce_termination",
        "winddown.write_filing",
        "winddown.approve_filing",
        "winddown.stop_capability",
        "winddown.restore_capability",
        "winddown.plan_run",
        "winddown.approve_run",
        "winddown.start_run",
        "winddown.pause_run",
        "winddown.resume_run",
        "winddown.abort_run",
        "winddown.set_milestone",
        "winddown.reach_milestone",
        "winddown.close_programme",
        "winddown.load_data",
        "wallets.freeze_wallet",
        "wallets.hold_wallet",
        "accounts.fence_credentials",
        "accounts.suspend_identity",
        "accounts.restore_identity",
        "accounts.send_reset_notice",
        "accounts.end_sessions",
        "accounts.disable_account",
        "accounts.recover_staff",
        "accounts.assign_roles",
        "accounts.end_storm",
        "winddown.change_set_up",
        "winddown.acknowledge_alarm",
        "winddown.set_duty_address",
        "refunds.export_resolution_pack",
        "refunds.keep_closing_document",
    ),
    "fraud_analyst": (
        "winddown.look_up",
        "accounts.read_contact",
        "wallets.hold_wallet",
        "refunds.work_claim",
        "refunds.draft_issuer_action",
        "refunds.send_issuer_action",
        "winddown.stop_capability",
        "winddown.acknowledge_alarm",
    ),
    "fraud_supervisor": (
        "winddown.reach_milestone",
        "refunds.block_payment",
        "refunds.decide_unusual",
        "accounts.match_persons",
        "winddown.look_up",
        "accounts.read_contact",
        "wallets.hold_wallet",
        "wallets.release_wallet",
        "accounts.decide_recovery_case",
        "refunds.work_claim",
        "refunds.decide_claim",
        "refunds.approve_issuer_action",
        "refunds.send_issuer_action",
        "refunds.reopen_claim",
        "winddown.plan_run",
        "winddown.stop_capability",
        "winddown.acknowledge_alarm",
    ),
    "treasury_operator": (
        "winddown.reach_milestone",
        "winddown.plan_run",
        "winddown.start_run",
        "winddown.pause_run",
        "winddown.resume_run",
        "winddown.fix_balance",
        "winddown.load_data",
        "refunds.make_payout_batch",
        "refunds.keep_closing_document",
        "refunds.take_closing_proof",
        "refunds.stop_release",
        "refunds.take_payout_view",
        "refunds.transmit_payout_batch",
        "refunds.reconcile",
        "winddown.stop_capability",
        "winddown.acknowledge_alarm",
    ),
    "treasury_approver": (
        "winddown.reach_milestone",
        "winddown.approve_filing",
        "winddown.look_up",
        "winddown.approve_run",
        "winddown.fix_balance",
        "winddown.open_refunds",
        "winddown.post_exclusion",
        "winddown.pause_run",
        "refunds.approve_payout_batch",
        "refunds.keep_closing_document",
        "refunds.take_closing_proof",
        "refunds.stop_release",
        "refunds.take_payout_view",
        "refunds.approve_late_claim",
        "winddown.stop_capability",
        "winddown.acknowledge_alarm",
    ),
    "compliance": (
        "refunds.block_payment",
        "refunds.decide_unusual",
        "accounts.match_persons",
        "winddown.look_up",
        "winddown.withdraw_incident",
        "winddown.announce_termination",
        "winddown.restore_programme",
        "winddown.restore_capability",
        "winddown.plan_run",
        "winddown.approve_run",
        "winddown.start_run",
        "winddown.publish_notice",
        "winddown.open_refunds",
        "winddown.close_window",
        "winddown.post_exclusion",
        "winddown.complete_programme",
        "winddown.file_completion",
        "winddown.write_filing",
        "winddown.approve_filing",
        "winddown.file_filing",
        "winddown.set_milestone",
        "winddown.reach_milestone",
        "winddown.read_audit",
        "winddown.stop_capability",
        "refunds.approve_late_claim",
        "refunds.reopen_claim",
        "refunds.hold_entitlement",
        "refunds.stop_release",
        "refunds.adopt_terms",
        "refunds.export_resolution_pack",
        "refunds.keep_closing_document",
        "refunds.take_closing_proof",
        "refunds.take_payout_view",
        "accounts.assign_roles",
        "winddown.report_funds",
        "winddown.change_set_up",
        "winddown.acknowledge_alarm",
        "winddown.set_duty_address",
    ),
    "support": (
        "winddown.look_up",
        "accounts.read_contact",
        "accounts.work_recovery_case",
        "refunds.work_application",
        "refunds.decide_application",
        "refunds.override_name_check",
        "refunds.report_claim",
        "accounts.end_sessions",
    ),
    "auditor": ("winddown.read_audit", "winddown.look_up", "refunds.take_payout_view"),
}


# Between the permissions of which one is enough.
OR = " or "


@dataclass(frozen=True, slots=True)
class Duty:
    """What one person asks for and a second decides. Both may need the same permission."""

    subject: Text
    asks: str
    decides: str


# Maker and checker of one subject are never one person: the database refuses the second signature.
DUTIES = (
    Duty(_("a change of the set-up"), "winddown.change_set_up", "winddown.change_set_up"),
    Duty(_("a filing (two decide)"), "winddown.write_filing", "winddown.approve_filing"),
    Duty(_("the announced end"), "winddown.announce_termination", "winddown.announce_termination"),
    Duty(_("a withdrawn incident"), "winddown.withdraw_incident", "winddown.withdraw_incident"),
    Duty(_("rows older than their witness"), "winddown.load_data", "winddown.load_data"),
    Duty(_("an announcement"), "winddown.announce_termination", "winddown.announce_termination"),
    Duty(_("a run of a workflow"), "winddown.plan_run", "winddown.approve_run"),
    Duty(_("a stop of a capability"), "winddown.stop_capability", "winddown.stop_capability"),
    Duty(
        _("a restart of a capability"), "winddown.restore_capability", "winddown.restore_capability"
    ),
    Duty(_("lifting a fence"), "accounts.fence_credentials", "accounts.fence_credentials"),
    Duty(_("an assisted recovery"), "accounts.work_recovery_case", "accounts.decide_recovery_case"),
    Duty(_("access of staff"), "accounts.recover_staff", "accounts.recover_staff"),
    Duty(_("roles of staff"), "accounts.assign_roles", "accounts.assign_roles"),
    Duty(_("a claim"), "refunds.work_claim", "refunds.decide_claim"),
    Duty(_("reopening a claim"), "refunds.reopen_claim", "refunds.reopen_claim"),
    Duty(_("an issuer action"), "refunds.draft_issuer_action", "refunds.approve_issuer_action"),
    Duty(_("an application"), "refunds.work_application", "refunds.decide_application"),
    Duty(_("a late claim"), "refunds.work_application", "refunds.approve_late_claim"),
    Duty(_("a payee's name"), "refunds.work_application", "refunds.override_name_check"),
    Duty(_("a lost file of notices"), "accounts.send_reset_notice", "accounts.send_reset_notice"),
    Duty(_("accounts of one person"), "accounts.match_persons", "accounts.match_persons"),
    Duty(_("an unusual application"), "refunds.work_application", "refunds.decide_unusual"),
    Duty(_("a rule for unusual applications"), "refunds.decide_unusual", "refunds.decide_unusual"),
    Duty(_("a payment block"), "refunds.block_payment", "refunds.block_payment"),
    Duty(_("a held entitlement"), "wallets.release_wallet", "wallets.release_wallet"),
    Duty(
        _("a document of the end"), "refunds.keep_closing_document", "refunds.keep_closing_document"
    ),
    Duty(
        _("a deposit or a takeover of refunds"),
        "winddown.post_exclusion",
        "winddown.post_exclusion",
    ),
    Duty(_("a break, a match or a void file"), "refunds.reconcile", "refunds.reconcile"),
    Duty(_("the closing proof"), "refunds.take_closing_proof", "refunds.take_closing_proof"),
    Duty(_("a restore"), "refunds.make_payout_batch", "refunds.approve_payout_batch"),
    Duty(_("a payout batch"), "refunds.make_payout_batch", "refunds.approve_payout_batch"),
)

# Two roles that no person may hold together, and why. Each subject would still need two people, but
# one person could prepare work that the second approves without a check, or could check their own
# work.
INCOMPATIBLE: dict[tuple[str, str], str] = {
    ("fraud_analyst", "fraud_supervisor"): "proposes claims, and decides them",
    ("treasury_operator", "treasury_approver"): "makes payout batches, and approves them",
} | {(role, "auditor"): "reads what the other roles did" for role in ROLES if role != "auditor"}


def roles_with(permission: str) -> list[str]:
    """Returns the roles that hold the permission, in the order of the table. Of several permissions
    joined by `OR` one is enough.
    """
    wanted = set(permission.split(OR))
    return [role for role, permissions in ROLES.items() if wanted & set(permissions)]


def clashes(roles: Iterable[str]) -> list[tuple[str, str]]:
    """Returns the pairs among `roles` that no person may hold together."""
    held = set(roles)
    return [pair for pair in INCOMPATIBLE if held.issuperset(pair)]


def roles_of(person: Actor) -> list[str]:
    """Returns the person's roles: those of every account with the same staff number."""
    accounts = get_user_model().objects.filter(pk=person.pk)
    if person.staff_number:
        accounts = get_user_model().objects.filter(staff_number=person.staff_number)
    held = set(
        Group.objects.filter(user__in=accounts, user__is_active=True).values_list("name", flat=True)
    )
    return [role for role in ROLES if role in held]


def grant_after_migrate(**kwargs: Any) -> None:
    """Every permission that a machine or role names exists. Each role's group holds exactly the
    permissions of its role.

    Runs after the last app's migrations; a second run changes nothing.
    """
    if kwargs["app_config"].label != "winddown" or not Group._meta.apps.ready:
        return
    grant(using=kwargs["using"])


def grant(*, using: str = "default") -> None:
    """The groups in the database and their permissions equal this table."""
    from winddown.machines.declare import all_machines

    named = {
        edge.permission for model in all_machines() for edge in model.edges() if edge.permission
    }
    named |= {permission for permissions in ROLES.values() for permission in permissions}
    owners = {
        label: ContentType.objects.db_manager(using).get_or_create(app_label=label, model="role")[0]
        for label in sorted({name.split(".")[0] for name in named})
    }
    if not all(installed.is_installed(label) or label in installed.app_configs for label in owners):
        raise AssertionError(f"a permission is of a room that is not installed: {sorted(owners)}")
    for name in sorted(named):
        label, codename = name.split(".")
        Permission.objects.using(using).get_or_create(
            content_type=owners[label],
            codename=codename,
            defaults={"name": f"May {codename.replace('_', ' ')}"},
        )
    for role, permissions in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        codenames = {tuple(name.split(".")) for name in permissions}
        group.permissions.set(
            permission
            for permission in Permission.objects.using(using).filter(
                content_type__in=owners.values()
            )
            if (permission.content_type.app_label, permission.codename) in codenames
        )
