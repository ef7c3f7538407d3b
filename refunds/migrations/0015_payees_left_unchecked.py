"""Payees of a bank that checks no names."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0014_statements_of_the_bank'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='payee',
            name='machine',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payee',
            trigger=pgtrigger.compiler.Trigger(name='machine', sql=winddown.guards.GuardSql(declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;", func="\n            WITH logged AS (\n                INSERT INTO refunds_payeetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'ask') AND b.state = 'entered' AND a.state = 'asked' THEN 'ask' WHEN (named IS NULL OR named = 'leave_unchecked') AND b.state = 'entered' AND a.state = 'matched' THEN 'leave_unchecked' WHEN (named IS NULL OR named = 'match') AND b.state = 'asked' AND a.state = 'matched' THEN 'match' WHEN (named IS NULL OR named = 'override') AND b.state = 'refused' AND a.state = 'overridden' THEN 'override' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'asked' AND a.state = 'refused' THEN 'refuse' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'matched' AND a.state = 'refused' THEN 'refuse' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'overridden' AND a.state = 'refused' THEN 'refuse'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payeetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ", hash='036f1f1fef1ff33cbfe618f02ecd4b1f0bcf2ed0', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_machine_8b6f9', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_payee', when='AFTER')),
        ),
    ]
