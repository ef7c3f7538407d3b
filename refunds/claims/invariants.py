"""The invariants of claims, remedies and issuers."""

from __future__ import annotations

from winddown.evidence.invariants import invariant, rows


@invariant(
    "I5", "No money goes to an account that a thief may have set, or out of an undecided claim"
)
def payouts_to_a_thief() -> list[str]:
    return rows(
        """
        SELECT p.id, c.id FROM refunds_payout p JOIN refunds_payee y ON y.id = p.payee_id
        JOIN wallets_wallet w ON w.account_id = p.holder_id
        JOIN refunds_fraudclaim c ON c.wallet_id = w.id
        WHERE p.live AND p.batch_id IS NOT NULL AND c.confirmed_at IS NOT NULL
          AND y.entered_at >= c.compromised_from
          AND y.entered_at < coalesce(c.secured_at, (
              SELECT max(f.not_before) FROM accounts_credentialfence f
              WHERE f.state <> 'lifted' AND f.not_before > c.compromised_from), 'infinity')
        """,
        "payout {0} goes to an account set while the wallet of claim {1} was compromised",
    ) + rows(
        """
        SELECT p.id, c.id FROM refunds_payout p
        JOIN refunds_entitlement e ON e.id = p.entitlement_id
        JOIN refunds_fraudclaim c ON c.wallet_id = e.wallet_id
        WHERE p.live AND p.state IN ('batched', 'exported', 'executed')
          AND c.state IN ('candidate', 'reported', 'triage', 'investigating', 'awaiting_customer',
                          'proposed_confirm', 'proposed_reject', 'appealed', 'reopened')
        """,
        "payout {0} leaves while claim {1} is undecided",
    )


@invariant("I6", "Every confirmed loss is made good once, in full, and none twice")
def losses_made_good_once() -> list[str]:
    return (
        rows(
            """
            SELECT l.id, l.amount_minor, sum(r.amount_minor), count(*)
            FROM refunds_loss l JOIN refunds_remedy r ON r.loss_id = l.id AND r.state = 'remedied'
            GROUP BY l.id HAVING count(*) > 1 OR sum(r.amount_minor) <> l.amount_minor
                OR l.confirmed_at IS NULL
            """,
            "loss {0} of {1} was made good by {2} in {3} remedies",
        )
        + rows(
            """
            SELECT c.id, l.id FROM refunds_fraudclaim c JOIN refunds_loss l ON l.claim_id = c.id
            WHERE c.state = 'remedied' AND l.dropped_at IS NULL AND NOT EXISTS (
                SELECT FROM refunds_remedy r WHERE r.loss_id = l.id AND r.state = 'remedied')
            """,
            "claim {0} is remedied, its loss {1} is not",
        )
        + rows(
            """
            SELECT p.id, r.loss_id FROM refunds_payout p JOIN refunds_remedy r ON r.id = p.remedy_id
            WHERE p.live AND (r.kind <> 'compensation_payout' OR r.state = 'failed'
                OR p.amount_minor <> r.amount_minor
                OR (r.state = 'remedied') <> (p.state = 'settled'))
            """,
            "payout {0} does not fit its remedy of loss {1}",
        )
        + rows(
            """
            SELECT r.id FROM refunds_remedy r
            WHERE r.kind = 'compensation_payout' AND r.state = 'remedied' AND NOT EXISTS (
                SELECT FROM refunds_payout p WHERE p.remedy_id = r.id AND p.live
                    AND p.state = 'settled')
            """,
            "remedy {0} is done without a settled payout",
        )
    )


@invariant("I6d", "Every confirmed loss is on its road or has arrived")
def losses_without_a_road() -> list[str]:
    return rows(
        """
        SELECT l.id FROM refunds_loss l
        WHERE l.confirmed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM refunds_remedy r WHERE r.loss_id = l.id AND r.state <> 'failed')
        """,
        "loss {0} is confirmed and has no remedy under way",
    )


