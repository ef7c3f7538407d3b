"""The SQL functions that triggers and movements rely on; they read tables that the next migration creates.

Names are resolved in pg_catalog and public, by a search path of the function or when it is created, so that
a temporary table of the caller cannot stand in for one of ours.
"""

from django.db import migrations

CLOCK = """
CREATE FUNCTION winddown_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE instant timestamptz;
BEGIN
    SELECT coalesce(frozen_at, clock_timestamp() + shift) INTO STRICT instant FROM winddown_clock;
    RETURN instant;
END $$;
"""

MACHINES = """
CREATE FUNCTION winddown_refuse_edge(tbl name, subject bigint, source text, target text, named text)
RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'WD010', MESSAGE = format(
        '%s %s: %s -> %s is not declared%s', tbl, subject, source, target, coalesce(' for ' || named, ''));
END $$;

CREATE FUNCTION winddown_rows_digest(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to(coalesce(content, ''), 'UTF8')), 'hex');

CREATE FUNCTION winddown_note_rows(tbl text, first_id bigint, last_id bigint, row_count bigint, digest text)
RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM set_config('winddown.rows', concat_ws(' ', nullif(current_setting('winddown.rows', true), ''),
        concat_ws(':', tbl, first_id, last_id, row_count, digest)), true);
END $$;
"""

AUDIT = """
CREATE FUNCTION winddown_audit_hash(
    previous bytea, seq bigint, at timestamptz, actor_id bigint, action text, subject text, reason text, run_id bigint,
    facts jsonb, rows text, xact_id bigint
) RETURNS bytea LANGUAGE sql IMMUTABLE
    RETURN sha256(previous || convert_to(concat_ws(E'\\x1f', seq, to_char(at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'),
        coalesce(actor_id::text, '-'), action, subject, reason, coalesce(run_id::text, '-'), facts::text, rows,
        xact_id), 'UTF8'));

CREATE FUNCTION winddown_audit_append(
    p_actor bigint, p_action text, p_subject text, p_reason text, p_run bigint, p_facts jsonb
) RETURNS bigint LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last_seq bigint;
    last_hash bytea;
    noted text := coalesce(current_setting('winddown.rows', true), '');
    instant timestamptz;
    xact bigint := pg_current_xact_id()::text::bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7002, 0);
    SELECT e.seq, e.hash INTO last_seq, last_hash FROM winddown_auditentry e ORDER BY e.seq DESC LIMIT 1;
    last_seq := coalesce(last_seq, 0) + 1;
    last_hash := coalesce(last_hash, '\\x'::bytea);
    instant := date_trunc('microseconds', winddown_now());
    INSERT INTO winddown_auditentry
        (seq, at, actor_id, action, subject, reason, run_id, facts, rows, xact_id, previous, hash)
    VALUES (last_seq, instant, p_actor, p_action, p_subject, p_reason, p_run, p_facts, noted, xact, last_hash,
        winddown_audit_hash(last_hash, last_seq, instant, p_actor, p_action, p_subject, p_reason, p_run, p_facts,
            noted, xact));
    PERFORM set_config('winddown.rows', '', true);
    RETURN last_seq;
END $$;
"""

CAPABILITIES = """
CREATE FUNCTION winddown_pass(p_code text, OUT version integer, OUT at timestamptz) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    switch_id integer;
    switch_state text;
    switch_since timestamptz;
    switch_reason text;
    ended timestamptz;
BEGIN
    SELECT c.id INTO switch_id FROM winddown_capability c WHERE c.code = p_code;
    IF switch_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'WD003', MESSAGE = format('no capability %s', p_code);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(7001, switch_id);
    SELECT c.state, c.version, c.since, c.reason INTO switch_state, version, switch_since, switch_reason
    FROM winddown_capability c WHERE c.id = switch_id;
    IF switch_state <> 'enabled' THEN
        RAISE EXCEPTION USING ERRCODE = 'WD001', MESSAGE = format('%s is stopped', p_code),
            DETAIL = to_char(switch_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), HINT = switch_reason;
    END IF;
    at := winddown_now();
    SELECT min(m.at) INTO ended FROM winddown_milestone m WHERE m.ends_capability = p_code AND m.at <= winddown_pass.at;
    IF ended IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'WD002', MESSAGE = format('%s has ended', p_code),
            DETAIL = to_char(ended AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
    END IF;
END $$;
"""

DROP = """
DROP FUNCTION winddown_pass(text);
DROP FUNCTION winddown_audit_append(bigint, text, text, text, bigint, jsonb);
DROP FUNCTION winddown_audit_hash(bytea, bigint, timestamptz, bigint, text, text, text, bigint, jsonb, text, bigint);
DROP FUNCTION winddown_note_rows(text, bigint, bigint, bigint, text);
DROP FUNCTION winddown_rows_digest(text);
DROP FUNCTION winddown_refuse_edge(name, bigint, text, text, text);
DROP FUNCTION winddown_now();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(CLOCK + MACHINES + AUDIT + CAPABILITIES, DROP)]
