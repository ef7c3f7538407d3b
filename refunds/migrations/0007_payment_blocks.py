"""People who are paid nothing, and the guards of every payout against it."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0006_bank_profiles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PaymentBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('sanction', 'Sanction'), ('dispute', 'Dispute'), ('legal_hold', 'Legal Hold')], max_length=12)),
                ('evidence', models.CharField(help_text="Where it stands: a list and its entry, a court's file number.", max_length=200)),
                ('begins_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(help_text='When it ends by itself; exclusive.')),
                ('lifted_at', models.DateTimeField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='nobody_blocked_is_booked', sql=winddown.guards.GuardSql(declare='DECLARE wrong bigint;', func="\n                    SELECT min(a.id) INTO wrong FROM after a JOIN refunds_paymentblock k\n                        ON k.holder_id = a.holder_id AND k.lifted_at IS NULL\n                        AND k.ends_at > winddown_now();\n                    \n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD054',\n            MESSAGE = format('payout %s: its holder may be paid nothing now', wrong);\n    END IF;\n    RETURN NULL;\n\n                ", hash='2d2964d8f0c7989fb8bec07c56708f2f1a642d00', level='STATEMENT', operation='INSERT', pgid='pgtrigger_nobody_blocked_is_booked_ee4d0', referencing='REFERENCING NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='nobody_blocked_is_sent', sql=winddown.guards.GuardSql(declare='DECLARE wrong bigint;', func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    JOIN refunds_paymentblock k ON k.holder_id = a.holder_id\n                        AND k.lifted_at IS NULL AND k.ends_at > winddown_now()\n                    WHERE a.state <> b.state AND a.state IN ('checked', 'batched', 'exported');\n                    \n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD054',\n            MESSAGE = format('payout %s: its holder may be paid nothing now', wrong);\n    END IF;\n    RETURN NULL;\n\n                ", hash='39855decbf8b0e1adedcfb4e00a858010e332bbe', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_nobody_blocked_is_sent_96e4f', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
        migrations.AddField(
            model_name='paymentblock',
            name='entered_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='paymentblock',
            name='holder',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='payment_blocks', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='paymentblock',
            name='lifted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='paymentblock',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('begins_at'))), name='block_ends_after_its_begin'),
        ),
        migrations.AddConstraint(
            model_name='paymentblock',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lifted_at', None), ('lifted_by', None)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='block_lifted_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='paymentblock',
            constraint=models.CheckConstraint(condition=models.Q(('evidence', ''), _negated=True), name='block_has_evidence'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentblock',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.begins_at), extract(epoch FROM a.ends_at), a.entered_by_id, a.evidence, a.holder_id, a.id, a.kind, extract(epoch FROM a.lifted_at), a.lifted_by_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='ebd01d180af9884d0d8ebaf33076bbc2f91b408d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_a0927', referencing='REFERENCING NEW TABLE AS after ', table='refunds_paymentblock', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentblock',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.begins_at, OLD.ends_at, OLD.entered_by_id, OLD.evidence, OLD.holder_id, OLD.id, OLD.kind, OLD.lifted_at, OLD.lifted_by_id) IS DISTINCT FROM (NEW.begins_at, NEW.ends_at, NEW.entered_by_id, NEW.evidence, NEW.holder_id, NEW.id, NEW.kind, NEW.lifted_at, NEW.lifted_by_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.begins_at), extract(epoch FROM NEW.ends_at), NEW.entered_by_id, NEW.evidence, NEW.holder_id, NEW.id, NEW.kind, extract(epoch FROM NEW.lifted_at), NEW.lifted_by_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='e1937ca84d2474e47be7b1724f224fc0018d0193', operation='UPDATE', pgid='pgtrigger_witness_3a435', table='refunds_paymentblock', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentblock',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='377a1410a45fa5fa6733f67ee88834c7f8314579', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_5b8b5', table='refunds_paymentblock', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentblock',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.holder_id, OLD.kind, OLD.evidence, OLD.begins_at, OLD.ends_at, OLD.entered_by_id) IS DISTINCT FROM (NEW.holder_id, NEW.kind, NEW.evidence, NEW.begins_at, NEW.ends_at, NEW.entered_by_id) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: holder_id, kind, evidence, begins_at, ends_at, entered_by_id cannot change any more', TG_TABLE_NAME, OLD.id);", hash='f7f63ef86114fe489257c4368f8236bd1dfdc667', operation='UPDATE OF "holder_id", "kind", "evidence", "begins_at", "ends_at", "entered_by_id"', pgid='pgtrigger_columns_are_fixed_103a6', table='refunds_paymentblock', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentblock',
            trigger=pgtrigger.compiler.Trigger(name='lifted_once', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.lifted_at, OLD.lifted_by_id) IS DISTINCT FROM (NEW.lifted_at, NEW.lifted_by_id) AND (OLD.lifted_at IS NOT NULL))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: lifted_at, lifted_by_id cannot change any more', TG_TABLE_NAME, OLD.id);", hash='0170ef0b9e8fff18669bcabfd49af50d3b83c845', operation='UPDATE OF "lifted_at", "lifted_by_id"', pgid='pgtrigger_lifted_once_30451', table='refunds_paymentblock', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentblock',
            trigger=pgtrigger.compiler.Trigger(name='lifted_by_two', sql=winddown.guards.GuardSql(condition='WHEN (OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL)', func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE s.signer_id = NEW.lifted_by_id AND s.signer_id <> a.maker_id\n                          AND (s.part = 'rejected' AND s.subject = format('payment_block:%s', OLD.id)\n                            OR s.part = 'approved'\n                                AND s.subject LIKE format('payment_block:%s:lift:%%', OLD.id))\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('payment block %s is not lifted without a second person', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ", hash='a3d7eeb121cdee6725329b8d50489ce9658532dd', operation='UPDATE OF "lifted_at"', pgid='pgtrigger_lifted_by_two_9e749', table='refunds_paymentblock', when='BEFORE')),
        ),
    ]
