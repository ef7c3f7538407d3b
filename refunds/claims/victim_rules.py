"""The rules that find a victim by the traces of a thief at sign-in or in the movements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from accounts.attacks import detection, rules
from refunds.attribution.wallet_traces import FUNDING_OF_KIND
from wallets.models import Payment, TopUp
from winddown.programme import declared

_OWN = "the operator's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(detection.Rule):
    """`sql` gives wallet, top-ups, payments, sign-in, first and last instant of each hit.

    It takes `as_of`, the rule's own thresholds and `movements`. The rules of one `family` see the
    same thing, so only the heaviest hit of a wallet counts.
    """

    family: str
    weight: int


# The movements that every rule looks at. A thief charges from cards and points. The operator grants
# a bonus, and cash needs somebody at the till.
def movements() -> dict[str, list[str]]:
    """Returns the parameters of every rule: the states and the funding sources that it looks at."""
    return {
        "charged": list(TopUp.CHARGED),
        "taken": list(Payment.TAKEN),
        "sources": declared.sources_of(*FUNDING_OF_KIND),
    }


# The first success from each device that an account was used from after its first one.
_NEW_DEVICE = """
    new_device AS (
        SELECT * FROM (
            SELECT d.event_id AS id, d.user_id, d.first_at AS occurred_at, d.country, d.device_ref,
                   d.network, d.displaced_session,
                   row_number() OVER (PARTITION BY d.user_id, d.country
                       ORDER BY d.first_at, d.event_id) AS nth_in_country,
                   min(d.first_at) OVER (PARTITION BY d.user_id) AS account_first_at
            FROM accounts_accountdevice d WHERE d.first_at <= %(as_of)s
        ) seen WHERE occurred_at > account_first_at
    )
"""

# The charges and payments that follow each of the sign-ins `s` (with wallet) within the time.
_MOVED = """
    moved AS (
        SELECT s.wallet_id, s.event_id, s.since, m.id, m.kind, m.occurred_at
        FROM signed_in s
        CROSS JOIN LATERAL (
            SELECT t.id, 'top_up' AS kind, t.occurred_at FROM wallets_topup t
            WHERE t.wallet_id = s.wallet_id
              AND t.state = ANY (%(charged)s) AND t.source = ANY (%(sources)s)
              AND t.occurred_at > s.since AND t.occurred_at <= %(as_of)s
              AND t.occurred_at <= s.since + make_interval(secs => %(within_s)s)
            UNION ALL
            SELECT p.id, 'payment', p.occurred_at FROM wallets_payment p
            WHERE p.wallet_id = s.wallet_id AND p.state = ANY (%(taken)s)
              AND p.occurred_at > s.since AND p.occurred_at <= %(as_of)s
              AND p.occurred_at <= s.since + make_interval(secs => %(within_s)s)
        ) m
    )
    SELECT wallet_id,
           coalesce(array_agg(id ORDER BY id) FILTER (WHERE kind = 'top_up'),
               ARRAY[]::bigint[]),
           coalesce(array_agg(id ORDER BY id) FILTER (WHERE kind = 'payment'),
               ARRAY[]::bigint[]),
           event_id, since, max(occurred_at)
    FROM moved GROUP BY wallet_id, event_id, since ORDER BY wallet_id, since
