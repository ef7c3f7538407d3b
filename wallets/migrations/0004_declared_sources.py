"""The programme declares the funding sources."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wallets', '0003_kept_rows'),
        ('winddown', '0013_declared_sources_and_providers'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='posting',
            name='posting_account_known',
        ),
        migrations.RemoveConstraint(
            model_name='topup',
            name='only_cards_name_a_card',
        ),
        migrations.AlterField(
            model_name='posting',
            name='account',
            field=models.CharField(max_length=24),
        ),
        migrations.AlterField(
            model_name='topup',
            name='source',
            field=models.CharField(max_length=20),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='topup',
            trigger=pgtrigger.compiler.Trigger(name='source_is_declared', sql=winddown.guards.GuardSql(declare='DECLARE wrong text;', func="\n                    SELECT min(a.source) INTO wrong\n                    FROM after a LEFT JOIN winddown_fundingsource f ON f.code = a.source\n                    WHERE f.id IS NULL OR (a.card_id IS NOT NULL AND f.kind NOT IN ('credit_card', 'debit_card'));\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD042', MESSAGE = format(\n                            '%s is no funding source of the programme that fits the top-up', wrong);\n                    END IF;\n                    RETURN NULL;\n                ", hash='991e0bc0efb7659c58ea1c4509bc6258d3dbf0b4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_source_is_declared_d3f1f', referencing='REFERENCING NEW TABLE AS after ', table='wallets_topup', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('account__in', ['wallet_paid', 'wallet_bonus', 'reservations', 'merchants', 'fraud_suspense', 'fraud_loss', 'refunds_payable', 'payouts_in_flight', 'bank', 'unclaimed', 'bonus_expired', 'transferred']), ('account__startswith', 'funding_'), _connector='OR'), name='posting_account_known'),
        ),
    ]
