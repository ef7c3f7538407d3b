"""The pages that a browser looks at, by who looks, and why the others need no look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BEGIN = "/console/begin/"


def of_the_site(site: Any) -> Iterator[tuple[str, list[str]]]:
    """The pages of a programme in the middle of its end, by the login of who opens them."""
    yield (
        "",
        [
            "/",
            "/compensation/",
            f"/compensation/{site.policy}/",
            "/sign-in/",
            "/is-this-notice-from-us/",
            "/is-this-statement-from-us/",
            "/claim/",
            "/claim/code/",
        ],
    )
    yield (
        site.customer,
        [
            "/",
            "/account/fraud/",
            "/account/fraud/report/",
            "/account/sessions/",
            "/account/address/",
            "/account/second-factor/",
            "/account/second-factor/app/",
            "/account/second-factor/passkey/",
            "/account/confirm/password/",
        ],
    )
    run = f"/console/runs/{site.run}/"
    filing = f"/console/filings/{site.filing}/"
    staff = f"/console/staff/{site.member}/"
    yield (
        site.deputy,
        [
            "/console/",
            "/console/attack/",
            run,
            *(f"{run}{verb}/" for verb in ("approve", "reject", "plan-again", "abort")),
            "/console/run-rows/",
            "/console/switches/transfer/",
            *(f"/console/switches/transfer/{verb}/" for verb in ("ratify", "request-restore")),
            *(f"/console/approvals/{site.request}/{verb}/" for verb in ("approve", "reject")),
            "/console/switches/payout/stop/",
            "/console/switches/stop/",
            "/console/workflows/freeze-charges/plan/",
            "/console/workflows/reset-all-passwords/plan/",
            "/console/workflows/refund-balances/plan/",
            "/console/invariants/",
            "/account/second-factor/",
            "/account/second-factor/app/remove/",
            "/account/confirm/code/",
            "/account/confirm/passkey/",
            "/console/alarms/",
            f"/console/alarms/{site.alarm}/acknowledge/",
            *(f"/console/alarms/duty/{verb}/" for verb in ("set", "end")),
            "/console/programme/",
            *(
                f"/console/programme/{verb}/"
                for verb in (
                    *("set-milestone", "assign-milestone", "reach-milestone"),
                    "draft-announcement",
                )
            ),
            "/console/reset/",
            "/console/reset/notices/",
            "/console/reset/take/?number=1",
            "/console/reminders/",
            "/console/announcements/",
            f"/console/announcements/{site.draft}/",
            "/console/notice/poster/",
            "/console/filings/",
            filing,
            f"/console/filings/{site.unwritten}/",
            f"/console/filings/{site.unwritten}/write/",
            "/console/staff/",
            "/console/staff/add/",
            "/console/staff/who-can/?of=refund-balances",
            staff,
            *(f"{staff}{verb}/" for verb in ("recover", "roles", "disable")),
            "/console/set-up/",
            "/console/set-up/change/",
        ],
    )
    yield (
        site.compliance,
        [
            *(
                f"/console/programme/{verb}/"
                for verb in (
                    *("publish-notice", "publish-contact", "record-publication"),
                    *("attach-correction", "report-funds"),
                )
            ),
            "/console/merchants/",
            "/console/merchants/record-receipt/",
            *(f"/console/reminders/{verb}/" for verb in ("begin", "letters", "claim-letters")),
            "/console/payment-blocks/",
            *(f"/console/payment-blocks/{verb}/" for verb in ("enter", "lift")),
            "/console/unusual/",
            "/console/unusual/rule/",
            "/console/persons/",
            "/console/persons/merge/",
            "/console/tracing/",
            "/console/tracing/load/",
            "/console/bank-codes/",
            "/console/bank-codes/load/",
            *(f"/console/other-ends/{verb}/" for verb in ("deposit", "transfer")),
        ],
    )
    yield (
        site.treasury,
        [
            "/console/invariants/witness/",
            "/console/restored/",
            "/console/payouts/",
            "/console/payouts/void/",
            "/console/breaks/",
            "/console/payout-views/",
            "/console/payout-views/take/",
            "/console/other-ends/",
            "/console/closing/",
            "/console/bank-days/",
            "/console/bank-days/tie/",
            "/console/matching/",
            "/console/traces/",
            "/console/vouchers/",
            "/console/traces/close/",
            "/console/unpaid/",
            "/console/payout-waves/",
            "/console/payout-waves/plan/",
            "/console/recalls/",
            "/console/recalls/ask/",
            "/console/closing/document/",
            "/console/closing/paper/",
        ],
    )
    yield (
        site.analyst,
        [
            "/console/attack/",
            "/console/attack/hold/",
        ],
    )
    yield (
        site.support,
        [
            "/console/",
            "/console/look-up/",
            f"/console/look-up/{site.account}/contact/",
            "/console/tracing/record/",
            "/console/vouchers/lost/",
        ],
    )
    yield (
        site.auditor,
        [
            "/console/audit/",
            "/console/audit/?since=yesterday",
            "/console/approvals/",
            "/console/look-up/",
            "/console/look-up/?q=wallet:1",
        ],
    )


# With the cases, links and sessions of tests/browser/test_recovery_pages.py.
OF_RECOVERY = ("/recovery/", "/recovery/sent/", "/recovery/help/", "/recovery/case/", "/register/")
FIRST_PASSWORD = "/recovery/first-password/"
NEW_PASSWORD = "/recovery/password/"


def of_recovery_cases(cases: dict[str, int]) -> dict[str, list[str]]:
    """The pages of the desk for recoveries, by the role that opens them."""
    at = "/console/recovery/"
    return {
        "support": [
            at,
            f"{at}?state=rejected&days=0",
            *(f"{at}{number}/" for number in cases.values()),
            f"{at}{cases['opened']}/take/",
            f"{at}{cases['opened']}/decline/",
            f"{at}{cases['collecting']}/proof/",
            f"{at}{cases['collecting']}/propose/",
            f"{at}{cases['opened']}/contact/",
        ],
        "supervisor": [
            f"{at}{cases['proposed']}/approve/",
            f"{at}{cases['approved']}/revoke/",
        ],
    }


def of_refunds(*, application: int, batch: int, answer: str) -> dict[str, list[str]]:
    """The pages of the refund desk, by the role that opens them."""
    return {
        "support": [
            "/console/applications/",
            f"/console/applications/{application}/",
            "/console/applications/enter/",
            "/console/documents/",
            "/console/documents/receive/",
            *(f"/console/applications/{verb}/" for verb in ("number", "form", "end-number")),
            f"/console/applications/reject/?application={application}",
        ],
        "treasury_operator": [
            "/console/payouts/",
            f"/console/payouts/{batch}/",
            f"/console/payouts/refusal/?number={batch}",
            "/console/breaks/",
            "/console/breaks/clear/",
            "/console/bank-answers/",
            "/console/bank-answers/upload/",
            f"/console/bank-answers/file/{answer}/",
            f"/console/bank-answers/book/?sha256={answer}",
        ],
    }


def of_claims(*, claim: int) -> dict[str, list[str]]:
    """The pages of the claims desk and of the issuer desk, by the role that opens them."""
    return {
        "fraud_analyst": [
            "/console/claims/",
            f"/console/claims/{claim}/",
            f"/console/claims/losses/?claim={claim}",
            f"/console/claims/payers/?claim={claim}",
            f"/console/claims/propose/?claims={claim}",
            "/console/claims/ways-in/",
            "/console/claims/exposure/?of=spendable",
            "/console/claims/figures/?of=all",
            "/console/issuers/?queue=awaited",
            "/console/issuers/chargeback/",
            "/console/issuers/reply/",
            "/console/issuers/answers/",
        ],
        "fraud_supervisor": ["/console/issuers/", f"/console/claims/drop/?claims={claim}"],
        "support": [
            *(f"/console/claims/{verb}/" for verb in ("report", "report-card", "load-reports")),
            f"/console/claims/keep-file/?claim={claim}",
        ],
    }


def of_application() -> dict[str, list[str]]:
    """The pages of a customer's application, by what the customer has done so far."""
    at = "/account/refund/"
    return {
        "nothing": ["/", at, f"{at}bank/", f"{at}bank/?row=マ"],
        "bank": [f"{at}account/"],
        "account": [f"{at}name/"],
        "letter": [f"{at}address/"],
        "everything": [f"{at}check/", f"{at}other-ways/"],
        "yucho": [f"{at}account/"],
        "replacing": [f"{at}change/"],
        "proving": [f"{at}prove/"],
        "applied": [
            "/",
            "/account/statement/",
            *(f"{at}{page}/" for page in ("done", "status", "withdraw")),
        ],
        "returned": ["/", at],
        "held": [at],
    }


