"""What a run leaves at accounts: credential fences, notices and their waves."""

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
        ("accounts", "0001_initial"),
        ("winddown", "0002_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CredentialFence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("not_before", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("standing", "Standing"),
                            ("lifted", "Lifted"),
                            ("superseded", "Superseded"),
                        ],
                        default="standing",
                        max_length=40,
                    ),
                ),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credential_fence",
                        to="winddown.run",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "standing")),
                        fields=("state",),
                        name="one_standing_fence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lifted_at__isnull", False), ("state", "lifted")),
                            models.Q(
                                models.Q(("state", "lifted"), _negated=True), ("lifted_at", None)
                            ),
                            _connector="OR",
                        ),
                        name="lifted_fence_has_its_instant",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_credentialfencetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'lift') AND b.state = 'standing' AND a.state = 'lifted' THEN 'lift' WHEN (named IS NULL OR named = 'supersede') AND b.state = 'standing' AND a.state = 'superseded' THEN 'supersede'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_credentialfencetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="a66c050d6b88419a38b7283168588d5432ca1903",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_e26a0",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_credentialfence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('standing')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('standing') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="49ff266eff03f0ebaf376f47ba972c862f1a14aa",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_6ed81",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_credentialfence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="e4d72dd793ab8a2b2a8a3267d45621c6261369b1",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_6410d",
                    table="accounts_credentialfence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="fence_is_kept",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF TG_OP = 'DELETE' OR OLD.state <> 'standing'\n                       OR NEW.not_before <> OLD.not_before OR NEW.run_id <> OLD.run_id THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format(\n                            'credential fence %s is kept as it is: %s refused', OLD.id, TG_OP);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="fafe1a770630054bbcdbad89f8339a7fd51a4a1f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_fence_is_kept_bb936",
                    table="accounts_credentialfence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="lifted_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" = 'lifted' AND OLD.\"state\" = 'standing')",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE s.subject = 'credential_fence:' || NEW.id AND s.part = 'approved'\n                          AND s.signer_id <> a.maker_id\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD034', MESSAGE = format(\n                            'credential fence %s: no second person agreed to lift it', NEW.id);\n                    END IF;\n                    IF EXISTS (\n                        SELECT FROM winddown_batch b\n                        WHERE b.run_id = NEW.run_id AND b.step = 'remove_passwords' AND b.moved > 0\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD035', MESSAGE = format(\n                            'credential fence %s: its run has removed passwords', NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="3a80a20c1ed2f00135d0f6d226f04c67977d3406",
                    operation="UPDATE",
                    pgid="pgtrigger_lifted_by_two_aa831",
                    table="accounts_credentialfence",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="NoticeWave",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.SmallIntegerField()),
                ("size", models.IntegerField()),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.run",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("run", "number"), name="one_wave_per_number")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticewave",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="89e52e41f71ae3ec55ee5674e53aaa35538bdd24",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_cf7e8",
                    table="accounts_noticewave",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ResetNotice",
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
                        choices=[("email", "Email"), ("phone", "Phone")], max_length=10
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("undeliverable", "Undeliverable"),
                            ("unknown", "Unknown"),
                        ],
                        default="queued",
                        max_length=40,
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.run",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "accepted_at",
                    models.DateTimeField(help_text="As the mail server's log says.", null=True),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        help_text="Why it was not taken: a reply code, no address.",
                        max_length=20,
                    ),
                ),
                (
                    "attempted_at",
                    models.DateTimeField(
                        help_text="When it was last begun to be sent by mail.", null=True
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "bounced_at",
                    models.DateTimeField(help_text="As the mail server's log says.", null=True),
                ),
                (
                    "complained_at",
                    models.DateTimeField(help_text="As the mail server's log says.", null=True),
                ),
                (
                    "reported_at",
                    models.DateTimeField(
                        help_text="When a report about it was last loaded here.", null=True
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("attempted_at__isnull", False)),
                        fields=["run", "attempted_at"],
                        name="notice_attempted",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "user"), name="one_reset_notice_per_person"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["email", "phone"])),
                        name="notice_channel_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "sending"), _negated=True),
                            models.Q(("attempted_at__isnull", False), ("attempts__gt", 0)),
                            _connector="OR",
                        ),
                        name="attempt_is_counted_before_it_is_made",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_resetnoticetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'begin') AND b.state = 'queued' AND a.state = 'sending' THEN 'begin' WHEN (named IS NULL OR named = 'bounce') AND b.state = 'sent' AND a.state = 'undeliverable' THEN 'bounce' WHEN (named IS NULL OR named = 'confirm') AND b.state = 'queued' AND a.state = 'sent' THEN 'confirm' WHEN (named IS NULL OR named = 'confirm') AND b.state = 'unknown' AND a.state = 'sent' THEN 'confirm' WHEN (named IS NULL OR named = 'defer') AND b.state = 'sending' AND a.state = 'queued' THEN 'defer' WHEN (named IS NULL OR named = 'give_up') AND b.state = 'sending' AND a.state = 'undeliverable' THEN 'give_up' WHEN (named IS NULL OR named = 'hand_over') AND b.state = 'queued' AND a.state = 'sent' THEN 'hand_over' WHEN (named IS NULL OR named = 'lose') AND b.state = 'sending' AND a.state = 'unknown' THEN 'lose' WHEN (named IS NULL OR named = 'queue_again') AND b.state = 'unknown' AND a.state = 'queued' THEN 'queue_again' WHEN (named IS NULL OR named = 'send') AND b.state = 'sending' AND a.state = 'sent' THEN 'send'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_resetnoticetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="96e14253d630ecd831992b20b5d4c844108dacd3",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_10203",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_resetnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('queued')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('queued') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="8caea514726c6114e60e41caf9a4e9d3db7ea31d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_5aee6",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_resetnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="0ce85a99084c6122b2cf5dcdab01855db820cc14",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_9191a",
                    table="accounts_resetnotice",
                    when="BEFORE",
                ),
            ),
        ),
    ]
