"""The invariants of credentials."""

from __future__ import annotations

from accounts import staff_roles
from accounts.models import CredentialFence, RecoveryCase
from winddown.evidence.invariants import About, invariant, rows
from winddown.models import Capability, Run


@invariant("I8", "Nobody was let in by a method after its switch was stopped", about=About.ACCESS)
def sessions_after_the_stop() -> list[str]:
    return rows(
        """
        SELECT s.id, s.method FROM accounts_session s
        JOIN accounts_user u ON u.id = s.user_id AND u.kind = 'customer'
        JOIN winddown_capability c ON c.state <> %(enabled)s AND c.since <= s.issued_at
          AND c.code = CASE WHEN s.method IN ('password', 'passkey') THEN 'login_password'
                          ELSE 'login_external:' || s.method END
        """,
        "session {0} was issued by {1} after the stop",
        {"enabled": Capability.State.ENABLED},
    )


@invariant(
    "I10i",
    "An account whose roles two people changed has exactly the roles of the last change",
    about=About.APPROVAL,
)
def roles_that_nobody_approved() -> list[str]:
    return rows(
        """
        SELECT u.id, last.seq FROM (
            SELECT DISTINCT ON (subject) subject, seq, facts FROM winddown_auditentry
            WHERE action = %(approved)s ORDER BY subject, seq DESC) last
        JOIN accounts_user u ON last.subject = 'staff_roles:' || u.id
        WHERE ARRAY(SELECT g.name::text FROM accounts_user_groups m
                    JOIN auth_group g ON g.id = m.group_id WHERE m.user_id = u.id ORDER BY 1)
           IS DISTINCT FROM
              ARRAY(SELECT jsonb_array_elements_text(last.facts -> 'after') ORDER BY 1)
        """,
        "account {0} has other roles than entry {1} of the audit journal gave it",
        {"approved": staff_roles.APPROVED},
    )


@invariant(
    "I24",
    "A finished reset left no password, session or device token from before its fence",
    about=About.ACCESS,
)
def credentials_before_the_fence() -> list[str]:
    states: dict[str, str | list[str]] = {
        "succeeded": Run.State.SUCCEEDED,
        "in_force": list(CredentialFence.IN_FORCE),
    }
    finished = """
        FROM accounts_credentialfence f
        JOIN winddown_run r ON r.id = f.run_id AND r.state = %(succeeded)s
        JOIN accounts_user u ON u.kind = 'customer'
    """
    return (
        rows(
            f"SELECT u.id, f.id {finished} WHERE f.state = ANY (%(in_force)s)"
            " AND u.password <> '' AND left(u.password, 1) <> '!'"
            " AND (u.password_set_at IS NULL OR u.password_set_at < f.not_before)",
            "account {0} has a password from before credential fence {1}",
            states,
        )
        + rows(
            f"SELECT s.id, f.id {finished} JOIN accounts_session s ON s.user_id = u.id"
            " WHERE f.state = ANY (%(in_force)s)"
            " AND (s.issued_at IS NULL OR s.issued_at < f.not_before)",
            "session {0} is from before credential fence {1}",
            states,
        )
        + rows(
            f"SELECT t.id, f.id {finished} JOIN accounts_devicetoken t ON t.user_id = u.id"
            " WHERE f.state = ANY (%(in_force)s) AND t.revoked_at IS NULL"
            " AND t.issued_at < f.not_before",
            "device token {0} is from before credential fence {1}",
            states,
        )
    )


@invariant("I24b", "No credential names an account that does not exist", about=About.ACCESS)
def credentials_dangle() -> list[str]:
    return [
        sentence
        for table in (
            "devicetoken",
            "externalidentity",
            "message",
            "onetimelink",
            "resetnotice",
            "session",
        )
        for sentence in rows(
            f"SELECT t.id FROM accounts_{table} t LEFT JOIN accounts_user u ON u.id = t.user_id"  # noqa: S608
            " WHERE u.id IS NULL AND t.user_id IS NOT NULL",
            f"{table} {{0}} names an account that does not exist",
        )
    ]


@invariant(
    "I24c",
    "A used link did for its account what it was issued for, in its time and under the fence",
    about=About.ACCESS,
)
def links_used_for_nothing() -> list[str]:
    return rows(
        """
        SELECT l.id FROM accounts_onetimelink l JOIN accounts_user u ON u.id = l.user_id
        WHERE l.used_at IS NOT NULL AND (
            (l.purpose NOT IN ('browser', 'address', 'claim', 'confirm')
             AND (u.password_set_at IS NULL OR u.password_set_at < l.used_at))
            OR (l.purpose = 'address' AND NOT coalesce(
                greatest(u.email_verified_at, u.channel_changed_at) >= l.used_at, false))
            OR l.used_at >= l.expires_at
            OR (u.kind = 'customer' AND EXISTS (
                SELECT FROM accounts_credentialfence f WHERE f.state = ANY (%(in_force)s)
                AND f.not_before > l.issued_at AND f.not_before <= l.used_at)))
        """,
        "one-time link {0} was used for nothing, or was dead",
        {"in_force": list(CredentialFence.IN_FORCE)},
    )


@invariant(
    "I24d",
    "Nobody's address changed in an assisted case without two people and two proofs",
    about=About.APPROVAL,
)
def unproved_recoveries() -> list[str]:
    return rows(
        """
        SELECT c.id FROM accounts_recoverycase c
        WHERE c.state = ANY (%(agreed)s) AND (
            (SELECT count(DISTINCT p.kind) FROM accounts_proofstep p WHERE p.case_id = c.id) < 2
            OR NOT EXISTS (
                SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id
                JOIN accounts_user maker ON maker.id = a.maker_id
                WHERE s.subject = 'recovery_case:' || c.id AND s.part = 'approved'
                  AND s.staff_number <> maker.staff_number
                  AND NOT EXISTS (
                      SELECT FROM accounts_proofstep p
                      JOIN accounts_user r ON r.id = p.recorded_by_id
                      WHERE p.case_id = c.id AND r.staff_number = s.staff_number)))
        """,
        "recovery case {0} has no approval of another person, or too few proofs",
        {"agreed": list(RecoveryCase.AGREED)},
    )


@invariant(
    "I80",
    "An account counts for the person of its last merge that two people have not undone",
    about=About.APPROVAL,
)
def persons_that_nobody_merged() -> list[str]:
    return rows(
        """
        SELECT a.user_id, a.person_id FROM accounts_personaccount a
        JOIN accounts_person p ON p.id = a.person_id
        WHERE a.current <> (p.undone_at IS NULL AND NOT EXISTS (
            SELECT FROM accounts_personaccount b JOIN accounts_person q ON q.id = b.person_id
            WHERE b.user_id = a.user_id AND b.person_id > a.person_id AND q.undone_at IS NULL))
        """,
        "account {0} counts, or does not, for person {1} without a merge",
    ) + rows(
        """
        SELECT p.id FROM accounts_person p JOIN accounts_personmatch m ON m.id = p.match_id
        WHERE NOT m.accounts <@ ARRAY(
            SELECT a.user_id FROM accounts_personaccount a WHERE a.person_id = p.id)
        """,
        "person {0} lacks an account that two people merged",
    )
