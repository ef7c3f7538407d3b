"""The statements that count attempts to sign in, and those that name their sources."""

from __future__ import annotations

from typing import Final

from accounts.attacks.rules import SOURCES_OF
from accounts.models.attack import Sketch

MINUTE_OF = "date_bin('1 minute', {0}, timestamptz '1970-01-01 00:00+00')"


IN_SPAN = "{0} >= %(since)s AND {0} < %(until)s"


COUNT_MINUTES: Final = f"""
    WITH counted AS (
        INSERT INTO accounts_authminute (minute, attempts, unknown_login_ids, wrong_passwords,
            strange_passwords, successes, refused)
        SELECT {MINUTE_OF.format("e.occurred_at")}, count(*),
            count(*) FILTER (WHERE outcome = 'unknown_login_id'),
            count(*) FILTER (WHERE outcome = 'wrong_password'), 0,
            count(*) FILTER (WHERE outcome = 'success'),
            count(*) FILTER (WHERE outcome = 'refused')
        FROM accounts_authevent e
        WHERE e.event = 'sign_in' AND {IN_SPAN.format("e.occurred_at")} GROUP BY 1
        RETURNING attempts
    ) SELECT coalesce(sum(attempts), 0) FROM counted
"""  # noqa: S608  constants


# Known rows are left out before the insert, because a conflict locks its row and so writes to it.
COUNT_DEVICES: Final = f"""
    INSERT INTO accounts_accountdevice AS known
        (user_id, device_ref, first_at, event_id, network, country, displaced_session)
    SELECT DISTINCT ON (user_id, device_ref)
        user_id, device_ref, occurred_at, id, network, country, displaced_session
    FROM accounts_authevent e
    WHERE event = 'sign_in' AND outcome = 'success' AND user_id IS NOT NULL AND device_ref <> ''
        AND {IN_SPAN.format("occurred_at")}
        AND NOT EXISTS (SELECT FROM accounts_accountdevice earlier
            WHERE earlier.user_id = e.user_id AND earlier.device_ref = e.device_ref
                AND earlier.first_at <= e.occurred_at)
    ORDER BY user_id, device_ref, occurred_at, id
    ON CONFLICT (user_id, device_ref) DO UPDATE SET first_at = excluded.first_at,
        event_id = excluded.event_id, network = excluded.network, country = excluded.country,
        displaced_session = excluded.displaced_session
    WHERE excluded.first_at < known.first_at
"""  # noqa: S608  constants


# The rows are grouped by network and device first. An attack has few of these, so few rows are
# spread over the three kinds of sources.
COUNT_SOURCES: Final = f"""
    WITH tried AS MATERIALIZED (
        SELECT {MINUTE_OF.format("e.occurred_at")} AS minute, e.network, e.device_ref,
            count(*) AS tries, count(*) FILTER (WHERE e.outcome = 'wrong_password') AS passwords,
            bit_or(set_bit(0::bit({Sketch.BITS}), hashtext(e.login_id) & {Sketch.BITS - 1}, 1))
                AS ids
        FROM accounts_authevent e
        LEFT JOIN accounts_accountdevice known ON e.outcome = 'wrong_password'
            AND known.user_id = e.user_id AND known.device_ref = e.device_ref
            AND known.first_at <= e.occurred_at
        WHERE e.event = 'sign_in' AND {IN_SPAN.format("e.occurred_at")}
            AND e.outcome IN ('unknown_login_id', 'wrong_password') AND known.user_id IS NULL
        GROUP BY 1, 2, 3
    ), strange AS (
        UPDATE accounts_authminute m SET strange_passwords = t.passwords
        FROM (SELECT minute, sum(passwords) AS passwords FROM tried GROUP BY 1) t
        WHERE m.minute = t.minute
    )
    INSERT INTO accounts_sourceminute (minute, source, tries, ids)
    SELECT minute, source, sum(tries), bit_or(ids)
    FROM tried, unnest({SOURCES_OF.format("tried")}) AS source
    WHERE source IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608  constants


REMEMBER: Final = """
    ON CONFLICT (source) DO UPDATE SET since = least(known.since, excluded.since),
        last_at = greatest(known.last_at, excluded.last_at),
        rule_id = CASE WHEN excluded.since < known.since THEN excluded.rule_id
            ELSE known.rule_id END,
        evidence = CASE WHEN excluded.since < known.since THEN excluded.evidence
            ELSE known.evidence END
