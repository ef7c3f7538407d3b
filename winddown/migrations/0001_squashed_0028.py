"""The tables of the programme and the functions that triggers and movements rely on (docs/decisions/0030).

Names are resolved in pg_catalog and public, by a search path of the function or when it is created,
so that a temporary table of the caller cannot stand in for one of ours.
"""

import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
import winddown.guards
from django.conf import settings
from django.db import migrations, models

CLOCK = """
CREATE FUNCTION winddown_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE instant timestamptz;
BEGIN
    SELECT coalesce(frozen_at, clock_timestamp() + shift) INTO STRICT instant FROM winddown_clock;
    RETURN instant;
END $$;
"""

MACHINES = """
CREATE FUNCTION winddown_refuse_edge(tbl name, subject bigint, source text, target text, named text)
RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'WD010', MESSAGE = format(
        '%s %s: %s -> %s is not declared%s', tbl, subject, source, target, coalesce(' for ' || named, ''));
END $$;

CREATE FUNCTION winddown_rows_digest(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to(coalesce(content, ''), 'UTF8')), 'hex');

CREATE FUNCTION winddown_note_rows(
    tbl text, first_id bigint, last_id bigint, row_count bigint, digest text
) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine text := pg_current_xact_id()::text;
    noted text := current_setting('winddown.rows', true);
BEGIN
    IF noted IS NULL OR split_part(noted, ' ', 1) <> mine THEN
        noted := mine;
    END IF;
    PERFORM set_config('winddown.rows', concat_ws(' ', noted,
        concat_ws(':', tbl, first_id, last_id, row_count, digest)), true);
END $$;
"""

AUDIT = """
CREATE FUNCTION winddown_audit_hash(
    previous bytea, seq bigint, at timestamptz, actor_id bigint, action text, subject text, reason text, run_id bigint,
    facts jsonb, rows text, xact_id bigint
) RETURNS bytea LANGUAGE sql IMMUTABLE
    RETURN sha256(previous || convert_to(concat_ws(E'\\x1f', seq, to_char(at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'),
        coalesce(actor_id::text, '-'), action, subject, reason, coalesce(run_id::text, '-'), facts::text, rows,
        xact_id), 'UTF8'));

CREATE FUNCTION winddown_audit_append(
    p_actor bigint, p_action text, p_subject text, p_reason text, p_run bigint, p_facts jsonb
) RETURNS bigint LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE number bigint;
BEGIN
    INSERT INTO winddown_auditentry (actor_id, action, subject, reason, run_id, facts)
    VALUES (p_actor, p_action, p_subject, p_reason, p_run, p_facts) RETURNING seq INTO number;
    RETURN number;
END $$;
"""

STANDING = """
CREATE FUNCTION winddown_end_of(
    p_code text, p_at timestamptz,
    OUT ended timestamptz, OUT by_stage boolean, OUT is_later boolean
) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    stage text;
    deadline timestamptz;
    of_the_wallet boolean := p_code ~ '^(spend|transfer|withdraw|register|top_up:.*)$';
BEGIN
    SELECT min(m.at) INTO deadline FROM winddown_milestone m
    WHERE m.at <= p_at AND (m.ends_capability = p_code
        OR m.kind = 'refund_window_ends' AND p_code = 'refund_apply');
    SELECT p.state INTO stage FROM winddown_programme p WHERE p.id = 1;
    IF of_the_wallet AND stage IN ('closing', 'closed', 'balance_fixed', 'refunding',
            'refund_closed', 'settling', 'completed', 'reported')
        OR p_code = 'refund_apply'
            AND stage IN ('refund_closed', 'settling', 'completed', 'reported')
        OR p_code = 'payout' AND stage IN ('completed', 'reported') THEN
        SELECT coalesce(min(t.at), p_at) INTO ended FROM winddown_programmetransition t
        WHERE t.target = CASE WHEN of_the_wallet THEN 'closing'
            WHEN p_code = 'payout' THEN 'completed' ELSE 'refund_closed' END;
    END IF;
    by_stage := ended IS NOT NULL AND (deadline IS NULL OR ended < deadline);
    ended := least(deadline, ended);
    is_later := ended IS NULL AND p_code = 'refund_apply' AND stage <> 'refunding';
END $$;

CREATE FUNCTION winddown_standing(
    p_code text, p_at timestamptz,
    OUT state text, OUT since timestamptz, OUT by_stage boolean, OUT version integer, OUT reason text
) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last record;
BEGIN
    SELECT c.state, c.since, c.version, c.reason INTO state, since, version, reason
    FROM winddown_capability c WHERE c.code = p_code;
    by_stage := false;
    IF state = 'enabled' THEN
        SELECT * INTO last FROM winddown_end_of(p_code, p_at);
        IF last.ended IS NOT NULL THEN
            state := 'ended';
            since := last.ended;
            by_stage := last.by_stage;
        ELSIF last.is_later THEN
            state := 'later';
            by_stage := true;
        END IF;
    END IF;
END $$;
"""

PASS = """
CREATE FUNCTION winddown_pass(p_code text, OUT version integer, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    switch_id integer;
    standing record;
BEGIN
    SELECT c.id INTO switch_id FROM winddown_capability c WHERE c.code = p_code;
    IF switch_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'WD003', MESSAGE = format('no capability %s', p_code);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(7001, switch_id);
    at := winddown_now();
    SELECT * INTO standing FROM winddown_standing(p_code, winddown_pass.at);
    IF standing.state <> 'enabled' THEN
        RAISE EXCEPTION USING
            ERRCODE = CASE standing.state WHEN 'ended' THEN 'WD002' WHEN 'later' THEN 'WD004'
                ELSE 'WD001' END,
            MESSAGE = format('%s does not work: %s', p_code, standing.state),
            DETAIL = to_char(standing.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            HINT = standing.reason;
    END IF;
    version := standing.version;
END $$;
"""

