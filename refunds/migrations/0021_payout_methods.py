"""Payout methods: their terms, the choice of each application, and vouchers."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0020_closing_documents'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MethodTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=16, unique=True)),
                ('place', models.SmallIntegerField(help_text='The order of the offer, and of the fallback.')),
                ('amount_max_minor', models.BigIntegerField(help_text='The greatest amount that it carries.')),
                ('costs', models.JSONField(help_text='Pairs of the greatest amount and the cost up to it.')),
                ('money_days', models.SmallIntegerField(help_text='Days until the holder has the money.')),
                ('valid_days', models.SmallIntegerField(default=0, help_text='Days until it expires if it is not cashed; 0 if it does not.')),
                ('source', models.TextField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Voucher',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('made', 'Made'), ('issued', 'Issued'), ('notified', 'Notified'), ('cashed', 'Cashed'), ('expired', 'Expired'), ('reissued', 'Reissued'), ('voided', 'Voided')], default='made', max_length=40)),
                ('code_sealed', models.BinaryField(null=True)),
                ('expires_on', models.DateField(help_text='The last day on which it can be cashed.')),
                ('made_at', models.DateTimeField()),
                ('shown_at', models.DateTimeField(help_text='When its holder saw the code, once.', null=True)),
                ('reminded_at', models.DateTimeField(help_text='The newest reminder.', null=True)),
            ],
            options={
                'default_permissions': (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='VoucherTransition',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('subject_id', models.BigIntegerField()),
                ('transition', models.CharField(max_length=60)),
                ('source', models.CharField(max_length=40)),
                ('target', models.CharField(max_length=40)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('run_id', models.BigIntegerField(null=True)),
                ('reason', models.TextField()),
                ('at', models.DateTimeField()),
                ('xact_id', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='witness',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='payout_is_fixed',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payoutbatch',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payoutbatch',
            name='witness',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payoutbatch',
            name='sealed_batch_is_frozen',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refundapplication',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refundapplication',
            name='witness',
        ),
        migrations.RemoveConstraint(
            model_name='payout',
            name='checked_payout_has_payee',
        ),
        migrations.RemoveConstraint(
            model_name='refundapplication',
            name='submitted_application_complete',
        ),
        migrations.AddField(
            model_name='payout',
            name='method',
            field=models.CharField(db_default='bank', default='bank', help_text='How it is paid: an entry of the registry of payout methods.', max_length=16),
        ),
        migrations.AddField(
            model_name='payoutbatch',
            name='method',
            field=models.CharField(db_default='bank', default='bank', help_text='How its payouts are paid: an entry of the registry of payout methods.', max_length=16),
        ),
        migrations.AddField(
            model_name='refundapplication',
            name='address_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='refundapplication',
            name='fallback_consent',
            field=models.BooleanField(default=False, help_text='If this method fails, the next one may be used without asking.'),
        ),
        migrations.AddField(
            model_name='refundapplication',
            name='method',
            field=models.CharField(default='bank', help_text='How the holder is paid: an entry of the registry of payout methods.', max_length=16),
        ),
        migrations.AlterField(
            model_name='payoutbatch',
            name='bank_code',
            field=models.CharField(help_text='The bank that pays for us, or the number of the provider of its method.', max_length=4),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.attempt, a.batch_id, a.entitlement_id, a.holder_id, a.method, a.payee_id, a.remedy_id, extract(epoch FROM a.result_at), a.result_file_id, a.return_reason)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='ef3a806ddd1f46a4349b2e3972e99e021ad877de', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_73a8d', referencing='REFERENCING NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_minor, OLD.attempt, OLD.batch_id, OLD.entitlement_id, OLD.holder_id, OLD.method, OLD.payee_id, OLD.remedy_id, OLD.result_at, OLD.result_file_id, OLD.return_reason) IS DISTINCT FROM (NEW.amount_minor, NEW.attempt, NEW.batch_id, NEW.entitlement_id, NEW.holder_id, NEW.method, NEW.payee_id, NEW.remedy_id, NEW.result_at, NEW.result_file_id, NEW.return_reason))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.attempt, NEW.batch_id, NEW.entitlement_id, NEW.holder_id, NEW.method, NEW.payee_id, NEW.remedy_id, extract(epoch FROM NEW.result_at), NEW.result_file_id, NEW.return_reason)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='ccaf8d1dd787cd256fd2618e9237e79cc3a21c24', operation='UPDATE OF "entitlement_id", "remedy_id", "holder_id", "payee_id", "amount_minor", "attempt", "batch_id", "result_file_id", "result_at", "return_reason", "method"', pgid='pgtrigger_witness_ed699', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='payout_is_fixed', sql=winddown.guards.GuardSql(declare='DECLARE wrong bigint;', func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    WHERE (a.entitlement_id, a.remedy_id, a.holder_id, a.amount_minor, a.attempt,\n                              a.method)\n                          IS DISTINCT FROM (b.entitlement_id, b.remedy_id, b.holder_id,\n                              b.amount_minor, b.attempt, b.method)\n                       OR (b.batch_id IS NOT NULL AND a.batch_id IS NOT NULL\n                           AND (a.payee_id, a.batch_id) IS DISTINCT FROM (b.payee_id, b.batch_id))\n                       OR (b.result_file_id IS NOT NULL\n                           AND (a.result_file_id, a.result_at, a.return_reason)\n                           IS DISTINCT FROM (b.result_file_id, b.result_at, b.return_reason)\n                           AND NOT EXISTS (SELECT FROM refunds_replacedresult r\n                               WHERE r.payout_id = a.id AND r.by_id = a.result_file_id\n                                 AND (r.file_id, r.state, r.return_reason, r.result_at)\n                                   = (b.result_file_id, b.state, b.return_reason, b.result_at)))\n                       OR (a.live AND NOT b.live\n                           AND NOT (b.state = 'returned' AND a.state = 'settled'));\n                    IF wrong IS NULL THEN\n                        SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                        LEFT JOIN refunds_payoutbatch o ON o.id = b.batch_id\n                        LEFT JOIN refunds_payoutbatch n ON n.id = a.batch_id\n                        WHERE a.batch_id IS DISTINCT FROM b.batch_id\n                          AND (n.state <> 'open' OR n.method <> a.method\n                               OR o.state NOT IN ('rejected', 'bank_rejected', 'voided'));\n                    END IF;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051', MESSAGE = format(\n                            'payout %s: what it pays, and what a sealed batch holds, is fixed',\n                            wrong);\n                    END IF;\n                    RETURN NULL;\n                ", hash='ed6333a7a3c44168061f943d06c81f8f62d25f51', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_payout_is_fixed_65617', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutbatch',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approvals_needed, a.bank_code, a.digest, extract(epoch FROM a.exported_at), a.id, a.items, extract(epoch FROM a.leaves_at), a.maker_id, a.method, extract(epoch FROM a.opened_at), a.rejection_id, a.run_id, extract(epoch FROM a.sealed_at), a.sequence, a.sha256, a.state, a.terms_id, a.total_minor, extract(epoch FROM a.transmitted_at), a.transmitted_by_id, a.value_date)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='0f78ac33e5a98244016ef4940fae4b2c3965361b', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_f7591', referencing='REFERENCING NEW TABLE AS after ', table='refunds_payoutbatch', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutbatch',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.approvals_needed, OLD.bank_code, OLD.digest, OLD.exported_at, OLD.id, OLD.items, OLD.leaves_at, OLD.maker_id, OLD.method, OLD.opened_at, OLD.rejection_id, OLD.run_id, OLD.sealed_at, OLD.sequence, OLD.sha256, OLD.state, OLD.terms_id, OLD.total_minor, OLD.transmitted_at, OLD.transmitted_by_id, OLD.value_date) IS DISTINCT FROM (NEW.approvals_needed, NEW.bank_code, NEW.digest, NEW.exported_at, NEW.id, NEW.items, NEW.leaves_at, NEW.maker_id, NEW.method, NEW.opened_at, NEW.rejection_id, NEW.run_id, NEW.sealed_at, NEW.sequence, NEW.sha256, NEW.state, NEW.terms_id, NEW.total_minor, NEW.transmitted_at, NEW.transmitted_by_id, NEW.value_date))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approvals_needed, NEW.bank_code, NEW.digest, extract(epoch FROM NEW.exported_at), NEW.id, NEW.items, extract(epoch FROM NEW.leaves_at), NEW.maker_id, NEW.method, extract(epoch FROM NEW.opened_at), NEW.rejection_id, NEW.run_id, extract(epoch FROM NEW.sealed_at), NEW.sequence, NEW.sha256, NEW.state, NEW.terms_id, NEW.total_minor, extract(epoch FROM NEW.transmitted_at), NEW.transmitted_by_id, NEW.value_date)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='fa4c08de1b03d6c3083e6afa5521187576158a9e', operation='UPDATE', pgid='pgtrigger_witness_eff5b', table='refunds_payoutbatch', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutbatch',
            trigger=pgtrigger.compiler.Trigger(name='sealed_batch_is_frozen', sql=winddown.guards.GuardSql(declare="DECLARE signed integer; subject_name text := 'payout_batch:' || OLD.id; ending text; caps refunds_refundterms; found bigint;", func="\n                    IF OLD.state <> 'open' AND (OLD.bank_code, OLD.method, OLD.sequence, OLD.value_date, OLD.items, OLD.total_minor, OLD.sha256, OLD.digest, OLD.approvals_needed, OLD.maker_id, OLD.run_id, OLD.terms_id, OLD.sealed_at) IS DISTINCT FROM (NEW.bank_code, NEW.method, NEW.sequence, NEW.value_date, NEW.items, NEW.total_minor, NEW.sha256, NEW.digest, NEW.approvals_needed, NEW.maker_id, NEW.run_id, NEW.terms_id, NEW.sealed_at) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051',\n                            MESSAGE = format(\n                                'payout batch %s is sealed: nothing of it can change', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state AND NEW.state = 'approved' THEN\n                        SELECT count(DISTINCT s.staff_number) INTO signed\n                        FROM winddown_signature s\n                        WHERE s.subject = subject_name AND s.part = 'approved'\n                            AND s.digest = NEW.digest\n                          AND s.signer_id <> NEW.maker_id\n                          AND s.staff_number <> (SELECT u.staff_number FROM accounts_user u\n                              WHERE u.id = NEW.maker_id);\n                        IF signed < NEW.approvals_needed THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                                'payout batch %s has %s of %s approvals, its maker not counted',\n                                OLD.id, signed, NEW.approvals_needed);\n                        END IF;\n                    END IF;\n                    IF (OLD.state, NEW.state) IN (('submitted_for_approval', 'approved'),\n                        ('releasing', 'exported'))\n                    THEN\n                        PERFORM pg_advisory_xact_lock(7026, NEW.value_date - DATE '2000-01-01');\n                        SELECT * INTO caps FROM refunds_refundterms ORDER BY id DESC LIMIT 1;\n                        SELECT max(p.amount_minor) INTO found FROM refunds_payout p\n                            WHERE p.batch_id = OLD.id;\n                        IF found > caps.line_max_minor OR NEW.total_minor > caps.batch_max_minor\n                            OR NEW.total_minor + (\n                                SELECT coalesce(sum(b.total_minor), 0) FROM refunds_payoutbatch b\n                                WHERE b.value_date = NEW.value_date AND b.id <> OLD.id\n                                  AND b.state NOT IN ('open', 'sealed', 'submitted_for_approval',\n                                      'rejected', 'bank_rejected', 'voided'))\n                                > caps.day_max_minor\n                        THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD056', MESSAGE = format(\n                                'payout batch %s is above a cap of the refund', OLD.id);\n                        END IF;\n                    END IF;\n                    IF NEW.state = 'exported' AND OLD.state = 'releasing'\n                        AND NEW.leaves_at > winddown_now()\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD004', MESSAGE = format(\n                            'payout batch %s can still be stopped', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state AND NEW.state = 'transmitted' AND (\n                        SELECT count(*) FROM accounts_user u\n                        WHERE u.id = NEW.transmitted_by_id AND u.staff_number <> ''\n                          AND u.staff_number <> (SELECT m.staff_number FROM accounts_user m\n                              WHERE m.id = NEW.maker_id)\n                          AND u.staff_number NOT IN (\n                              SELECT s.staff_number FROM winddown_signature s\n                                  WHERE s.subject = subject_name)\n                    ) = 0 THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD053', MESSAGE = format(\n                            'payout batch %s: who transmits neither made nor approved it', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state THEN\n                        ending := CASE\n                            WHEN NEW.state = 'voided' THEN 'void'\n                            WHEN NEW.state = 'bank_rejected' THEN 'refusal'\n                            WHEN NEW.state = 'closed' AND OLD.state <> 'reconciled' THEN 'waiver'\n                        END;\n                        IF ending IS NOT NULL AND NOT EXISTS (\n                            SELECT FROM winddown_signature s\n                            JOIN winddown_approval a ON a.id = s.approval_id\n                            JOIN accounts_user m ON m.id = a.maker_id\n                            WHERE s.subject LIKE subject_name || ':' || ending || ':%'\n                              AND s.part = 'approved' AND s.staff_number <> m.staff_number)\n                        THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                                'payout batch %s: two people sign its %s', OLD.id, ending);\n                        END IF;\n                        IF NEW.state = 'bank_rejected' AND NEW.rejection_id IS NULL THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                                'payout batch %s: the rejection of the bank is missing', OLD.id);\n                        END IF;\n                    END IF;\n                    RETURN NEW;\n                ", hash='6f99927f427f90513a127635f511a61f3809ea67', operation='UPDATE', pgid='pgtrigger_sealed_batch_is_frozen_57f5c', table='refunds_payoutbatch', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundapplication',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.applicant_id, a.body_digest, a.channel, a.confirmed_minor, extract(epoch FROM a.decided_at), a.decided_by_id, a.entitlement_id, a.fallback_consent, a.late, a.late_reason, a.method, a.op_id, a.payee_id, a.rejection, a.review_reason, extract(epoch FROM a.started_at), extract(epoch FROM a.submitted_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='18e04b30f767cf00d3ccf1b254631728f3ce67d7', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_1f3a2', referencing='REFERENCING NEW TABLE AS after ', table='refunds_refundapplication', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundapplication',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.applicant_id, OLD.body_digest, OLD.channel, OLD.confirmed_minor, OLD.decided_at, OLD.decided_by_id, OLD.entitlement_id, OLD.fallback_consent, OLD.late, OLD.late_reason, OLD.method, OLD.op_id, OLD.payee_id, OLD.rejection, OLD.review_reason, OLD.started_at, OLD.submitted_at) IS DISTINCT FROM (NEW.applicant_id, NEW.body_digest, NEW.channel, NEW.confirmed_minor, NEW.decided_at, NEW.decided_by_id, NEW.entitlement_id, NEW.fallback_consent, NEW.late, NEW.late_reason, NEW.method, NEW.op_id, NEW.payee_id, NEW.rejection, NEW.review_reason, NEW.started_at, NEW.submitted_at))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.applicant_id, NEW.body_digest, NEW.channel, NEW.confirmed_minor, extract(epoch FROM NEW.decided_at), NEW.decided_by_id, NEW.entitlement_id, NEW.fallback_consent, NEW.late, NEW.late_reason, NEW.method, NEW.op_id, NEW.payee_id, NEW.rejection, NEW.review_reason, extract(epoch FROM NEW.started_at), extract(epoch FROM NEW.submitted_at))::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='88eb28a48783185f6cf4054a79412bf013670fea', operation='UPDATE OF "entitlement_id", "applicant_id", "payee_id", "channel", "body_digest", "late", "late_reason", "op_id", "review_reason", "rejection", "started_at", "confirmed_minor", "submitted_at", "decided_at", "decided_by_id", "method", "fallback_consent"', pgid='pgtrigger_witness_c038b', table='refunds_refundapplication', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['ready', 'cancelled']), models.Q(('method', 'bank'), ('payee__isnull', False)), models.Q(('entitlement__isnull', False), ('payee', None), models.Q(('method', 'bank'), _negated=True)), _connector='OR'), name='checked_payout_has_payee'),
        ),
        migrations.AddConstraint(
            model_name='refundapplication',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'withdrawn']), models.Q(('op_id__isnull', False), ('submitted_at__isnull', False), models.Q(('payee__isnull', False), models.Q(('method', 'bank'), _negated=True), _connector='OR')), _connector='OR'), name='submitted_application_complete'),
        ),
        migrations.AddConstraint(
            model_name='methodterms',
            constraint=models.CheckConstraint(condition=models.Q(('amount_max_minor__gte', 1), ('money_days__gte', 0), ('valid_days__gte', 0)), name='method_terms_within_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='methodterms',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_max_minor, a.code, a.costs, a.id, a.money_days, a.place, a.source, a.valid_days)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='8802308f0a7e9c3aa126a6a12968880e1e5d631d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_40cae', referencing='REFERENCING NEW TABLE AS after ', table='refunds_methodterms', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='methodterms',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_max_minor, OLD.code, OLD.costs, OLD.id, OLD.money_days, OLD.place, OLD.source, OLD.valid_days) IS DISTINCT FROM (NEW.amount_max_minor, NEW.code, NEW.costs, NEW.id, NEW.money_days, NEW.place, NEW.source, NEW.valid_days))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_max_minor, NEW.code, NEW.costs, NEW.id, NEW.money_days, NEW.place, NEW.source, NEW.valid_days)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='1ba4e0df53be1654710ead2a2751199f644207b8', operation='UPDATE', pgid='pgtrigger_witness_45403', table='refunds_methodterms', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='methodterms',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='44d9fc1c4e4ee04b8b76a3e50d78c9fc3e46e484', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_c867c', table='refunds_methodterms', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='methodterms',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);", hash='3037f8e7e26d0645972d078b1d8ad0d8f230d06e', operation='UPDATE OF "code"', pgid='pgtrigger_columns_are_fixed_e6969', table='refunds_methodterms', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='voucher',
            name='batch',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='vouchers', to='refunds.payoutbatch'),
        ),
        migrations.AddField(
            model_name='voucher',
            name='payout',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='vouchers', to='refunds.payout'),
        ),
        migrations.AddIndex(
            model_name='vouchertransition',
            index=models.Index(fields=['subject_id'], name='refunds_vou_subject_e1f351_idx'),
        ),
        migrations.AddIndex(
            model_name='vouchertransition',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['xact_id'], name='refunds_vou_xact_id_d5a437_brin'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='vouchertransition',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='b26c2ced8ac2d94a2005f1c2727dc1f56ca67021', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_3556c', table='refunds_vouchertransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='vouchertransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='7ce58c08ce7c7c8132a6f36dbbc21ba21d35a16d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_02ed2', table='refunds_vouchertransition', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='voucher',
            constraint=models.UniqueConstraint(fields=('payout', 'batch'), name='voucher_once_per_list'),
        ),
        migrations.AddConstraint(
            model_name='voucher',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['made', 'issued', 'notified', 'cashed'])), fields=('payout',), name='one_living_voucher_per_payout'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='machine', sql=winddown.guards.GuardSql(declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;", func="\n            WITH logged AS (\n                INSERT INTO refunds_vouchertransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'cash') AND b.state = 'issued' AND a.state = 'cashed' THEN 'cash' WHEN (named IS NULL OR named = 'cash') AND b.state = 'notified' AND a.state = 'cashed' THEN 'cash' WHEN (named IS NULL OR named = 'expire') AND b.state = 'cashed' AND a.state = 'expired' THEN 'expire' WHEN (named IS NULL OR named = 'expire') AND b.state = 'issued' AND a.state = 'expired' THEN 'expire' WHEN (named IS NULL OR named = 'expire') AND b.state = 'notified' AND a.state = 'expired' THEN 'expire' WHEN (named IS NULL OR named = 'issue') AND b.state = 'made' AND a.state = 'issued' THEN 'issue' WHEN (named IS NULL OR named = 'notify') AND b.state = 'issued' AND a.state = 'notified' THEN 'notify' WHEN (named IS NULL OR named = 'reissue') AND b.state = 'expired' AND a.state = 'reissued' THEN 'reissue' WHEN (named IS NULL OR named = 'void') AND b.state = 'issued' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'made' AND a.state = 'voided' THEN 'void'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_vouchertransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ", hash='f5a5890e90c16c519ebbdaf3059be4c74555028c', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_machine_51c23', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_voucher', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='machine_start', sql=winddown.guards.GuardSql(func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('made')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('made') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ", hash='b2af563da91e0d01697e8a893e12f7c0ce45f54a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_machine_start_09684', referencing='REFERENCING NEW TABLE AS after ', table='refunds_voucher', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='machine_row', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='16676b7a17ef3ad2bae73f08abb11e73c9070e3d', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_machine_row_d2260', table='refunds_voucher', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.batch_id, encode(sha256(a.code_sealed), 'hex'), a.expires_on, extract(epoch FROM a.made_at), a.payout_id, extract(epoch FROM a.shown_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='12277ddcb828cf626b3f3dc2d9613d71d230c4f9', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_43a8d', referencing='REFERENCING NEW TABLE AS after ', table='refunds_voucher', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.batch_id, OLD.code_sealed, OLD.expires_on, OLD.made_at, OLD.payout_id, OLD.shown_at) IS DISTINCT FROM (NEW.batch_id, NEW.code_sealed, NEW.expires_on, NEW.made_at, NEW.payout_id, NEW.shown_at))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.batch_id, encode(sha256(NEW.code_sealed), 'hex'), NEW.expires_on, extract(epoch FROM NEW.made_at), NEW.payout_id, extract(epoch FROM NEW.shown_at))::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='a2c9a501bc7101859f3400e81b97e67beada9cdc', operation='UPDATE OF "payout_id", "batch_id", "code_sealed", "expires_on", "made_at", "shown_at"', pgid='pgtrigger_witness_e3978', table='refunds_voucher', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='d2852492f65c68ea44fdb8f144ff6f5d16c0f7de', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_303db', table='refunds_voucher', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.payout_id, OLD.batch_id, OLD.expires_on, OLD.made_at) IS DISTINCT FROM (NEW.payout_id, NEW.batch_id, NEW.expires_on, NEW.made_at) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: payout_id, batch_id, expires_on, made_at cannot change any more', TG_TABLE_NAME, OLD.id);", hash='0a110cf19a1d120a3a6b964e3c17d1c20b0a352f', operation='UPDATE OF "payout_id", "batch_id", "expires_on", "made_at"', pgid='pgtrigger_columns_are_fixed_8f1f0', table='refunds_voucher', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='voucher',
            trigger=pgtrigger.compiler.Trigger(name='code_shown_once', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.shown_at) IS DISTINCT FROM (NEW.shown_at) AND (OLD.shown_at IS NOT NULL))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: shown_at cannot change any more', TG_TABLE_NAME, OLD.id);", hash='835c9d14db224ff9d0a59f1a558652acdb80a622', operation='UPDATE OF "shown_at"', pgid='pgtrigger_code_shown_once_82430', table='refunds_voucher', when='BEFORE')),
        ),
    ]