_FILE = "it is a file, no page"
_SENT = "it only takes a form, and answers with another page"
_JSON = "it answers the app with JSON"
UNSEEN = {
    "fraud_answer": "its template is that of the report",
    "fraud_appeal": "only who was rejected has it: tests/refunds/claims/test_reports.py",
    "fraud_file": "its template is that of the documents",
    "fraud_claim": "only who reported has it: tests/refunds/claims/test_reports.py",
    "account_login": "another name of the page of the sign-in",
    "console:approvals_file": _FILE,
    "console:audit_file": _FILE,
    "console:filing_evidence": _FILE,
    "console:look_up_file": _FILE,
    "console:look_up_find": _SENT,
    "console:merchant_evidence": _FILE,
    "console:notice_evidence": _FILE,
    "console:batch_paper": "its template is that of the merchant's",
    "console:deletion_paper": "its template is that of the merchant's",
    "console:merchant_paper": "only a merchant has it: tests/browser/test_notice_desk.py",
    "console:closing_document": _FILE,
    "console:payout_view_file": _FILE,
    "console:person": "only merged accounts have it: tests/refunds/applications/test_persons.py",
    "console:unclaimed_file": _FILE,
    "console:unpaid_file": _FILE,
    "refund:leave": "only who has a balance has it: tests/refunds/applications/test_leaving.py",
    "claim_code": "only the holder of a voucher has it: tests/refunds/payouts/test_methods.py",
    "console:restored_decide": "only a database that was restored too early has it",
    "console:run_rows_file": _FILE,
    "console:set_up_decide": "its template is that of every decision",
    "console:switch_probe": _SENT,
    "console:verify": _SENT,
    "devices": _JSON,
    "end_session": _SENT,
    "external_sign_in": "no other service can be reached from a test: tests/accounts/sign_in",
    "mfa_authenticate": "the second step: every sign-in with a code goes through it",
    "mfa_generate_recovery_codes": "it replaces the codes of the person: tests/browser/test_sign_in",
    "mfa_login_webauthn": _JSON,
    "mfa_remove_webauthn": "its template is that of the app's removal",
    "mfa_view_recovery_codes": "only who has codes has it: tests/browser/test_sign_in.py",
    "openid_connect_callback": "it only leads on",
    "recovery:case_link": _SENT,
    "refund:again": _SENT,
    "refund:documents": "only who was asked has it: tests/refunds/applications/test_documents.py",
    "refund:arrived": _SENT,
    "lost_code": _SENT,
    "refund:claim_end": _SENT,
    "refund:statement_file": _FILE,
    "recovery:recovery/link/": "it only leads on",
    "revoke_device": _SENT,
    "set_language": _SENT,
    "sign_out": _SENT,
    "sign_out_everywhere": _SENT,
}