@invariant("I10d", "Every decided claim and every ask to an issuer has a second person's approval")
def undecided_by_two() -> list[str]:
    return rows(
        """
        SELECT c.id FROM refunds_fraudclaim c
        WHERE c.state IN ('confirmed', 'remedying', 'remedied', 'rejected') AND NOT EXISTS (
            SELECT FROM winddown_signature s JOIN refunds_claimdecision d ON d.id = c.decision_id
            WHERE s.subject = 'claim_decision:' || d.id AND s.part = 'approved'
                AND s.digest = d.digest
              AND s.signer_id <> d.maker_id)
        """,
        "claim {0} was decided without a second person",
    ) + rows(
        """
        SELECT a.id FROM refunds_issueraction a
        WHERE a.attempt > 0 AND NOT EXISTS (
            SELECT FROM winddown_signature s JOIN refunds_asklist l ON l.id = a.ask_list_id
            WHERE s.subject = 'ask_list:' || l.id AND s.part = 'approved' AND s.digest = l.digest
              AND s.signer_id <> l.maker_id)
        """,
        "issuer action {0} was sent without a second person",
    )


@invariant("I10e", "Nobody released what the same person had held")
def released_by_the_holder() -> list[str]:
    return rows(
        """
        SELECT h.id FROM wallets_hold h
        JOIN accounts_user held_by ON held_by.id = h.held_by_id
        JOIN wallets_holdtransition t ON t.subject_id = h.id AND t.transition = 'release'
        JOIN accounts_user released_by ON released_by.id = t.actor_id
        WHERE released_by.staff_number = held_by.staff_number
        """,
        "hold {0} was released by the person who held it",
    ) + rows(
        """
        SELECT t.subject_id FROM wallets_wallettransition t
        JOIN accounts_user released_by ON released_by.id = t.actor_id
        JOIN LATERAL (
            SELECT actor_id FROM wallets_wallettransition
            WHERE subject_id = t.subject_id AND transition = 'hold' AND id < t.id
            ORDER BY id DESC LIMIT 1) h ON true
        JOIN accounts_user held_by ON held_by.id = h.actor_id
        WHERE t.transition IN ('release', 'release_frozen')
          AND released_by.staff_number = held_by.staff_number
        """,
        "wallet {0} was released by the person who held it",
    )


@invariant("I18d", "Fraud suspense is what victims are still owed")
def suspense_equals_open_losses() -> list[str]:
    return rows(
        """
        SELECT ledger, owed FROM
            (SELECT coalesce(sum(amount_minor), 0) AS ledger FROM wallets_posting
                WHERE account = 'fraud_suspense') s,
            (SELECT (SELECT coalesce(sum(amount_minor), 0) FROM refunds_loss
                WHERE confirmed_at IS NOT NULL)
                  - (SELECT coalesce(sum(amount_minor), 0) FROM refunds_remedy
                     WHERE state = 'remedied' AND kind <> 'compensation_payout')
                  - (SELECT coalesce(sum(amount_minor), 0) FROM refunds_payout
                     WHERE remedy_id IS NOT NULL AND live) AS owed) o
        WHERE ledger <> owed
        """,
        "fraud suspense: the ledger says {0}, open losses {1}",
    )


@invariant("I18e", "Fraud loss is what was confirmed less what was clawed back")
def loss_equals_confirmed() -> list[str]:
    return rows(
        """
        SELECT ledger, known FROM
            (SELECT coalesce(sum(amount_minor), 0) AS ledger FROM wallets_posting
                WHERE account = 'fraud_loss') s,
            (SELECT (SELECT coalesce(sum(amount_minor), 0) FROM wallets_hold WHERE state = 'taken')
                  - (SELECT coalesce(sum(amount_minor), 0) FROM refunds_loss
                      WHERE confirmed_at IS NOT NULL) AS known) k
        WHERE ledger <> known
        """,
        "fraud loss: the ledger says {0}, losses and clawbacks {1}",
    )


@invariant(
    "I19", "No ask to an issuer is without an answer for ever: past its time it stands in the queue"
)
def silent_asks() -> list[str]:
    return rows(
        """
        SELECT a.id, i.code, a.answer_due_at FROM refunds_issueraction a
            JOIN refunds_issuer i ON i.id = a.issuer_id
        WHERE a.state IN ('sent', 'acknowledged')
            AND a.answer_due_at < winddown_now() - interval '3 days'
        """,
        "issuer action {0} to {1} was due at {2} and is not in the queue",
    )
