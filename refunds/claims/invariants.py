"""The invariants of claims, remedies and issuers."""

from __future__ import annotations

from accounts.models import CredentialFence
from refunds.claims import holding
from refunds.models import Chargeback, FraudClaim, IssuerAction, Payout, Remedy
from wallets.models import Hold, LedgerAccount
from winddown.evidence.invariants import About, invariant, rows
from winddown.models import Signature
from winddown.personal_data import HOUSE, DataClass, deleted_sql


@invariant(
    "I5",
    "No money goes to an account that a thief may have set, or out of an undecided claim",
    about=About.VICTIMS,
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
              WHERE f.state <> %(lifted)s AND f.not_before > c.compromised_from), 'infinity')
        """,
        "payout {0} goes to an account set while the wallet of claim {1} was compromised",
        {"lifted": CredentialFence.State.LIFTED},
    ) + rows(
        """
        SELECT p.id, c.id FROM refunds_payout p
        JOIN refunds_entitlement e ON e.id = p.entitlement_id
        JOIN refunds_fraudclaim c ON c.wallet_id = e.wallet_id
        WHERE p.live AND p.state = ANY (%(leaving)s) AND c.state = ANY (%(undecided)s)
        """,
        "payout {0} leaves while claim {1} is undecided",
        {"leaving": list(Payout.LEAVING), "undecided": list(FraudClaim.UNDECIDED)},
    )


@invariant(
    "I6", "Every confirmed loss is made good once, in full, and none twice", about=About.VICTIMS
)
def losses_made_good_once() -> list[str]:
    return _losses_against_remedies() + _remedies_against_payouts()


def _losses_against_remedies() -> list[str]:
    """Returns the losses made good wrongly, and those that a remedied claim left over."""
    done: list[str] = list(Remedy.DONE)
    return rows(
        """
        SELECT l.id, l.amount_minor, sum(r.amount_minor), count(*)
        FROM refunds_loss l
        JOIN refunds_remedy r ON r.loss_id = l.id AND r.state = ANY (%(done)s)
        GROUP BY l.id HAVING count(*) > 1 OR sum(r.amount_minor) <> l.amount_minor
            OR l.confirmed_at IS NULL
        """,
        "loss {0} of {1} was made good by {2} in {3} remedies",
        {"done": done},
    ) + rows(
        """
        SELECT c.id, l.id FROM refunds_fraudclaim c JOIN refunds_loss l ON l.claim_id = c.id
        WHERE c.state = %(remedied)s AND l.dropped_at IS NULL AND NOT EXISTS (
            SELECT FROM refunds_remedy r WHERE r.loss_id = l.id AND r.state = ANY (%(done)s))
        """,
        "claim {0} is remedied, its loss {1} is not",
        {"remedied": FraudClaim.State.REMEDIED, "done": done},
    )


def _remedies_against_payouts() -> list[str]:
    """Returns the payouts that do not fit their remedies, and our remedies that were not paid."""
    states: dict[str, str | list[str]] = {
        "by_us": Remedy.Kind.COMPENSATION_PAYOUT,
        "live": list(Remedy.LIVE),
        "done": list(Remedy.DONE),
        "arrived": list(Payout.ARRIVED),
    }
    return rows(
        """
        SELECT p.id, r.loss_id FROM refunds_payout p JOIN refunds_remedy r ON r.id = p.remedy_id
        WHERE p.live AND (r.kind <> %(by_us)s OR NOT r.state = ANY (%(live)s)
            OR p.amount_minor <> r.amount_minor - r.netted_minor
            OR (r.state = ANY (%(done)s)) <> (p.state = ANY (%(arrived)s)))
        """,
        "payout {0} does not fit its remedy of loss {1}",
        states,
    ) + rows(
        """
        SELECT r.id FROM refunds_remedy r
        WHERE r.kind = %(by_us)s AND r.state = ANY (%(done)s)
            AND r.netted_minor < r.amount_minor AND NOT EXISTS (
            SELECT FROM refunds_payout p WHERE p.remedy_id = r.id AND p.live
                AND p.state = ANY (%(arrived)s))
        """,
        "remedy {0} is done without a settled payout",
        states,
    )


@invariant("I6k", "Nothing is paid for a charge that a chargeback took back", about=About.VICTIMS)
def paid_beside_a_chargeback() -> list[str]:
    return rows(
        """
        SELECT o.id, k.id FROM refunds_payout o
        JOIN refunds_remedy r ON r.id = o.remedy_id
        JOIN refunds_loss l ON l.id = r.loss_id
        JOIN refunds_chargeback k ON k.top_up_id = l.top_up_id
        WHERE o.live AND o.state = ANY (%(still_here)s) AND k.state <> %(notified)s
            AND k.returned_at IS NULL
        """,
        "payout {0} pays what chargeback {1} took back",
        {
            "still_here": [*Payout.OUTSIDE_BATCHES, Payout.State.BATCHED],
            "notified": Chargeback.State.NOTIFIED,
        },
    )


@invariant(
    "I6d", "Every confirmed loss has a remedy under way or is made good", about=About.VICTIMS
)
def losses_without_a_remedy() -> list[str]:
    return rows(
        """
        SELECT l.id FROM refunds_loss l
        WHERE l.confirmed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM refunds_remedy r WHERE r.loss_id = l.id AND r.state = ANY (%(live)s))
        """,
        "loss {0} is confirmed and has no remedy under way",
        {"live": list(Remedy.LIVE)},
    )


@invariant(
    "I6e",
    "No claim waits although every loss is made good, and none is rejected with a confirmed loss",
    about=About.VICTIMS,
)
def claims_that_wait_for_nothing() -> list[str]:
    return rows(
        """
        SELECT c.id FROM refunds_fraudclaim c
        WHERE c.state = %(remedying)s AND NOT EXISTS (
            SELECT FROM refunds_loss l WHERE l.claim_id = c.id AND l.dropped_at IS NULL
                AND NOT EXISTS (SELECT FROM refunds_remedy r
                    WHERE r.loss_id = l.id AND r.state = ANY (%(done)s)))
        """,
        "claim {0} waits although every loss of it is made good",
        {"remedying": FraudClaim.State.REMEDYING, "done": list(Remedy.DONE)},
    ) + rows(
        """
        SELECT DISTINCT c.id FROM refunds_fraudclaim c JOIN refunds_loss l ON l.claim_id = c.id
        WHERE c.state = %(rejected)s AND l.confirmed_at IS NOT NULL
        """,
        "claim {0} is rejected although two people confirmed a loss of it",
        {"rejected": FraudClaim.State.REJECTED},
    )


@invariant(
    "I10d",
    "Every decided claim and every request to an issuer has a second person's approval",
    about=About.APPROVAL,
)
def undecided_by_two() -> list[str]:
    return rows(
        """
        SELECT c.id FROM refunds_fraudclaim c
        WHERE c.state = ANY (%(decided)s) AND NOT EXISTS (
            SELECT FROM winddown_signature s JOIN refunds_claimdecision d ON d.id = c.decision_id
            WHERE s.subject = 'claim_decision:' || d.id AND s.part = %(approved)s
                AND s.digest = d.digest
              AND s.signer_id <> d.maker_id)
        """,
        "claim {0} was decided without a second person",
        {"decided": list(FraudClaim.DECIDED), "approved": Signature.Part.APPROVED},
    ) + rows(
        """
        SELECT a.id FROM refunds_issueraction a
        WHERE a.attempt > 0 AND NOT EXISTS (
            SELECT FROM winddown_signature s JOIN refunds_asklist l ON l.id = a.ask_list_id
            WHERE s.subject = 'ask_list:' || l.id AND s.part = %(approved)s AND s.digest = l.digest
              AND s.signer_id <> l.maker_id)
        """,
        "issuer action {0} was sent without a second person",
        {"approved": Signature.Part.APPROVED},
    )


@invariant("I10e", "Nobody released what the same person had held", about=About.APPROVAL)
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


@invariant("I18d", "Fraud suspense is what victims are still owed", about=About.VICTIMS)
def suspense_equals_open_losses() -> list[str]:
    return rows(
        """
        SELECT ledger, owed FROM
            (SELECT coalesce(sum(amount_minor), 0) AS ledger FROM wallets_posting
                WHERE account = %(suspense)s) s,
            (SELECT (SELECT coalesce(sum(amount_minor), 0) FROM refunds_loss
                WHERE confirmed_at IS NOT NULL)
                  - (SELECT coalesce(sum(amount_minor), 0) FROM refunds_remedy
                     WHERE state = ANY (%(done)s) AND kind <> %(by_us)s)
                  - (SELECT coalesce(sum(netted_minor), 0) FROM refunds_remedy
                     WHERE state = ANY (%(live)s))
                  - (SELECT coalesce(sum(amount_minor), 0) FROM refunds_payout
                     WHERE remedy_id IS NOT NULL AND live) AS owed) o
        WHERE ledger <> owed
        """,
        "fraud suspense: the ledger says {0}, open losses {1}",
        {
            "suspense": LedgerAccount.FRAUD_SUSPENSE,
            "done": list(Remedy.DONE),
            "live": list(Remedy.LIVE),
            "by_us": Remedy.Kind.COMPENSATION_PAYOUT,
        },
    )


@invariant(
    "I18e",
    "Fraud loss is what was confirmed less what was clawed back or netted, and what chargebacks"
    " took beyond it",
    about=About.VICTIMS,
)
def loss_equals_confirmed() -> list[str]:
    return rows(
        """
        SELECT ledger, known FROM
            (SELECT coalesce(sum(amount_minor), 0) AS ledger FROM wallets_posting
                WHERE account = %(loss)s) s,
            (SELECT (SELECT coalesce(sum(amount_minor), 0) FROM wallets_hold
                      WHERE state = ANY (%(clawed_back)s))
                  + (SELECT coalesce(sum(netted_minor), 0) FROM refunds_remedy
                      WHERE state = ANY (%(live)s))
                  - (SELECT coalesce(sum(amount_minor), 0) FROM refunds_loss
                      WHERE confirmed_at IS NOT NULL)
                  - (SELECT coalesce(sum(beyond_minor), 0) FROM refunds_chargeback) AS known) k
        WHERE ledger <> known
        """,
        "fraud loss: the ledger says {0}, losses and clawbacks {1}",
        {
            "loss": LedgerAccount.FRAUD_LOSS,
            "clawed_back": list(Hold.CLAWED_BACK),
            "live": list(Remedy.LIVE),
        },
    )


@invariant(
    "I18f",
    "What a thief left in the wallet of a claim that two people found true was taken back",
    about=About.VICTIMS,
)
def thieves_value_left() -> list[str]:
    return holding.not_taken_back()


@invariant(
    "I19",
    "Every request to an issuer whose answer is late stands in the queue",
    about=About.WORK,
)
def silent_requests() -> list[str]:
    return rows(
        """
        SELECT a.id, i.code, a.answer_due_at FROM refunds_issueraction a
            JOIN refunds_issuer i ON i.id = a.issuer_id
        WHERE a.state = ANY (%(awaited)s)
            AND a.answer_due_at < winddown_now() - interval '3 days'
        """,
        "issuer action {0} to {1} was due at {2} and is not in the queue",
        {"awaited": list(IssuerAction.AWAITED)},
    )


@invariant("I25b", "A file of an issuer has the text of its hash", about=About.VICTIMS)
def issuer_files_changed() -> list[str]:
    deleted = deleted_sql(str(HOUSE), DataClass.CLAIMS_EVIDENCE)
    return rows(
        "SELECT id FROM refunds_issuerfile"  # noqa: S608  our own names
        " WHERE sha256 <> encode(sha256(convert_to(content, 'UTF8')), 'hex')"
        f" AND NOT (content = '' AND {deleted})",
        "the text of issuer file {0} is not that of its hash",
    )
