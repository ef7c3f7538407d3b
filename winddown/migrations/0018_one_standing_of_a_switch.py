"""One function says whether a capability works: its switch, its deadline, the programme's stage."""

from importlib import import_module

from django.db import migrations

first = import_module("winddown.migrations.0001_functions")

STANDING = """
CREATE FUNCTION winddown_end_of(
    p_code text, p_at timestamptz,
    OUT ended timestamptz, OUT by_stage boolean, OUT is_later boolean
) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    stage text;
    deadline timestamptz;
    of_the_wallet boolean := p_code ~ '^(spend|transfer|withdraw|register|top_up:.*)$';
BEGIN
    SELECT min(m.at) INTO deadline FROM winddown_milestone m
    WHERE m.at <= p_at AND (m.ends_capability = p_code
        OR m.kind = 'refund_window_ends' AND p_code = 'refund_apply');
    SELECT p.state INTO stage FROM winddown_programme p WHERE p.id = 1;
    IF of_the_wallet AND stage IN ('closing', 'closed', 'balance_fixed', 'refunding',
            'refund_closed', 'settling', 'completed', 'reported')
        OR p_code = 'refund_apply'
            AND stage IN ('refund_closed', 'settling', 'completed', 'reported')
        OR p_code = 'payout' AND stage IN ('completed', 'reported') THEN
        SELECT coalesce(min(t.at), p_at) INTO ended FROM winddown_programmetransition t
        WHERE t.target = CASE WHEN of_the_wallet THEN 'closing'
            WHEN p_code = 'payout' THEN 'completed' ELSE 'refund_closed' END;
    END IF;
    by_stage := ended IS NOT NULL AND (deadline IS NULL OR ended < deadline);
    ended := least(deadline, ended);
    is_later := ended IS NULL AND p_code = 'refund_apply' AND stage <> 'refunding';
END $$;

CREATE FUNCTION winddown_standing(
    p_code text, p_at timestamptz,
    OUT state text, OUT since timestamptz, OUT by_stage boolean, OUT version integer, OUT reason text
) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last record;
BEGIN
    SELECT c.state, c.since, c.version, c.reason INTO state, since, version, reason
    FROM winddown_capability c WHERE c.code = p_code;
    by_stage := false;
    IF state = 'enabled' THEN
        SELECT * INTO last FROM winddown_end_of(p_code, p_at);
        IF last.ended IS NOT NULL THEN
            state := 'ended';
            since := last.ended;
            by_stage := last.by_stage;
        ELSIF last.is_later THEN
            state := 'later';
            by_stage := true;
        END IF;
    END IF;
END $$;
"""

PASS = """
CREATE OR REPLACE FUNCTION winddown_pass(p_code text, OUT version integer, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    switch_id integer;
    standing record;
BEGIN
    SELECT c.id INTO switch_id FROM winddown_capability c WHERE c.code = p_code;
    IF switch_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'WD003', MESSAGE = format('no capability %s', p_code);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(7001, switch_id);
    at := winddown_now();
    SELECT * INTO standing FROM winddown_standing(p_code, winddown_pass.at);
    IF standing.state <> 'enabled' THEN
        RAISE EXCEPTION USING
            ERRCODE = CASE standing.state WHEN 'ended' THEN 'WD002' WHEN 'later' THEN 'WD004'
                ELSE 'WD001' END,
            MESSAGE = format('%s does not work: %s', p_code, standing.state),
            DETAIL = to_char(standing.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            HINT = standing.reason;
    END IF;
    version := standing.version;
END $$;
"""

AS_BEFORE = first.CAPABILITIES.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("winddown", "0017_milestones_and_filings")]
    operations = [
        migrations.RunSQL(STANDING + PASS, AS_BEFORE + "DROP FUNCTION winddown_standing(text, timestamptz);"
            "DROP FUNCTION winddown_end_of(text, timestamptz);")
    ]