"""


# Every hour that the span touches is judged from its beginning, minute by minute. Only the sources
# of the span are judged, because the others were judged before.
SUSPECT_MANY_IDS: Final = f"""
    WITH judged AS (
        SELECT source, minute, sum(tries) OVER hour AS tries,
            bit_count(bit_or(ids) OVER hour) AS bits,
            CASE WHEN source LIKE 'device:%%' THEN 'device' WHEN source LIKE '%%/%%' THEN 'network'
                ELSE 'address' END AS kind
        FROM accounts_sourceminute
        WHERE minute >= date_bin('1 hour', %(since)s, timestamptz '1970-01-01 00:00+00')
            AND minute < %(until)s
            AND source IN (SELECT source FROM accounts_sourceminute
                WHERE {IN_SPAN.format("minute")})
        WINDOW hour AS (
            PARTITION BY source,
                date_bin('1 hour', minute, timestamptz '1970-01-01 00:00+00')
            ORDER BY minute)
    ), crossed AS (
        SELECT *, round(-{Sketch.BITS} * ln((greatest(1, {Sketch.BITS} - bits))::float
            / {Sketch.BITS})) AS ids FROM judged
        WHERE bits >= CASE kind WHEN 'network' THEN %(bits_of_network_min)s ELSE %(bits_min)s END
    ), suspicious AS (
        SELECT * FROM crossed
        WHERE tries <= %(tries_per_id_max)s * ids OR bits >= %(bits_full)s
    )
    INSERT INTO accounts_suspicioussource AS known (source, kind, rule_id, since, last_at, evidence)
    SELECT DISTINCT ON (source) source, kind, %(rule)s, minute,
        max(minute) OVER (PARTITION BY source) + interval '1 minute',
        jsonb_build_object('ids', ids, 'tries', tries)
    FROM suspicious ORDER BY source, minute
    {REMEMBER}
"""  # noqa: S608  constants


SUSPECT_SHARED_DEVICES: Final = f"""
    INSERT INTO accounts_suspicioussource AS known (source, kind, rule_id, since, last_at, evidence)
    SELECT 'device:' || device_ref, 'device', %(rule)s,
        (array_agg(first_at ORDER BY first_at))[%(accounts_min)s], max(first_at),
        jsonb_build_object('accounts', %(accounts_min)s)
    FROM accounts_accountdevice
    WHERE device_ref IN (
            SELECT device_ref FROM accounts_accountdevice WHERE {IN_SPAN.format("first_at")})
        AND first_at < %(until)s
    GROUP BY device_ref HAVING count(*) >= %(accounts_min)s
    {REMEMBER}
"""  # noqa: S608  constants

# Each hit is the first sign-in from its device on an account that was in use before, by a source
# that was suspicious by then.
HITS: Final = f"""
    SELECT {MINUTE_OF.format("d.first_at")} AS minute, count(*) AS hits
    FROM accounts_accountdevice d
    WHERE {IN_SPAN.format("d.first_at")}
        AND EXISTS (SELECT FROM accounts_suspicioussource s
            WHERE s.source = ANY ({SOURCES_OF.format("d")}) AND s.since <= d.first_at)
        AND EXISTS (SELECT FROM accounts_accountdevice o
            WHERE o.user_id = d.user_id AND o.first_at < d.first_at)
    GROUP BY 1
"""  # noqa: S608  constants

# A span that is counted later makes no source suspicious before it, so these hits do not change.
COUNT_HITS: Final = f"""
    UPDATE accounts_authminute m SET hits = found.hits FROM ({HITS}) AS found
    WHERE m.minute = found.minute
"""  # noqa: S608  constants

BINS: Final = """
    SELECT floor(extract(epoch FROM minute - %(since)s) / %(width_s)s)::int,
        sum(attempts)::bigint, sum(unknown_login_ids)::bigint, sum(strange_passwords)::bigint,
        sum(hits)::bigint
    FROM accounts_authminute WHERE minute >= %(since)s AND minute < %(until)s GROUP BY 1
"""
