"""The account and the state of what was deposited with the authority."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wallets', '0006_parts_of_an_entitlement'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='wallet',
            name='machine',
        ),
        migrations.RemoveConstraint(
            model_name='posting',
            name='posting_account_known',
        ),
        migrations.AlterField(
            model_name='wallet',
            name='state',
            field=models.CharField(choices=[('active', 'Active'), ('charge_frozen', 'Charge Frozen'), ('held', 'Held'), ('closing', 'Closing'), ('closed', 'Closed'), ('held_closed', 'Held Closed'), ('entitled', 'Entitled'), ('held_entitled', 'Held Entitled'), ('settled', 'Settled'), ('transferred', 'Transferred'), ('excluded', 'Excluded'), ('deposited', 'Deposited')], default='active', max_length=40),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='wallet',
            trigger=pgtrigger.compiler.Trigger(name='machine', sql=winddown.guards.GuardSql(declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;", func="\n            WITH logged AS (\n                INSERT INTO wallets_wallettransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'close') AND b.state = 'closing' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close_held') AND b.state = 'held' AND a.state = 'held_closed' THEN 'close_held' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'entitled' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'excluded' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'entitle') AND b.state = 'closed' AND a.state = 'entitled' THEN 'entitle' WHEN (named IS NULL OR named = 'entitle_held') AND b.state = 'held_closed' AND a.state = 'held_entitled' THEN 'entitle_held' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'entitled' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'freeze_charges') AND b.state = 'active' AND a.state = 'charge_frozen' THEN 'freeze_charges' WHEN (named IS NULL OR named = 'hold') AND b.state = 'active' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'charge_frozen' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'owe_again') AND b.state = 'deposited' AND a.state = 'entitled' THEN 'owe_again' WHEN (named IS NULL OR named = 'owe_again') AND b.state = 'settled' AND a.state = 'entitled' THEN 'owe_again' WHEN (named IS NULL OR named = 'owe_again') AND b.state = 'transferred' AND a.state = 'entitled' THEN 'owe_again' WHEN (named IS NULL OR named = 'release') AND b.state = 'held' AND a.state = 'active' THEN 'release' WHEN (named IS NULL OR named = 'release_entitled') AND b.state = 'held_entitled' AND a.state = 'entitled' THEN 'release_entitled' WHEN (named IS NULL OR named = 'release_frozen') AND b.state = 'held' AND a.state = 'charge_frozen' THEN 'release_frozen' WHEN (named IS NULL OR named = 'restore_charges') AND b.state = 'charge_frozen' AND a.state = 'active' THEN 'restore_charges' WHEN (named IS NULL OR named = 'settle') AND b.state = 'entitled' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'settle_empty') AND b.state = 'closed' AND a.state = 'settled' THEN 'settle_empty' WHEN (named IS NULL OR named = 'settle_empty') AND b.state = 'held_closed' AND a.state = 'settled' THEN 'settle_empty' WHEN (named IS NULL OR named = 'settle_late') AND b.state = 'excluded' AND a.state = 'settled' THEN 'settle_late' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'active' AND a.state = 'closing' THEN 'start_closing' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'charge_frozen' AND a.state = 'closing' THEN 'start_closing' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'entitled' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'excluded' AND a.state = 'transferred' THEN 'transfer'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('wallets_wallettransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ", hash='392f3c6a758759aa0865ea719aa0d1fe866d34d3', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_machine_ab5f7', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='wallets_wallet', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('account__in', ['wallet_paid', 'wallet_bonus', 'reservations', 'merchants', 'fraud_suspense', 'fraud_loss', 'refunds_payable', 'payouts_in_flight', 'bank', 'unclaimed', 'bonus_expired', 'transferred', 'deposited']), ('account__startswith', 'funding_'), _connector='OR'), name='posting_account_known'),
        ),
    ]
