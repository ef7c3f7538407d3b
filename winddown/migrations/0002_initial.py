"""Programme, runs, evidence and approvals, and the clock at real time."""

import datetime
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
        ("winddown", "0001_functions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workflow", models.CharField(max_length=60)),
                ("params", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("awaiting_approval", "Awaiting Approval"),
                            ("approved", "Approved"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("succeeded", "Succeeded"),
                            ("partially_failed", "Partially Failed"),
                            ("aborted", "Aborted"),
                        ],
                        default="requested",
                        max_length=40,
                    ),
                ),
                ("reason", models.TextField()),
                ("requested_at", models.DateTimeField()),
                (
                    "as_of",
                    models.DateTimeField(
                        help_text="The instant the run's decisions are made for; kept to the end.",
                        null=True,
                    ),
                ),
                ("plan_digest", models.CharField(blank=True, max_length=64)),
                ("step", models.CharField(blank=True, max_length=40)),
                ("rate_rows_s_max", models.IntegerField(null=True)),
                ("paced_until", models.DateTimeField(null=True)),
                ("failure_share_max", models.FloatField(default=0.05)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
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
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["requested", "awaiting_approval", "approved", "running", "paused"],
                            )
                        ),
                        fields=("workflow",),
                        name="one_active_run_per_workflow",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rate_rows_s_max", None), ("rate_rows_s_max__gt", 0), _connector="OR"
                        ),
                        name="rate_is_positive",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="run",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO winddown_runtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'abort') AND b.state = 'approved' AND a.state = 'aborted' THEN 'abort' WHEN (named IS NULL OR named = 'abort') AND b.state = 'awaiting_approval' AND a.state = 'aborted' THEN 'abort' WHEN (named IS NULL OR named = 'abort') AND b.state = 'paused' AND a.state = 'aborted' THEN 'abort' WHEN (named IS NULL OR named = 'abort') AND b.state = 'requested' AND a.state = 'aborted' THEN 'abort' WHEN (named IS NULL OR named = 'approve') AND b.state = 'awaiting_approval' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'end_with_failures') AND b.state = 'running' AND a.state = 'partially_failed' THEN 'end_with_failures' WHEN (named IS NULL OR named = 'pause') AND b.state = 'running' AND a.state = 'paused' THEN 'pause' WHEN (named IS NULL OR named = 'reject') AND b.state = 'awaiting_approval' AND a.state = 'aborted' THEN 'reject' WHEN (named IS NULL OR named = 'resume') AND b.state = 'paused' AND a.state = 'running' THEN 'resume' WHEN (named IS NULL OR named = 'retry') AND b.state = 'partially_failed' AND a.state = 'running' THEN 'retry' WHEN (named IS NULL OR named = 'start') AND b.state = 'approved' AND a.state = 'running' THEN 'start' WHEN (named IS NULL OR named = 'submit') AND b.state = 'requested' AND a.state = 'awaiting_approval' THEN 'submit' WHEN (named IS NULL OR named = 'succeed') AND b.state = 'running' AND a.state = 'succeeded' THEN 'succeed'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('winddown_runtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="be2f70cf984d16796be138bd770f21ea7aaa701e",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_ae940",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="winddown_run",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="run",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('requested')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('requested') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="128e45bf759985920c615a7370eb7e5427b1e850",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_fb33b",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_run",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="run",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="b9d73f7e0c9a4805e2fb6d79434421839ea3a014",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_92957",
                    table="winddown_run",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="run",
            trigger=pgtrigger.compiler.Trigger(
                name="approved_by_signature",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" = 'approved' AND OLD.\"state\" = 'awaiting_approval')",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE s.subject = 'run:' || NEW.id AND s.part = 'approved' AND s.digest = NEW.plan_digest\n                          AND s.signer_id <> NEW.maker_id AND a.expires_at > winddown_now()\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('run %s has no approval of a second person for its plan', NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="c2c28e462cc44b0cf55cfa165bd7ec9bd0fd2b88",
                    operation="UPDATE",
                    pgid="pgtrigger_approved_by_signature_6dd1a",
                    table="winddown_run",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=120)),
                ("stage", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
                ("summary", models.JSONField()),
                (
                    "permission",
                    models.CharField(
                        help_text="What the person who decides must hold.", max_length=80
                    ),
                ),
                ("reason", models.TextField()),
                ("requested_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["subject", "stage"], name="approval_of_subject")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d621dd892ab529a7ef4864c574a2ddb7c27efc1d",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_c3472",
                    table="winddown_approval",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("action", models.CharField(max_length=80)),
                ("subject", models.CharField(max_length=120)),
                ("reason", models.TextField()),
                ("run_id", models.BigIntegerField(null=True)),
                ("facts", models.JSONField()),
                ("rows", models.TextField()),
                ("xact_id", models.BigIntegerField(db_index=True)),
                ("previous", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
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
                "indexes": [
                    models.Index(fields=["subject"], name="audit_by_subject"),
                    django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="audit_by_time"),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditentry",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d93baf17e3ce2f0058d192dd6ac21dbc2e3a1fa9",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_c51de",
                    table="winddown_auditentry",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="AuditHorizon",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("xact_id", models.BigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="audit_horizon_is_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="winddown.auditentry",
                    ),
                ),
                ("from_xact_id", models.BigIntegerField()),
                ("to_xact_id", models.BigIntegerField(db_index=True)),
                ("tables", models.JSONField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditseal",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="033e2a4d48fb7ed5ea1c2d5b023b48eab7442b9c",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_07ff6",
                    table="winddown_auditseal",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step", models.CharField(max_length=40)),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("rows_expected", models.IntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("leased", "Leased"),
                            ("done", "Done"),
                            ("split", "Split"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("token", models.IntegerField(default=0)),
                ("attempts", models.IntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("worker", models.CharField(blank=True, max_length=80)),
                ("moved", models.IntegerField(default=0)),
                ("failed", models.IntegerField(default=0)),
                ("amount_minor", models.BigIntegerField(default=0)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="winddown.run",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "leased"])),
                        fields=["run", "step", "id"],
                        name="batch_to_do",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "split"), _negated=True),
                        fields=("run", "step", "first_id"),
                        name="one_batch_per_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first_id__lte", models.F("last_id"))),
                        name="batch_range_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Capability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=60, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("enabled", "Enabled"),
                            ("disabled", "Disabled"),
                            ("restoring", "Restoring"),
                        ],
                        default="enabled",
                        max_length=40,
                    ),
                ),
                ("version", models.IntegerField(default=1)),
                ("since", models.DateTimeField()),
                ("reason", models.TextField(blank=True)),
                (
                    "ratify_by",
                    models.DateTimeField(
                        help_text="When an unratified stop becomes an alarm.", null=True
                    ),
                ),
                (
                    "review_at",
                    models.DateTimeField(
                        help_text="When the stop must be reviewed; it is never lifted by itself.",
                        null=True,
                    ),
                ),
                (
                    "ratified_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "stopped_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ratified_by", None),
                            models.Q(("ratified_by", models.F("stopped_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="stop_ratified_by_a_second",
                    )
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO winddown_capabilitytransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'keep_stopped') AND b.state = 'restoring' AND a.state = 'disabled' THEN 'keep_stopped' WHEN (named IS NULL OR named = 'request_restore') AND b.state = 'disabled' AND a.state = 'restoring' THEN 'request_restore' WHEN (named IS NULL OR named = 'restore') AND b.state = 'restoring' AND a.state = 'enabled' THEN 'restore' WHEN (named IS NULL OR named = 'stop') AND b.state = 'enabled' AND a.state = 'disabled' THEN 'stop'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('winddown_capabilitytransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="2525d0aca6b8d7f6e6e8f5701fb4ba80d400e360",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_f5a90",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="winddown_capability",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('enabled')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('enabled') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="8b1bdeea39a4bc9a63e8145b0be732d95466de33",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_2222a",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_capability",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="6d4394fe1fa185890172acf84a2c7dbb6e41bd58",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_88cb7",
                    table="winddown_capability",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="CapabilityTransition",
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
                    models.Index(fields=["subject_id"], name="winddown_ca_subject_9191bd_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="winddown_ca_xact_id_bff8c1_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capabilitytransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="c9204f259f6cd5941dc395956c16104bc3974494",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_110c0",
                    table="winddown_capabilitytransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Clock",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("rehearsal", models.BooleanField(default=False)),
                ("shift", models.DurationField(default=datetime.timedelta(0))),
                ("frozen_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "winddown_clock",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="clock_is_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rehearsal", True),
                            models.Q(("frozen_at", None), ("shift", datetime.timedelta(0))),
                            _connector="OR",
                        ),
                        name="clock_moves_only_in_a_rehearsal",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clock",
            trigger=pgtrigger.compiler.Trigger(
                name="rehearsal_from_the_start",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF TG_OP = 'UPDATE' AND OLD.rehearsal AND NOT NEW.rehearsal THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD021',\n                            MESSAGE = 'a rehearsal never becomes a real programme';\n                    END IF;\n                    IF NEW.rehearsal AND (TG_OP = 'INSERT' OR NOT OLD.rehearsal)\n                        AND EXISTS (SELECT FROM winddown_programme)\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD021',\n                            MESSAGE = 'a database that holds a programme cannot be made a rehearsal';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="fd9a477b45324b77a4e3a12383df99c7709b073b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_rehearsal_from_the_start_bafd8",
                    table="winddown_clock",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Failure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step", models.CharField(max_length=40)),
                ("subject_id", models.BigIntegerField()),
                ("reason_code", models.CharField(max_length=60)),
                ("detail", models.TextField(help_text="Never a name, an account or a token.")),
                ("at", models.DateTimeField()),
                ("retried_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="failures",
                        to="winddown.run",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("retried_at", None)),
                        fields=("run", "step", "subject_id"),
                        name="one_open_failure_per_row",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LoadedFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("sha256", models.CharField(max_length=64)),
                ("file_name", models.TextField()),
                ("encoding", models.CharField(max_length=20)),
                ("rows", models.BigIntegerField()),
                ("inserted", models.BigIntegerField()),
                ("sum_minor", models.BigIntegerField(null=True)),
                (
                    "loaded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "loaded_by",
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
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "sha256"), name="file_loaded_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("inserted__gte", 0), ("rows__gte", models.F("inserted"))
                        ),
                        name="file_inserted_of_rows",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loadedfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="a28af0bc50dbf6b5def35e86110b2b2771f729d5",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_afd67",
                    table="winddown_loadedfile",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Milestone",
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
                            ("card_top_up_ends", "Card Top Up Ends"),
                            ("spend_ends", "Spend Ends"),
                            ("refund_opens", "Refund Opens"),
                            ("refund_window_ends", "Refund Window Ends"),
                        ],
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("ends_capability", models.CharField(blank=True, max_length=60)),
                (
                    "workflow",
                    models.CharField(
                        blank=True,
                        help_text="The workflow whose approved run this starts.",
                        max_length=60,
                    ),
                ),
                ("fired_at", models.DateTimeField(null=True)),
                ("late_by", models.DurationField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("fired_at", None), ("fired_at__gte", models.F("at")), _connector="OR"
                        ),
                        name="milestone_not_fired_early",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("planned_at", models.DateTimeField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="winddown.run",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="482f37e233888f235dccd447f386b8c3b40b6545",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_49f61",
                    table="winddown_plan",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Probe",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.IntegerField()),
                ("at", models.DateTimeField()),
                ("refused", models.BooleanField()),
                ("answer", models.TextField()),
                (
                    "capability",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="winddown.capability"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Programme",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("currency", models.CharField(default="JPY", max_length=3)),
                ("time_zone", models.CharField(default="Asia/Tokyo", max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("operating", "Operating"),
                            ("incident", "Incident"),
                            ("restricted", "Restricted"),
                            ("announced", "Announced"),
                            ("closing", "Closing"),
                            ("closed", "Closed"),
                            ("balance_fixed", "Balance Fixed"),
                            ("refunding", "Refunding"),
                            ("refund_closed", "Refund Closed"),
                            ("settling", "Settling"),
                            ("completed", "Completed"),
                            ("reported", "Reported"),
                        ],
                        default="operating",
                        max_length=40,
                    ),
                ),
                ("launched_at", models.DateTimeField()),
                (
                    "aware_at",
                    models.DateTimeField(
                        help_text="When the operator became aware of the incident.", null=True
                    ),
                ),
                ("announced_at", models.DateTimeField(null=True)),
                (
                    "safeguarded_minor",
                    models.BigIntegerField(
                        default=0, help_text="Funds set aside for holders, as last reported."
                    ),
                ),
                (
                    "contact_phone",
                    models.CharField(
                        blank=True,
                        help_text="Where customers call; stands on public pages.",
                        max_length=20,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="programme_is_one_row"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("safeguarded_minor__gte", 0)),
                        name="safeguarded_not_negative",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO winddown_programmetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'announce') AND b.state = 'operating' AND a.state = 'announced' THEN 'announce' WHEN (named IS NULL OR named = 'announce') AND b.state = 'restricted' AND a.state = 'announced' THEN 'announce' WHEN (named IS NULL OR named = 'close') AND b.state = 'closing' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close_window') AND b.state = 'refunding' AND a.state = 'refund_closed' THEN 'close_window' WHEN (named IS NULL OR named = 'complete') AND b.state = 'settling' AND a.state = 'completed' THEN 'complete' WHEN (named IS NULL OR named = 'declare_incident') AND b.state = 'operating' AND a.state = 'incident' THEN 'declare_incident' WHEN (named IS NULL OR named = 'fix_balance') AND b.state = 'closed' AND a.state = 'balance_fixed' THEN 'fix_balance' WHEN (named IS NULL OR named = 'open_refunds') AND b.state = 'balance_fixed' AND a.state = 'refunding' THEN 'open_refunds' WHEN (named IS NULL OR named = 'report') AND b.state = 'completed' AND a.state = 'reported' THEN 'report' WHEN (named IS NULL OR named = 'restore') AND b.state = 'restricted' AND a.state = 'operating' THEN 'restore' WHEN (named IS NULL OR named = 'restrict') AND b.state = 'incident' AND a.state = 'restricted' THEN 'restrict' WHEN (named IS NULL OR named = 'settle') AND b.state = 'refund_closed' AND a.state = 'settling' THEN 'settle' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'announced' AND a.state = 'closing' THEN 'start_closing'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('winddown_programmetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="20639c6b6fdd99b4d5c4018ac59f612315c4631d",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_d95ad",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="winddown_programme",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('operating')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('operating') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c45b5c1d61c6b8cc65a2758c6b4f2b5c42a1fde5",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_a7ae3",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_programme",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d8ff38b616742a6d455ad0a900505fc47ca03cdd",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_3ded6",
                    table="winddown_programme",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ProgrammeTransition",
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
                    models.Index(fields=["subject_id"], name="winddown_pr_subject_d1378e_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="winddown_pr_xact_id_f44f7b_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programmetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="411f96bc2175ba5edc43e4d5481bc1f1b4e5ef87",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_9adae",
                    table="winddown_programmetransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PublicNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("statement", models.TextField()),
                ("issuer_name", models.CharField(max_length=200)),
                ("instrument", models.CharField(max_length=200)),
                ("window_first_day", models.DateField()),
                ("window_last_day", models.DateField()),
                ("exclusion_statement", models.TextField()),
                ("contact", models.TextField()),
                ("how_to_claim", models.TextField()),
                ("how_it_is_paid", models.TextField()),
                ("published_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "window_last_day__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("window_first_day"),
                                    "+",
                                    models.Value(datetime.timedelta(days=60)),
                                ),
                            )
                        ),
                        name="window_of_sixty_days",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publicnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="74a42a526a0566d3ba95d442301bc22d0808ffdf",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_b3333",
                    table="winddown_publicnotice",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PublishedFigure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=60)),
                ("as_of", models.DateTimeField()),
                ("value", models.BigIntegerField()),
                ("exact", models.BooleanField(default=True)),
                ("source", models.TextField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key", "as_of"), name="one_figure_per_key_and_instant"
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publishedfigure",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="a8559b27c78ce9393050cb05cbbb8aaa903ce893",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_a9f51",
                    table="winddown_publishedfigure",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RunTransition",
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
                    models.Index(fields=["subject_id"], name="winddown_ru_subject_f1c7d1_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="winddown_ru_xact_id_3d0446_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="runtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="74a73fb61c4f23cbb782e7128fa4243c7b7b85ce",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_3454f",
                    table="winddown_runtransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=120)),
                ("stage", models.CharField(max_length=40)),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("maker", "Maker"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "staff_number",
                    models.CharField(help_text="The person behind the account.", max_length=40),
                ),
                ("digest", models.CharField(max_length=64)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "approval",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signatures",
                        to="winddown.approval",
                    ),
                ),
                (
                    "signer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject", "staff_number"),
                        name="one_signature_per_person_and_subject",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signature",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="efc575ababe8c0cadb78ec0da0fc52f53c79e57a",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_23ee5",
                    table="winddown_signature",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signature",
            trigger=pgtrigger.compiler.Trigger(
                name="signature_fits",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE asked winddown_approval; latest bigint;",
                    func="\n                    SELECT * INTO asked FROM winddown_approval WHERE id = NEW.approval_id;\n                    SELECT coalesce(u.staff_number, '') INTO NEW.staff_number\n                    FROM accounts_user u WHERE u.id = NEW.signer_id;\n                    IF NEW.staff_number = '' THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD030',\n                            MESSAGE = 'a signature needs a member of staff';\n                    END IF;\n                    NEW.subject := asked.subject;\n                    NEW.stage := asked.stage;\n                    NEW.at := winddown_now();\n                    IF NEW.digest <> asked.digest THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD031',\n                            MESSAGE = 'the signature covers another plan than the request';\n                    END IF;\n                    IF NEW.part = 'maker' THEN\n                        IF NEW.signer_id <> asked.maker_id THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD030',\n                                MESSAGE = 'the maker signs the own request';\n                        END IF;\n                        RETURN NEW;\n                    END IF;\n                    SELECT max(id) INTO latest FROM winddown_approval\n                    WHERE subject = asked.subject AND stage = asked.stage;\n                    IF latest <> asked.id THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD031',\n                            MESSAGE = 'the request was superseded by a later one';\n                    END IF;\n                    IF winddown_now() >= asked.expires_at THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD032',\n                            MESSAGE = 'the request has expired';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="db78a9da767269650d2e4ead0e26632820d5b42c",
                    operation="INSERT",
                    pgid="pgtrigger_signature_fits_44993",
                    table="winddown_signature",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="StepTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step", models.CharField(max_length=40)),
                ("rows_expected", models.BigIntegerField()),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="step_totals",
                        to="winddown.run",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("run", "step"), name="one_total_per_step")
                ],
            },
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField()),
                ("run_id", models.BigIntegerField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        # The one row of the clock, which stands at real time.
        migrations.RunSQL(
            "INSERT INTO winddown_clock (id, rehearsal, shift) VALUES (1, false, '0')",
            "DELETE FROM winddown_clock",
        ),
    ]
