"""Deposits with the authority, takeovers by other issuers, and their guards."""

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0026_recalls'),
        ('winddown', '0028_told_duty_addresses'),
    ]

    operations = [
        migrations.CreateModel(
            name='OtherEnd',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('deposited', 'Deposited'), ('transferred', 'Transferred')], max_length=12)),
                ('institution', models.CharField(max_length=120)),
                ('contact', models.CharField(max_length=200)),
                ('reference', models.CharField(help_text='The receipt number of the institution.', max_length=60)),
                ('ended_on', models.DateField(help_text='When the institution took the money.')),
                ('items', models.IntegerField()),
                ('total_minor', models.BigIntegerField()),
                ('approval_subject', models.CharField(max_length=40, unique=True)),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.expressions.RawSQL('winddown_now()', ()))),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='OtherEndLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Successor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('contact', models.CharField(help_text='Where the holder asks.', max_length=200)),
                ('day_max_minor', models.BigIntegerField(help_text='For one person in one day.')),
                ('person_max_minor', models.BigIntegerField(help_text='For one person in all.')),
                ('source', models.TextField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='entitlement',
            name='machine',
        ),
        migrations.AlterField(
            model_name='entitlement',
            name='state',
            field=models.CharField(choices=[('computed', 'Computed'), ('notified', 'Notified'), ('applied', 'Applied'), ('approved', 'Approved'), ('paying', 'Paying'), ('paid', 'Paid'), ('returned', 'Returned'), ('excluded', 'Excluded'), ('late_approved', 'Late Approved'), ('held', 'Held'), ('transferred', 'Transferred'), ('deposited', 'Deposited')], default='computed', max_length=40),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='machine', sql=winddown.guards.GuardSql(declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;", func="\n            WITH logged AS (\n                INSERT INTO refunds_entitlementtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'apply') AND b.state = 'computed' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'apply') AND b.state = 'notified' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'apply') AND b.state = 'returned' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'approve') AND b.state = 'applied' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'approve_late') AND b.state = 'excluded' AND a.state = 'late_approved' THEN 'approve_late' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'computed' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'excluded' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'notified' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'computed' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'notified' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'applied' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'approved' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'late_approved' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'returned' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'paid' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'paying' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'hold') AND b.state = 'applied' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'approved' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'computed' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'late_approved' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'notified' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'returned' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'notify') AND b.state = 'computed' AND a.state = 'notified' THEN 'notify' WHEN (named IS NULL OR named = 'pay') AND b.state = 'approved' AND a.state = 'paying' THEN 'pay' WHEN (named IS NULL OR named = 'pay') AND b.state = 'late_approved' AND a.state = 'paying' THEN 'pay' WHEN (named IS NULL OR named = 'release') AND b.state = 'held' AND a.state = 'computed' THEN 'release' WHEN (named IS NULL OR named = 'settle') AND b.state = 'applied' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'approved' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'paying' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'returned' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'take_back') AND b.state = 'paying' AND a.state = 'approved' THEN 'take_back' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'applied' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'approved' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'computed' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'held' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'late_approved' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'notified' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'returned' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'unapply') AND b.state = 'applied' AND a.state = 'notified' THEN 'unapply' WHEN (named IS NULL OR named = 'unapply') AND b.state = 'returned' AND a.state = 'notified' THEN 'unapply' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'paid' AND a.state = 'paying' THEN 'void_result' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'returned' AND a.state = 'paying' THEN 'void_result' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'approved' AND a.state = 'notified' THEN 'withdraw'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_entitlementtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ", hash='bbdd9e6b0252348c3774b935c03d2284fce82608', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_machine_94761', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_entitlement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='ended_elsewhere_by_two', sql=winddown.guards.GuardSql(declare='DECLARE wrong bigint;', func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    WHERE a.state IN ('deposited', 'transferred') AND a.state <> b.state\n                        AND NOT EXISTS (SELECT FROM refunds_otherendline l\n                            JOIN refunds_otherend d ON d.id = l.end_id\n                            WHERE l.entitlement_id = a.id AND d.kind = a.state);\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format(\n                                'entitlement %s is in no list that two people signed', wrong);\n                    END IF;\n                    RETURN NULL;\n                ", hash='e7e9cadaafeb9a3c3f9650b8b4fff12108e02262', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_ended_elsewhere_by_two_c8a7e', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_entitlement', when='AFTER')),
        ),
        migrations.AddField(
            model_name='otherend',
            name='evidence',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='winddown.noticeevidence'),
        ),
        migrations.AddField(
            model_name='otherendline',
            name='end',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='refunds.otherend'),
        ),
        migrations.AddField(
            model_name='otherendline',
            name='entitlement',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='other_end_line', to='refunds.entitlement'),
        ),
        migrations.AddConstraint(
            model_name='successor',
            constraint=models.CheckConstraint(condition=models.Q(('day_max_minor__gte', 1), ('person_max_minor__gte', 1)), name='successor_caps_positive'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='successor',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.contact, a.day_max_minor, a.id, a.name, a.person_max_minor, a.source)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='d7adf200eccd76d383f981a8270b0414779ea8f4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_a85f2', referencing='REFERENCING NEW TABLE AS after ', table='refunds_successor', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='successor',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.contact, OLD.day_max_minor, OLD.id, OLD.name, OLD.person_max_minor, OLD.source) IS DISTINCT FROM (NEW.contact, NEW.day_max_minor, NEW.id, NEW.name, NEW.person_max_minor, NEW.source))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.contact, NEW.day_max_minor, NEW.id, NEW.name, NEW.person_max_minor, NEW.source)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='d77b24809dd32bb98d5257bd9bbe8ac25f6146c3', operation='UPDATE', pgid='pgtrigger_witness_83544', table='refunds_successor', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='successor',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='40d8f03c84b224ea6c083bce867867a4c219284a', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_c6517', table='refunds_successor', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='successor',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.name) IS DISTINCT FROM (NEW.name) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: name cannot change any more', TG_TABLE_NAME, OLD.id);", hash='aa097917de903b0a99bc5d21de2011a6d18a8b5c', operation='UPDATE OF "name"', pgid='pgtrigger_columns_are_fixed_01ba3', table='refunds_successor', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='otherend',
            constraint=models.UniqueConstraint(fields=('kind', 'institution', 'reference'), name='other_end_receipt_once'),
        ),
        migrations.AddConstraint(
            model_name='otherend',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('institution', ''), _negated=True), models.Q(('contact', ''), _negated=True), models.Q(('reference', ''), _negated=True)), name='other_end_says_where'),
        ),
        migrations.AddConstraint(
            model_name='otherend',
            constraint=models.CheckConstraint(condition=models.Q(('items__gte', 1), ('total_minor__gte', 1)), name='other_end_has_an_amount'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='otherend',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='0f3f768907784ddf19ea661c3c5346aea67d1edb', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_8bada', table='refunds_otherend', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='otherend',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approval_subject, a.contact, a.ended_on, a.evidence_id, a.id, a.institution, a.items, a.kind, extract(epoch FROM a.recorded_at), a.reference, a.total_minor)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='e43cadae5f22e00be5946f1764e9b1e19ed81912', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_b6103', referencing='REFERENCING NEW TABLE AS after ', table='refunds_otherend', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='otherend',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.approval_subject, OLD.contact, OLD.ended_on, OLD.evidence_id, OLD.id, OLD.institution, OLD.items, OLD.kind, OLD.recorded_at, OLD.reference, OLD.total_minor) IS DISTINCT FROM (NEW.approval_subject, NEW.contact, NEW.ended_on, NEW.evidence_id, NEW.id, NEW.institution, NEW.items, NEW.kind, NEW.recorded_at, NEW.reference, NEW.total_minor))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approval_subject, NEW.contact, NEW.ended_on, NEW.evidence_id, NEW.id, NEW.institution, NEW.items, NEW.kind, extract(epoch FROM NEW.recorded_at), NEW.reference, NEW.total_minor)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='ebf013adf8fb9be4026f6017e2e864afe794bd06', operation='UPDATE', pgid='pgtrigger_witness_2e9a8', table='refunds_otherend', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='otherend',
            trigger=pgtrigger.compiler.Trigger(name='ended_by_two', sql=winddown.guards.GuardSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        JOIN accounts_user m ON m.id = a.maker_id\n                        WHERE s.subject = NEW.approval_subject AND s.part = 'approved'\n                            AND s.staff_number <> m.staff_number\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('%s: two people end refunds like this',\n                                NEW.approval_subject);\n                    END IF;\n                    RETURN NEW;\n                ", hash='cfac8164c739d1ea149e16ecfd213391c84e4789', operation='INSERT', pgid='pgtrigger_ended_by_two_0e4c0', table='refunds_otherend', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='otherendline',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='dcd4087ec38d3bb11b2a17a662052e54a35473d6', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_4c9ee', table='refunds_otherendline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='otherendline',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.end_id, a.entitlement_id, a.id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='afddd78c6a30f02bf5fcd0d14e6752cbe1097a08', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_9a029', referencing='REFERENCING NEW TABLE AS after ', table='refunds_otherendline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='otherendline',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.end_id, OLD.entitlement_id, OLD.id) IS DISTINCT FROM (NEW.end_id, NEW.entitlement_id, NEW.id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.end_id, NEW.entitlement_id, NEW.id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='56d5ab867c2da5e8639fb57ed6bf5415648e17f4', operation='UPDATE', pgid='pgtrigger_witness_290ac', table='refunds_otherendline', when='AFTER')),
        ),
    ]
