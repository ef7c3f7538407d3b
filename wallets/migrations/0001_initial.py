"""Wallets, their movements and what was recorded of them."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("winddown", "0002_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Wallet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("wallet_ref", models.CharField(max_length=64, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("charge_frozen", "Charge Frozen"),
                            ("held", "Held"),
                            ("closing", "Closing"),
                            ("closed", "Closed"),
                            ("held_closed", "Held Closed"),
                            ("entitled", "Entitled"),
                            ("held_entitled", "Held Entitled"),
                            ("settled", "Settled"),
                            ("transferred", "Transferred"),
                            ("excluded", "Excluded"),
                        ],
                        default="active",
                        max_length=40,
                    ),
                ),
                ("paid_minor", models.BigIntegerField(default=0)),
                ("bonus_minor", models.BigIntegerField(default=0)),
                ("held_minor", models.BigIntegerField(default=0)),
                ("opened_at", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("paid_minor__gte", 0)), name="paid_value_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bonus_minor__gte", 0)), name="bonus_value_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("held_minor__gte", 0), ("held_minor__lte", models.F("paid_minor"))
                        ),
                        name="held_part_of_paid_value",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO wallets_wallettransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'close') AND b.state = 'closing' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close_held') AND b.state = 'held' AND a.state = 'held_closed' THEN 'close_held' WHEN (named IS NULL OR named = 'entitle') AND b.state = 'closed' AND a.state = 'entitled' THEN 'entitle' WHEN (named IS NULL OR named = 'entitle_held') AND b.state = 'held_closed' AND a.state = 'held_entitled' THEN 'entitle_held' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'entitled' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'freeze_charges') AND b.state = 'active' AND a.state = 'charge_frozen' THEN 'freeze_charges' WHEN (named IS NULL OR named = 'hold') AND b.state = 'active' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'charge_frozen' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'release') AND b.state = 'held' AND a.state = 'active' THEN 'release' WHEN (named IS NULL OR named = 'release_entitled') AND b.state = 'held_entitled' AND a.state = 'entitled' THEN 'release_entitled' WHEN (named IS NULL OR named = 'release_frozen') AND b.state = 'held' AND a.state = 'charge_frozen' THEN 'release_frozen' WHEN (named IS NULL OR named = 'restore_charges') AND b.state = 'charge_frozen' AND a.state = 'active' THEN 'restore_charges' WHEN (named IS NULL OR named = 'settle') AND b.state = 'entitled' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'settle_empty') AND b.state = 'closed' AND a.state = 'settled' THEN 'settle_empty' WHEN (named IS NULL OR named = 'settle_late') AND b.state = 'excluded' AND a.state = 'settled' THEN 'settle_late' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'active' AND a.state = 'closing' THEN 'start_closing' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'charge_frozen' AND a.state = 'closing' THEN 'start_closing' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'entitled' AND a.state = 'transferred' THEN 'transfer'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('wallets_wallettransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="ddaca08127972cfac98bcdbb0c9691726916510a",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_ab5f7",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="wallets_wallet",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('active')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('active') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="4b15f55b48cd1c7bcb3a8e99754c0ceda1cd3881",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_b218d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_wallet",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="32e3b7b4c032e9346cba291b68d0b562dee3551c",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_6c2ea",
                    table="wallets_wallet",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payment_ref", models.CharField(max_length=64, unique=True)),
                ("amount_minor", models.BigIntegerField()),
                ("paid_part_minor", models.BigIntegerField()),
                ("bonus_part_minor", models.BigIntegerField()),
                ("merchant_ref", models.CharField(max_length=64)),
                ("prefecture", models.CharField(blank=True, max_length=20)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("authorised", "Authorised"),
                            ("posted", "Posted"),
                            ("voided", "Voided"),
                            ("reversed", "Reversed"),
                        ],
                        default="posted",
                        max_length=40,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("switch_version", models.IntegerField(null=True)),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="wallets.wallet",
                    ),
                ),
                (
                    "merchant_category",
                    models.CharField(
                        blank=True,
                        help_text="What is sold there, by the codes of ISO 18245; empty where it is not known.",
                        max_length=4,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="payment_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("bonus_part_minor__gte", 0),
                            ("paid_part_minor__gte", 0),
                            (
                                "amount_minor",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("paid_part_minor"), "+", models.F("bonus_part_minor")
                                ),
                            ),
                        ),
                        name="payment_parts_make_the_whole",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO wallets_paymenttransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'post') AND b.state = 'authorised' AND a.state = 'posted' THEN 'post' WHEN (named IS NULL OR named = 'reverse') AND b.state = 'posted' AND a.state = 'reversed' THEN 'reverse' WHEN (named IS NULL OR named = 'void') AND b.state = 'authorised' AND a.state = 'voided' THEN 'void'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('wallets_paymenttransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="09f6decc29f552195e4a880d7dbb1a9775fbd033",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_b0631",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="wallets_payment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('authorised', 'posted')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('authorised', 'posted') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b8bc93057bb7327426dc585670dd9826f8648ad9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_dc55e",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_payment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="a8c5e1f30f8c6782b1cf9f7800ce8c9a6637de35",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_541f1",
                    table="wallets_payment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="FundingCard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("card_ref", models.CharField(max_length=64, unique=True)),
                ("issuer_code", models.CharField(max_length=20)),
                ("brand", models.CharField(max_length=20)),
                (
                    "funding",
                    models.CharField(
                        choices=[("credit", "Credit"), ("debit", "Debit")], max_length=10
                    ),
                ),
                ("card_token", models.CharField(max_length=64)),
                ("bin", models.CharField(max_length=8)),
                ("last4", models.CharField(max_length=4)),
                ("registered_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="funding_cards",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last4__regex", "^[0-9]{4}$")),
                        name="last4_is_four_digits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bin__regex", "^[0-9]{6,8}$")),
                        name="bin_is_six_to_eight_digits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("card_token__regex", "^[0-9]{13,19}$"), _negated=True),
                        name="card_token_is_not_a_card_number",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TopUp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("top_up_ref", models.CharField(max_length=64, unique=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("credit_card", "credit_card"),
                            ("debit_card", "debit_card"),
                            ("atm_cash", "atm_cash"),
                            ("register_cash", "register_cash"),
                            ("points", "points"),
                            ("bonus", "bonus"),
                        ],
                        max_length=20,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("authorised", "Authorised"),
                            ("posted", "Posted"),
                            ("pending_reversal", "Pending Reversal"),
                            ("reversed", "Reversed"),
                        ],
                        default="posted",
                        max_length=40,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("switch_version", models.IntegerField(null=True)),
                ("rrn", models.CharField(blank=True, max_length=12)),
                ("auth_code", models.CharField(blank=True, max_length=6)),
                ("arn", models.CharField(blank=True, max_length=30)),
                (
                    "card",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="top_ups",
                        to="wallets.fundingcard",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="top_ups",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="top_up_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source__in", ["credit_card", "debit_card"]),
                            ("card", None),
                            _connector="OR",
                        ),
                        name="only_cards_name_a_card",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="topup",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO wallets_topuptransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'post') AND b.state = 'authorised' AND a.state = 'posted' THEN 'post' WHEN (named IS NULL OR named = 'reverse') AND b.state = 'pending_reversal' AND a.state = 'reversed' THEN 'reverse' WHEN (named IS NULL OR named = 'reverse') AND b.state = 'posted' AND a.state = 'reversed' THEN 'reverse' WHEN (named IS NULL OR named = 'withhold') AND b.state = 'authorised' AND a.state = 'pending_reversal' THEN 'withhold'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('wallets_topuptransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c21f7ba2d44ae12eac24b8b0235b3612509a406b",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_b6686",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="wallets_topup",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="topup",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('authorised', 'posted')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('authorised', 'posted') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="4f6222f391a45b3d56b7d5eea17ad7b48c5ccdd6",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_56ad4",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_topup",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="topup",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="def28448a0574a7e441a32a3d8a0d4f49bc8c2b9",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_3d3c2",
                    table="wallets_topup",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateTimeField(unique=True)),
                ("wallets", models.BigIntegerField()),
                ("paid_minor", models.BigIntegerField()),
                ("bonus_minor", models.BigIntegerField()),
                ("held_minor", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("run_id", models.BigIntegerField()),
                ("sealed_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="snapshot",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="b0fd9b442dfb803d1f36d6c8f71b0cdae9bb3e2d",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_8f60f",
                    table="wallets_snapshot",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("released", "Released"),
                            ("taken", "Taken"),
                        ],
                        default="active",
                        max_length=40,
                    ),
                ),
                ("reason", models.TextField(help_text="Never shown to the holder.")),
                ("since", models.DateTimeField()),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="wallets.wallet",
                    ),
                ),
                (
                    "held_by",
                    models.ForeignKey(
                        help_text="Nobody, where a rule held it by itself.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="hold_positive"
                    )
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO wallets_holdtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'release') AND b.state = 'active' AND a.state = 'released' THEN 'release' WHEN (named IS NULL OR named = 'take') AND b.state = 'active' AND a.state = 'taken' THEN 'take'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('wallets_holdtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="98c40f5109828d96a0011ace213edd50666f0ce9",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_e45f9",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="wallets_hold",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('active')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('active') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b228524c8b9b32cc51e99b005e0d3688ecce6792",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_765d2",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_hold",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="14781262c8479d42c84749dfb6dda3805db95700",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_35fac",
                    table="wallets_hold",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="HoldTransition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subject_id", models.BigIntegerField()),
                ("transition", models.CharField(max_length=60)),
                ("source", models.CharField(max_length=40)),
                ("target", models.CharField(max_length=40)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("run_id", models.BigIntegerField(null=True)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
                ("xact_id", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subject_id"], name="wallets_hol_subject_340924_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="wallets_hol_xact_id_dd7243_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holdtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="9696446001953b2b6397704a4215050ca179d6d6",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_0862f",
                    table="wallets_holdtransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Journal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=20)),
                ("source_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("occurred_at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                ("actor_id", models.BigIntegerField(null=True)),
                ("run_id", models.BigIntegerField(null=True)),
                (
                    "xact_id",
                    models.BigIntegerField(
                        db_default=django.db.models.expressions.RawSQL(
                            "pg_current_xact_id()::text::bigint", ()
                        )
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="wallets.journal",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["occurred_at"], name="journal_by_time"
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["xact_id"], name="journal_by_xact"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "source_id", "kind"), name="journal_idempotency"
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="journal",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="aa87a651cddb181a02ebdb2bb32c365113a32de5",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_c9dcb",
                    table="wallets_journal",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PaymentTransition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subject_id", models.BigIntegerField()),
                ("transition", models.CharField(max_length=60)),
                ("source", models.CharField(max_length=40)),
                ("target", models.CharField(max_length=40)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("run_id", models.BigIntegerField(null=True)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
                ("xact_id", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subject_id"], name="wallets_pay_subject_76728a_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="wallets_pay_xact_id_3dd315_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymenttransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="563aca86fe86e936a0a1fc298c47b16cc2721962",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_185fa",
                    table="wallets_paymenttransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "account",
                    models.CharField(
                        choices=[
                            ("wallet_paid", "Wallet Paid"),
                            ("wallet_bonus", "Wallet Bonus"),
                            ("funding_credit_card", "Funding Credit Card"),
                            ("funding_debit_card", "Funding Debit Card"),
                            ("funding_atm_cash", "Funding Atm Cash"),
                            ("funding_register_cash", "Funding Register Cash"),
                            ("funding_points", "Funding Points"),
                            ("funding_bonus", "Funding Bonus"),
                            ("reservations", "Reservations"),
                            ("merchants", "Merchants"),
                            ("fraud_suspense", "Fraud Suspense"),
                            ("fraud_loss", "Fraud Loss"),
                            ("refunds_payable", "Refunds Payable"),
                            ("payouts_in_flight", "Payouts In Flight"),
                            ("bank", "Bank"),
                            ("unclaimed", "Unclaimed"),
                            ("bonus_expired", "Bonus Expired"),
                            ("transferred", "Transferred"),
                        ],
                        max_length=24,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "xact_id",
                    models.BigIntegerField(
                        db_default=django.db.models.expressions.RawSQL(
                            "pg_current_xact_id()::text::bigint", ()
                        )
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="wallets.journal",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("wallet__isnull", False)),
                        fields=["wallet"],
                        name="posting_of_wallet",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["xact_id"], name="posting_by_xact"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor", 0), _negated=True),
                        name="posting_not_zero",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "account__in",
                                [
                                    "wallet_paid",
                                    "wallet_bonus",
                                    "funding_credit_card",
                                    "funding_debit_card",
                                    "funding_atm_cash",
                                    "funding_register_cash",
                                    "funding_points",
                                    "funding_bonus",
                                    "reservations",
                                    "merchants",
                                    "fraud_suspense",
                                    "fraud_loss",
                                    "refunds_payable",
                                    "payouts_in_flight",
                                    "bank",
                                    "unclaimed",
                                    "bonus_expired",
                                    "transferred",
                                ],
                            )
                        ),
                        name="posting_account_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("account__in", ("wallet_paid", "wallet_bonus")),
                                ("wallet__isnull", False),
                            ),
                            models.Q(
                                models.Q(
                                    ("account__in", ("wallet_paid", "wallet_bonus")), _negated=True
                                ),
                                ("wallet__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="posting_wallet_where_needed",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="posting",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="22e6057272f947a8f6fd70db417bebae7a25528c",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_f3726",
                    table="wallets_posting",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="posting",
            trigger=pgtrigger.compiler.Trigger(
                name="journals_balance",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint; sums bigint; known bigint; rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n                    WITH sums AS (SELECT journal_id, sum(amount_minor) AS total FROM after GROUP BY journal_id)\n                    SELECT min(s.journal_id) FILTER (WHERE s.total <> 0), count(*), count(j.id)\n                    INTO wrong, sums, known\n                    FROM sums s LEFT JOIN wallets_journal j\n                        ON j.id = s.journal_id AND j.xact_id = pg_current_xact_id()::text::bigint;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD040',\n                            MESSAGE = format('journal %s does not sum to zero', wrong);\n                    END IF;\n                    IF sums <> known THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD041',\n                            MESSAGE = 'postings belong to a journal of the same transaction';\n                    END IF;\n                    SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                        concat_ws(':', journal_id, account, wallet_id, amount_minor), ',' ORDER BY id))\n                    INTO rows, first_id, last_id, digest FROM after;\n                    IF rows > 0 THEN\n                        PERFORM winddown_note_rows('wallets_posting', first_id, last_id, rows, digest);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="37620cda5f96a6021672d79c3406fc252545fb7b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_journals_balance_a28db",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_posting",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SnapshotLine",
            fields=[
                (
                    "wallet",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="wallets.wallet",
                    ),
                ),
                ("run_id", models.BigIntegerField()),
                ("paid_minor", models.BigIntegerField()),
                ("bonus_minor", models.BigIntegerField()),
                ("held_minor", models.BigIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="snapshotline",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="0e85cfa19528e26d266b7e1e8ad9136405eec9a3",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_35aa6",
                    table="wallets_snapshotline",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TopUpTransition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subject_id", models.BigIntegerField()),
                ("transition", models.CharField(max_length=60)),
                ("source", models.CharField(max_length=40)),
                ("target", models.CharField(max_length=40)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("run_id", models.BigIntegerField(null=True)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
                ("xact_id", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subject_id"], name="wallets_top_subject_23ee77_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="wallets_top_xact_id_6ebb48_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="topuptransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="1fdb34beb9d5d0580cd022b4f56e626468a51a02",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_ac58f",
                    table="wallets_topuptransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="WalletTransition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subject_id", models.BigIntegerField()),
                ("transition", models.CharField(max_length=60)),
                ("source", models.CharField(max_length=40)),
                ("target", models.CharField(max_length=40)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("run_id", models.BigIntegerField(null=True)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
                ("xact_id", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subject_id"], name="wallets_wal_subject_f26229_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="wallets_wal_xact_id_8ebeb7_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallettransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="32e5304166265074c29604ef714be7e5db4575cb",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_514cb",
                    table="wallets_wallettransition",
                    when="BEFORE",
                ),
            ),
        ),
        # Half-filled pages keep mass updates of wallets heap-only; there is no index on the state
        # for the same reason.
        migrations.RunSQL(
            "ALTER TABLE wallets_wallet SET (fillfactor = 50);"
            " ALTER TABLE wallets_topup SET (fillfactor = 80)",
            "ALTER TABLE wallets_wallet RESET (fillfactor);"
            " ALTER TABLE wallets_topup RESET (fillfactor)",
        ),
    ]
