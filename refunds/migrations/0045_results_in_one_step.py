"""The bank's answer may be the first word that a batch was carried out (docs/decisions/0040)."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


# Room on the pages, so that what became of a payee, and the verdict of a line, touch no index.
PAGES = """
ALTER TABLE refunds_payee SET (fillfactor = 80);
ALTER TABLE refunds_answerline SET (fillfactor = 50);
"""
PAGES_BEFORE = """
ALTER TABLE refunds_payee RESET (fillfactor);
ALTER TABLE refunds_answerline RESET (fillfactor);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0044_fraud_reports'),
    ]

    operations = [
        migrations.RunSQL(PAGES, PAGES_BEFORE),
        pgtrigger.migrations.RemoveTrigger(
            model_name='entitlement',
            name='ended_elsewhere_by_two',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='witness',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='machine',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='payout_is_fixed',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='ended_elsewhere_by_two', sql=winddown.guards.GuardSql(declare='DECLARE wrong bigint;', func="\n                    -- Counted first, because the rows need no comparison where none is elsewhere.\n                    IF (SELECT count(*) FROM after WHERE state IN ('deposited', 'transferred'))\n                        + (SELECT count(*) FROM before WHERE state IN ('deposited', 'transferred'))\n                        = 0 THEN\n                        RETURN NULL;\n                    END IF;\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    WHERE a.state <> b.state\n                        AND (a.state IN ('deposited', 'transferred')\n                            OR b.state IN ('deposited', 'transferred'))\n                        AND (SELECT d.kind FROM refunds_otherendline l\n                            JOIN refunds_otherend d ON d.id = l.end_id\n                            WHERE l.entitlement_id = a.id ORDER BY l.id DESC LIMIT 1)\n                        IS DISTINCT FROM CASE WHEN a.state IN ('deposited', 'transferred')\n                            THEN a.state ELSE 'returned' END;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format(\n                                'entitlement %s is in no list that two people signed', wrong);\n                    END IF;\n                    RETURN NULL;\n                ", hash='ec0c464b0ce373fe4cb6da4ccac0c01d0306ceeb', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_ended_elsewhere_by_two_c8a7e', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_entitlement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='machine', sql=winddown.guards.GuardSql(declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;", func="\n            WITH logged AS (\n                INSERT INTO refunds_payouttransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'cancel') AND b.state = 'checked' AND a.state = 'cancelled' THEN 'cancel' WHEN (named IS NULL OR named = 'cancel') AND b.state = 'ready' AND a.state = 'cancelled' THEN 'cancel' WHEN (named IS NULL OR named = 'check_payee') AND b.state = 'ready' AND a.state = 'checked' THEN 'check_payee' WHEN (named IS NULL OR named = 'execute') AND b.state = 'exported' AND a.state = 'executed' THEN 'execute' WHEN (named IS NULL OR named = 'export') AND b.state = 'batched' AND a.state = 'exported' THEN 'export' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'executed' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'exported' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'settled' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_up') AND b.state = 'returned' AND a.state = 'uncollectable' THEN 'give_up' WHEN (named IS NULL OR named = 'put_in_batch') AND b.state = 'checked' AND a.state = 'batched' THEN 'put_in_batch' WHEN (named IS NULL OR named = 'recall') AND b.state = 'exported' AND a.state = 'recalled' THEN 'recall' WHEN (named IS NULL OR named = 'settle') AND b.state = 'executed' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'exported' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'returned' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'take_out') AND b.state = 'batched' AND a.state = 'ready' THEN 'take_out' WHEN (named IS NULL OR named = 'take_out') AND b.state = 'exported' AND a.state = 'ready' THEN 'take_out' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'returned' AND a.state = 'executed' THEN 'void_result' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'settled' AND a.state = 'executed' THEN 'void_result'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payouttransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ", hash='5403018e9fcd1bcb05d9e16c8a0fef75765c51ff', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_machine_70e24', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.attempt, a.batch_id, a.entitlement_id, a.holder_id, a.method, a.payee_id, a.remedy_id, extract(epoch FROM a.result_at), a.result_file_id, a.return_reason)::text, 'UTF8'))\n            FROM before b JOIN after a ON a.id = b.id\n            WHERE (b.amount_minor, b.attempt, b.batch_id, b.entitlement_id, b.holder_id, b.method, b.payee_id, b.remedy_id, b.result_at, b.result_file_id, b.return_reason) IS DISTINCT FROM (a.amount_minor, a.attempt, a.batch_id, a.entitlement_id, a.holder_id, a.method, a.payee_id, a.remedy_id, a.result_at, a.result_file_id, a.return_reason) ORDER BY a.id;\n            RETURN NULL;\n        ", hash='abc95eeddef10d8457f462f6d2119144eff054f2', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_witness_ed699', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='payout_is_fixed', sql=winddown.guards.GuardSql(declare='DECLARE wrong bigint; early bigint;', func="\n                    SELECT min(a.id) FILTER (WHERE NOT c.first_word),\n                        min(a.id) FILTER (WHERE c.first_word) INTO wrong, early\n                    FROM before b JOIN after a ON a.id = b.id\n                    LEFT JOIN refunds_payoutbatch o ON o.id = b.batch_id\n                    LEFT JOIN refunds_payoutbatch n ON n.id = a.batch_id\n                    CROSS JOIN LATERAL (SELECT (b.state = 'exported'\n                        AND a.state IN ('settled', 'returned')\n                        AND n.state NOT IN ('executed', 'reconciling')) IS TRUE AS first_word) c\n                    WHERE (a.entitlement_id, a.remedy_id, a.holder_id, a.amount_minor, a.attempt,\n                              a.method)\n                          IS DISTINCT FROM (b.entitlement_id, b.remedy_id, b.holder_id,\n                              b.amount_minor, b.attempt, b.method)\n                       OR (b.batch_id IS NOT NULL AND a.batch_id IS NOT NULL\n                           AND (a.payee_id, a.batch_id) IS DISTINCT FROM (b.payee_id, b.batch_id))\n                       OR (b.result_file_id IS NOT NULL\n                           AND (a.result_file_id, a.result_at, a.return_reason)\n                           IS DISTINCT FROM (b.result_file_id, b.result_at, b.return_reason)\n                           AND NOT EXISTS (SELECT FROM refunds_voidedfile v\n                               WHERE v.file_id = b.result_file_id)\n                           AND NOT EXISTS (SELECT FROM refunds_replacedresult r\n                               WHERE r.payout_id = a.id AND r.by_id = a.result_file_id\n                                 AND (r.file_id, r.state, r.return_reason, r.result_at)\n                                   = (b.result_file_id, b.state, b.return_reason, b.result_at)))\n                       OR (a.live AND NOT b.live\n                           AND NOT (b.state = 'returned'\n                               AND a.state IN ('settled', 'executed')))\n                       OR (a.batch_id IS DISTINCT FROM b.batch_id\n                           AND (n.state <> 'open' OR n.method <> a.method\n                               OR o.state NOT IN ('rejected', 'bank_rejected', 'voided')))\n                       OR c.first_word;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051', MESSAGE = format(\n                            'payout %s: what it pays, and what a sealed batch holds, is fixed',\n                            wrong);\n                    END IF;\n                    IF early IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051', MESSAGE = format(\n                            'payout %s: its batch was not carried out, so it has no result', early);\n                    END IF;\n                    RETURN NULL;\n                ", hash='e6f0e90799e1c3898a8cd042824620c7993fe450', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_payout_is_fixed_65617', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
    ]
