"""The tables of wallets (docs/decisions/0030)."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models

# Half-filled pages keep mass updates of wallets heap-only; there is no index on the state for the
# same reason.
PAGES = """
ALTER TABLE wallets_wallet SET (fillfactor = 50);
ALTER TABLE wallets_topup SET (fillfactor = 80);
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("wallets", "0001_initial"),
        ("wallets", "0002_witness"),
        ("wallets", "0003_kept_rows"),
        ("wallets", "0004_declared_sources"),
        ("wallets", "0005_result_of_one_inclusion"),
        ("wallets", "0006_parts_of_an_entitlement"),
        ("wallets", "0007_deposited"),
    ]
    dependencies = [
        ("accounts", "0002_squashed_0027"),
        ("winddown", "0001_squashed_0028"),
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
                            ("deposited", "Deposited"),
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
                ("source", models.CharField(max_length=20)),
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
                    )
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("account", models.CharField(max_length=24)),
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
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "account__in",
                                [
                                    "wallet_paid",
                                    "wallet_bonus",
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
                                    "deposited",
                                ],
                            ),
                            ("account__startswith", "funding_"),
                            _connector="OR",
                        ),
                        name="posting_account_known",
                    ),
                ],
            },
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
        migrations.RunSQL(
            PAGES,
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
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_id, extract(epoch FROM a.opened_at), a.wallet_ref)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="b5e73579e3e83a579e59f6d3ed07174f743fa4e4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_0c2a2",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_wallet",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account_id, OLD.opened_at, OLD.wallet_ref) IS DISTINCT FROM (NEW.account_id, NEW.opened_at, NEW.wallet_ref))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_id, extract(epoch FROM NEW.opened_at), NEW.wallet_ref)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="3638c88866cd6be1a1c2271e1cb1e52d81158c0c",
                    operation='UPDATE OF "wallet_ref", "account_id", "opened_at"',
                    pgid="pgtrigger_witness_9757f",
                    table="wallets_wallet",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.wallet_ref, OLD.account_id, OLD.opened_at) IS DISTINCT FROM (NEW.wallet_ref, NEW.account_id, NEW.opened_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: wallet_ref, account_id, opened_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="03daaeacf875d4abfb447bd374671e85a9cce25a",
                    operation='UPDATE OF "wallet_ref", "account_id", "opened_at"',
                    pgid="pgtrigger_columns_are_fixed_6b5f0",
                    table="wallets_wallet",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO wallets_wallettransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'close') AND b.state = 'closing' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close_held') AND b.state = 'held' AND a.state = 'held_closed' THEN 'close_held' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'entitled' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'excluded' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'entitle') AND b.state = 'closed' AND a.state = 'entitled' THEN 'entitle' WHEN (named IS NULL OR named = 'entitle_held') AND b.state = 'held_closed' AND a.state = 'held_entitled' THEN 'entitle_held' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'entitled' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'freeze_charges') AND b.state = 'active' AND a.state = 'charge_frozen' THEN 'freeze_charges' WHEN (named IS NULL OR named = 'hold') AND b.state = 'active' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'charge_frozen' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'owe_again') AND b.state = 'deposited' AND a.state = 'entitled' THEN 'owe_again' WHEN (named IS NULL OR named = 'owe_again') AND b.state = 'settled' AND a.state = 'entitled' THEN 'owe_again' WHEN (named IS NULL OR named = 'owe_again') AND b.state = 'transferred' AND a.state = 'entitled' THEN 'owe_again' WHEN (named IS NULL OR named = 'release') AND b.state = 'held' AND a.state = 'active' THEN 'release' WHEN (named IS NULL OR named = 'release_entitled') AND b.state = 'held_entitled' AND a.state = 'entitled' THEN 'release_entitled' WHEN (named IS NULL OR named = 'release_frozen') AND b.state = 'held' AND a.state = 'charge_frozen' THEN 'release_frozen' WHEN (named IS NULL OR named = 'restore_charges') AND b.state = 'charge_frozen' AND a.state = 'active' THEN 'restore_charges' WHEN (named IS NULL OR named = 'settle') AND b.state = 'entitled' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'settle_empty') AND b.state = 'closed' AND a.state = 'settled' THEN 'settle_empty' WHEN (named IS NULL OR named = 'settle_empty') AND b.state = 'held_closed' AND a.state = 'settled' THEN 'settle_empty' WHEN (named IS NULL OR named = 'settle_late') AND b.state = 'excluded' AND a.state = 'settled' THEN 'settle_late' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'active' AND a.state = 'closing' THEN 'start_closing' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'charge_frozen' AND a.state = 'closing' THEN 'start_closing' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'entitled' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'excluded' AND a.state = 'transferred' THEN 'transfer'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('wallets_wallettransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="392f3c6a758759aa0865ea719aa0d1fe866d34d3",
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
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.payment_ref, OLD.wallet_id, OLD.amount_minor, OLD.paid_part_minor, OLD.bonus_part_minor, OLD.merchant_ref, OLD.prefecture, OLD.merchant_category, OLD.occurred_at, OLD.switch_version) IS DISTINCT FROM (NEW.payment_ref, NEW.wallet_id, NEW.amount_minor, NEW.paid_part_minor, NEW.bonus_part_minor, NEW.merchant_ref, NEW.prefecture, NEW.merchant_category, NEW.occurred_at, NEW.switch_version) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: payment_ref, wallet_id, amount_minor, paid_part_minor, bonus_part_minor, merchant_ref, prefecture, merchant_category, occurred_at, switch_version cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="5203a12940caf4b9c546ef70becf2f2fe88d6b55",
                    operation='UPDATE OF "payment_ref", "wallet_id", "amount_minor", "paid_part_minor", "bonus_part_minor", "merchant_ref", "prefecture", "merchant_category", "occurred_at", "switch_version"',
                    pgid="pgtrigger_columns_are_fixed_f0e0d",
                    table="wallets_payment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.bonus_part_minor, a.merchant_category, a.merchant_ref, extract(epoch FROM a.occurred_at), a.paid_part_minor, a.payment_ref, a.prefecture, a.switch_version, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="d52154bb8e9d0e3ab2d585340e5ba512c1665113",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_5fae7",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_payment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.bonus_part_minor, OLD.merchant_category, OLD.merchant_ref, OLD.occurred_at, OLD.paid_part_minor, OLD.payment_ref, OLD.prefecture, OLD.switch_version, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.bonus_part_minor, NEW.merchant_category, NEW.merchant_ref, NEW.occurred_at, NEW.paid_part_minor, NEW.payment_ref, NEW.prefecture, NEW.switch_version, NEW.wallet_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.bonus_part_minor, NEW.merchant_category, NEW.merchant_ref, extract(epoch FROM NEW.occurred_at), NEW.paid_part_minor, NEW.payment_ref, NEW.prefecture, NEW.switch_version, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="54a735a93ac6222a5f43f3b91c98eab0eafada36",
                    operation='UPDATE OF "payment_ref", "wallet_id", "amount_minor", "paid_part_minor", "bonus_part_minor", "merchant_ref", "prefecture", "merchant_category", "occurred_at", "switch_version"',
                    pgid="pgtrigger_witness_6b865",
                    table="wallets_payment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fundingcard",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_id, a.bin, a.brand, a.card_ref, a.card_token, a.funding, a.id, a.issuer_code, a.last4, extract(epoch FROM a.registered_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="2cebbbbff055e349ae237061c425abe655d4e4af",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_abf20",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_fundingcard",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fundingcard",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account_id, OLD.bin, OLD.brand, OLD.card_ref, OLD.card_token, OLD.funding, OLD.id, OLD.issuer_code, OLD.last4, OLD.registered_at) IS DISTINCT FROM (NEW.account_id, NEW.bin, NEW.brand, NEW.card_ref, NEW.card_token, NEW.funding, NEW.id, NEW.issuer_code, NEW.last4, NEW.registered_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_id, NEW.bin, NEW.brand, NEW.card_ref, NEW.card_token, NEW.funding, NEW.id, NEW.issuer_code, NEW.last4, extract(epoch FROM NEW.registered_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="fe6ecd0a506da9d6f396451d8ddc7ae903d1f4ac",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_31b02",
                    table="wallets_fundingcard",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="topup",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.top_up_ref, OLD.wallet_id, OLD.source, OLD.card_id, OLD.amount_minor, OLD.occurred_at) IS DISTINCT FROM (NEW.top_up_ref, NEW.wallet_id, NEW.source, NEW.card_id, NEW.amount_minor, NEW.occurred_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: top_up_ref, wallet_id, source, card_id, amount_minor, occurred_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="dba7cda8d196f123adda5341b2d91bb7ea3d9ba2",
                    operation='UPDATE OF "top_up_ref", "wallet_id", "source", "card_id", "amount_minor", "occurred_at"',
                    pgid="pgtrigger_columns_are_fixed_cdfb9",
                    table="wallets_topup",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="topup",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.arn, a.auth_code, a.card_id, extract(epoch FROM a.occurred_at), a.rrn, a.source, a.top_up_ref, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="7fa42e0591e6cf990fd68196ef681a1a05018ba0",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_8c538",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_topup",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="topup",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.arn, OLD.auth_code, OLD.card_id, OLD.occurred_at, OLD.rrn, OLD.source, OLD.top_up_ref, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.arn, NEW.auth_code, NEW.card_id, NEW.occurred_at, NEW.rrn, NEW.source, NEW.top_up_ref, NEW.wallet_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.arn, NEW.auth_code, NEW.card_id, extract(epoch FROM NEW.occurred_at), NEW.rrn, NEW.source, NEW.top_up_ref, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="b96f4094fe2cbc6a39a4a68e9657e7655b70672e",
                    operation='UPDATE OF "top_up_ref", "wallet_id", "source", "card_id", "amount_minor", "occurred_at", "rrn", "auth_code", "arn"',
                    pgid="pgtrigger_witness_41e1e",
                    table="wallets_topup",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="topup",
            trigger=pgtrigger.compiler.Trigger(
                name="source_is_declared",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong text;",
                    func="\n                    SELECT min(a.source) INTO wrong\n                    FROM after a LEFT JOIN winddown_fundingsource f ON f.code = a.source\n                    WHERE f.id IS NULL OR (a.card_id IS NOT NULL AND f.kind NOT IN ('credit_card', 'debit_card'));\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD042', MESSAGE = format(\n                            '%s is no funding source of the programme that fits the top-up', wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="991e0bc0efb7659c58ea1c4509bc6258d3dbf0b4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_source_is_declared_d3f1f",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_topup",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="snapshot",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.bonus_minor, a.digest, a.held_minor, a.id, a.paid_minor, a.run_id, extract(epoch FROM a.sealed_at), a.wallets)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="e86eb9a4bf3bdcac713483db411f59463789c04e",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_6aa43",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_snapshot",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="snapshot",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.as_of, OLD.bonus_minor, OLD.digest, OLD.held_minor, OLD.id, OLD.paid_minor, OLD.run_id, OLD.sealed_at, OLD.wallets) IS DISTINCT FROM (NEW.as_of, NEW.bonus_minor, NEW.digest, NEW.held_minor, NEW.id, NEW.paid_minor, NEW.run_id, NEW.sealed_at, NEW.wallets))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.bonus_minor, NEW.digest, NEW.held_minor, NEW.id, NEW.paid_minor, NEW.run_id, extract(epoch FROM NEW.sealed_at), NEW.wallets)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="30ecaf4379f1539ab473ebf69e9564766d13b72c",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_efc50",
                    table="wallets_snapshot",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.held_by_id, a.id, a.reason, extract(epoch FROM a.since), a.state, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="f5568ea97824585872e0e1e80e38d3b93f6815ea",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_cdd60",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="wallets_hold",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.held_by_id, OLD.id, OLD.reason, OLD.since, OLD.state, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.held_by_id, NEW.id, NEW.reason, NEW.since, NEW.state, NEW.wallet_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.held_by_id, NEW.id, NEW.reason, extract(epoch FROM NEW.since), NEW.state, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="0315cc6a2ec2ec70523d797d4f13db66e0abd4cb",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_5c831",
                    table="wallets_hold",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.wallet_id, OLD.amount_minor) IS DISTINCT FROM (NEW.wallet_id, NEW.amount_minor) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: wallet_id, amount_minor cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="5c6c89f3be77f160f8b38c8d059c3d864724a90a",
                    operation='UPDATE OF "wallet_id", "amount_minor"',
                    pgid="pgtrigger_columns_are_fixed_3b025",
                    table="wallets_hold",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="holdtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="dc3e3d0251564ca54ba59c1ec3503eee08209574",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_81e36",
                    table="wallets_holdtransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="paymenttransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="5a8913ebe327a8d352bb86da68d1dfdd7fec82dc",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_22b70",
                    table="wallets_paymenttransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="topuptransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="f1911533b830d5348226a569925bb475854092a2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_b48f7",
                    table="wallets_topuptransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="wallettransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="1184452e171b1111a6516c0e9d7cac707f182b95",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_200cd",
                    table="wallets_wallettransition",
                    when="BEFORE",
                ),
            ),
        ),
    ]
