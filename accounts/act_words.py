"""What the acts about accounts are called in the audit journal."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from winddown import words

words.ACTS.add_all(
    {
        "recovery.open": _("Opened by the person"),
        "recovery.take": _("Taken by support"),
        "recovery.proof": _("Proof recorded"),
        "recovery.propose": _("Proposed"),
        "recovery.approve": _("Approved"),
        "recovery.reject": _("Rejected"),
        "recovery.decline": _("Closed without decision"),
        "recovery.revoke": _("Approval taken back"),
        "recovery.complete": _("Completed by the person"),
        "recovery.read_contact": _("Contact data read"),
        "account.read_contact": _("Contact data of a customer read"),
        "staff_recovery.request": _("Account recovery asked for"),
        "staff_recovery.agree": _("Account recovery agreed, link handed over"),
        "staff_recovery.reject": _("Account recovery rejected"),
        "staff.add": _("Member of staff added"),
        "staff_roles.request": _("Other roles asked for"),
        "staff_roles.approve": _("Roles changed"),
        "staff_roles.reject": _("Other roles rejected"),
        "access.code_refused": _("Code of a second factor refused"),
        "access.passkey_refused": _("Passkey refused"),
        "access.token_refused": _("Token of a device refused"),
        "access.token_not_given": _("No token given to a device"),
        "access.browser_known": _("Browser made known"),
        "attack.window_opened": _("Attack seen"),
        "command.not_proved": _("Code of a command not accepted"),
        "external_identity.suspend": _("External sign-in suspended"),
        "external_identity.restore": _("External sign-in possible again"),
        "credentials.fence": _("Credentials fenced"),
        "credentials.request_lift": _("Lifting of the fence asked for"),
        "credentials.lift": _("Fence lifted"),
        "notices.hand_over": _("Notices handed over in a file"),
        "notices.export_unreachable": _("People without a channel exported"),
        "notices.settle": _("Mail results settled"),
        "merchants.send": _("Notice sent to merchants"),
        "merchants.remind": _("Merchants reminded"),
        "merchants.export_letters": _("Letters to merchants printed"),
        "merchants.confirm": _("Notice confirmed by a merchant"),
        "merchants.record_receipt": _("Receipt of a merchant recorded"),
        "merchants.read_evidence": _("Evidence of a receipt read"),
        "outbox.export": _("Text messages exported"),
        "carrier_file.take": _("File for a carrier taken"),
        "carrier_file.ask_again": _("Taking of a carrier's file once more asked for"),
        "carrier_file.approve_again": _("Carrier's file may be taken once more"),
        "carrier_file.reject_again": _("Taking of a carrier's file once more rejected"),
        "sign_in_storm.begin": _("Storm of sign-ins begun"),
        "sign_in_storm.end": _("Storm of sign-ins over"),
        "approval.lift": _("Lifting of the fence"),
        "approval.take_again": _("Carrier's file once more"),
        "approval.link": _("Account recovery"),
        "approval.roles": _("Change of roles"),
    }
)
