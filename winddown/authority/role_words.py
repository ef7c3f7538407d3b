"""The names of the roles of staff, and of the rights that they hold."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from winddown.authority.roles import OR, ROLES, roles_with
from winddown.words import FACTS, Text

# Whoever holds it asks for the roles of a colleague, and a second one agrees.
ASSIGN = "accounts.assign_roles"

ROLE_WORDS: dict[str, Text] = {
    "incident_commander": _("Incident commander"),
    "fraud_analyst": _("Fraud analyst"),
    "fraud_supervisor": _("Fraud supervisor"),
    "treasury_operator": _("Treasury operator"),
    "treasury_approver": _("Treasury approver"),
    "compliance": _("Compliance"),
    "support": _("Support"),
    "auditor": _("Auditor"),
}

RIGHT_WORDS: dict[str, Text] = {
    ASSIGN: _("assign roles to colleagues"),
    "accounts.complete_recovery_case": _("complete an assisted recovery"),
    "accounts.decide_recovery_case": _("decide about an assisted recovery"),
    "accounts.disable_account": _("disable an account"),
    "accounts.end_sessions": _("end the sessions of an account"),
    "accounts.end_storm": _("end the state of attack"),
    "accounts.fence_credentials": _("put up and lift the credential fence"),
    "accounts.match_persons": _("merge accounts of one person"),
    "accounts.read_contact": _("read a customer's contact in full"),
    "accounts.recover_staff": _("give a colleague access again"),
    "accounts.restore_identity": _("restore an external identity"),
    "accounts.send_reset_notice": _("send notices of a password reset"),
    "accounts.suspend_identity": _("suspend an external identity"),
    "accounts.work_recovery_case": _("work on an assisted recovery"),
    "refunds.adopt_terms": _("adopt terms of refunds"),
    "refunds.approve_issuer_action": _("approve a request to a card issuer"),
    "refunds.approve_late_claim": _("approve a late claim"),
    "refunds.approve_payout_batch": _("approve a payout batch"),
    "refunds.block_payment": _("block a payment"),
    "refunds.decide_application": _("decide about a refund application"),
    "refunds.decide_claim": _("decide about a claim"),
    "refunds.decide_unusual": _("decide about unusual applications"),
    "refunds.draft_issuer_action": _("draft a request to a card issuer"),
    "refunds.hold_entitlement": _("hold an entitlement"),
    "refunds.export_resolution_pack": _("export the resolution pack"),
    "refunds.keep_closing_document": _("keep and confirm documents of the end"),
    "refunds.take_closing_proof": _("take and confirm the closing proof"),
    "refunds.take_payout_view": _("take the payout views"),
    "refunds.make_payout_batch": _("make a payout batch"),
    "refunds.override_name_check": _("accept a payee's name that differs"),
    "refunds.reconcile": _("reconcile results of the bank"),
    "refunds.reopen_claim": _("reopen a claim"),
    "refunds.report_claim": _("report a claim"),
    "refunds.send_issuer_action": _("send a request to a card issuer"),
    "refunds.stop_release": _("stop the release of a payout file"),
    "refunds.transmit_payout_batch": _("send a payout batch to the bank"),
    "refunds.work_application": _("work on a refund application"),
    "refunds.work_claim": _("work on a claim"),
    "wallets.freeze_wallet": _("freeze a wallet"),
    "wallets.hold_wallet": _("hold a wallet for a check"),
    "wallets.release_wallet": _("release a held wallet"),
    "wallets.settle_payment": _("settle a payment"),
    "winddown.abort_run": _("abort a run"),
    "winddown.acknowledge_alarm": _("acknowledge an alarm"),
    "winddown.announce_termination": _("announce the end of the service"),
    "winddown.approve_filing": _("approve a filing"),
    "winddown.approve_run": _("approve a run"),
    "winddown.change_set_up": _("change the set-up"),
    "winddown.close_programme": _("close the service"),
    "winddown.close_window": _("close the refund window"),
    "winddown.complete_programme": _("complete the programme"),
    "winddown.declare_incident": _("declare an incident"),
    "winddown.file_completion": _("report the completion"),
    "winddown.file_filing": _("file with the authority"),
    "winddown.fix_balance": _("fix the balances"),
    "winddown.load_data": _("load data"),
    "winddown.look_up": _("look up an account or wallet"),
    "winddown.open_refunds": _("open refunds"),
    "winddown.pause_run": _("pause a run"),
    "winddown.plan_run": _("plan a run"),
    "winddown.post_exclusion": _("post the exclusion of claims"),
    "winddown.publish_notice": _("publish the public notice"),
    "winddown.reach_milestone": _("record a milestone as reached"),
    "winddown.read_audit": _("read the audit journal"),
    "winddown.report_funds": _("report the secured funds"),
    "winddown.restore_capability": _("restart a function"),
    "winddown.restore_programme": _("restore the service"),
    "winddown.restrict_programme": _("restrict the service"),
    "winddown.resume_run": _("resume a run"),
    "winddown.set_duty_address": _("set a duty address"),
    "winddown.set_milestone": _("set a deadline"),
    "winddown.start_run": _("start a run"),
    "winddown.stop_capability": _("stop a function"),
    "winddown.withdraw_incident": _("withdraw an incident"),
    "winddown.work_run": _("work off a run"),
    "winddown.write_filing": _("write a filing"),
}


def role_words(codes: Iterable[str]) -> str:
    """Returns the names of the roles as one text, in the order of the table of roles."""
    held = set(codes)
    return gettext(", ").join(str(ROLE_WORDS[role]) for role in ROLES if role in held)


def right_words(permission: str) -> str:
    """Returns the name of the right; of several joined by `OR` one is enough. A code without a name
    is for people of another kind than staff, or for staff as such.
    """
    named = [RIGHT_WORDS.get(each) or _("work as staff") for each in permission.split(OR)]
    return gettext(" or ").join(map(str, named))


def who_may(permission: str) -> Text:
    """Returns the sentence that says which roles hold the permission."""
    return format_lazy(_("Only these roles may do this: {roles}."), roles=_Roles(permission))


def missing(permission: str) -> str:
    """Returns which right is missing, which roles hold it, and who can give one of them."""
    return gettext(
        "The right “{right}” is missing. Roles that have it: {roles}. Who can give a role: {givers}."
    ).format(
        right=right_words(permission),
        roles=_Roles(permission),
        givers=_Roles(ASSIGN),
    )


class _Roles:
    """The roles with a permission, in the language of whoever reads them."""

    def __init__(self, permission: str) -> None:
        self._permission = permission

    def __str__(self) -> str:
        return role_words(roles_with(self._permission)) or gettext("nobody")


FACTS.add("permission", lambda value, facts: missing(str(value)))