FUNCTIONS = CLOCK + MACHINES + AUDIT + STANDING + PASS
CLOCK_ROW = "INSERT INTO winddown_clock (id, rehearsal, shift) VALUES (1, false, '0')"


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("winddown", "0001_functions"),
        ("winddown", "0002_initial"),
        ("winddown", "0003_batch_held_up"),
        ("winddown", "0004_clocks_of_hosts"),
        ("winddown", "0005_seals_after_a_restore"),
        ("winddown", "0006_witness"),
        ("winddown", "0007_kept_rows"),
        ("winddown", "0008_entries_continue_the_chain"),
        ("winddown", "0009_journal_is_searched"),
        ("winddown", "0010_jurisdiction"),
        ("winddown", "0011_window_follows_the_notice"),
        ("winddown", "0012_publications"),
        ("winddown", "0013_declared_sources_and_providers"),
        ("winddown", "0014_instruments_and_merchants"),
        ("winddown", "0015_set_up_code"),
        ("winddown", "0016_zone_of_the_notice"),
        ("winddown", "0017_milestones_and_filings"),
        ("winddown", "0018_one_standing_of_a_switch"),
        ("winddown", "0019_announcements"),
        ("winddown", "0020_alarms"),
        ("winddown", "0021_witnessed_alarms"),
        ("winddown", "0022_numbers_of_the_law"),
        ("winddown", "0023_evidence_of_receipts"),
        ("winddown", "0024_milestones_of_the_clock"),
        ("winddown", "0025_withdrawn_incident"),
        ("winddown", "0026_merchant_notices"),
        ("winddown", "0027_receipts_from_before_the_files"),
        ("winddown", "0028_told_duty_addresses"),
    ]
    dependencies = [
        ("accounts", "0001_squashed_0001"),
    ]

    operations = [
        migrations.RunSQL(
            FUNCTIONS,
        ),
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
                        db_index=False,
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
                    django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="audit_by_time"),
                    models.Index(
                        fields=["subject"],
                        name="audit_by_subject",
                        opclasses=["varchar_pattern_ops"],
                    ),
                    models.Index(
                        fields=["action", "-seq"],
                        name="audit_by_action",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                    models.Index(fields=["actor", "-seq"], name="audit_by_actor"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditHorizon",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("xact_id", models.BigIntegerField(default=0)),
                ("moved_at", models.DateTimeField(null=True)),
                ("cluster", models.BigIntegerField(null=True)),
                ("epoch", models.BigIntegerField(default=0)),
                ("last_ids", models.JSONField(default=dict)),
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
                (
                    "attempts",
                    models.IntegerField(
                        default=0,
                        help_text="Claims that ended without a word, or in an error of its rows.",
                    ),
                ),
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
                ("not_before", models.DateTimeField(null=True)),
                (
                    "stalled_by",
                    models.CharField(blank=True, db_default="", default="", max_length=20),
                ),
                (
                    "stalls",
                    models.IntegerField(
                        db_default=0,
                        default=0,
                        help_text="How often a lock, a lost connection or a failover held it up.",
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
                            ("incident_reported", "Incident Reported"),
                            ("funds_secured", "Funds Secured"),
                            ("claims_settled", "Claims Settled"),
                            ("holders_paid", "Holders Paid"),
                            ("programme_settled", "Programme Settled"),
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
                ("gate", models.CharField(blank=True, max_length=60)),
                (
                    "needs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("card_top_up_ends", "Card Top Up Ends"),
                                ("spend_ends", "Spend Ends"),
                                ("refund_opens", "Refund Opens"),
                                ("refund_window_ends", "Refund Window Ends"),
                                ("incident_reported", "Incident Reported"),
                                ("funds_secured", "Funds Secured"),
                                ("claims_settled", "Claims Settled"),
                                ("holders_paid", "Holders Paid"),
                                ("programme_settled", "Programme Settled"),
                            ],
                            max_length=40,
                        ),
                        blank=True,
                        default=list,
                        help_text="The kinds of the milestones that come before.",
                        size=None,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("owner_role", models.CharField(blank=True, max_length=40)),
                ("reached_at", models.DateTimeField(null=True)),
                (
                    "reached_by",
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
                    models.CheckConstraint(
                        condition=models.Q(
                            ("fired_at", None), ("fired_at__gte", models.F("at")), _connector="OR"
                        ),
                        name="milestone_not_fired_early",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reached_at", None), ("reached_by", None)),
                            models.Q(("reached_at__isnull", False), ("reached_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="milestone_reached_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reached_at", None),
                            models.Q(
                                (
                                    "kind__in",
                                    [
                                        "card_top_up_ends",
                                        "spend_ends",
                                        "refund_opens",
                                        "refund_window_ends",
                                    ],
                                ),
                                _negated=True,
                            ),
                            ("reached_at__gte", models.F("at")),
                            _connector="OR",
                        ),
                        name="milestone_of_the_clock_not_reached_early",
                    ),
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
                (
                    "jurisdiction",
                    models.CharField(
                        default="japan",
                        help_text="The pack of rules that holds: `programme/packs`.",
                        max_length=20,
                    ),
                ),
                (
                    "legal_basis",
                    models.CharField(
                        default="discontinued_all",
                        help_text="Why the money goes back, in the words of the pack.",
                        max_length=40,
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
            },
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
                (
                    "clock_ahead_s",
                    models.FloatField(
                        help_text="Of a host: how far its clock is ahead of the database's.",
                        null=True,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RowDigest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("table_name", models.CharField(max_length=63)),
                ("row_id", models.BigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "xact_id",
                    models.BigIntegerField(
                        db_default=django.db.models.expressions.RawSQL(
                            "pg_current_xact_id()::text::bigint", ()
                        )
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["xact_id"], name="row_digest_by_xact"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeEvidence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("file_name", models.TextField()),
                ("content", models.BinaryField()),
                (
                    "kept_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.expressions.RawSQL(
                            "sha256 = encode(sha256(content), 'hex')",
                            (),
                            output_field=models.BooleanField(),
                        ),
                        name="evidence_has_its_digest",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.expressions.RawSQL(
                            "octet_length(content) BETWEEN 1 AND %s",
                            (5242880,),
                            output_field=models.BooleanField(),
                        ),
                        name="evidence_is_a_file",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticePublication",
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
                        choices=[
                            ("newspaper", "Newspaper"),
                            ("electronic_notice", "Electronic"),
                            ("office", "Office"),
                            ("merchant", "Merchant"),
                            ("app", "App"),
                            ("web", "Web"),
                            ("mail", "Mail"),
                        ],
                        max_length=20,
                    ),
                ),
                ("place", models.CharField(max_length=200)),
                ("url", models.TextField(blank=True)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(help_text="Empty: it goes on.", null=True)),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "evidence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.noticeevidence",
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="publications",
                        to="winddown.publicnotice",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="winddown.noticepublication",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("began_at")),
                            _connector="OR",
                        ),
                        name="publication_ends_after_it_began",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("began_at__lte", models.F("recorded_at")),
                            models.Q(
                                ("ended_at", None),
                                ("ended_at__lte", models.F("recorded_at")),
                                _connector="OR",
                            ),
                        ),
                        name="publication_has_happened",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("channel", "electronic_notice"), _negated=True),
                            ("url__startswith", "http"),
                            _connector="OR",
                        ),
                        name="electronic_notice_has_its_address",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeInterruption",
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
                        choices=[("down", "Down"), ("altered", "Altered")], max_length=10
                    ),
                ),
                ("detail", models.CharField(max_length=200)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interruptions",
                        to="winddown.noticepublication",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("publication",),
                        name="one_interruption_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("began_at")),
                            _connector="OR",
                        ),
                        name="interruption_ends_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("statement", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "interruption",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="correction",
                        to="winddown.noticeinterruption",
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.noticepublication",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="NoticeProbe",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "found",
                    models.CharField(
                        choices=[("intact", "Intact"), ("down", "Down"), ("altered", "Altered")],
                        max_length=10,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=200)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="probes",
                        to="winddown.noticepublication",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="LoginProvider",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16, unique=True)),
                ("title_en", models.CharField(max_length=60)),
                ("title_ja", models.CharField(max_length=60)),
            ],
            options={
                "ordering": ["pk"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("code__regex", "^[a-z][a-z0-9_]{0,14}[a-z0-9]$"),
                            models.Q(("code__in", ["password", "passkey"]), _negated=True),
                        ),
                        name="login_provider_code",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FundingSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("credit_card", "Credit Card"),
                            ("debit_card", "Debit Card"),
                            ("bank", "Bank"),
                            ("cash", "Cash"),
                            ("points", "Points"),
                            ("bonus", "Bonus"),
                        ],
                        max_length=12,
                    ),
                ),
                ("title_en", models.CharField(max_length=60)),
                ("title_ja", models.CharField(max_length=60)),
            ],
            options={
                "ordering": ["pk"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[a-z][a-z0-9_]{0,14}[a-z0-9]$")),
                        name="funding_source_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["credit_card", "debit_card", "bank", "cash", "points", "bonus"],
                            )
                        ),
                        name="funding_source_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Merchant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "merchant_ref",
                    models.CharField(
                        help_text="As payments name it in their files.", max_length=64, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("address", models.CharField(blank=True, max_length=200)),
                (
                    "paid_out",
                    models.BooleanField(
                        default=False, help_text="Whether everything that it is owed has been paid."
                    ),
                ),
            ],
            options={
                "ordering": ["merchant_ref"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("address", ""), ("email", ""), _negated=True),
                        name="merchant_can_be_told",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Instrument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("prepaid_wallet", "Prepaid Wallet"),
                            ("prepaid_card", "Prepaid Card"),
                            ("voucher", "Voucher"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "nature",
                    models.CharField(
                        choices=[
                            ("third_party_prepaid", "Third Party Prepaid"),
                            ("own_business_prepaid", "Own Business Prepaid"),
                            ("electronic_money", "Electronic Money"),
                        ],
                        max_length=24,
                    ),
                ),
                ("title_en", models.CharField(max_length=100)),
                ("title_ja", models.CharField(max_length=100)),
            ],
            options={
                "ordering": ["pk"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[a-z][a-z0-9_]{0,14}[a-z0-9]$")),
                        name="instrument_code",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SetUpCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("issued_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("used_at", None),
                            ("used_at__lt", models.F("expires_at")),
                            _connector="OR",
                        ),
                        name="set_up_code_used_in_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Filing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("authority", models.CharField(max_length=40)),
                ("clock_on", models.DateField(help_text="The day on which the time for it began.")),
                ("due_on", models.DateField(help_text="The last day on which it is in time.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("proposed", "Proposed"),
                            ("approved", "Approved"),
                            ("filed", "Filed"),
                            ("accepted", "Accepted"),
                            ("returned", "Returned"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="draft",
                        max_length=40,
                    ),
                ),
                ("version", models.IntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "authority", "clock_on"), name="one_filing_per_duty"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 0)), name="filing_versions_count_up"
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name="FilingTransition",
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
                    models.Index(fields=["subject_id"], name="winddown_fi_subject_425454_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="winddown_fi_xact_id_126f57_brin",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FilingVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField()),
                ("as_of", models.DateTimeField()),
                ("sections", models.JSONField()),
                ("figures", models.JSONField()),
                ("written_at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="winddown.filing",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("filing", "number"), name="filing_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("as_of__lte", models.F("written_at"))),
                        name="filing_figures_not_of_the_future",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FilingReceipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=80)),
                ("received_on", models.DateField()),
                ("evidence_sha256", models.CharField(blank=True, default="", max_length=64)),
                ("filed_at", models.DateTimeField()),
                (
                    "filed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt",
                        to="winddown.filingversion",
                    ),
                ),
                (
                    "evidence",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.noticeevidence",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("number", ""), _negated=True),
                        name="receipt_has_its_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("evidence__isnull", False), ("evidence_sha256", "")),
                            models.Q(
                                ("evidence", None), ("evidence_sha256__regex", "^[0-9a-f]{64}$")
                            ),
                            _connector="OR",
                        ),
                        name="receipt_has_a_file_or_its_digest",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Announcement",
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
                            ("banner", "Banner"),
                            ("policy", "Policy"),
                            ("merchant", "Merchant"),
                        ],
                        max_length=10,
                    ),
                ),
                ("version", models.IntegerField()),
                ("title_ja", models.CharField(max_length=200)),
                ("body_ja", models.TextField()),
                ("title_en", models.CharField(max_length=200)),
                ("body_en", models.TextField()),
                (
                    "drafted_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "drafted_by",
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
                    models.UniqueConstraint(fields=("kind", "version"), name="one_text_per_version")
                ],
            },
        ),
        migrations.CreateModel(
            name="AnnouncementRelease",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "released_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "announcement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="winddown.announcement",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DutyAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("role", models.CharField(max_length=40)),
                (
                    "channel",
                    models.CharField(
                        choices=[("mail", "Mail"), ("webhook", "Webhook")], max_length=10
                    ),
                ),
                ("language", models.CharField(max_length=5)),
                ("target_sealed", models.BinaryField(null=True)),
                ("shown", models.CharField(max_length=300)),
                ("set_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("role", "channel"),
                        name="one_duty_address_per_role_and_channel",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at__isnull", False),
                            ("target_sealed__isnull", False),
                            _connector="OR",
                        ),
                        name="duty_address_in_force_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=120)),
                ("severity", models.CharField(max_length=10)),
                ("role", models.CharField(max_length=40)),
                (
                    "sentences",
                    models.JSONField(help_text="What it says, by language; names no customer."),
                ),
                ("url", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("raised", "Raised"),
                            ("escalated", "Escalated"),
                            ("acknowledged", "Acknowledged"),
                            ("closed", "Closed"),
                        ],
                        default="raised",
                        max_length=40,
                    ),
                ),
                ("raised_at", models.DateTimeField()),
                ("escalated_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("answer", models.TextField(blank=True, help_text="Why it was acknowledged.")),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
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
                    models.UniqueConstraint(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=("code", "subject"),
                        name="one_standing_alarm_per_subject",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "acknowledged"), _negated=True),
                            ("acknowledged_by__isnull", False),
                            _connector="OR",
                        ),
                        name="acknowledged_by_a_person",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name="AlarmNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("level", models.SmallIntegerField()),
                ("repeat", models.IntegerField()),
                ("queued_at", models.DateTimeField()),
                (
                    "lease_until",
                    models.DateTimeField(
                        help_text="Real time: nobody else sends it, or tries again, before.",
                        null=True,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "failure",
                    models.CharField(
                        blank=True, help_text="Why the last attempt failed.", max_length=60
                    ),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                ("given_up_at", models.DateTimeField(null=True)),
                (
                    "alarm",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="winddown.alarm",
                    ),
                ),
                (
                    "address",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.dutyaddress",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("given_up_at", None), ("sent_at", None)),
                        fields=["id"],
                        name="owed_alarm_notices",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("alarm", "level", "repeat", "address"), name="one_notice_per_repeat"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sent_at", None), ("given_up_at", None), _connector="OR"
                        ),
                        name="notice_sent_or_given_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlarmTransition",
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
                    models.Index(fields=["subject_id"], name="winddown_al_subject_fafcb2_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="winddown_al_xact_id_ba0a84_brin",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LawRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("jurisdiction", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=40)),
                ("value", models.IntegerField()),
                ("source", models.TextField()),
                ("valid_from", models.DateField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(
            CLOCK_ROW,
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
        pgtrigger.migrations.AddTrigger(
            model_name="run",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), extract(epoch FROM a.ended_at), a.failure_share_max, a.maker_id, a.params, a.plan_digest, a.rate_rows_s_max, a.reason, extract(epoch FROM a.requested_at), extract(epoch FROM a.started_at), a.state, a.step, a.workflow)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="eadd402ff9bccd6acaacceabac826d27a0fc1870",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_5143d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_run",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="run",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.as_of, OLD.ended_at, OLD.failure_share_max, OLD.maker_id, OLD.params, OLD.plan_digest, OLD.rate_rows_s_max, OLD.reason, OLD.requested_at, OLD.started_at, OLD.state, OLD.step, OLD.workflow) IS DISTINCT FROM (NEW.as_of, NEW.ended_at, NEW.failure_share_max, NEW.maker_id, NEW.params, NEW.plan_digest, NEW.rate_rows_s_max, NEW.reason, NEW.requested_at, NEW.started_at, NEW.state, NEW.step, NEW.workflow))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), extract(epoch FROM NEW.ended_at), NEW.failure_share_max, NEW.maker_id, NEW.params, NEW.plan_digest, NEW.rate_rows_s_max, NEW.reason, extract(epoch FROM NEW.requested_at), extract(epoch FROM NEW.started_at), NEW.state, NEW.step, NEW.workflow)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="f67aa12f4967b279c18eb01c323bde9661bca5a7",
                    operation='UPDATE OF "workflow", "params", "state", "maker_id", "reason", "requested_at", "as_of", "plan_digest", "step", "rate_rows_s_max", "failure_share_max", "started_at", "ended_at"',
                    pgid="pgtrigger_witness_b073e",
                    table="winddown_run",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="run",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.workflow, OLD.params, OLD.maker_id, OLD.plan_digest) IS DISTINCT FROM (NEW.workflow, NEW.params, NEW.maker_id, NEW.plan_digest) AND (OLD.state NOT IN ('requested', 'awaiting_approval')))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: workflow, params, maker_id, plan_digest cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="bddd690e99e71aab2e874f31183e7200e06f5e5d",
                    operation='UPDATE OF "workflow", "params", "maker_id", "plan_digest"',
                    pgid="pgtrigger_columns_are_fixed_877ff",
                    table="winddown_run",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.digest, extract(epoch FROM a.expires_at), a.id, a.maker_id, a.permission, a.reason, extract(epoch FROM a.requested_at), a.stage, a.subject, a.summary)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="8a1f517ac3aea432ddd90afb31ac6b6e2b346553",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_ae306",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_approval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.digest, OLD.expires_at, OLD.id, OLD.maker_id, OLD.permission, OLD.reason, OLD.requested_at, OLD.stage, OLD.subject, OLD.summary) IS DISTINCT FROM (NEW.digest, NEW.expires_at, NEW.id, NEW.maker_id, NEW.permission, NEW.reason, NEW.requested_at, NEW.stage, NEW.subject, NEW.summary))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.digest, extract(epoch FROM NEW.expires_at), NEW.id, NEW.maker_id, NEW.permission, NEW.reason, extract(epoch FROM NEW.requested_at), NEW.stage, NEW.subject, NEW.summary)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="b309acb47445b34ae5ab45cc783b8ccc4d2f5f90",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_2de42",
                    table="winddown_approval",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="auditentry",
            trigger=pgtrigger.compiler.Trigger(
                name="continues_the_chain",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE last record;",
                    func="\n                    IF NEW.action = 'audit.epoch' AND NOT EXISTS (\n                        SELECT FROM winddown_audithorizon h, pg_control_system() c\n                        WHERE h.cluster <> c.system_identifier\n                            OR h.xact_id > pg_snapshot_xmin(pg_current_snapshot())::text::bigint\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD023',\n                            MESSAGE = 'an epoch begins only in another cluster';\n                    END IF;\n                    PERFORM pg_advisory_xact_lock(7002, 0);\n                    SELECT e.seq, e.hash INTO last\n                    FROM winddown_auditentry e ORDER BY e.seq DESC LIMIT 1;\n                    NEW.seq := coalesce(last.seq, 0) + 1;\n                    NEW.at := winddown_now();\n                    NEW.xact_id := pg_current_xact_id()::text::bigint;\n                    NEW.rows := coalesce(substring(current_setting('winddown.rows', true)\n                        FROM format('^%s (.*)$', NEW.xact_id)), '');\n                    IF NEW.rows !~ '^([a-z0-9_]+(:[0-9]{1,18}){3}:[0-9a-f]{64}( [a-z0-9_]+(:[0-9]{1,18}){3}:[0-9a-f]{64})*)?$' THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD023',\n                            MESSAGE = 'what the entry covers cannot be read';\n                    END IF;\n                    NEW.previous := coalesce(last.hash, ''::bytea);\n                    NEW.hash := winddown_audit_hash(NEW.previous, NEW.seq, NEW.at, NEW.actor_id,\n                        NEW.action, NEW.subject, NEW.reason, NEW.run_id, NEW.facts, NEW.rows,\n                        NEW.xact_id);\n                    PERFORM set_config('winddown.rows', '', true);\n                    RETURN NEW;\n                ",
                    hash="c06283e9ff7a7a460799b3a5b3f821e2eeb77b06",
                    operation="INSERT",
                    pgid="pgtrigger_continues_the_chain_b3c2d",
                    table="winddown_auditentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="audithorizon",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d0b313c7678ae97ac7b1bab2b94ac409f200711c",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_48945",
                    table="winddown_audithorizon",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="audithorizon",
            trigger=pgtrigger.compiler.Trigger(
                name="horizon_begins_at_0",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((NEW.xact_id, NEW.epoch) <> (0, 0) OR NEW.cluster IS NOT NULL OR NEW.last_ids <> '{}')",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the audit horizon begins at 0';",
                    hash="69117ce2fd2e29659b5ba3c566075bb934c82b6a",
                    operation="INSERT",
                    pgid="pgtrigger_horizon_begins_at_0_1085a",
                    table="winddown_audithorizon",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="audithorizon",
            trigger=pgtrigger.compiler.Trigger(
                name="horizon_moves_forward",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF NEW.epoch < OLD.epoch\n                        OR (NEW.epoch = OLD.epoch AND NEW.xact_id < OLD.xact_id)\n                        OR NEW.xact_id > pg_snapshot_xmin(pg_current_snapshot())::text::bigint\n                        OR (NEW.epoch <> OLD.epoch AND NOT EXISTS (\n                            SELECT FROM winddown_auditentry\n                            WHERE seq = NEW.epoch AND action = 'audit.epoch')) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the audit horizon moves forward, and not into the future';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="aba808e521abb1710d41b92e66930a6e95cfc49f",
                    operation="UPDATE",
                    pgid="pgtrigger_horizon_moves_forward_31471",
                    table="winddown_audithorizon",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="audithorizon",
            trigger=pgtrigger.compiler.Trigger(
                name="horizon_is_of_this_cluster",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.cluster IS DISTINCT FROM NEW.cluster)",
                    func="\n                    IF NEW.cluster IS DISTINCT FROM (\n                        SELECT system_identifier FROM pg_control_system()) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the audit horizon is of the cluster that seals';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="59c9e4952325871d801829857fcaed3bc6cc4ad2",
                    operation="UPDATE",
                    pgid="pgtrigger_horizon_is_of_this_cluster_d7fc1",
                    table="winddown_audithorizon",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="audithorizon",
            trigger=pgtrigger.compiler.Trigger(
                name="last_ids_are_of_rows",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.last_ids <> NEW.last_ids)",
                    declare="DECLARE last record; newest bigint;",
                    func="\n                    FOR last IN SELECT key, coalesce((OLD.last_ids ->> key)::bigint, 0) AS before,\n                            (NEW.last_ids ->> key)::bigint AS id\n                        FROM jsonb_object_keys(OLD.last_ids || NEW.last_ids) key\n                        WHERE OLD.last_ids -> key IS DISTINCT FROM NEW.last_ids -> key\n                    LOOP\n                        EXECUTE format('SELECT max(id) FROM public.%I', last.key) INTO newest;\n                        IF last.id BETWEEN last.before AND newest THEN\n                            CONTINUE;\n                        END IF;\n                        RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the last sealed rows are rows, and later than before';\n                    END LOOP;\n                    RETURN NEW;\n                ",
                    hash="4b04119471d76a912b7ba5ea176b7d5b0d55298b",
                    operation="UPDATE",
                    pgid="pgtrigger_last_ids_are_of_rows_018ec",
                    table="winddown_audithorizon",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.ratified_by_id, extract(epoch FROM a.ratify_by), a.reason, extract(epoch FROM a.review_at), extract(epoch FROM a.since), a.state, a.stopped_by_id, a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="25c966c04d95c11a08a419b10bdb811d64e5d8eb",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_75ce0",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_capability",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code, OLD.id, OLD.ratified_by_id, OLD.ratify_by, OLD.reason, OLD.review_at, OLD.since, OLD.state, OLD.stopped_by_id, OLD.version) IS DISTINCT FROM (NEW.code, NEW.id, NEW.ratified_by_id, NEW.ratify_by, NEW.reason, NEW.review_at, NEW.since, NEW.state, NEW.stopped_by_id, NEW.version))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.ratified_by_id, extract(epoch FROM NEW.ratify_by), NEW.reason, extract(epoch FROM NEW.review_at), extract(epoch FROM NEW.since), NEW.state, NEW.stopped_by_id, NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="974c8a6ca9f75614b2fb478c45dcd536c479624a",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_1e833",
                    table="winddown_capability",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="e098c269b99f117781f1f0a5e01ea3b3f314eabc",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_columns_are_fixed_49624",
                    table="winddown_capability",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="version_of_a_flip",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.version, OLD.since) IS DISTINCT FROM (NEW.version, NEW.since) AND (OLD.state = NEW.state))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: version, since cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="6ed316ab9bc035f0d36b876539ddcfc4b7046fe7",
                    operation='UPDATE OF "version", "since"',
                    pgid="pgtrigger_version_of_a_flip_c2090",
                    table="winddown_capability",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="restored_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" = 'enabled' AND OLD.\"state\" = 'restoring')",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE s.subject = format('capability:%s:%s:restore', OLD.code, OLD.version)\n                          AND s.part = 'approved' AND s.signer_id <> a.maker_id\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('%s is not restored without a second person', OLD.code);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="5ed5a3980c05234306445d4ebcaaf3b28aad58a0",
                    operation="UPDATE",
                    pgid="pgtrigger_restored_by_two_23344",
                    table="winddown_capability",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="capabilitytransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="ab8ce1680dca7404888c2a3bacbc3adb627d28cf",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_c714a",
                    table="winddown_capabilitytransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="loadedfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.encoding, a.file_name, a.id, a.inserted, a.kind, extract(epoch FROM a.loaded_at), a.loaded_by_id, a.rows, a.sha256, a.sum_minor)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="8591ef98e666310c236c7e0d3bb023828d66f6ae",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_4fd68",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_loadedfile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loadedfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.encoding, OLD.file_name, OLD.id, OLD.inserted, OLD.kind, OLD.loaded_at, OLD.loaded_by_id, OLD.rows, OLD.sha256, OLD.sum_minor) IS DISTINCT FROM (NEW.encoding, NEW.file_name, NEW.id, NEW.inserted, NEW.kind, NEW.loaded_at, NEW.loaded_by_id, NEW.rows, NEW.sha256, NEW.sum_minor))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.encoding, NEW.file_name, NEW.id, NEW.inserted, NEW.kind, extract(epoch FROM NEW.loaded_at), NEW.loaded_by_id, NEW.rows, NEW.sha256, NEW.sum_minor)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="0496f01eff5e985fffd1a17b9fd0f582efcad4de",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_7a5bc",
                    table="winddown_loadedfile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="5772b71478fbd811745dd4db84c3f59dc4eb3813",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_bbbd1",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.kind) IS DISTINCT FROM (NEW.kind) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: kind cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="49d59e43b3be7933f34ec9606598afda5d29e443",
                    operation='UPDATE OF "kind"',
                    pgid="pgtrigger_columns_are_fixed_2f30a",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="fired_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.at, OLD.ends_capability, OLD.workflow, OLD.fired_at, OLD.late_by) IS DISTINCT FROM (NEW.at, NEW.ends_capability, NEW.workflow, NEW.fired_at, NEW.late_by) AND (OLD.fired_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: at, ends_capability, workflow, fired_at, late_by cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="204e10020fb8a26ec0935032cdbda8dfa5622087",
                    operation='UPDATE OF "at", "ends_capability", "workflow", "fired_at", "late_by"',
                    pgid="pgtrigger_fired_once_bae43",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="deadline_is_kept",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.at <> NEW.at OR OLD.fired_at IS DISTINCT FROM NEW.fired_at)",
                    func="\n                    IF OLD.kind = 'refund_window_ends' AND NEW.at < OLD.at\n                        OR NEW.fired_at > winddown_now() THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012',\n                            MESSAGE = format('milestone %s is not shortened and not fired early', OLD.kind);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="04f64a8563322d77d85d78e5f339b87eaea5262a",
                    operation="UPDATE",
                    pgid="pgtrigger_deadline_is_kept_f25f1",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="window_follows_the_notice",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.kind = 'refund_window_ends')",
                    func="\n                    IF NEW.at IS DISTINCT FROM (\n                        SELECT (max(n.window_last_day) + 1)::timestamp AT TIME ZONE max(p.time_zone)\n                        FROM winddown_publicnotice n, winddown_programme p\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012',\n                            MESSAGE = 'the refund window ends with the last day of the public notice';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="18c2572f159c8e447f9ac40355ba09f7e2b42b45",
                    operation='INSERT OR UPDATE OF "at"',
                    pgid="pgtrigger_window_follows_the_notice_390fb",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.at), a.ends_capability, extract(epoch FROM a.fired_at), a.gate, a.id, a.kind, extract(epoch FROM a.late_by), a.needs, a.owner_id, a.owner_role, extract(epoch FROM a.reached_at), a.reached_by_id, a.workflow)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="d033a706b8c924a03c2b652ed8651a3b4aeab392",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_23ad8",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_milestone",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.at, OLD.ends_capability, OLD.fired_at, OLD.gate, OLD.id, OLD.kind, OLD.late_by, OLD.needs, OLD.owner_id, OLD.owner_role, OLD.reached_at, OLD.reached_by_id, OLD.workflow) IS DISTINCT FROM (NEW.at, NEW.ends_capability, NEW.fired_at, NEW.gate, NEW.id, NEW.kind, NEW.late_by, NEW.needs, NEW.owner_id, NEW.owner_role, NEW.reached_at, NEW.reached_by_id, NEW.workflow))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.at), NEW.ends_capability, extract(epoch FROM NEW.fired_at), NEW.gate, NEW.id, NEW.kind, extract(epoch FROM NEW.late_by), NEW.needs, NEW.owner_id, NEW.owner_role, extract(epoch FROM NEW.reached_at), NEW.reached_by_id, NEW.workflow)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="7a7c69863aa0dcc9ac74ee96104656f4c93d5640",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_c5ece",
                    table="winddown_milestone",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="reached_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.at, OLD.owner_role, OLD.owner_id, OLD.gate, OLD.needs, OLD.reached_at, OLD.reached_by_id) IS DISTINCT FROM (NEW.at, NEW.owner_role, NEW.owner_id, NEW.gate, NEW.needs, NEW.reached_at, NEW.reached_by_id) AND (OLD.reached_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: at, owner_role, owner_id, gate, needs, reached_at, reached_by_id cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="caa2ff77c6cbb31834e447851e055afdb5d05a21",
                    operation='UPDATE OF "at", "owner_role", "owner_id", "gate", "needs", "reached_at", "reached_by_id"',
                    pgid="pgtrigger_reached_once_aadfe",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="order_of_milestones",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF EXISTS (\n                        WITH RECURSIVE needed (kind) AS (\n                            SELECT unnest(NEW.needs)\n                            UNION\n                            SELECT before.kind FROM needed n\n                            JOIN winddown_milestone m ON m.kind = n.kind AND m.id <> NEW.id,\n                            LATERAL unnest(m.needs) AS before (kind)\n                        )\n                        SELECT FROM needed WHERE kind = NEW.kind\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD013',\n                            MESSAGE = format('milestone %s would depend on itself', NEW.kind);\n                    END IF;\n                    IF NEW.reached_at IS NOT NULL AND EXISTS (\n                        SELECT FROM unnest(NEW.needs) AS needed (kind)\n                        LEFT JOIN winddown_milestone m ON m.kind = needed.kind\n                        WHERE m.reached_at IS NULL\n                          AND (m.id IS NULL OR m.gate <> '' OR m.fired_at IS NULL)\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD013',\n                            MESSAGE = format('milestone %s waits for another one', NEW.kind);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="d03147f34dc7f5e05c919d322de78e7b528e61a1",
                    operation='INSERT OR UPDATE OF "needs", "reached_at"',
                    pgid="pgtrigger_order_of_milestones_b19c7",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="milestone",
            trigger=pgtrigger.compiler.Trigger(
                name="announced_never_earlier",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.at < OLD.at)",
                    func="\n                    IF EXISTS (\n                        SELECT FROM winddown_programme p\n                        JOIN winddown_signature s\n                            ON s.subject LIKE 'announcement:%' AND s.part = 'approved'\n                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest\n                        WHERE p.announced_at IS NOT NULL AND a.summary -> 'deadlines' ? NEW.kind\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD013',\n                            MESSAGE = format('%s was announced: it comes no earlier', NEW.kind);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="b87aba0550e3f5925865ae50d3a6625621b4cd15",
                    operation='UPDATE OF "at"',
                    pgid="pgtrigger_announced_never_earlier_a4132",
                    table="winddown_milestone",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.content, a.digest, a.id, extract(epoch FROM a.planned_at), a.run_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="97dc447be9e9e9a60a601dbecdbb7dd9eec652fe",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_0c456",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.content, OLD.digest, OLD.id, OLD.planned_at, OLD.run_id) IS DISTINCT FROM (NEW.content, NEW.digest, NEW.id, NEW.planned_at, NEW.run_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.content, NEW.digest, NEW.id, extract(epoch FROM NEW.planned_at), NEW.run_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="8aa0803b57ec5361a8691a650ddd704411954c29",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_7ba6c",
                    table="winddown_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="probe",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="bfa0ac45a7a3395edd61bd31b01a61b1f7f12269",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_7b994",
                    table="winddown_probe",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="probe",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.answer, extract(epoch FROM a.at), a.capability_id, a.id, a.refused, a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="e0b1cc706f615d95a4adb69bfc787b66a59a196c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_5769d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_probe",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="probe",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.answer, OLD.at, OLD.capability_id, OLD.id, OLD.refused, OLD.version) IS DISTINCT FROM (NEW.answer, NEW.at, NEW.capability_id, NEW.id, NEW.refused, NEW.version))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.answer, extract(epoch FROM NEW.at), NEW.capability_id, NEW.id, NEW.refused, NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="4224276275eddbf6a24e40ab705f6618de6fa0f9",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_39df9",
                    table="winddown_probe",
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
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.announced_at), extract(epoch FROM a.aware_at), a.contact_phone, a.currency, a.id, a.jurisdiction, extract(epoch FROM a.launched_at), a.legal_basis, a.name, a.safeguarded_minor, a.state, a.time_zone)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="a4798bb3a4a247deda8a120c3b982b3b5c6a2be1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_c5ece",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_programme",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.announced_at, OLD.aware_at, OLD.contact_phone, OLD.currency, OLD.id, OLD.jurisdiction, OLD.launched_at, OLD.legal_basis, OLD.name, OLD.safeguarded_minor, OLD.state, OLD.time_zone) IS DISTINCT FROM (NEW.announced_at, NEW.aware_at, NEW.contact_phone, NEW.currency, NEW.id, NEW.jurisdiction, NEW.launched_at, NEW.legal_basis, NEW.name, NEW.safeguarded_minor, NEW.state, NEW.time_zone))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.announced_at), extract(epoch FROM NEW.aware_at), NEW.contact_phone, NEW.currency, NEW.id, NEW.jurisdiction, extract(epoch FROM NEW.launched_at), NEW.legal_basis, NEW.name, NEW.safeguarded_minor, NEW.state, NEW.time_zone)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="15a8928d35c459d0332d758a5eb44d9b701e9351",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_c3d83",
                    table="winddown_programme",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="zone_of_the_notice",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.time_zone <> NEW.time_zone)",
                    func="\n                    IF EXISTS (SELECT FROM winddown_publicnotice) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012',\n                            MESSAGE = 'the last day of the public notice ends in the zone in which it was published';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="1304a2cf455d2751fab3aa869915664eba0de5a6",
                    operation='UPDATE OF "time_zone"',
                    pgid="pgtrigger_zone_of_the_notice_4e2b3",
                    table="winddown_programme",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="announced_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.announced_at IS DISTINCT FROM NEW.announced_at)",
                    func="\n                    IF OLD.announced_at IS NOT NULL OR NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest\n                        WHERE s.subject LIKE 'announcement:%' AND s.part = 'approved'\n                          AND s.at <= NEW.announced_at\n                          AND a.summary ->> 'programme' = NEW.name\n                          AND a.summary ->> 'contact' = NEW.contact_phone\n                          AND a.summary ->> 'legal_basis' = NEW.legal_basis\n                          AND NOT EXISTS (\n                              SELECT FROM winddown_milestone m WHERE m.kind IN ('card_top_up_ends', 'spend_ends', 'refund_opens', 'refund_window_ends')\n                              AND (a.summary -> 'deadlines' ->> m.kind)::timestamptz\n                                  IS DISTINCT FROM date_trunc('milliseconds', m.at))\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = 'the end is announced once, and by two people';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="202693cc0a089aea6782441d6f5e33537d60b01f",
                    operation='UPDATE OF "announced_at"',
                    pgid="pgtrigger_announced_by_two_15d77",
                    table="winddown_programme",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="announced_facts_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.announced_at IS NOT NULL AND (OLD.name, OLD.contact_phone, OLD.legal_basis) IS DISTINCT FROM (NEW.name, NEW.contact_phone, NEW.legal_basis))",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest,\n                        LATERAL (SELECT a.summary #> '{rows,programme}' AS facts) file\n                        WHERE s.subject LIKE 'set_up:%' AND s.part = 'approved'\n                          AND (OLD.name = NEW.name OR file.facts ->> 'name' = NEW.name)\n                          AND (OLD.contact_phone = NEW.contact_phone\n                              OR file.facts ->> 'contact_phone' = NEW.contact_phone)\n                          AND (OLD.legal_basis = NEW.legal_basis\n                              OR file.facts ->> 'legal_basis' = NEW.legal_basis)\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = 'what two people announced changes by a set-up file of two people';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="d72e896f7cde781293b6535ccda2aee2c7d1bb50",
                    operation='UPDATE OF "name", "contact_phone", "legal_basis"',
                    pgid="pgtrigger_announced_facts_by_two_d6830",
                    table="winddown_programme",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="programme",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO winddown_programmetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'announce') AND b.state = 'operating' AND a.state = 'announced' THEN 'announce' WHEN (named IS NULL OR named = 'announce') AND b.state = 'restricted' AND a.state = 'announced' THEN 'announce' WHEN (named IS NULL OR named = 'close') AND b.state = 'closing' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close_window') AND b.state = 'refunding' AND a.state = 'refund_closed' THEN 'close_window' WHEN (named IS NULL OR named = 'complete') AND b.state = 'settling' AND a.state = 'completed' THEN 'complete' WHEN (named IS NULL OR named = 'declare_incident') AND b.state = 'operating' AND a.state = 'incident' THEN 'declare_incident' WHEN (named IS NULL OR named = 'fix_balance') AND b.state = 'closed' AND a.state = 'balance_fixed' THEN 'fix_balance' WHEN (named IS NULL OR named = 'open_refunds') AND b.state = 'balance_fixed' AND a.state = 'refunding' THEN 'open_refunds' WHEN (named IS NULL OR named = 'report') AND b.state = 'completed' AND a.state = 'reported' THEN 'report' WHEN (named IS NULL OR named = 'restore') AND b.state = 'restricted' AND a.state = 'operating' THEN 'restore' WHEN (named IS NULL OR named = 'restrict') AND b.state = 'incident' AND a.state = 'restricted' THEN 'restrict' WHEN (named IS NULL OR named = 'settle') AND b.state = 'refund_closed' AND a.state = 'settling' THEN 'settle' WHEN (named IS NULL OR named = 'start_closing') AND b.state = 'announced' AND a.state = 'closing' THEN 'start_closing' WHEN (named IS NULL OR named = 'withdraw_incident') AND b.state = 'incident' AND a.state = 'operating' THEN 'withdraw_incident' WHEN (named IS NULL OR named = 'withdraw_incident') AND b.state = 'restricted' AND a.state = 'operating' THEN 'withdraw_incident'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('winddown_programmetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="fc5ccb47368468050471d06a29a7571e1c414963",
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
                name="incident_withdrawn_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.state = 'incident' AND NEW.state = 'operating') OR (OLD.aware_at IS NOT NULL AND OLD.aware_at IS DISTINCT FROM NEW.aware_at AND NOT (OLD.state = 'operating' AND NEW.state = 'incident')))",
                    func="\n                    IF NEW.state <> 'operating' OR NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest\n                        WHERE s.subject LIKE 'incident_withdrawal:%' AND s.part = 'approved'\n                          AND a.summary ->> 'declared' = (\n                              SELECT max(t.id)::text FROM winddown_programmetransition t\n                              WHERE t.transition = 'declare_incident')\n                          AND (a.summary ->> 'aware_at')::timestamptz\n                              IS NOT DISTINCT FROM date_trunc('milliseconds', OLD.aware_at)\n                          AND (a.summary ->> 'back_to')::timestamptz\n                              IS NOT DISTINCT FROM date_trunc('milliseconds', NEW.aware_at)\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = 'an incident is withdrawn by two people';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="14c1f8a9598372bb31e16f0d43fe461c57ad1258",
                    operation='UPDATE OF "state", "aware_at"',
                    pgid="pgtrigger_incident_withdrawn_by_two_f10ab",
                    table="winddown_programme",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="programmetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="a5782beab0fe35ca7f5564857a9ac6a06c2d4491",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_bf004",
                    table="winddown_programmetransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="publicnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.contact, a.exclusion_statement, a.how_it_is_paid, a.how_to_claim, a.id, a.instrument, a.issuer_name, extract(epoch FROM a.published_at), a.statement, a.window_first_day, a.window_last_day)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="09383529d0f2d031234a495b23b59fbcbd8563f4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_c5b4a",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_publicnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publicnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.contact, OLD.exclusion_statement, OLD.how_it_is_paid, OLD.how_to_claim, OLD.id, OLD.instrument, OLD.issuer_name, OLD.published_at, OLD.statement, OLD.window_first_day, OLD.window_last_day) IS DISTINCT FROM (NEW.contact, NEW.exclusion_statement, NEW.how_it_is_paid, NEW.how_to_claim, NEW.id, NEW.instrument, NEW.issuer_name, NEW.published_at, NEW.statement, NEW.window_first_day, NEW.window_last_day))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.contact, NEW.exclusion_statement, NEW.how_it_is_paid, NEW.how_to_claim, NEW.id, NEW.instrument, NEW.issuer_name, extract(epoch FROM NEW.published_at), NEW.statement, NEW.window_first_day, NEW.window_last_day)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="c47a21b9a316a927cf0b185021effda16aad9999",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_da04b",
                    table="winddown_publicnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publicnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="deadline_follows",
                sql=winddown.guards.GuardSql(
                    constraint="CONSTRAINT",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_milestone m, winddown_programme p\n                        WHERE m.kind = 'refund_window_ends'\n                        AND m.at >= (NEW.window_last_day + 1)::timestamp AT TIME ZONE p.time_zone\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012',\n                            MESSAGE = 'the refund window cannot end before the last day of its notice';\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="d2cd6de3210aedfdda7e6876c5fe5fb93c98eec8",
                    operation="INSERT",
                    pgid="pgtrigger_deadline_follows_0395a",
                    table="winddown_publicnotice",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publicnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="window_lasts_as_the_law_asks",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_programme p\n                        CROSS JOIN LATERAL (\n                            SELECT r.value FROM winddown_lawrule r\n                            WHERE r.jurisdiction = p.jurisdiction AND r.name = 'window_days_min'\n                            ORDER BY r.id DESC LIMIT 1\n                        ) law\n                        WHERE NEW.window_last_day >= NEW.window_first_day + law.value\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD015',\n                            MESSAGE = 'the refund window is shorter than the law asks';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="d8f6764b937e45cea541a83f8bdc977119ec2077",
                    operation="INSERT",
                    pgid="pgtrigger_window_lasts_as_the_law_asks_4055d",
                    table="winddown_publicnotice",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="publishedfigure",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.exact, a.id, a.key, a.source, a.value)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="64a222bd7c3f6a26e195ac96a39975e31bd6d571",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_00d38",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_publishedfigure",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publishedfigure",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.as_of, OLD.exact, OLD.id, OLD.key, OLD.source, OLD.value) IS DISTINCT FROM (NEW.as_of, NEW.exact, NEW.id, NEW.key, NEW.source, NEW.value))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.exact, NEW.id, NEW.key, NEW.source, NEW.value)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="d7271b7c1052a66cfd6c6eaa6c0834fef2682bee",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_bc7cf",
                    table="winddown_publishedfigure",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="runtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="fcdae1f170a18a371bc5d29bf4470d85d3dbef37",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_40805",
                    table="winddown_runtransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="signature",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approval_id, extract(epoch FROM a.at), a.digest, a.id, a.part, a.reason, a.signer_id, a.staff_number, a.stage, a.subject)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="5bfbc7cdfc17817176b5828a6a83819d9d7a9f1f",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_a40af",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_signature",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signature",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.approval_id, OLD.at, OLD.digest, OLD.id, OLD.part, OLD.reason, OLD.signer_id, OLD.staff_number, OLD.stage, OLD.subject) IS DISTINCT FROM (NEW.approval_id, NEW.at, NEW.digest, NEW.id, NEW.part, NEW.reason, NEW.signer_id, NEW.staff_number, NEW.stage, NEW.subject))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approval_id, extract(epoch FROM NEW.at), NEW.digest, NEW.id, NEW.part, NEW.reason, NEW.signer_id, NEW.staff_number, NEW.stage, NEW.subject)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="5aed9a48ae1e09ff5a7d9ad5c2abd3cf36698a55",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_f4d21",
                    table="winddown_signature",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="steptotal",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.ended_at), a.id, a.rows_expected, a.run_id, extract(epoch FROM a.started_at), a.step)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="f88951d1f8a91a9b3fd9478bbef41ad21f73fd24",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_e11be",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_steptotal",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="steptotal",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.ended_at, OLD.id, OLD.rows_expected, OLD.run_id, OLD.started_at, OLD.step) IS DISTINCT FROM (NEW.ended_at, NEW.id, NEW.rows_expected, NEW.run_id, NEW.started_at, NEW.step))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.ended_at), NEW.id, NEW.rows_expected, NEW.run_id, extract(epoch FROM NEW.started_at), NEW.step)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="25dd40c44c71a5d3e59138ad09c03a76eb36a179",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_a3b4f",
                    table="winddown_steptotal",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rowdigest",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="525c18e8d94831430c6e3da27969cddfe7c43e63",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_f7f96",
                    table="winddown_rowdigest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rowdigest",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="6c9c5193057d3b24a44c247280590aa1c0d711d1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_d5dcb",
                    table="winddown_rowdigest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeevidence",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="3484169c61eef6215dbf06e549869a1c8102f179",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_34d33",
                    table="winddown_noticeevidence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeevidence",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(encode(sha256(a.content), 'hex'), a.file_name, a.id, extract(epoch FROM a.kept_at), a.sha256)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="bd35bfc3a3363cc74d660ac63bd3d09eac7eb17e",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_814b1",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_noticeevidence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeevidence",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.content, OLD.file_name, OLD.id, OLD.kept_at, OLD.sha256) IS DISTINCT FROM (NEW.content, NEW.file_name, NEW.id, NEW.kept_at, NEW.sha256))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(encode(sha256(NEW.content), 'hex'), NEW.file_name, NEW.id, extract(epoch FROM NEW.kept_at), NEW.sha256)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="6f56345d4682ee18e3ba8cf932fbc55193bbdd47",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_a0628",
                    table="winddown_noticeevidence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticepublication",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="5746d2dca30cfeca4cfa3428dec5686979e2135a",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_b81bd",
                    table="winddown_noticepublication",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticepublication",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.began_at), a.channel, extract(epoch FROM a.ended_at), a.evidence_id, a.id, a.notice_id, a.place, extract(epoch FROM a.recorded_at), a.recorded_by_id, a.replaces_id, a.url)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="59fa98a225109e9290800be8973cad534500a631",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_e7c67",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_noticepublication",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticepublication",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.began_at, OLD.channel, OLD.ended_at, OLD.evidence_id, OLD.id, OLD.notice_id, OLD.place, OLD.recorded_at, OLD.recorded_by_id, OLD.replaces_id, OLD.url) IS DISTINCT FROM (NEW.began_at, NEW.channel, NEW.ended_at, NEW.evidence_id, NEW.id, NEW.notice_id, NEW.place, NEW.recorded_at, NEW.recorded_by_id, NEW.replaces_id, NEW.url))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.began_at), NEW.channel, extract(epoch FROM NEW.ended_at), NEW.evidence_id, NEW.id, NEW.notice_id, NEW.place, extract(epoch FROM NEW.recorded_at), NEW.recorded_by_id, NEW.replaces_id, NEW.url)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="a42a8a68f4e9293015871d0f8f741b5f0ea62c64",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_43586",
                    table="winddown_noticepublication",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeinterruption",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.began_at), a.detail, extract(epoch FROM a.ended_at), a.id, a.kind, a.publication_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="0796d143c8bcecae0251ecc7184bf90bbc9d2a3f",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_0bd1e",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_noticeinterruption",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeinterruption",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.began_at, OLD.detail, OLD.ended_at, OLD.id, OLD.kind, OLD.publication_id) IS DISTINCT FROM (NEW.began_at, NEW.detail, NEW.ended_at, NEW.id, NEW.kind, NEW.publication_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.began_at), NEW.detail, extract(epoch FROM NEW.ended_at), NEW.id, NEW.kind, NEW.publication_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="3c6ecc8471f966b6b21bb391967eaeb111950a06",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_aa966",
                    table="winddown_noticeinterruption",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeinterruption",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="f04eda31113f5917128e728d9f3065fbdabfbe01",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_582ec",
                    table="winddown_noticeinterruption",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeinterruption",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.publication_id, OLD.kind, OLD.detail, OLD.began_at) IS DISTINCT FROM (NEW.publication_id, NEW.kind, NEW.detail, NEW.began_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: publication_id, kind, detail, began_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="725abfea6b31bd0b128c80e76c402215f522c008",
                    operation='UPDATE OF "publication_id", "kind", "detail", "began_at"',
                    pgid="pgtrigger_columns_are_fixed_d7238",
                    table="winddown_noticeinterruption",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeinterruption",
            trigger=pgtrigger.compiler.Trigger(
                name="ends_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.ended_at) IS DISTINCT FROM (NEW.ended_at) AND (OLD.ended_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: ended_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="b338932e828ca51e456b1efd171673c8bcb503f4",
                    operation='UPDATE OF "ended_at"',
                    pgid="pgtrigger_ends_once_c76a5",
                    table="winddown_noticeinterruption",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="fde02954daa6fadd28246076ca3859a7407d593c",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_83c91",
                    table="winddown_noticecorrection",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.id, a.interruption_id, a.publication_id, extract(epoch FROM a.recorded_at), a.statement)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="4aac50e79cb4a38577b4bbf25fee180bd994165a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_52433",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_noticecorrection",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.id, OLD.interruption_id, OLD.publication_id, OLD.recorded_at, OLD.statement) IS DISTINCT FROM (NEW.id, NEW.interruption_id, NEW.publication_id, NEW.recorded_at, NEW.statement))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.id, NEW.interruption_id, NEW.publication_id, extract(epoch FROM NEW.recorded_at), NEW.statement)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="ce72aadaeaa5b9f978ec04daba73ba7d0870fac3",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_1e65c",
                    table="winddown_noticecorrection",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeprobe",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d32042ab3d6930c0cb5415120f4d475f3674bcd1",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_282f0",
                    table="winddown_noticeprobe",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeprobe",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.at), a.detail, a.found, a.id, a.publication_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="f1d4780558f3bf3893b92f04334a4087802812d6",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_e011c",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_noticeprobe",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="noticeprobe",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.at, OLD.detail, OLD.found, OLD.id, OLD.publication_id) IS DISTINCT FROM (NEW.at, NEW.detail, NEW.found, NEW.id, NEW.publication_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.at), NEW.detail, NEW.found, NEW.id, NEW.publication_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="18340b4c27bb71fe172b4acb9af59f66016098cd",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_56696",
                    table="winddown_noticeprobe",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loginprovider",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.title_en, a.title_ja)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="b91fb7804835e80f2c8a2362abf1dc243bd4d81e",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_a7d64",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_loginprovider",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loginprovider",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code, OLD.id, OLD.title_en, OLD.title_ja) IS DISTINCT FROM (NEW.code, NEW.id, NEW.title_en, NEW.title_ja))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.title_en, NEW.title_ja)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="bd97ebbbde102e4ce6dd4b3a9d3678a6316281ff",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_f8e9f",
                    table="winddown_loginprovider",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loginprovider",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d469350382765a219d1044eaac967935bab7b330",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_34352",
                    table="winddown_loginprovider",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loginprovider",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="8fc2733c2aca7d0ae8d44cac5b870c292b1bdbe5",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_columns_are_fixed_d7624",
                    table="winddown_loginprovider",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fundingsource",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.kind, a.title_en, a.title_ja)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="619b49003296356bf8e9fe775d8d641595476178",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_9f880",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_fundingsource",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fundingsource",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code, OLD.id, OLD.kind, OLD.title_en, OLD.title_ja) IS DISTINCT FROM (NEW.code, NEW.id, NEW.kind, NEW.title_en, NEW.title_ja))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.kind, NEW.title_en, NEW.title_ja)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="9a67cc46065bf15d53f3242faef80bc2bf8ff322",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_87256",
                    table="winddown_fundingsource",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fundingsource",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="8045a74a486637b97bf762ddfc31587c975c9681",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_11206",
                    table="winddown_fundingsource",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fundingsource",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code, OLD.kind) IS DISTINCT FROM (NEW.code, NEW.kind) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code, kind cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="424f6db4f02e5f908be195d5320da1af90dc6162",
                    operation='UPDATE OF "code", "kind"',
                    pgid="pgtrigger_columns_are_fixed_cd94b",
                    table="winddown_fundingsource",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchant",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.address, a.email, a.id, a.merchant_ref, a.name, a.paid_out)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="fcc75031d7c35d7e9cec0b5f5ba94372bfc7e9ad",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_15529",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_merchant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchant",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.address, OLD.email, OLD.id, OLD.merchant_ref, OLD.name, OLD.paid_out) IS DISTINCT FROM (NEW.address, NEW.email, NEW.id, NEW.merchant_ref, NEW.name, NEW.paid_out))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.address, NEW.email, NEW.id, NEW.merchant_ref, NEW.name, NEW.paid_out)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="6643e4935c17d016a59d445fc72daac0e18deee2",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_0ba72",
                    table="winddown_merchant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchant",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="c4b3f299af79233579fa5ac529fa80a017bce980",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_af0f8",
                    table="winddown_merchant",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchant",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.merchant_ref) IS DISTINCT FROM (NEW.merchant_ref) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: merchant_ref cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="697d865db9a0468baab81077bfff14b63f70d915",
                    operation='UPDATE OF "merchant_ref"',
                    pgid="pgtrigger_columns_are_fixed_14d60",
                    table="winddown_merchant",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="instrument",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.kind, a.nature, a.title_en, a.title_ja)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="6b0e6aff7e3a493958a64b3257082383901db9fd",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_5d5b5",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_instrument",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="instrument",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code, OLD.id, OLD.kind, OLD.nature, OLD.title_en, OLD.title_ja) IS DISTINCT FROM (NEW.code, NEW.id, NEW.kind, NEW.nature, NEW.title_en, NEW.title_ja))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.kind, NEW.nature, NEW.title_en, NEW.title_ja)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="d58c7d03b434d1996d4d9d7574a74403f8c487d4",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_77b21",
                    table="winddown_instrument",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="instrument",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="343678ad111b2481a6d93f7c2c8231171b62bf62",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_95703",
                    table="winddown_instrument",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="instrument",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="2ba7ccb0f732423a5a78a0edaab7458ba969a035",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_columns_are_fixed_6df15",
                    table="winddown_instrument",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="setupcode",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.digest, extract(epoch FROM a.expires_at), a.id, extract(epoch FROM a.issued_at), extract(epoch FROM a.used_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="d852e32243d586f6769084b29dfd2b3ce792d4b3",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_d9ee5",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_setupcode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="setupcode",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.digest, OLD.expires_at, OLD.id, OLD.issued_at, OLD.used_at) IS DISTINCT FROM (NEW.digest, NEW.expires_at, NEW.id, NEW.issued_at, NEW.used_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.digest, extract(epoch FROM NEW.expires_at), NEW.id, extract(epoch FROM NEW.issued_at), extract(epoch FROM NEW.used_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="fbe8d4aac29b8140571b756f1939ee727379a314",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_e285f",
                    table="winddown_setupcode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="setupcode",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="9d4252ac9c1e3cf115e1c1f714c2dea785ab7994",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_7bc16",
                    table="winddown_setupcode",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="setupcode",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.digest, OLD.issued_at, OLD.expires_at) IS DISTINCT FROM (NEW.digest, NEW.issued_at, NEW.expires_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: digest, issued_at, expires_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="3bc82a11c3bb327ac5c9a23277b831f459c7e1d7",
                    operation='UPDATE OF "digest", "issued_at", "expires_at"',
                    pgid="pgtrigger_columns_are_fixed_60993",
                    table="winddown_setupcode",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="setupcode",
            trigger=pgtrigger.compiler.Trigger(
                name="used_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.used_at) IS DISTINCT FROM (NEW.used_at) AND (OLD.used_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: used_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="2254e27a4dcf20936bed650de9871ceccdfc316a",
                    operation='UPDATE OF "used_at"',
                    pgid="pgtrigger_used_once_a7114",
                    table="winddown_setupcode",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('draft')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('draft') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="a59f4f1f8b3458a0d4b942cde44c7c0e3cdadf2a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_bb9b9",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_filing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="cbeac49ca87eae164a63f950c41f5a5571256ed9",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_bfcdb",
                    table="winddown_filing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.authority, a.clock_on, a.due_on, a.id, a.kind, a.state, a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="de801c3e84c7696faba7eef6dc1667d5fd0fc177",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_952eb",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_filing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.authority, OLD.clock_on, OLD.due_on, OLD.id, OLD.kind, OLD.state, OLD.version) IS DISTINCT FROM (NEW.authority, NEW.clock_on, NEW.due_on, NEW.id, NEW.kind, NEW.state, NEW.version))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.authority, NEW.clock_on, NEW.due_on, NEW.id, NEW.kind, NEW.state, NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="9cf2a5f0b462591545c314c573052981e45f52b6",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_fc274",
                    table="winddown_filing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.kind, OLD.authority, OLD.clock_on, OLD.due_on) IS DISTINCT FROM (NEW.kind, NEW.authority, NEW.clock_on, NEW.due_on) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: kind, authority, clock_on, due_on cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="3f276e857058aca330d6e235733ddbbde9914152",
                    operation='UPDATE OF "kind", "authority", "clock_on", "due_on"',
                    pgid="pgtrigger_columns_are_fixed_de576",
                    table="winddown_filing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="version_counts_up",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.version) IS DISTINCT FROM (NEW.version) AND (OLD.state IN ('filed', 'accepted') OR NEW.version <> OLD.version + 1))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: version cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="0a0064317818f00b9786dd85c4aa8b271a3b9d8c",
                    operation='UPDATE OF "version"',
                    pgid="pgtrigger_version_counts_up_22fc0",
                    table="winddown_filing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="filing_is_signed",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF OLD.state <> NEW.state AND NEW.state = 'approved' AND (\n                        SELECT count(DISTINCT s.staff_number)\n                        FROM winddown_signature s\n                        JOIN winddown_filingversion v\n                            ON v.filing_id = NEW.id AND v.number = NEW.version\n                        JOIN accounts_user author ON author.id = v.author_id\n                        WHERE s.subject = 'filing:' || NEW.id || ':' || NEW.version\n                          AND s.part = 'approved' AND s.digest = v.digest\n                          AND s.staff_number <> author.staff_number\n                    ) < 2 THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD014', MESSAGE = format(\n                            'filing %s is not approved by two people beside its author', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state AND NEW.state = 'filed' AND NOT EXISTS (\n                        SELECT FROM winddown_filingreceipt r\n                        JOIN winddown_filingversion v ON v.id = r.version_id\n                        WHERE v.filing_id = NEW.id AND v.number = NEW.version\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD014',\n                            MESSAGE = format('filing %s has no receipt', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="65f317cf6cf5c3d089a957e96e2a988866b1d64b",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_filing_is_signed_eee24",
                    table="winddown_filing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filing",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO winddown_filingtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'accept') AND b.state = 'filed' AND a.state = 'accepted' THEN 'accept' WHEN (named IS NULL OR named = 'approve') AND b.state = 'proposed' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'file') AND b.state = 'approved' AND a.state = 'filed' THEN 'file' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'filed' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'propose') AND b.state = 'draft' AND a.state = 'proposed' THEN 'propose' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'proposed' AND a.state = 'draft' THEN 'refuse' WHEN (named IS NULL OR named = 'rewrite') AND b.state = 'approved' AND a.state = 'draft' THEN 'rewrite' WHEN (named IS NULL OR named = 'rewrite') AND b.state = 'returned' AND a.state = 'draft' THEN 'rewrite' WHEN (named IS NULL OR named = 'rewrite') AND b.state = 'withdrawn' AND a.state = 'draft' THEN 'rewrite' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'approved' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'draft' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'proposed' AND a.state = 'withdrawn' THEN 'withdraw'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('winddown_filingtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b2ae2e645a1f82c0c16947838c4de849ba383f00",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_d94d2",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="winddown_filing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="11b9825e176c24f8f2c3066e98b1750bb488875b",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_2bd06",
                    table="winddown_filingtransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="31a8b01320e313c843befc74ef9328dc4bda5985",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_2356a",
                    table="winddown_filingtransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingversion",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="f1c019dddf76a4122a5e93af8e88e9b406d56f69",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_eaf51",
                    table="winddown_filingversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingversion",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.author_id, a.digest, a.figures, a.filing_id, a.id, a.number, a.sections, extract(epoch FROM a.written_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="58736368db584aa38a2f18a19da24aff98073ff3",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_6f504",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_filingversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingversion",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.as_of, OLD.author_id, OLD.digest, OLD.figures, OLD.filing_id, OLD.id, OLD.number, OLD.sections, OLD.written_at) IS DISTINCT FROM (NEW.as_of, NEW.author_id, NEW.digest, NEW.figures, NEW.filing_id, NEW.id, NEW.number, NEW.sections, NEW.written_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.author_id, NEW.digest, NEW.figures, NEW.filing_id, NEW.id, NEW.number, NEW.sections, extract(epoch FROM NEW.written_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="4aa075af6c8636e4a451c609231648b72e161d2f",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_deae8",
                    table="winddown_filingversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="97160f3b3b08ff4d312fc44cf97deca2f26e5cad",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_51e3c",
                    table="winddown_filingreceipt",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.evidence_id, a.evidence_sha256, extract(epoch FROM a.filed_at), a.filed_by_id, a.id, a.number, a.received_on, a.version_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="5f3909b4d02092cc6b3a7e97f12904fc05e8eb38",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_656f5",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_filingreceipt",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.evidence_id, OLD.evidence_sha256, OLD.filed_at, OLD.filed_by_id, OLD.id, OLD.number, OLD.received_on, OLD.version_id) IS DISTINCT FROM (NEW.evidence_id, NEW.evidence_sha256, NEW.filed_at, NEW.filed_by_id, NEW.id, NEW.number, NEW.received_on, NEW.version_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.evidence_id, NEW.evidence_sha256, extract(epoch FROM NEW.filed_at), NEW.filed_by_id, NEW.id, NEW.number, NEW.received_on, NEW.version_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="3ea0a5c5331b386f7b8bd655702a8c04b7319c4d",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_6a914",
                    table="winddown_filingreceipt",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="filingreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="receipt_has_its_file",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.evidence_id IS NULL)",
                    func="\n                    RAISE EXCEPTION USING ERRCODE = 'WD014',\n                        MESSAGE = format('receipt %s has no file that shows it', NEW.number);\n                ",
                    hash="1f9e49ea1a37c7598d380cac3661402bf2553957",
                    operation="INSERT",
                    pgid="pgtrigger_receipt_has_its_file_69dc8",
                    table="winddown_filingreceipt",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="announcement",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="84ad6f8673381db716032b5e4b3a247806811f97",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_aee58",
                    table="winddown_announcement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="announcement",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.body_en, a.body_ja, extract(epoch FROM a.drafted_at), a.drafted_by_id, a.id, a.kind, a.title_en, a.title_ja, a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="5b1e1706e7f7f954e0082003bde2126b0644e4c1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_4eea2",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_announcement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="announcement",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.body_en, OLD.body_ja, OLD.drafted_at, OLD.drafted_by_id, OLD.id, OLD.kind, OLD.title_en, OLD.title_ja, OLD.version) IS DISTINCT FROM (NEW.body_en, NEW.body_ja, NEW.drafted_at, NEW.drafted_by_id, NEW.id, NEW.kind, NEW.title_en, NEW.title_ja, NEW.version))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.body_en, NEW.body_ja, extract(epoch FROM NEW.drafted_at), NEW.drafted_by_id, NEW.id, NEW.kind, NEW.title_en, NEW.title_ja, NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="edc9ff94ec0e8287db166968ac3165ed509918be",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_79bc9",
                    table="winddown_announcement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="announcementrelease",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d759efb93bc1493b818b54c11726f5fb895fcf5a",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_79985",
                    table="winddown_announcementrelease",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="announcementrelease",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.announcement_id, a.id, extract(epoch FROM a.released_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="182688ae56aa5325ab39fdcd298051d494a06aff",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_18ede",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_announcementrelease",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="announcementrelease",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.announcement_id, OLD.id, OLD.released_at) IS DISTINCT FROM (NEW.announcement_id, NEW.id, NEW.released_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.announcement_id, NEW.id, extract(epoch FROM NEW.released_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="9a6617ef4f6afeb401b9808ee558cd3b397fac61",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_cfad2",
                    table="winddown_announcementrelease",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="announcementrelease",
            trigger=pgtrigger.compiler.Trigger(
                name="released_by_signature",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        WHERE s.subject = 'public_text:' || NEW.announcement_id\n                          AND s.part = 'approved'\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = 'an announcement takes the signature of a second person';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="e1e7255013a64a0780af2d55d465b7296fcd7188",
                    operation="INSERT",
                    pgid="pgtrigger_released_by_signature_2e9c4",
                    table="winddown_announcementrelease",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dutyaddress",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.channel, extract(epoch FROM a.ended_at), a.id, a.key, a.language, a.role, extract(epoch FROM a.set_at), a.shown, encode(sha256(a.target_sealed), 'hex'))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="9c0ea8bb8c4149d522440de20862e5eecc8b89d1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_1ae6c",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_dutyaddress",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dutyaddress",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.channel, OLD.ended_at, OLD.id, OLD.key, OLD.language, OLD.role, OLD.set_at, OLD.shown, OLD.target_sealed) IS DISTINCT FROM (NEW.channel, NEW.ended_at, NEW.id, NEW.key, NEW.language, NEW.role, NEW.set_at, NEW.shown, NEW.target_sealed))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.channel, extract(epoch FROM NEW.ended_at), NEW.id, NEW.key, NEW.language, NEW.role, extract(epoch FROM NEW.set_at), NEW.shown, encode(sha256(NEW.target_sealed), 'hex'))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="2ea7bceb86e30a0c1b9d075c1c8ad2cf170c962a",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_6563e",
                    table="winddown_dutyaddress",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dutyaddress",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="0bf39f2196dfe8a92f04b128b205c0eb74ca712e",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_82062",
                    table="winddown_dutyaddress",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dutyaddress",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.key, OLD.role, OLD.channel, OLD.language, OLD.shown, OLD.set_at) IS DISTINCT FROM (NEW.key, NEW.role, NEW.channel, NEW.language, NEW.shown, NEW.set_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: key, role, channel, language, shown, set_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="725e10152107b915bd1d347922e849821c38394a",
                    operation='UPDATE OF "key", "role", "channel", "language", "shown", "set_at"',
                    pgid="pgtrigger_columns_are_fixed_8083e",
                    table="winddown_dutyaddress",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dutyaddress",
            trigger=pgtrigger.compiler.Trigger(
                name="ended_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.ended_at) IS DISTINCT FROM (NEW.ended_at) AND (OLD.ended_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: ended_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="c64fe5985caf169b3cbd0f15073aa873ab177a80",
                    operation='UPDATE OF "ended_at"',
                    pgid="pgtrigger_ended_once_0a4fa",
                    table="winddown_dutyaddress",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarm",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO winddown_alarmtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'acknowledge') AND b.state = 'escalated' AND a.state = 'acknowledged' THEN 'acknowledge' WHEN (named IS NULL OR named = 'acknowledge') AND b.state = 'raised' AND a.state = 'acknowledged' THEN 'acknowledge' WHEN (named IS NULL OR named = 'close') AND b.state = 'acknowledged' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'escalated' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'raised' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'escalate') AND b.state = 'raised' AND a.state = 'escalated' THEN 'escalate'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('winddown_alarmtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="2387a2e57f98570261d8e73d976e8c0c1b88b26e",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_40f81",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="winddown_alarm",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarm",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('raised')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('raised') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="1ba57e67061536b70c1d02b030503b00c6d30832",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_8a7bd",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_alarm",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarm",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="2aa5d865a3f571094a1d6f2e48889a1f649c97dd",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_5a1e7",
                    table="winddown_alarm",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarm",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code, OLD.subject, OLD.severity, OLD.role, OLD.sentences, OLD.url, OLD.raised_at) IS DISTINCT FROM (NEW.code, NEW.subject, NEW.severity, NEW.role, NEW.sentences, NEW.url, NEW.raised_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code, subject, severity, role, sentences, url, raised_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="289b894616fb037ece674677d09c9ad89f96aa56",
                    operation='UPDATE OF "code", "subject", "severity", "role", "sentences", "url", "raised_at"',
                    pgid="pgtrigger_columns_are_fixed_e075f",
                    table="winddown_alarm",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarm",
            trigger=pgtrigger.compiler.Trigger(
                name="acknowledged_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.acknowledged_at, OLD.acknowledged_by_id, OLD.answer) IS DISTINCT FROM (NEW.acknowledged_at, NEW.acknowledged_by_id, NEW.answer) AND (OLD.acknowledged_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: acknowledged_at, acknowledged_by_id, answer cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="5d5c1d062da3f9250a888c7232efd8e9d0980379",
                    operation='UPDATE OF "acknowledged_at", "acknowledged_by_id", "answer"',
                    pgid="pgtrigger_acknowledged_once_f6a43",
                    table="winddown_alarm",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarm",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.acknowledged_at), a.acknowledged_by_id, a.answer, extract(epoch FROM a.closed_at), a.code, extract(epoch FROM a.escalated_at), a.id, extract(epoch FROM a.raised_at), a.role, a.sentences, a.severity, a.state, a.subject, a.url)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="a19d18e7c58f8823d3891e1879767825ccdf1209",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_3a2a8",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_alarm",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarm",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.acknowledged_at, OLD.acknowledged_by_id, OLD.answer, OLD.closed_at, OLD.code, OLD.escalated_at, OLD.id, OLD.raised_at, OLD.role, OLD.sentences, OLD.severity, OLD.state, OLD.subject, OLD.url) IS DISTINCT FROM (NEW.acknowledged_at, NEW.acknowledged_by_id, NEW.answer, NEW.closed_at, NEW.code, NEW.escalated_at, NEW.id, NEW.raised_at, NEW.role, NEW.sentences, NEW.severity, NEW.state, NEW.subject, NEW.url))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.acknowledged_at), NEW.acknowledged_by_id, NEW.answer, extract(epoch FROM NEW.closed_at), NEW.code, extract(epoch FROM NEW.escalated_at), NEW.id, extract(epoch FROM NEW.raised_at), NEW.role, NEW.sentences, NEW.severity, NEW.state, NEW.subject, NEW.url)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="0be558cf647bb924c47a1c84bafbcc81f1057428",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_ce063",
                    table="winddown_alarm",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarmnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="4e22fc7f24f2259ab32b819e4c8f6ed4a237797c",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_d517f",
                    table="winddown_alarmnotice",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarmnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.alarm_id, OLD.address_id, OLD.level, OLD.repeat, OLD.queued_at) IS DISTINCT FROM (NEW.alarm_id, NEW.address_id, NEW.level, NEW.repeat, NEW.queued_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: alarm_id, address_id, level, repeat, queued_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="89e876e3f327bc0ba4d254e7b4a71870a14b8143",
                    operation='UPDATE OF "alarm_id", "address_id", "level", "repeat", "queued_at"',
                    pgid="pgtrigger_columns_are_fixed_e6eac",
                    table="winddown_alarmnotice",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarmnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="sent_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.sent_at) IS DISTINCT FROM (NEW.sent_at) AND (OLD.sent_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: sent_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="56c2d89fedd66bb191017d9f2ff568ed087fe127",
                    operation='UPDATE OF "sent_at"',
                    pgid="pgtrigger_sent_once_a9303",
                    table="winddown_alarmnotice",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarmtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="38cddd850671050855327f0274b3381ad137ebfc",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_92ae8",
                    table="winddown_alarmtransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alarmtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="878b3d52da4eaedb8955e10b3aacaf4771e4dd04",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_d6500",
                    table="winddown_alarmtransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lawrule",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="17bef8c4b109344606d2a209efd1e76ec55275c7",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_042ad",
                    table="winddown_lawrule",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lawrule",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.id, a.jurisdiction, a.name, a.source, a.valid_from, a.value)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="147062c36d0b0bd10b3fc46e21345210d2213b94",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_17b1f",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="winddown_lawrule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lawrule",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.id, OLD.jurisdiction, OLD.name, OLD.source, OLD.valid_from, OLD.value) IS DISTINCT FROM (NEW.id, NEW.jurisdiction, NEW.name, NEW.source, NEW.valid_from, NEW.value))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.id, NEW.jurisdiction, NEW.name, NEW.source, NEW.valid_from, NEW.value)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="6a7c7ab4371ffe9252da0d4c0a33e00f5a0163a3",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_749a8",
                    table="winddown_lawrule",
                    when="AFTER",
                ),
            ),
        ),
    ]
