"""The trace of every claim's wallet, out of the ledger and the payers that analysts named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection

from refunds.attribution.lots import (
    Came,
    CameBack,
    Event,
    Kept,
    Person,
    Policy,
    Taken,
    Trace,
    Went,
    trace,
)
from refunds.models import FraudClaim, Loss
from wallets.models import Hold, LedgerAccount, TopUp
from winddown.errors import GuardNotMet, says
from winddown.models import FundingSource

# What a thief can charge from; every other source brings the holder's own value.
FUNDING_OF_KIND: Final[Mapping[str, Loss.Funding]] = {
    FundingSource.Kind.CREDIT_CARD: Loss.Funding.CREDIT,
    FundingSource.Kind.DEBIT_CARD: Loss.Funding.DEBIT,
    FundingSource.Kind.POINTS: Loss.Funding.POINTS,
}


@dataclass(frozen=True, slots=True)
class WalletTrace:
    """What became of a wallet's paid value and of its bonus value."""

    wallet_id: int
    paid: Trace
    bonus: Trace


def wallet_traces(
    claim_ids: Collection[int], *, policy: Policy, suspected: bool = False
) -> dict[int, WalletTrace]:
    """Returns for each claim what became of its wallet's value until now.

    The top-ups that are losses of the claim are the thief's charges. While no top-up is named, those
    of the rules' evidence count as such. With `suspected`, those of the evidence count beside the
    named ones, and so do card and points charges since the instant that the holder gave, unless
    somebody named or dropped them. Raises `GuardNotMet` for a wallet whose journals do not
    follow from one another.
    """
    events: dict[tuple[int, int, str], list[Event]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVEMENTS,
            {
                "claims": list(claim_ids),
                "charged": list(TopUp.CHARGED),
                "paid": LedgerAccount.WALLET_PAID,
                "keeping": list(Hold.KEEPING),
                "suspected": suspected,
                "of_thieves": list(FUNDING_OF_KIND),
                "rule": FraudClaim.Channel.RULE,
            },
        )
        for claim_id, wallet_id, account, key, what, by, amount in cursor:
            events[claim_id, wallet_id, account].append(_event(key, what, Person(by), amount))
    found: dict[int, WalletTrace] = {}
    for claim_id, wallet_id in sorted({(claim, wallet) for claim, wallet, _ in events}):
        try:
            paid, bonus = (
                trace(events[claim_id, wallet_id, account], policy=policy)
                for account in (LedgerAccount.WALLET_PAID, LedgerAccount.WALLET_BONUS)
            )
        except ValueError as error:
            raise GuardNotMet(
                action=says("trace the value of wallet {wallet}", wallet=wallet_id),
                why=says("its journals do not follow from one another: {error}", error=error),
            ) from error
        found[claim_id] = WalletTrace(wallet_id, paid, bonus)
    return found


def _event(key: str, what: str, by: Person, amount_minor: int) -> Event:
    match what:
        case "came":
            return Came(key, by, amount_minor)
        case "back":
            return CameBack(key, amount_minor)
        case "clawed_back":
            return Taken(key, amount_minor)
        case "kept":
            return Kept(amount_minor)
        case _:
            return Went(key, by, amount_minor)


# One row for each posting to the wallet of a claim, and for each beginning and end of a hold, in the
# order in which they happened. What is no top-up, payment or claw-back belongs to the holder: an
# opening balance, a refund, a takeover.
_MOVEMENTS = """
    WITH claim AS (
        SELECT id, wallet_id FROM refunds_fraudclaim WHERE id = ANY (%(claims)s)
    ), named AS (
        SELECT l.claim_id, l.top_up_id FROM refunds_loss l JOIN claim ON claim.id = l.claim_id
        WHERE l.dropped_at IS NULL AND l.top_up_id IS NOT NULL
    ), charged AS (
        SELECT h.claim_id, top_up.id::bigint AS top_up_id
        FROM refunds_rulehit h JOIN claim ON claim.id = h.claim_id,
            jsonb_array_elements_text(h.evidence->'top_ups') AS top_up (id)
        WHERE CASE WHEN %(suspected)s THEN NOT EXISTS (SELECT FROM refunds_loss l
                WHERE l.claim_id = h.claim_id AND l.top_up_id = top_up.id::bigint)
            ELSE NOT EXISTS (SELECT FROM named WHERE named.claim_id = h.claim_id) END
        UNION SELECT c.id, t.id FROM refunds_fraudclaim c JOIN claim ON claim.id = c.id
        JOIN wallets_topup t ON t.wallet_id = c.wallet_id AND t.occurred_at >= c.compromised_from
        JOIN winddown_fundingsource s ON s.code = t.source AND s.kind = ANY (%(of_thieves)s)
        WHERE %(suspected)s AND c.channel <> %(rule)s AND c.confirmed_at IS NULL
            AND NOT EXISTS (SELECT FROM refunds_loss l
                WHERE l.claim_id = c.id AND l.top_up_id = t.id)
        UNION SELECT * FROM named
    )
    SELECT claim_id, wallet_id, account, key, what, by, amount FROM (
        SELECT claim.id AS claim_id, claim.wallet_id, p.account,
            j.source || ':' || j.source_id AS key,
            CASE WHEN p.amount_minor > 0 AND j.source = 'payment' THEN 'back'
                 WHEN p.amount_minor > 0 THEN 'came'
                 WHEN j.kind = 'claw_back' THEN 'clawed_back'
                 ELSE 'went' END AS what,
            CASE WHEN j.source = 'payment' THEN coalesce(payer.payer, 'unknown')
                 WHEN j.source = 'top_up' AND EXISTS (
                    SELECT FROM charged c JOIN wallets_topup t ON t.id = c.top_up_id
                        AND t.state = ANY (%(charged)s)
                    WHERE c.claim_id = claim.id AND c.top_up_id = j.source_id)
                 THEN 'thief' ELSE 'holder' END AS by,
            abs(p.amount_minor) AS amount, j.occurred_at AS at, 0 AS place, j.id AS number,
            p.id AS line
        FROM claim
        JOIN wallets_posting p ON p.wallet_id = claim.wallet_id
        JOIN wallets_journal j ON j.id = p.journal_id
        LEFT JOIN refunds_paymentpayer payer ON j.source = 'payment'
            AND payer.payment_id = j.source_id
            AND payer.claim_id = claim.id AND payer.replaced_at IS NULL
        UNION ALL
        SELECT claim.id, claim.wallet_id, %(paid)s, 'hold:' || h.id, 'kept', 'thief',
            h.amount_minor, h.since, 1, h.id, 0
        FROM claim JOIN wallets_hold h ON h.wallet_id = claim.wallet_id
        UNION ALL
        SELECT claim.id, claim.wallet_id, %(paid)s, 'hold:' || h.id, 'kept', 'thief',
            -h.amount_minor, t.at, 2, h.id, 0
        FROM claim JOIN wallets_hold h ON h.wallet_id = claim.wallet_id
        JOIN wallets_holdtransition t ON t.subject_id = h.id AND t.source = ANY (%(keeping)s)
    ) moves ORDER BY claim_id, at, place, number, line
"""