"""

BURST = Rule(
    code="S8-burst",
    version=1,
    family="charge",
    weight=1,
    source="Signal S8: reports of three charges within one minute",
    thresholds={"top_ups_min": 3, "within_s": 60},
    sql="""
        WITH paced AS (
            SELECT t.id, t.wallet_id, t.occurred_at,
                   lag(t.occurred_at, %(top_ups_min)s - 1) OVER (
                       PARTITION BY t.wallet_id ORDER BY t.occurred_at, t.id)
                       AS first_at
            FROM wallets_topup t
            WHERE t.state = ANY (%(charged)s) AND t.source = ANY (%(sources)s)
              AND t.occurred_at <= %(as_of)s
        ), burst AS (
            SELECT wallet_id, min(first_at) AS since, max(occurred_at) AS hit_at FROM paced
            WHERE occurred_at - first_at <= make_interval(secs => %(within_s)s) GROUP BY wallet_id
        )
        SELECT b.wallet_id, array_agg(p.id ORDER BY p.id), ARRAY[]::bigint[], NULL::bigint,
            b.since, b.hit_at
        FROM burst b JOIN paced p ON p.wallet_id = b.wallet_id
            AND p.occurred_at BETWEEN b.since AND b.hit_at
        GROUP BY b.wallet_id, b.since, b.hit_at
    """,
)

LARGE_AFTER_NEW_DEVICE = Rule(
    code="S8-large",
    version=1,
    family="charge",
    weight=1,
    source=f"Signal S8: charges of 50,000 within ten minutes of a new device; {_OWN}",
    thresholds={"amount_minor_min": 50_000, "within_s": 600},
    sql=f"""
        WITH {_NEW_DEVICE}, charged AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since,
                max(t.occurred_at) AS hit_at,
                   array_agg(t.id ORDER BY t.id) AS top_ups
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            JOIN wallets_topup t ON t.wallet_id = w.id AND t.state = ANY (%(charged)s)
                AND t.source = ANY (%(sources)s)
                AND t.occurred_at > d.occurred_at AND t.occurred_at <= %(as_of)s
                AND t.occurred_at <= d.occurred_at + make_interval(secs => %(within_s)s)
            GROUP BY 1, 2, 3 HAVING sum(t.amount_minor) >= %(amount_minor_min)s
        )
        SELECT wallet_id, top_ups, ARRAY[]::bigint[], event_id, since,
            hit_at
        FROM charged ORDER BY wallet_id, since
    """,  # noqa: S608  the constants above
)

ABROAD = Rule(
    code="S6-abroad",
    version=1,
    family="abroad",
    weight=2,
    source=f"Signal S6: the first sign-in from a country, on a new device, moves money; {_OWN}",
    thresholds={"within_s": 1_800},
    sql=f"""
        WITH {_NEW_DEVICE}, signed_in AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            WHERE d.nth_in_country = 1 AND d.country <> ''
        ), {_MOVED}
    """,  # noqa: S608  the constants above
)

FROM_SUSPICIOUS_SOURCE = Rule(
    code="S5-source",
    version=1,
    family="source",
    weight=2,
    source=f"Signal S5: a suspicious source signs in on a new device and moves money; {_OWN}",
    # A source may have signed in up to a day before its attack was visible.
    thresholds={"within_s": 1_800, "before_s": 86_400},
    sql=f"""
        WITH {_NEW_DEVICE}, signed_in AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            WHERE EXISTS (
                SELECT FROM accounts_suspicioussource s
                WHERE s.source = ANY ({rules.SOURCES_OF.format("d")}) AND s.since <= %(as_of)s
                  AND (s.kind = 'device'
                    OR s.since <= d.occurred_at + make_interval(secs => %(before_s)s)))
        ), {_MOVED}
    """,  # noqa: S608  the constants above
)

CHANGED_BEFORE = Rule(
    code="S7-changed",
    version=1,
    family="change",
    weight=1,
    source=f"Signal S7: a charge within half an hour of a changed password or channel; {_OWN}",
    # A change within a day of the registration belongs to the registration.
    thresholds={"within_s": 1_800, "registered_before_s": 86_400},
    sql="""
        WITH changed AS (
            SELECT u.id, c.at FROM accounts_user u
            CROSS JOIN LATERAL (VALUES (u.password_set_at), (u.email_verified_at),
                (u.phone_verified_at)) AS c (at)
            WHERE c.at <= %(as_of)s
              AND c.at > u.registered_at + make_interval(secs => %(registered_before_s)s)
        )
        SELECT w.id, array_agg(t.id ORDER BY t.id), ARRAY[]::bigint[],
            NULL::bigint, c.at, max(t.occurred_at)
        FROM changed c JOIN wallets_wallet w ON w.account_id = c.id
        JOIN wallets_topup t ON t.wallet_id = w.id AND t.state = ANY (%(charged)s)
            AND t.source = ANY (%(sources)s) AND t.occurred_at > c.at AND t.occurred_at <= %(as_of)s
            AND t.occurred_at <= c.at + make_interval(secs => %(within_s)s)
        GROUP BY w.id, c.at ORDER BY w.id, c.at
    """,
)


def _spent_within(*, payment: str, top_up: str = "true") -> str:
    """Returns SQL of the charges of which most was spent within the time. `p` and `t` are
    conditions on the payments and the charges.
    """
    return f"""
        WITH spent AS (
            SELECT t.wallet_id, t.id AS top_up_id, t.occurred_at AS since,
                max(p.occurred_at) AS hit_at,
                   array_agg(p.id ORDER BY p.id) AS payments
            FROM wallets_topup t
            JOIN wallets_payment p ON p.wallet_id = t.wallet_id AND p.state = ANY (%(taken)s)
                AND p.occurred_at > t.occurred_at AND p.occurred_at <= %(as_of)s
                AND p.occurred_at <= t.occurred_at + make_interval(secs => %(within_s)s)
            WHERE t.state = ANY (%(charged)s) AND t.source = ANY (%(sources)s)
                AND t.amount_minor >= %(amount_minor_min)s
                AND {payment} AND {top_up}
            GROUP BY 1, 2, 3, t.amount_minor
                HAVING sum(p.amount_minor) >= %(spent_share_min)s * t.amount_minor
        )
        SELECT wallet_id, ARRAY[top_up_id], payments, NULL::bigint, since,
            hit_at
        FROM spent ORDER BY wallet_id, since
    """  # noqa: S608  the constants above


SPENT_ELSEWHERE = Rule(
    code="S9-elsewhere",
    version=1,
    family="place",
    weight=1,
    source=f"Signal S9: charged, and spent within the hour in another prefecture; {_OWN}",
    thresholds={"amount_minor_min": 10_000, "spent_share_min": 0.8, "within_s": 3_600},
    sql=_spent_within(
        payment="""p.prefecture <> '' AND NOT EXISTS (
                    SELECT FROM wallets_payment home
                    WHERE home.wallet_id = t.wallet_id AND home.occurred_at < t.occurred_at
                        AND home.prefecture = p.prefecture)""",
        top_up="""EXISTS (
                    SELECT FROM wallets_payment home
                    WHERE home.wallet_id = t.wallet_id AND home.occurred_at < t.occurred_at
                        AND home.prefecture <> '')""",
    ),
)

# ISO 18245: electronics, jewellery and watches, gift cards, tobacco, stored value.
_RESOLD_CATEGORIES = "('5732', '5944', '5947', '5993', '6540')"

SPENT_ON_RESOLD_GOODS = Rule(
    code="S10-resold",
    version=1,
    family="goods",
    weight=1,
    source="Signal S10: charged, and spent within the hour on goods that resell well, as the"
    " thieves of 2019 did on tobacco cartridges; ISO 18245 categories"
    f" {_RESOLD_CATEGORIES}; thresholds are {_OWN}",
    thresholds={"amount_minor_min": 10_000, "spent_share_min": 0.8, "within_s": 3_600},
    sql=_spent_within(payment=f"p.merchant_category IN {_RESOLD_CATEGORIES}"),
)

# It is of the family `charge`, which also sees a new device and money. The new phone of an honest
# customer displaces the session of the old phone too.
DISPLACED = Rule(
    code="S11-displaced",
    version=1,
    family="charge",
    weight=1,
    source=f"Signal S11: a new device displaces the holder's session and moves money; {_OWN}",
    thresholds={"within_s": 1_800},
    sql=f"""
        WITH {_NEW_DEVICE}, signed_in AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            WHERE d.displaced_session
        ), {_MOVED}
    """,  # noqa: S608  the constants above
)

RULES: Final = (
    BURST,
    LARGE_AFTER_NEW_DEVICE,
    ABROAD,
    FROM_SUSPICIOUS_SOURCE,
    CHANGED_BEFORE,
    SPENT_ELSEWHERE,
    SPENT_ON_RESOLD_GOODS,
    DISPLACED,
)
