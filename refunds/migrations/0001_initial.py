"""Claims, remedies, applications and payouts."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_initial"),
        ("wallets", "0001_initial"),
        ("winddown", "0002_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AskList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("actions_count", models.IntegerField()),
                ("amount_minor", models.BigIntegerField()),
                ("submitted_at", models.DateTimeField()),
                (
                    "maker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="asklist",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="24174296c87eb683615f5ecf70e7289486f23622",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_f662e",
                    table="refunds_asklist",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="BankDataset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=40, unique=True)),
                ("banks", models.IntegerField()),
                ("branches", models.IntegerField()),
                ("active", models.BooleanField(default=False)),
                ("loaded_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("active", True)),
                        fields=("active",),
                        name="one_active_bank_dataset",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Bank",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=4)),
                ("name", models.CharField(max_length=60)),
                ("kana", models.CharField(max_length=15)),
                (
                    "dataset",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="refunds.bankdataset",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dataset", "code"), name="bank_once_per_dataset"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BankFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("check_asked", "Check Asked"),
                            ("check_answered", "Check Answered"),
                            ("results", "Results"),
                        ],
                        max_length=20,
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("lines", models.IntegerField()),
                ("sum_minor", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="4c480f26963f204ea441b6f54d4de2beba0a0340",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_9245a",
                    table="refunds_bankfile",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Branch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("bank_code", models.CharField(max_length=4)),
                ("code", models.CharField(max_length=3)),
                ("name", models.CharField(max_length=60)),
                ("kana", models.CharField(max_length=15)),
                (
                    "dataset",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="refunds.bankdataset",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dataset", "bank_code", "code"), name="branch_once_per_dataset"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Issuer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=100)),
                (
                    "closes_on_day",
                    models.SmallIntegerField(
                        help_text="Day of the month that ends a bill; 31 is the last day."
                    ),
                ),
                (
                    "pays_on_day",
                    models.SmallIntegerField(
                        help_text="Day of the following month that the cardholder is debited."
                    ),
                ),
                (
                    "stop_before_days",
                    models.SmallIntegerField(
                        help_text="Days before the debit until which it can be stopped."
                    ),
                ),
                (
                    "margin_days",
                    models.SmallIntegerField(
                        default=2, help_text="How much earlier we want to have asked."
                    ),
                ),
                (
                    "answer_days",
                    models.SmallIntegerField(
                        default=5, help_text="Bank business days after which no answer is overdue."
                    ),
                ),
                ("source", models.TextField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closes_on_day__range", (1, 31)), ("pays_on_day__range", (1, 31))
                        ),
                        name="issuer_days_of_a_month",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answer_days__gt", 0),
                            ("margin_days__gte", 0),
                            ("stop_before_days__gte", 0),
                        ),
                        name="issuer_days_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClaimDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[("confirm", "Confirm"), ("reject", "Reject")], max_length=10
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("claims_count", models.IntegerField()),
                ("amount_minor", models.BigIntegerField()),
                ("proposed_at", models.DateTimeField()),
                (
                    "maker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="claimdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="503ad911317dc9441db3a727ea70086a5e3566ff",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_324be",
                    table="refunds_claimdecision",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="FraudClaim",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("candidate", "Candidate"),
                            ("reported", "Reported"),
                            ("triage", "Triage"),
                            ("investigating", "Investigating"),
                            ("awaiting_customer", "Awaiting Customer"),
                            ("proposed_confirm", "Proposed Confirm"),
                            ("proposed_reject", "Proposed Reject"),
                            ("confirmed", "Confirmed"),
                            ("rejected", "Rejected"),
                            ("appealed", "Appealed"),
                            ("remedying", "Remedying"),
                            ("remedied", "Remedied"),
                            ("reopened", "Reopened"),
                            ("closed", "Closed"),
                            ("expired", "Expired"),
                        ],
                        default="candidate",
                        max_length=40,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("rule", "Rule"),
                            ("customer", "Customer"),
                            ("support", "Support"),
                            ("issuer", "Issuer"),
                        ],
                        help_text="How the claim came in.",
                        max_length=10,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("hit_at", models.DateTimeField(null=True)),
                (
                    "compromised_from",
                    models.DateTimeField(
                        help_text="A payee set from here on is the thief's until `secured_at`.",
                        null=True,
                    ),
                ),
                ("secured_at", models.DateTimeField(null=True)),
                (
                    "evidence",
                    models.JSONField(
                        default=list, help_text="What was looked at: kinds and row ids."
                    ),
                ),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("rejected_at", models.DateTimeField(null=True)),
                (
                    "rejection",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("own_transaction", "Own Transaction"),
                            ("no_loss", "No Loss"),
                            ("duplicate", "Duplicate"),
                            ("not_reached", "Not Reached"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "rejection_note",
                    models.TextField(blank=True, help_text="Shown to the customer."),
                ),
                ("appeal_until", models.DateTimeField(null=True)),
                (
                    "analyst",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="refunds.claimdecision",
                    ),
                ),
                (
                    "reopening",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.approval",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ["rejected", "remedied", "closed", "expired"]),
                            _negated=True,
                        ),
                        fields=("wallet",),
                        name="one_open_claim_per_wallet",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["confirmed", "remedying", "remedied"]), _negated=True
                            ),
                            models.Q(
                                ("confirmed_at__isnull", False),
                                models.Q(("evidence", []), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="confirmed_with_evidence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["rejected", "appealed"]), _negated=True),
                            models.Q(
                                ("appeal_until__gt", models.F("rejected_at")),
                                ("rejected_at__isnull", False),
                                models.Q(("rejection", ""), _negated=True),
                                models.Q(("evidence", []), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="rejected_with_reason_and_appeal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("secured_at", None),
                            ("secured_at__gt", models.F("compromised_from")),
                            _connector="OR",
                        ),
                        name="secured_after_compromise",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_fraudclaimtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'appeal') AND b.state = 'rejected' AND a.state = 'appealed' THEN 'appeal' WHEN (named IS NULL OR named = 'ask_customer') AND b.state = 'investigating' AND a.state = 'awaiting_customer' THEN 'ask_customer' WHEN (named IS NULL OR named = 'close') AND b.state = 'remedied' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'confirm') AND b.state = 'proposed_confirm' AND a.state = 'confirmed' THEN 'confirm' WHEN (named IS NULL OR named = 'expire') AND b.state = 'candidate' AND a.state = 'expired' THEN 'expire' WHEN (named IS NULL OR named = 'finish_remedies') AND b.state = 'remedying' AND a.state = 'remedied' THEN 'finish_remedies' WHEN (named IS NULL OR named = 'investigate') AND b.state = 'appealed' AND a.state = 'investigating' THEN 'investigate' WHEN (named IS NULL OR named = 'investigate') AND b.state = 'reopened' AND a.state = 'investigating' THEN 'investigate' WHEN (named IS NULL OR named = 'investigate') AND b.state = 'triage' AND a.state = 'investigating' THEN 'investigate' WHEN (named IS NULL OR named = 'let_rest') AND b.state = 'rejected' AND a.state = 'closed' THEN 'let_rest' WHEN (named IS NULL OR named = 'propose_confirm') AND b.state = 'investigating' AND a.state = 'proposed_confirm' THEN 'propose_confirm' WHEN (named IS NULL OR named = 'propose_reject') AND b.state = 'investigating' AND a.state = 'proposed_reject' THEN 'propose_reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'proposed_reject' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reopen') AND b.state = 'remedied' AND a.state = 'reopened' THEN 'reopen' WHEN (named IS NULL OR named = 'resume') AND b.state = 'awaiting_customer' AND a.state = 'investigating' THEN 'resume' WHEN (named IS NULL OR named = 'send_back') AND b.state = 'proposed_confirm' AND a.state = 'investigating' THEN 'send_back' WHEN (named IS NULL OR named = 'send_back') AND b.state = 'proposed_reject' AND a.state = 'investigating' THEN 'send_back' WHEN (named IS NULL OR named = 'start_remedies') AND b.state = 'confirmed' AND a.state = 'remedying' THEN 'start_remedies' WHEN (named IS NULL OR named = 'take_up') AND b.state = 'candidate' AND a.state = 'triage' THEN 'take_up' WHEN (named IS NULL OR named = 'take_up') AND b.state = 'reported' AND a.state = 'triage' THEN 'take_up'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_fraudclaimtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="9c92e0056cc1848c467896e9f6f2899d34149773",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_b5d57",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_fraudclaim",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('candidate', 'reported')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('candidate', 'reported') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="fa542cecefcb86d884ca27ae543c810c8b6e717c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_f1ceb",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_fraudclaim",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="a591559a525e61884b3d745dfb97ea4e7d5743c7",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_d797b",
                    table="refunds_fraudclaim",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_by_second_person",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE undecided bigint; own bigint;",
                    func="\n                    IF (SELECT count(*) FROM before b JOIN after a ON a.id = b.id\n                        WHERE a.state <> b.state AND a.state IN ('confirmed', 'rejected')) = 0 THEN\n                        RETURN NULL;\n                    END IF;\n                    WITH decided AS (\n                        SELECT a.id, a.state, a.decision_id FROM before b\n                            JOIN after a ON a.id = b.id\n                        WHERE a.state <> b.state AND a.state IN ('confirmed', 'rejected')\n                    ), signed AS (\n                        SELECT d.id AS decision_id, s.staff_number, line.key::bigint AS claim_id,\n                               line.value::bigint AS lost,\n                               CASE d.verdict WHEN 'confirm' THEN 'confirmed'\n                                   ELSE 'rejected' END AS state\n                        FROM refunds_claimdecision d\n                        JOIN winddown_signature s ON s.subject = 'claim_decision:' || d.id\n                            AND s.part = 'approved' AND s.digest = d.digest\n                                AND s.signer_id <> d.maker_id\n                        JOIN winddown_approval p ON p.id = s.approval_id\n                            AND p.summary->>'verdict' = d.verdict\n                        CROSS JOIN LATERAL jsonb_each_text(p.summary->'claims') AS line\n                        WHERE d.id IN (SELECT decision_id FROM decided)\n                    ), lost AS (\n                        SELECT claim_id, sum(amount_minor) AS lost FROM refunds_loss\n                        WHERE claim_id IN (SELECT id FROM decided)\n                            AND dropped_at IS NULL GROUP BY claim_id\n                    ), worked AS (\n                        SELECT t.subject_id AS claim_id, t.actor_id\n                            FROM refunds_fraudclaimtransition t\n                        WHERE t.subject_id IN (SELECT id FROM decided)\n                          AND t.transition NOT IN ('confirm', 'reject', 'send_back', 'reopen')\n                        UNION SELECT l.claim_id, l.added_by_id FROM refunds_loss l\n                        WHERE l.claim_id IN (SELECT id FROM decided)\n                    ), people AS (\n                        SELECT id, staff_number FROM accounts_user\n                        WHERE id IN (SELECT actor_id FROM worked)\n                    )\n                    SELECT min(c.id) FILTER (WHERE s.claim_id IS NULL\n                        OR s.lost <> coalesce(l.lost, 0)\n                               OR (c.state = 'confirmed' AND coalesce(l.lost, 0) = 0)),\n                           min(c.id) FILTER (WHERE EXISTS (\n                               SELECT FROM worked w JOIN people u ON u.id = w.actor_id\n                               WHERE w.claim_id = c.id AND u.staff_number = s.staff_number))\n                    INTO undecided, own\n                    FROM decided c\n                    LEFT JOIN signed s ON s.claim_id = c.id AND s.decision_id = c.decision_id\n                        AND s.state = c.state\n                    LEFT JOIN lost l ON l.claim_id = c.id;\n                    IF undecided IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033', MESSAGE = format(\n                            'claim %s has no decision of a second person for its losses',\n                            undecided);\n                    END IF;\n                    IF own IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD034', MESSAGE = format(\n                            'claim %s was worked on by the person who decides it', own);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="dfb9564b19873c3d8e877262b15c13e654477c01",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_decided_by_second_person_d0348",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_fraudclaim",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="made_whole_before_remedied",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    IF (SELECT count(*) FROM before b JOIN after a ON a.id = b.id\n                        WHERE a.state <> b.state AND a.state = 'remedied') = 0 THEN\n                        RETURN NULL;\n                    END IF;\n                    SELECT min(l.claim_id) INTO wrong FROM refunds_loss l\n                    WHERE l.claim_id IN (\n                            SELECT a.id FROM before b JOIN after a ON a.id = b.id\n                            WHERE a.state <> b.state AND a.state = 'remedied')\n                      AND l.dropped_at IS NULL AND NOT EXISTS (\n                            SELECT FROM refunds_remedy r\n                            WHERE r.loss_id = l.id AND r.state = 'remedied'\n                                AND r.amount_minor = l.amount_minor);\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD036',\n                            MESSAGE = format('claim %s has a loss without its remedy', wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="fae15b40147c81903319df292a50c3cfcc90e1b5",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_made_whole_before_remedied_a0fc1",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_fraudclaim",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="appeal_goes_to_another_analyst",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" = 'investigating' AND OLD.\"state\" = 'appealed')",
                    func="\n                    IF NEW.analyst_id IS NULL\n                       OR NEW.analyst_id IS NOT DISTINCT FROM OLD.analyst_id THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD034',\n                            MESSAGE = format('the appeal of claim %s needs another analyst',\n                                NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="77d51bec2fa2923c3db930ec601f2d944d552495",
                    operation="UPDATE",
                    pgid="pgtrigger_appeal_goes_to_another_analyst_39f23",
                    table="refunds_fraudclaim",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="reopened_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" = 'reopened' AND OLD.\"state\" = 'remedied')",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE a.id = NEW.reopening_id AND s.part = 'approved'\n                          AND s.digest = a.digest AND s.signer_id <> a.maker_id\n                          AND a.subject LIKE 'claim:' || NEW.id || ':reopen:%'\n                    ) OR NEW.reopening_id IS NOT DISTINCT FROM OLD.reopening_id THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('claim %s is reopened by two people', NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="6ad33fa473499bf60e571d21ffde18fec1017b78",
                    operation="UPDATE",
                    pgid="pgtrigger_reopened_by_two_6356b",
                    table="refunds_fraudclaim",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Loss",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "funding",
                    models.CharField(
                        choices=[
                            ("credit", "Credit"),
                            ("debit", "Debit"),
                            ("points", "Points"),
                            ("own_balance", "Own Balance"),
                        ],
                        max_length=12,
                    ),
                ),
                ("hit_at", models.DateTimeField(help_text="When the movement happened.")),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("added_at", models.DateTimeField()),
                ("dropped_at", models.DateTimeField(null=True)),
                ("drop_reason", models.TextField(blank=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="losses",
                        to="refunds.fraudclaim",
                    ),
                ),
                (
                    "issuer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="losses",
                        to="refunds.issuer",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="losses",
                        to="wallets.payment",
                    ),
                ),
                (
                    "top_up",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="losses",
                        to="wallets.topup",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("payment__isnull", True), ("top_up__isnull", False)),
                            models.Q(
                                ("funding", "own_balance"),
                                ("payment__isnull", False),
                                ("top_up__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="loss_is_one_movement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("payment__isnull", False),
                            models.Q(("funding", "own_balance"), _negated=True),
                            _connector="OR",
                        ),
                        name="own_balance_is_lost_by_payment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("issuer__isnull", True),
                            ("funding__in", ["credit", "debit"]),
                            _connector="OR",
                        ),
                        name="only_a_card_loss_has_an_issuer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="loss_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("dropped_at", None), ("confirmed_at", None), _connector="OR"
                        ),
                        name="confirmed_loss_not_dropped",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("dropped_at", None), ("top_up__isnull", False)),
                        fields=("top_up",),
                        name="top_up_lost_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("dropped_at", None), ("payment__isnull", False)),
                        fields=("payment",),
                        name="payment_lost_once",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loss",
            trigger=pgtrigger.compiler.Trigger(
                name="loss_fits_its_movement",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wallet bigint; most bigint; happened timestamptz;",
                    func="\n                    IF NEW.top_up_id IS NOT NULL THEN\n                        SELECT wallet_id, amount_minor, occurred_at INTO wallet, most, happened\n                        FROM wallets_topup WHERE id = NEW.top_up_id;\n                    ELSE\n                        SELECT wallet_id, amount_minor, occurred_at INTO wallet, most, happened\n                        FROM wallets_payment WHERE id = NEW.payment_id;\n                    END IF;\n                    NEW.hit_at := happened;\n                    IF NOT EXISTS (SELECT FROM refunds_fraudclaim c WHERE c.id = NEW.claim_id\n                        AND c.wallet_id = wallet\n                                   AND c.state NOT IN ('proposed_confirm', 'proposed_reject',\n                                       'confirmed', 'remedying',\n                                                       'remedied', 'rejected', 'closed', 'expired'))\n                       OR NEW.amount_minor > most OR NEW.confirmed_at IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD037',\n                            MESSAGE = format('claim %s cannot take this loss', NEW.claim_id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="f5a24f88d5a53f6beb9a23647a3f6473cd9cd595",
                    operation="INSERT",
                    pgid="pgtrigger_loss_fits_its_movement_bc7f3",
                    table="refunds_loss",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loss",
            trigger=pgtrigger.compiler.Trigger(
                name="loss_stays_as_signed",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF TG_OP = 'DELETE' THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD037',\n                            MESSAGE = 'a loss is dropped, never deleted';\n                    END IF;\n                    IF (NEW.claim_id, NEW.amount_minor, NEW.funding, NEW.hit_at)\n                           IS DISTINCT FROM (OLD.claim_id, OLD.amount_minor, OLD.funding,\n                               OLD.hit_at)\n                       OR NEW.top_up_id IS DISTINCT FROM OLD.top_up_id\n                           OR NEW.payment_id IS DISTINCT FROM OLD.payment_id\n                       OR (OLD.confirmed_at IS NOT NULL\n                           AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at)\n                       OR (OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL\n                           AND NOT EXISTS (\n                               SELECT FROM refunds_fraudclaim c\n                               WHERE c.id = NEW.claim_id AND c.state = 'confirmed'))\n                       OR (OLD.dropped_at IS NOT NULL\n                           AND NEW.dropped_at IS DISTINCT FROM OLD.dropped_at)\n                       OR (NEW.dropped_at IS DISTINCT FROM OLD.dropped_at AND EXISTS (\n                               SELECT FROM refunds_fraudclaim c WHERE c.id = NEW.claim_id\n                               AND c.state IN ('proposed_confirm', 'proposed_reject'))) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD037',\n                            MESSAGE = format('loss %s stays as it was signed', NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="2decea73ae3da63750b239807009d626ae558616",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_loss_stays_as_signed_107fb",
                    table="refunds_loss",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Remedy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("stop_debit", "Stop Debit"),
                            ("issuer_refund", "Issuer Refund"),
                            ("debit_reimbursement", "Debit Reimbursement"),
                            ("chargeback_accepted", "Chargeback Accepted"),
                            ("compensation_payout", "Compensation Payout"),
                            ("points_recredit", "Points Recredit"),
                        ],
                        max_length=24,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("asked", "Asked"),
                            ("remedied", "Remedied"),
                            ("failed", "Failed"),
                        ],
                        default="proposed",
                        max_length=40,
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField(null=True)),
                ("remedied_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("too_late", "Too Late"),
                            ("declined", "Declined"),
                            ("superseded", "Superseded"),
                            ("undeliverable", "Undeliverable"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "loss",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remedies",
                        to="refunds.loss",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "remedied")),
                        fields=("loss",),
                        name="one_remedied_per_loss",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "failed"), _negated=True),
                        fields=("loss",),
                        name="one_live_remedy_per_loss",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="remedy_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "remedied"), _negated=True),
                            ("remedied_at__isnull", False),
                            _connector="OR",
                        ),
                        name="remedied_has_its_instant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "failed"), _negated=True),
                            models.Q(("failure", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="failed_remedy_has_its_reason",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="remedy",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_remedytransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'ask') AND b.state = 'proposed' AND a.state = 'asked' THEN 'ask' WHEN (named IS NULL OR named = 'fail') AND b.state = 'asked' AND a.state = 'failed' THEN 'fail' WHEN (named IS NULL OR named = 'fail') AND b.state = 'proposed' AND a.state = 'failed' THEN 'fail' WHEN (named IS NULL OR named = 'remedy') AND b.state = 'asked' AND a.state = 'remedied' THEN 'remedy'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_remedytransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="3b7c1f76721d8dc50ed3fe6944f4f08801339a43",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_de0f4",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_remedy",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="remedy",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('proposed')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('proposed') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="f42e6cd3a9915343b04f16440ce2282fa7bdc010",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_d755f",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_remedy",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="remedy",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="78e839b50f812c856b1d55c4e2a49dfca5a47d85",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_c61a9",
                    table="refunds_remedy",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Chargeback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("chargeback_ref", models.CharField(max_length=40, unique=True)),
                ("scheme", models.CharField(max_length=20)),
                ("scheme_reason", models.CharField(max_length=10)),
                ("arn", models.CharField(blank=True, max_length=30)),
                ("rrn", models.CharField(blank=True, max_length=12)),
                ("amount_minor", models.BigIntegerField()),
                ("refund_arn", models.CharField(blank=True, max_length=30)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("notified", "Notified"),
                            ("received", "Received"),
                            ("accepting", "Accepting"),
                            ("representing", "Representing"),
                            ("accepted", "Accepted"),
                            ("represented", "Represented"),
                            ("prearb", "Prearb"),
                            ("arbitration", "Arbitration"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                            ("lapsed", "Lapsed"),
                            ("closed", "Closed"),
                        ],
                        default="notified",
                        max_length=40,
                    ),
                ),
                ("notified_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                (
                    "top_up",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargebacks",
                        to="wallets.topup",
                    ),
                ),
                (
                    "issuer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargebacks",
                        to="refunds.issuer",
                    ),
                ),
                (
                    "credited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.remedy",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="chargeback_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("arn", ""), ("rrn", ""), _negated=True),
                        name="chargeback_names_its_transaction",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chargeback",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_chargebacktransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'accept') AND b.state = 'accepting' AND a.state = 'accepted' THEN 'accept' WHEN (named IS NULL OR named = 'arbitrate') AND b.state = 'prearb' AND a.state = 'arbitration' THEN 'arbitrate' WHEN (named IS NULL OR named = 'close') AND b.state = 'accepted' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'lapsed' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'lost' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'won' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'contest') AND b.state = 'represented' AND a.state = 'prearb' THEN 'contest' WHEN (named IS NULL OR named = 'lapse') AND b.state = 'accepting' AND a.state = 'lapsed' THEN 'lapse' WHEN (named IS NULL OR named = 'lapse') AND b.state = 'prearb' AND a.state = 'lapsed' THEN 'lapse' WHEN (named IS NULL OR named = 'lapse') AND b.state = 'received' AND a.state = 'lapsed' THEN 'lapse' WHEN (named IS NULL OR named = 'lapse') AND b.state = 'representing' AND a.state = 'lapsed' THEN 'lapse' WHEN (named IS NULL OR named = 'lose') AND b.state = 'arbitration' AND a.state = 'lost' THEN 'lose' WHEN (named IS NULL OR named = 'lose') AND b.state = 'prearb' AND a.state = 'lost' THEN 'lose' WHEN (named IS NULL OR named = 'lose') AND b.state = 'represented' AND a.state = 'lost' THEN 'lose' WHEN (named IS NULL OR named = 'propose_acceptance') AND b.state = 'received' AND a.state = 'accepting' THEN 'propose_acceptance' WHEN (named IS NULL OR named = 'propose_representment') AND b.state = 'received' AND a.state = 'representing' THEN 'propose_representment' WHEN (named IS NULL OR named = 'receive') AND b.state = 'notified' AND a.state = 'received' THEN 'receive' WHEN (named IS NULL OR named = 'represent') AND b.state = 'representing' AND a.state = 'represented' THEN 'represent' WHEN (named IS NULL OR named = 'win') AND b.state = 'arbitration' AND a.state = 'won' THEN 'win' WHEN (named IS NULL OR named = 'win') AND b.state = 'prearb' AND a.state = 'won' THEN 'win' WHEN (named IS NULL OR named = 'win') AND b.state = 'represented' AND a.state = 'won' THEN 'win'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_chargebacktransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="04999c30aec2f5f260c7f798b277f3051ebc1b8e",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_74f94",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_chargeback",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chargeback",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('notified')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('notified') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="17aa9e3e9df3a2e784820d1f29e268df55d1ffef",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_4a994",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_chargeback",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chargeback",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="94573cb137b69ace694d74bb596e28afbf52dbab",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_a284a",
                    table="refunds_chargeback",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chargeback",
            trigger=pgtrigger.compiler.Trigger(
                name="not_accepted_twice",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" IN ('accepting', 'accepted'))",
                    func="\n                    IF EXISTS (\n                        SELECT FROM refunds_remedy r JOIN refunds_loss l ON l.id = r.loss_id\n                        WHERE l.top_up_id = NEW.top_up_id AND r.state = 'remedied'\n                            AND r.kind <> 'chargeback_accepted'\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD038',\n                            MESSAGE = format('chargeback %s: the credit was already processed',\n                                NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="fbd9dfe1e62add67fc72c68bbbf40972f6270cc5",
                    operation="UPDATE",
                    pgid="pgtrigger_not_accepted_twice_9d9f2",
                    table="refunds_chargeback",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ChargebackTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_cha_subject_e2e6cb_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_cha_xact_id_4d8091_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chargebacktransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="33321e18c1dd77ef216c355daec5b242b16c798f",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_d3908",
                    table="refunds_chargebacktransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Entitlement",
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
                            ("computed", "Computed"),
                            ("notified", "Notified"),
                            ("applied", "Applied"),
                            ("approved", "Approved"),
                            ("paying", "Paying"),
                            ("paid", "Paid"),
                            ("returned", "Returned"),
                            ("excluded", "Excluded"),
                            ("late_approved", "Late Approved"),
                            ("held", "Held"),
                            ("transferred", "Transferred"),
                        ],
                        default="computed",
                        max_length=40,
                    ),
                ),
                (
                    "returns",
                    models.SmallIntegerField(default=0, help_text="Transfers that came back."),
                ),
                ("postal_order_offered", models.BooleanField(default=False)),
                (
                    "notice_undeliverable",
                    models.BooleanField(
                        default=False,
                        help_text="The individual notice did not arrive: not excluded (rule 42).",
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="wallets.snapshot",
                    ),
                ),
                (
                    "wallet",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entitlement",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="entitlement_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("returns__gte", 0)), name="returns_not_negative"
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_entitlementtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'apply') AND b.state = 'computed' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'apply') AND b.state = 'notified' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'apply') AND b.state = 'returned' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'approve') AND b.state = 'applied' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'approve_late') AND b.state = 'excluded' AND a.state = 'late_approved' THEN 'approve_late' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'computed' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'notified' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'paying' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'hold') AND b.state = 'applied' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'approved' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'computed' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'notified' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'returned' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'notify') AND b.state = 'computed' AND a.state = 'notified' THEN 'notify' WHEN (named IS NULL OR named = 'pay') AND b.state = 'approved' AND a.state = 'paying' THEN 'pay' WHEN (named IS NULL OR named = 'pay') AND b.state = 'late_approved' AND a.state = 'paying' THEN 'pay' WHEN (named IS NULL OR named = 'release') AND b.state = 'held' AND a.state = 'computed' THEN 'release' WHEN (named IS NULL OR named = 'settle') AND b.state = 'paying' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'applied' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'approved' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'computed' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'held' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'notified' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'returned' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'unapply') AND b.state = 'applied' AND a.state = 'notified' THEN 'unapply' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'approved' AND a.state = 'notified' THEN 'withdraw'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_entitlementtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="0c8f46a9c72b372364d7d7648e402318322b2a5f",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_94761",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_entitlement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('computed', 'held')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('computed', 'held') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="1e58921c4508737d361b78a15a76177e5492c515",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_b36bb",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_entitlement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="358b20de170227aac4da25b9b10125bcf8f6cb03",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_dadd0",
                    table="refunds_entitlement",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="EntitlementTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_ent_subject_def250_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_ent_xact_id_85aff6_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlementtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="7c3afb32601ab1c0dc30d6dcf76d6e61f1e9c5e8",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_b2284",
                    table="refunds_entitlementtransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="FraudClaimTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_fra_subject_992d5a_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_fra_xact_id_d93b65_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaimtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="00cb9f91309a18df66528d3ff47f048bfbc0c33c",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_b2bbe",
                    table="refunds_fraudclaimtransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="IssuerAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reversal", "Reversal"),
                            ("stop_debit", "Stop Debit"),
                            ("refund", "Refund"),
                            ("debit_reimbursement", "Debit Reimbursement"),
                        ],
                        max_length=20,
                    ),
                ),
                ("funding", models.CharField(max_length=12)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("pending_approval", "Pending Approval"),
                            ("approved", "Approved"),
                            ("sent", "Sent"),
                            ("acknowledged", "Acknowledged"),
                            ("overdue", "Overdue"),
                            ("escalated", "Escalated"),
                            ("debit_stopped", "Debit Stopped"),
                            ("refunded", "Refunded"),
                            ("charged_back", "Charged Back"),
                            ("too_late", "Too Late"),
                            ("declined", "Declined"),
                            ("need_info", "Need Info"),
                            ("verified", "Verified"),
                            ("fallback_opened", "Fallback Opened"),
                            ("closed", "Closed"),
                        ],
                        default="draft",
                        max_length=40,
                    ),
                ),
                (
                    "key",
                    models.UUIDField(
                        help_text="The issuer answers under this; made before asking.", unique=True
                    ),
                ),
                ("attempt", models.SmallIntegerField(default=0)),
                ("drafted_at", models.DateTimeField()),
                (
                    "deadline_at",
                    models.DateTimeField(
                        help_text="The issuer's cut-off less our margin; none where no cut-off applies.",
                        null=True,
                    ),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                ("answer_due_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("refund_arn", models.CharField(blank=True, max_length=30)),
                ("statement_on", models.DateField(null=True)),
                (
                    "ask_list",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="refunds.asklist",
                    ),
                ),
                (
                    "issuer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="refunds.issuer",
                    ),
                ),
                (
                    "remedy",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="action",
                        to="refunds.remedy",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["sent", "acknowledged"])),
                        fields=["answer_due_at"],
                        name="issuer_action_awaited",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="issuer_action_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "stop_debit"), _negated=True),
                            models.Q(("deadline_at__isnull", False), ("funding", "credit")),
                            _connector="OR",
                        ),
                        name="stop_debit_for_credit_before_deadline",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "debit_reimbursement"), _negated=True),
                            ("funding", "debit"),
                            _connector="OR",
                        ),
                        name="debit_reimbursement_for_debit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["sent", "acknowledged", "overdue", "escalated"]),
                                _negated=True,
                            ),
                            models.Q(
                                ("answer_due_at__isnull", False),
                                ("attempt__gt", 0),
                                ("sent_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="sent_with_answer_due",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueraction",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_issueractiontransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'acknowledge') AND b.state = 'sent' AND a.state = 'acknowledged' THEN 'acknowledge' WHEN (named IS NULL OR named = 'approve') AND b.state = 'pending_approval' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'charge_back') AND b.state = 'acknowledged' AND a.state = 'charged_back' THEN 'charge_back' WHEN (named IS NULL OR named = 'charge_back') AND b.state = 'escalated' AND a.state = 'charged_back' THEN 'charge_back' WHEN (named IS NULL OR named = 'charge_back') AND b.state = 'overdue' AND a.state = 'charged_back' THEN 'charge_back' WHEN (named IS NULL OR named = 'charge_back') AND b.state = 'sent' AND a.state = 'charged_back' THEN 'charge_back' WHEN (named IS NULL OR named = 'close') AND b.state = 'approved' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'charged_back' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'draft' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'escalated' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'fallback_opened' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'need_info' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'overdue' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'pending_approval' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'verified' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'decline') AND b.state = 'acknowledged' AND a.state = 'declined' THEN 'decline' WHEN (named IS NULL OR named = 'decline') AND b.state = 'escalated' AND a.state = 'declined' THEN 'decline' WHEN (named IS NULL OR named = 'decline') AND b.state = 'overdue' AND a.state = 'declined' THEN 'decline' WHEN (named IS NULL OR named = 'decline') AND b.state = 'sent' AND a.state = 'declined' THEN 'decline' WHEN (named IS NULL OR named = 'escalate') AND b.state = 'overdue' AND a.state = 'escalated' THEN 'escalate' WHEN (named IS NULL OR named = 'fall_overdue') AND b.state = 'acknowledged' AND a.state = 'overdue' THEN 'fall_overdue' WHEN (named IS NULL OR named = 'fall_overdue') AND b.state = 'sent' AND a.state = 'overdue' THEN 'fall_overdue' WHEN (named IS NULL OR named = 'miss') AND b.state = 'acknowledged' AND a.state = 'too_late' THEN 'miss' WHEN (named IS NULL OR named = 'miss') AND b.state = 'escalated' AND a.state = 'too_late' THEN 'miss' WHEN (named IS NULL OR named = 'miss') AND b.state = 'overdue' AND a.state = 'too_late' THEN 'miss' WHEN (named IS NULL OR named = 'miss') AND b.state = 'sent' AND a.state = 'too_late' THEN 'miss' WHEN (named IS NULL OR named = 'need_info') AND b.state = 'acknowledged' AND a.state = 'need_info' THEN 'need_info' WHEN (named IS NULL OR named = 'need_info') AND b.state = 'escalated' AND a.state = 'need_info' THEN 'need_info' WHEN (named IS NULL OR named = 'need_info') AND b.state = 'overdue' AND a.state = 'need_info' THEN 'need_info' WHEN (named IS NULL OR named = 'need_info') AND b.state = 'sent' AND a.state = 'need_info' THEN 'need_info' WHEN (named IS NULL OR named = 'open_fallback') AND b.state = 'declined' AND a.state = 'fallback_opened' THEN 'open_fallback' WHEN (named IS NULL OR named = 'open_fallback') AND b.state = 'too_late' AND a.state = 'fallback_opened' THEN 'open_fallback' WHEN (named IS NULL OR named = 'refund') AND b.state = 'acknowledged' AND a.state = 'refunded' THEN 'refund' WHEN (named IS NULL OR named = 'refund') AND b.state = 'escalated' AND a.state = 'refunded' THEN 'refund' WHEN (named IS NULL OR named = 'refund') AND b.state = 'overdue' AND a.state = 'refunded' THEN 'refund' WHEN (named IS NULL OR named = 'refund') AND b.state = 'sent' AND a.state = 'refunded' THEN 'refund' WHEN (named IS NULL OR named = 'send') AND b.state = 'approved' AND a.state = 'sent' THEN 'send' WHEN (named IS NULL OR named = 'send') AND b.state = 'need_info' AND a.state = 'sent' THEN 'send' WHEN (named IS NULL OR named = 'send') AND b.state = 'overdue' AND a.state = 'sent' THEN 'send' WHEN (named IS NULL OR named = 'send_back') AND b.state = 'pending_approval' AND a.state = 'draft' THEN 'send_back' WHEN (named IS NULL OR named = 'stop_debit') AND b.state = 'acknowledged' AND a.state = 'debit_stopped' THEN 'stop_debit' WHEN (named IS NULL OR named = 'stop_debit') AND b.state = 'escalated' AND a.state = 'debit_stopped' THEN 'stop_debit' WHEN (named IS NULL OR named = 'stop_debit') AND b.state = 'overdue' AND a.state = 'debit_stopped' THEN 'stop_debit' WHEN (named IS NULL OR named = 'stop_debit') AND b.state = 'sent' AND a.state = 'debit_stopped' THEN 'stop_debit' WHEN (named IS NULL OR named = 'submit') AND b.state = 'draft' AND a.state = 'pending_approval' THEN 'submit' WHEN (named IS NULL OR named = 'verify') AND b.state = 'debit_stopped' AND a.state = 'verified' THEN 'verify' WHEN (named IS NULL OR named = 'verify') AND b.state = 'refunded' AND a.state = 'verified' THEN 'verify'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_issueractiontransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="71aa370622b074e51d2d09bb3bfd6ef23c726787",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_f983f",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_issueraction",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueraction",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('draft')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('draft') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="3acd223546b313c249d3e2230acf7cf6367a832b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_79d1c",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_issueraction",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueraction",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="90bf34cf0b22fdd81ced334dbf682ea9e8ee322a",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_4dd47",
                    table="refunds_issueraction",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueraction",
            trigger=pgtrigger.compiler.Trigger(
                name="asked_by_two",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    IF (SELECT count(*) FROM before b JOIN after a ON a.id = b.id\n                        WHERE a.state <> b.state AND a.state = 'approved') = 0 THEN\n                        RETURN NULL;\n                    END IF;\n                    WITH asked AS (\n                        SELECT a.* FROM before b JOIN after a ON a.id = b.id\n                        WHERE a.state <> b.state AND a.state = 'approved'\n                    ), signed AS (\n                        SELECT l.id AS ask_list_id, line.key::bigint AS id, line.value AS terms\n                        FROM refunds_asklist l\n                        JOIN winddown_signature s ON s.subject = 'ask_list:' || l.id\n                            AND s.part = 'approved' AND s.digest = l.digest\n                                AND s.signer_id <> l.maker_id\n                        JOIN winddown_approval p ON p.id = s.approval_id\n                        CROSS JOIN LATERAL jsonb_each(p.summary->'actions') AS line\n                        WHERE l.id IN (SELECT ask_list_id FROM asked)\n                    )\n                    SELECT min(a.id) INTO wrong FROM asked a\n                    LEFT JOIN signed s ON s.id = a.id AND s.ask_list_id = a.ask_list_id\n                    WHERE s.id IS NULL OR s.terms <> to_jsonb(ARRAY[a.kind, a.amount_minor::text]);\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033', MESSAGE = format(\n                            'issuer action %s has no approval of a second person', wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="847eee83433220753625fcfa72ae9398fb2de1ec",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_asked_by_two_67144",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_issueraction",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="IssuerActionTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_iss_subject_0a7986_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_iss_xact_id_87bc35_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueractiontransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="4ec800b534efb82b30e5909302d875a06c30b254",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_4d9da",
                    table="refunds_issueractiontransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="IssuerFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "direction",
                    models.CharField(choices=[("ask", "Ask"), ("answer", "Answer")], max_length=10),
                ),
                ("sequence", models.IntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("content", models.TextField()),
                ("rows", models.IntegerField()),
                ("amount_minor", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("actor_id", models.BigIntegerField(null=True)),
                (
                    "issuer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="refunds.issuer",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("issuer", "direction", "sequence"),
                        name="one_issuer_file_per_sequence",
                    ),
                    models.UniqueConstraint(
                        fields=("direction", "sha256"), name="one_issuer_file_per_content"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issuerfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="0061e348420c46d1854e82033f3a38bfc005019f",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_eaa57",
                    table="refunds_issuerfile",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="IssuerAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.IntegerField()),
                ("attempt", models.SmallIntegerField()),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("accepted_debit_stopped", "Accepted Debit Stopped"),
                            ("accepted_refunded", "Accepted Refunded"),
                            ("already_charged_back", "Already Charged Back"),
                            ("too_late_will_repay", "Too Late Will Repay"),
                            ("too_late_cannot", "Too Late Cannot"),
                            ("cardholder_unknown", "Cardholder Unknown"),
                            ("declined", "Declined"),
                            ("need_info", "Need Info"),
                        ],
                        max_length=30,
                    ),
                ),
                ("answered_at", models.DateTimeField()),
                ("statement_on", models.DateField(null=True)),
                ("refund_arn", models.CharField(blank=True, max_length=30)),
                ("note", models.TextField(blank=True)),
                (
                    "applied",
                    models.BooleanField(
                        help_text="False when the action no longer waited for an answer."
                    ),
                ),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="refunds.issueraction",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="refunds.issuerfile",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("file", "line"), name="one_answer_per_line"),
                    models.UniqueConstraint(
                        fields=("action", "attempt", "code", "answered_at"),
                        name="one_answer_per_attempt",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueranswer",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="10cba14038321be90821c3214b36537b86189415",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_24180",
                    table="refunds_issueranswer",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Payee",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.IntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("entered", "Entered"),
                            ("asked", "Asked"),
                            ("matched", "Matched"),
                            ("refused", "Refused"),
                            ("overridden", "Overridden"),
                        ],
                        default="entered",
                        max_length=40,
                    ),
                ),
                ("bank_code", models.CharField(max_length=4)),
                ("branch_code", models.CharField(max_length=3)),
                (
                    "account_type",
                    models.CharField(
                        choices=[
                            ("1", "Ordinary"),
                            ("2", "Current"),
                            ("4", "Savings"),
                            ("9", "Other"),
                        ],
                        max_length=1,
                    ),
                ),
                ("account_number_sealed", models.BinaryField()),
                ("account_mask", models.CharField(max_length=4)),
                ("fingerprint", models.CharField(max_length=64)),
                ("name_kana", models.CharField(help_text="In bank text.", max_length=30)),
                ("name_truncated", models.BooleanField(default=False)),
                ("entered_at", models.DateTimeField()),
                ("usable_from", models.DateTimeField()),
                ("replaced_at", models.DateTimeField(null=True)),
                (
                    "answer",
                    models.CharField(
                        blank=True, help_text="The bank's last answer.", max_length=24
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "change_notice_owed",
                    models.BooleanField(
                        default=False, help_text="The old channel has still to hear of the change."
                    ),
                ),
                (
                    "shared_cleared_at",
                    models.DateTimeField(
                        help_text="Two people found the sharing of this account in order.",
                        null=True,
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payees",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("replaced_at", None)),
                        fields=["fingerprint", "holder"],
                        name="payee_of_account",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("holder", "version"), name="payee_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at", None)),
                        fields=("holder",),
                        name="one_current_payee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("bank_code__regex", "^[0-9]{4}$"), ("branch_code__regex", "^[0-9]{3}$")
                        ),
                        name="payee_codes_are_digits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account_mask__regex", "^\\*?[0-9]{3}$")),
                        name="payee_mask_is_a_mask",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("usable_from__gte", models.F("entered_at"))),
                        name="payee_usable_after_entry",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payee",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_payeetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'ask') AND b.state = 'entered' AND a.state = 'asked' THEN 'ask' WHEN (named IS NULL OR named = 'match') AND b.state = 'asked' AND a.state = 'matched' THEN 'match' WHEN (named IS NULL OR named = 'override') AND b.state = 'refused' AND a.state = 'overridden' THEN 'override' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'asked' AND a.state = 'refused' THEN 'refuse' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'matched' AND a.state = 'refused' THEN 'refuse' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'overridden' AND a.state = 'refused' THEN 'refuse'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payeetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="42c4f92d5ce490ac337480375c00f6633e8666fe",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_8b6f9",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_payee",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payee",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('entered')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('entered') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="86d1350c6e0a88727304af485815ec213b7fd40b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_d067d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payee",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payee",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="9bedf0e83b453010649ada02bc52215da2b833c0",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_b8bf1",
                    table="refunds_payee",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payee",
            trigger=pgtrigger.compiler.Trigger(
                name="payee_is_frozen",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF (OLD.holder_id, OLD.version, OLD.bank_code, OLD.branch_code, OLD.name_kana,\n                        OLD.account_type, OLD.account_number_sealed, OLD.account_mask,\n                        OLD.fingerprint, OLD.entered_at)\n                       IS DISTINCT FROM\n                       (NEW.holder_id, NEW.version, NEW.bank_code, NEW.branch_code, NEW.name_kana,\n                        NEW.account_type, NEW.account_number_sealed, NEW.account_mask,\n                        NEW.fingerprint, NEW.entered_at)\n                       OR NEW.usable_from < OLD.usable_from\n                       OR (OLD.replaced_at IS NOT NULL\n                           AND NEW.replaced_at IS DISTINCT FROM OLD.replaced_at) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD050',\n                            MESSAGE = format(\n                                'payee %s is frozen: a new account is a new version', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="2d090f3c28cbe779f3b91822e0c78cacbdc95765",
                    operation="UPDATE",
                    pgid="pgtrigger_payee_is_frozen_a7fb8",
                    table="refunds_payee",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PayeeTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_pay_subject_c55841_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_pay_xact_id_2ea324_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payeetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="79f5ec6c38a205bf540a4e1fc6af67e6345fa7bf",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_35094",
                    table="refunds_payeetransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RefundTerms",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("remitter_code", models.CharField(max_length=10)),
                ("remitter_name", models.CharField(max_length=40)),
                ("bank_code", models.CharField(max_length=4)),
                ("bank_name", models.CharField(blank=True, max_length=15)),
                ("branch_code", models.CharField(max_length=3)),
                ("branch_name", models.CharField(blank=True, max_length=15)),
                ("account_type", models.CharField(default="2", max_length=1)),
                ("account_number", models.CharField(max_length=7)),
                ("auto_approve_max_minor", models.BigIntegerField(default=300000)),
                ("two_approvers_above_minor", models.BigIntegerField(default=100000000)),
                ("file_records_max", models.IntegerField(default=999999)),
                ("cooling_off_hours", models.IntegerField(default=24)),
                ("holders_per_account_max", models.IntegerField(default=3)),
                ("returns_before_postal_order", models.IntegerField(default=3)),
                ("source", models.TextField(help_text="Who laid these limits down, and where.")),
                ("adopted_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("auto_approve_max_minor__gte", 0),
                            ("cooling_off_hours__gte", 0),
                            ("file_records_max__range", (1, 999999)),
                            ("holders_per_account_max__gte", 1),
                            ("returns_before_postal_order__gte", 1),
                            ("two_approvers_above_minor__gte", 0),
                        ),
                        name="terms_within_reason",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundterms",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="763a84b2c426e091c25a3e96ee5bdd5f02057966",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_72b5d",
                    table="refunds_refundterms",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PayoutBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "bank_code",
                    models.CharField(help_text="The bank that pays for us.", max_length=4),
                ),
                ("value_date", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("sealed", "Sealed"),
                            ("submitted_for_approval", "Submitted For Approval"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("exported", "Exported"),
                            ("transmitted", "Transmitted"),
                            ("bank_accepted", "Bank Accepted"),
                            ("bank_rejected", "Bank Rejected"),
                            ("executed", "Executed"),
                            ("reconciling", "Reconciling"),
                            ("reconciled", "Reconciled"),
                            ("closed", "Closed"),
                            ("voided", "Voided"),
                        ],
                        default="open",
                        max_length=40,
                    ),
                ),
                ("sequence", models.IntegerField(null=True)),
                ("items", models.IntegerField(null=True)),
                ("total_minor", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(max_length=64, null=True, unique=True)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("approvals_needed", models.SmallIntegerField(default=1)),
                ("opened_at", models.DateTimeField()),
                ("sealed_at", models.DateTimeField(null=True)),
                ("exported_at", models.DateTimeField(null=True)),
                ("transmitted_at", models.DateTimeField(null=True)),
                (
                    "maker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_batches",
                        to="winddown.run",
                    ),
                ),
                (
                    "transmitted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "terms",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.refundterms",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("bank_code", "sequence"), name="batch_number_once_per_bank"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sequence", None), ("sha256", None), ("state", "open")),
                            models.Q(("sequence", None), ("sha256", None), ("state", "voided")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True),
                                models.Q(("digest", ""), _negated=True),
                                ("items__gt", 0),
                                ("sealed_at__isnull", False),
                                ("sequence__gt", 0),
                                ("sha256__isnull", False),
                                ("total_minor__gt", 0),
                            ),
                            _connector="OR",
                        ),
                        name="sealed_batch_complete",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("approvals_needed__in", [1, 2])),
                        name="batch_takes_one_or_two_approvers",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatch",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_payoutbatchtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'accept') AND b.state = 'transmitted' AND a.state = 'bank_accepted' THEN 'accept' WHEN (named IS NULL OR named = 'approve') AND b.state = 'submitted_for_approval' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'begin_reconciliation') AND b.state = 'executed' AND a.state = 'reconciling' THEN 'begin_reconciliation' WHEN (named IS NULL OR named = 'close') AND b.state = 'reconciled' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'execute') AND b.state = 'bank_accepted' AND a.state = 'executed' THEN 'execute' WHEN (named IS NULL OR named = 'export') AND b.state = 'approved' AND a.state = 'exported' THEN 'export' WHEN (named IS NULL OR named = 'reconcile') AND b.state = 'reconciling' AND a.state = 'reconciled' THEN 'reconcile' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'transmitted' AND a.state = 'bank_rejected' THEN 'refuse' WHEN (named IS NULL OR named = 'reject') AND b.state = 'submitted_for_approval' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'seal') AND b.state = 'open' AND a.state = 'sealed' THEN 'seal' WHEN (named IS NULL OR named = 'submit') AND b.state = 'sealed' AND a.state = 'submitted_for_approval' THEN 'submit' WHEN (named IS NULL OR named = 'transmit') AND b.state = 'exported' AND a.state = 'transmitted' THEN 'transmit' WHEN (named IS NULL OR named = 'void') AND b.state = 'approved' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'exported' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'open' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'sealed' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'submitted_for_approval' AND a.state = 'voided' THEN 'void'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payoutbatchtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="65bfd257c25a19e6fb47f717a161a0099548bee2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_8f792",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_payoutbatch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatch",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('open')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('open') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="d7e000824175def928828bd1b206c366817ca240",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_cb5c1",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payoutbatch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatch",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="654a9fdf63da1634ca97e76edddc02f9fdc91150",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_5e218",
                    table="refunds_payoutbatch",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatch",
            trigger=pgtrigger.compiler.Trigger(
                name="sealed_batch_is_frozen",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE signed integer; subject_name text := 'payout_batch:' || OLD.id;",
                    func="\n                    IF OLD.state <> 'open' AND (OLD.bank_code, OLD.sequence, OLD.value_date, OLD.items, OLD.total_minor, OLD.sha256, OLD.digest, OLD.approvals_needed, OLD.maker_id, OLD.run_id, OLD.terms_id, OLD.sealed_at) IS DISTINCT FROM (NEW.bank_code, NEW.sequence, NEW.value_date, NEW.items, NEW.total_minor, NEW.sha256, NEW.digest, NEW.approvals_needed, NEW.maker_id, NEW.run_id, NEW.terms_id, NEW.sealed_at) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051',\n                            MESSAGE = format(\n                                'payout batch %s is sealed: nothing of it can change', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state AND NEW.state = 'approved' THEN\n                        SELECT count(DISTINCT s.staff_number) INTO signed\n                        FROM winddown_signature s\n                        WHERE s.subject = subject_name AND s.part = 'approved'\n                            AND s.digest = NEW.digest\n                          AND s.signer_id <> NEW.maker_id\n                          AND s.staff_number <> (SELECT u.staff_number FROM accounts_user u\n                              WHERE u.id = NEW.maker_id);\n                        IF signed < NEW.approvals_needed THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                                'payout batch %s has %s of %s approvals, its maker not counted',\n                                OLD.id, signed, NEW.approvals_needed);\n                        END IF;\n                    END IF;\n                    IF OLD.state <> NEW.state AND NEW.state = 'transmitted' AND (\n                        SELECT count(*) FROM accounts_user u\n                        WHERE u.id = NEW.transmitted_by_id AND u.staff_number <> ''\n                          AND u.staff_number <> (SELECT m.staff_number FROM accounts_user m\n                              WHERE m.id = NEW.maker_id)\n                          AND u.staff_number NOT IN (\n                              SELECT s.staff_number FROM winddown_signature s\n                                  WHERE s.subject = subject_name)\n                    ) = 0 THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD053', MESSAGE = format(\n                            'payout batch %s: who transmits neither made nor approved it', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="d018e8d1f22d629d665aafdba31b6bd94bb25aea",
                    operation="UPDATE",
                    pgid="pgtrigger_sealed_batch_is_frozen_57f5c",
                    table="refunds_payoutbatch",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("attempt", models.SmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "Ready"),
                            ("checked", "Checked"),
                            ("batched", "Batched"),
                            ("exported", "Exported"),
                            ("executed", "Executed"),
                            ("settled", "Settled"),
                            ("returned", "Returned"),
                            ("uncollectable", "Uncollectable"),
                            ("recalled", "Recalled"),
                        ],
                        default="ready",
                        max_length=40,
                    ),
                ),
                ("live", models.BooleanField(default=True)),
                ("return_reason", models.CharField(blank=True, max_length=24)),
                ("booked_at", models.DateTimeField()),
                ("result_at", models.DateTimeField(null=True)),
                (
                    "entitlement",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="refunds.entitlement",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payee",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="refunds.payee",
                    ),
                ),
                (
                    "result_file",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.bankfile",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="refunds.payoutbatch",
                    ),
                ),
                (
                    "remedy",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="refunds.remedy",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("entitlement__isnull", False), ("remedy", None)),
                            models.Q(("entitlement", None), ("remedy__isnull", False)),
                            _connector="OR",
                        ),
                        name="payout_for_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__range", (1, 9999999999))),
                        name="payout_fits_a_transfer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("attempt__gte", 1)), name="attempts_count_from_one"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("live", True)),
                        fields=("entitlement",),
                        name="one_live_payout_per_claim",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("live", True)),
                        fields=("remedy",),
                        name="one_live_payout_per_remedy",
                    ),
                    models.UniqueConstraint(
                        fields=("entitlement", "attempt"), name="payout_attempt_once"
                    ),
                    models.UniqueConstraint(
                        fields=("remedy", "attempt"), name="remedy_attempt_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("live", True),
                                (
                                    "state__in",
                                    [
                                        "ready",
                                        "checked",
                                        "batched",
                                        "exported",
                                        "executed",
                                        "settled",
                                    ],
                                ),
                            ),
                            models.Q(
                                ("live", False),
                                ("state__in", ["returned", "uncollectable", "recalled"]),
                            ),
                            _connector="OR",
                        ),
                        name="payout_live_until_it_came_back",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("batch", None), ("state__in", ["ready", "checked"])),
                            models.Q(
                                models.Q(("state__in", ["ready", "checked"]), _negated=True),
                                ("batch__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="payout_in_a_batch_from_batched_on",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "ready"), ("payee__isnull", False), _connector="OR"
                        ),
                        name="checked_payout_has_payee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("result_at", None),
                                ("result_file", None),
                                ("return_reason", ""),
                                models.Q(
                                    ("state__in", ["settled", "returned", "uncollectable"]),
                                    _negated=True,
                                ),
                            ),
                            models.Q(
                                ("result_at__isnull", False),
                                ("result_file__isnull", False),
                                ("state__in", ["settled", "returned", "uncollectable"]),
                            ),
                            _connector="OR",
                        ),
                        name="result_comes_from_a_bank_file",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_payouttransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'check_payee') AND b.state = 'ready' AND a.state = 'checked' THEN 'check_payee' WHEN (named IS NULL OR named = 'execute') AND b.state = 'exported' AND a.state = 'executed' THEN 'execute' WHEN (named IS NULL OR named = 'export') AND b.state = 'batched' AND a.state = 'exported' THEN 'export' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'executed' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_up') AND b.state = 'returned' AND a.state = 'uncollectable' THEN 'give_up' WHEN (named IS NULL OR named = 'put_in_batch') AND b.state = 'checked' AND a.state = 'batched' THEN 'put_in_batch' WHEN (named IS NULL OR named = 'recall') AND b.state = 'exported' AND a.state = 'recalled' THEN 'recall' WHEN (named IS NULL OR named = 'settle') AND b.state = 'executed' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'take_out') AND b.state = 'batched' AND a.state = 'ready' THEN 'take_out' WHEN (named IS NULL OR named = 'take_out') AND b.state = 'exported' AND a.state = 'ready' THEN 'take_out'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payouttransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="4ecfd1d5f9f2c04c2a4b02bbc4745e8aadf96aeb",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_70e24",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('ready', 'checked')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('ready', 'checked') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="4b2ca6cd404a3d38239e7aebb935ba7898612fea",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_e9cb6",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="857e37333943025ec0dd7c3fa148b4a3235480f1",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_e620b",
                    table="refunds_payout",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="payout_is_fixed",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    WHERE (a.entitlement_id, a.remedy_id, a.holder_id, a.amount_minor, a.attempt)\n                          IS DISTINCT FROM (b.entitlement_id, b.remedy_id, b.holder_id,\n                              b.amount_minor, b.attempt)\n                       OR (b.batch_id IS NOT NULL AND a.batch_id IS NOT NULL\n                           AND (a.payee_id, a.batch_id) IS DISTINCT FROM (b.payee_id, b.batch_id))\n                       OR (b.result_file_id IS NOT NULL\n                           AND (a.result_file_id, a.result_at, a.return_reason)\n                           IS DISTINCT FROM (b.result_file_id, b.result_at, b.return_reason))\n                       OR (a.live AND NOT b.live);\n                    IF wrong IS NULL THEN\n                        SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                        LEFT JOIN refunds_payoutbatch o ON o.id = b.batch_id\n                        LEFT JOIN refunds_payoutbatch n ON n.id = a.batch_id\n                        WHERE a.batch_id IS DISTINCT FROM b.batch_id\n                          AND (n.state <> 'open'\n                               OR o.state NOT IN ('rejected', 'bank_rejected', 'voided'));\n                    END IF;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051', MESSAGE = format(\n                            'payout %s: what it pays, and what a sealed batch holds, is fixed',\n                            wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="ddf54223e6e5e2c938554c51f3fe1a9e82e796bb",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_payout_is_fixed_65617",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="payout_starts_outside_batches",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF (SELECT count(*) FROM after\n                        WHERE batch_id IS NOT NULL OR result_file_id IS NOT NULL) > 0 THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051',\n                            MESSAGE = 'a new payout is in no batch and has no result';\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="7ea6b54e5441e9859a75331054656c1b0df787e1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_payout_starts_outside_batches_276bb",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PayoutBatchTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_pay_subject_838aef_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_pay_xact_id_503ded_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatchtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="6ed1d3110f042428bbd14aa8a5660cf1a48c2047",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_3fe92",
                    table="refunds_payoutbatchtransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PayoutFilePart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField()),
                ("content_sealed", models.BinaryField()),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="refunds.payoutbatch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "number"), name="file_part_once_per_batch"
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutfilepart",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d5aefe783cbec53a167eaa0209050eb31b9adf64",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_b1082",
                    table="refunds_payoutfilepart",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutfilepart",
            trigger=pgtrigger.compiler.Trigger(
                name="part_of_open_batch",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF (SELECT b.state FROM refunds_payoutbatch b\n                        WHERE b.id = NEW.batch_id) <> 'open' THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051', MESSAGE = format(\n                            'payout batch %s is sealed: nothing of it can change', NEW.batch_id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="bc7d4c96230ff503eaa0715ee03761db6c56257e",
                    operation="INSERT",
                    pgid="pgtrigger_part_of_open_batch_6a310",
                    table="refunds_payoutfilepart",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PayoutTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_pay_subject_dd96a5_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_pay_xact_id_cec96e_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payouttransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="e1b0ff38c5686b91c01b2b0ff0f7dfc308bdc34f",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_cf237",
                    table="refunds_payouttransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ReconciliationBreak",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "line",
                    models.IntegerField(help_text="Counted from 1 among the file's data records."),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("unknown_reference", "Unknown Reference"),
                            ("amount_differs", "Amount Differs"),
                            ("account_differs", "Account Differs"),
                            ("not_at_the_bank", "Not At The Bank"),
                            ("before_value_date", "Before Value Date"),
                            ("contradicts", "Contradicts"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("resolved", "Resolved")],
                        default="open",
                        max_length=40,
                    ),
                ),
                ("reference", models.CharField(max_length=20)),
                ("amount_minor", models.BigIntegerField()),
                ("expected_minor", models.BigIntegerField(null=True)),
                ("answer", models.CharField(max_length=24)),
                ("found_at", models.DateTimeField()),
                ("resolution", models.TextField(blank=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="breaks",
                        to="refunds.bankfile",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="breaks",
                        to="refunds.payout",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("file", "line"), name="one_break_per_line"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "open"),
                            models.Q(("resolution", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="resolved_break_is_explained",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreak",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_reconciliationbreaktransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'resolve') AND b.state = 'open' AND a.state = 'resolved' THEN 'resolve'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_reconciliationbreaktransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="612e64a9d408ab7b27ffac067127a265582d9a55",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_186fb",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_reconciliationbreak",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreak",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('open')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('open') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="026cc7be4b77cc318b3df15f988c5f8153568677",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_6cccf",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_reconciliationbreak",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreak",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="1d0b9d7ed9f9056f412b64367dab75a31d1169ca",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_62052",
                    table="refunds_reconciliationbreak",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ReconciliationBreakTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_rec_subject_3b4647_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_rec_xact_id_368b28_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreaktransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="3d148a83ab0273be47101e122da247fd0cc596a5",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_8d71b",
                    table="refunds_reconciliationbreaktransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RefundApplication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("app", "App"), ("web", "Web")],
                        help_text="How the application came in.",
                        max_length=3,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("submitted", "Submitted"),
                            ("identity_check", "Identity Check"),
                            ("needs_info", "Needs Info"),
                            ("verified", "Verified"),
                            ("amount_confirmed", "Amount Confirmed"),
                            ("approved", "Approved"),
                            ("closed", "Closed"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="draft",
                        max_length=40,
                    ),
                ),
                ("live", models.BooleanField(default=True)),
                ("op_id", models.UUIDField(null=True, unique=True)),
                ("body_digest", models.CharField(blank=True, max_length=64)),
                ("draft_sealed", models.BinaryField(null=True)),
                (
                    "step",
                    models.SmallIntegerField(
                        default=1, help_text="Where the holder is in the form."
                    ),
                ),
                ("late", models.BooleanField(default=False)),
                ("late_reason", models.TextField(blank=True)),
                ("confirmed_minor", models.BigIntegerField(null=True)),
                (
                    "review_reason",
                    models.CharField(
                        blank=True, help_text="Why the rules left it to people.", max_length=40
                    ),
                ),
                (
                    "asked_for",
                    models.CharField(
                        blank=True, help_text="What the holder must give.", max_length=40
                    ),
                ),
                (
                    "rejection",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("not_identified", "Not Identified"),
                            ("not_the_holder", "Not The Holder"),
                            ("already_compensated", "Already Compensated"),
                            ("no_answer", "No Answer"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "applicant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_applications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Nobody when the rules decided.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="refunds.entitlement",
                    ),
                ),
                (
                    "payee",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.payee",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("live", True)),
                        fields=("entitlement",),
                        name="one_live_application",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("live", False), ("state__in", ["closed", "rejected", "withdrawn"])
                            ),
                            models.Q(
                                ("live", True),
                                models.Q(
                                    ("state__in", ["closed", "rejected", "withdrawn"]),
                                    _negated=True,
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="application_live_until_ended",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "withdrawn"]),
                            models.Q(
                                ("op_id__isnull", False),
                                ("payee__isnull", False),
                                ("submitted_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="submitted_application_complete",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("late", False),
                            models.Q(("late_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="late_claim_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "rejected"), _negated=True),
                            models.Q(("rejection", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="rejection_has_a_reason",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplication",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_refundapplicationtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'answer') AND b.state = 'needs_info' AND a.state = 'identity_check' THEN 'answer' WHEN (named IS NULL OR named = 'approve') AND b.state = 'amount_confirmed' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'approve_late') AND b.state = 'amount_confirmed' AND a.state = 'approved' THEN 'approve_late' WHEN (named IS NULL OR named = 'ask') AND b.state = 'identity_check' AND a.state = 'needs_info' THEN 'ask' WHEN (named IS NULL OR named = 'ask_again') AND b.state = 'approved' AND a.state = 'needs_info' THEN 'ask_again' WHEN (named IS NULL OR named = 'check_identity') AND b.state = 'submitted' AND a.state = 'identity_check' THEN 'check_identity' WHEN (named IS NULL OR named = 'close') AND b.state = 'approved' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'confirm_amount') AND b.state = 'verified' AND a.state = 'amount_confirmed' THEN 'confirm_amount' WHEN (named IS NULL OR named = 'reject') AND b.state = 'amount_confirmed' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'identity_check' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'needs_info' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'submitted' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'verified' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'submit') AND b.state = 'draft' AND a.state = 'submitted' THEN 'submit' WHEN (named IS NULL OR named = 'verify') AND b.state = 'identity_check' AND a.state = 'verified' THEN 'verify' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'amount_confirmed' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'approved' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'draft' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'identity_check' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'needs_info' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'submitted' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'verified' AND a.state = 'withdrawn' THEN 'withdraw'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_refundapplicationtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="62c044fa8730f19c4c11e85149ed686147066662",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_fe514",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_refundapplication",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplication",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('draft', 'submitted')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('draft', 'submitted') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="4dbdffab42b9a4527b74380aa9b0ef168630b581",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_eaedf",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_refundapplication",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplication",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="b8dcd30e1e8a178ca4db5a20a9e1919de83eb462",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_5538b",
                    table="refunds_refundapplication",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RefundApplicationTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_ref_subject_9b5cce_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_ref_xact_id_a7ae57_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplicationtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="6af2f6f27787f7acdb962b4126a4b00f47da55ad",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_46268",
                    table="refunds_refundapplicationtransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RemedyTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_rem_subject_095885_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_rem_xact_id_284d1a_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="remedytransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="86004b0dc752a084e06b3c676f9881c3d94461f9",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_8eb12",
                    table="refunds_remedytransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RuleHit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("evidence", models.JSONField(help_text="Ids and counts only, no personal data.")),
                (
                    "hit_at",
                    models.DateTimeField(help_text="When the last row of the evidence happened."),
                ),
                ("found_at", models.DateTimeField()),
                (
                    "claim",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hits",
                        to="refunds.fraudclaim",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hits",
                        to="accounts.detectionrule",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suspicions",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("claim", "rule"), name="one_hit_per_claim_and_rule"
                    ),
                    models.UniqueConstraint(
                        fields=("wallet", "rule", "hit_at"),
                        name="one_suspicion_per_wallet_rule_and_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claim__isnull", True), ("wallet__isnull", False)),
                            models.Q(("claim__isnull", False), ("wallet__isnull", True)),
                            _connector="OR",
                        ),
                        name="hit_of_a_claim_or_a_wallet",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rulehit",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="6b1f7aa9f8b0bfa1950d3f9ef608938166df02f4",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_60577",
                    table="refunds_rulehit",
                    when="BEFORE",
                ),
            ),
        ),
        # Room on the pages of the mass tables, so that their changes of state stay heap-only.
        migrations.RunSQL(
            "ALTER TABLE refunds_entitlement SET (fillfactor = 60);"
            " ALTER TABLE refunds_payout SET (fillfactor = 60);"
            " ALTER TABLE refunds_refundapplication SET (fillfactor = 60)",
            "ALTER TABLE refunds_entitlement RESET (fillfactor);"
            " ALTER TABLE refunds_payout RESET (fillfactor);"
            " ALTER TABLE refunds_refundapplication RESET (fillfactor)",
        ),
    ]
