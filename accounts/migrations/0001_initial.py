"""Accounts and all that refers to no run: runs refer to accounts, so this comes before them."""

import accounts.models.attack
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("winddown", "0001_functions"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("recover", "Recover"), ("sign_up", "Sign Up"), ("case", "Case")],
                        max_length=10,
                    ),
                ),
                ("typed_sealed", models.BinaryField()),
                ("language", models.CharField(max_length=5)),
                ("network", models.GenericIPAddressField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("links", "Links"),
                            ("known", "Known"),
                            ("nobody", "Nobody"),
                            ("too_many", "Too Many"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("tries", models.SmallIntegerField(default=0, help_text="Codes typed to it.")),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at", None)),
                        fields=["id"],
                        name="access_requests_owed",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["asked_at"],
                        name="accounts_ac_asked_a_5a6812_brin",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tries__gte", 0), ("tries__lte", 5)),
                        name="tries_of_a_request_are_limited",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountDevice",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "device_ref",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("user_id", models.BigIntegerField()),
                ("device_ref", models.CharField(max_length=64)),
                ("first_at", models.DateTimeField()),
                ("event_id", models.BigIntegerField(help_text="The attempt that succeeded.")),
                ("network", models.GenericIPAddressField(null=True)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("displaced_session", models.BooleanField(db_default=False)),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["device_ref"], name="accounts_of_a_device"),
                    models.Index(fields=["first_at"], name="devices_by_first_use"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AttackWatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("read_until", models.DateTimeField(null=True)),
                ("folded_until", models.DateTimeField(null=True)),
                ("memory", models.JSONField(default=dict)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_attack_watch")
                ],
            },
        ),
        migrations.CreateModel(
            name="DetectionRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40)),
                ("version", models.IntegerField()),
                ("thresholds", models.JSONField()),
                ("source", models.TextField()),
                ("since", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code", "version"), name="one_detection_rule_per_version"
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="detectionrule",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="832d752be78b7ec8a1c01bad2a476599f5e70f52",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_bacee",
                    table="accounts_detectionrule",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="AttackWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "wave",
                    models.CharField(
                        choices=[
                            ("unknown_login_id", "Unknown Login Id"),
                            ("wrong_password", "Wrong Password"),
                            ("success", "Success"),
                        ],
                        max_length=20,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                (
                    "last_at",
                    models.DateTimeField(
                        help_text="The end of the last minute in which the rule hit."
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("evidence", models.JSONField(help_text="Counts, ratio and baseline.")),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.detectionrule",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("wave", "started_at"), name="one_window_per_start"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last_at__gt", models.F("started_at"))),
                        name="window_lasts_forward",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuthEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                (
                    "login_id",
                    models.CharField(help_text="As it was typed, in lower case.", max_length=254),
                ),
                ("user_id", models.BigIntegerField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("success", "Success"),
                            ("unknown_login_id", "Unknown Login Id"),
                            ("wrong_password", "Wrong Password"),
                            ("refused", "Refused"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("password", "password"),
                            ("passkey", "passkey"),
                            ("facebook", "facebook"),
                            ("google", "google"),
                            ("line", "line"),
                            ("twitter", "twitter"),
                            ("yahoo", "yahoo"),
                        ],
                        max_length=20,
                    ),
                ),
                ("network", models.GenericIPAddressField(null=True)),
                ("device_ref", models.CharField(blank=True, max_length=64)),
                ("country", models.CharField(blank=True, max_length=2)),
                (
                    "displaced_session",
                    models.BooleanField(
                        db_default=False,
                        help_text="The success ended a session that the account had on another device. Only core systems that let one device in at a time say so; our own sign-in lets several in.",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["occurred_at"],
                        name="accounts_au_occurre_206e82_brin",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome__in",
                                ["success", "unknown_login_id", "wrong_password", "refused"],
                            )
                        ),
                        name="auth_outcome_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "method__in",
                                [
                                    "password",
                                    "passkey",
                                    "facebook",
                                    "google",
                                    "line",
                                    "twitter",
                                    "yahoo",
                                ],
                            )
                        ),
                        name="auth_method_known",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="authevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="f085c6e9c687b9c1df0dce21d53b6e6b86df480d",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_67272",
                    table="accounts_authevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="AuthMinute",
            fields=[
                ("minute", models.DateTimeField(primary_key=True, serialize=False)),
                ("attempts", models.BigIntegerField()),
                ("unknown_login_ids", models.BigIntegerField()),
                ("wrong_passwords", models.BigIntegerField()),
                ("strange_passwords", models.BigIntegerField()),
                ("successes", models.BigIntegerField()),
                ("refused", models.BigIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BreachedPassword",
            fields=[
                ("sha1", models.BinaryField(primary_key=True, serialize=False)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                models.Func(
                                    "sha1",
                                    function="octet_length",
                                    output_field=models.IntegerField(),
                                ),
                                20,
                            )
                        ),
                        name="fingerprint_of_twenty_bytes",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "account_ref",
                    models.CharField(
                        help_text="The core system's key.", max_length=64, null=True, unique=True
                    ),
                ),
                (
                    "login_id",
                    models.CharField(help_text="In lower case.", max_length=254, unique=True),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("customer", "Customer"), ("staff", "Staff")],
                        default="customer",
                        max_length=10,
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("email_verified_at", models.DateTimeField(null=True)),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("phone_verified_at", models.DateTimeField(null=True)),
                ("display_name", models.CharField(blank=True, max_length=100)),
                ("kana_name", models.CharField(blank=True, max_length=100)),
                (
                    "staff_number",
                    models.CharField(
                        blank=True, help_text="The person behind a staff account.", max_length=40
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("registered_at", models.DateTimeField(null=True)),
                (
                    "password_set_at",
                    models.DateTimeField(
                        help_text="What the credential fence compares.", null=True
                    ),
                ),
                (
                    "password_removed_at",
                    models.DateTimeField(
                        help_text="When a mass reset last made a password of the account unusable.",
                        null=True,
                    ),
                ),
                (
                    "refused_hash",
                    models.CharField(
                        blank=True,
                        help_text="The password a mass reset took away: it never signs in, nor is chosen again.",
                        max_length=128,
                    ),
                ),
                (
                    "sessions_end_before",
                    models.DateTimeField(
                        help_text="Sessions and device tokens issued before this instant are not accepted.",
                        null=True,
                    ),
                ),
                (
                    "channel_changed_at",
                    models.DateTimeField(
                        help_text="When another address took the place of the old one; money waits a day after it.",
                        null=True,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        django.db.models.functions.text.Lower("email"),
                        condition=models.Q(("email", ""), _negated=True),
                        name="account_of_email",
                    ),
                    models.Index(
                        django.db.models.functions.text.Replace(
                            django.db.models.functions.text.Replace(
                                "phone", models.Value("-"), models.Value("")
                            ),
                            models.Value("+"),
                            models.Value(""),
                        ),
                        condition=models.Q(("phone", ""), _negated=True),
                        name="account_of_phone",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("login_id", django.db.models.functions.text.Lower("login_id"))
                        ),
                        name="login_id_in_lower_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "staff"),
                            models.Q(
                                ("is_staff", False), ("is_superuser", False), ("staff_number", "")
                            ),
                            _connector="OR",
                        ),
                        name="customer_is_not_staff",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "customer"),
                            models.Q(("staff_number", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="staff_has_a_number",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CredentialFenceTransition",
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
                    models.Index(fields=["subject_id"], name="accounts_cr_subject_1d21e6_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="accounts_cr_xact_id_786a88_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfencetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="073a10247642572da485228e12b6f82fc53d2fed",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_a5698",
                    table="accounts_credentialfencetransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="DeviceToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the token, in hex.", max_length=64, unique=True
                    ),
                ),
                ("device_name", models.CharField(max_length=60)),
                ("issued_at", models.DateTimeField()),
                ("method", models.CharField(max_length=20)),
                ("switch_version", models.IntegerField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="device_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ExternalIdentity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("facebook", "facebook"),
                            ("google", "google"),
                            ("line", "line"),
                            ("twitter", "twitter"),
                            ("yahoo", "yahoo"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        help_text="The provider's own key of the person.", max_length=255
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended")],
                        default="active",
                        max_length=40,
                    ),
                ),
                ("linked_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="external_identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "subject"), name="subject_known_once"
                    ),
                    models.UniqueConstraint(
                        fields=("user", "provider"), name="one_identity_per_provider"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("provider__in", ("facebook", "google", "line", "twitter", "yahoo"))
                        ),
                        name="identity_of_known_provider",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_externalidentitytransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'restore') AND b.state = 'suspended' AND a.state = 'active' THEN 'restore' WHEN (named IS NULL OR named = 'suspend') AND b.state = 'active' AND a.state = 'suspended' THEN 'suspend'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_externalidentitytransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="ccbf8b1f59ebe6904105f1377f456c6fdbda2034",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_1fd64",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_externalidentity",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('active')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('active') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="8df24471ce7a27c3746a911779e3d3e4c4c98490",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_56b27",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_externalidentity",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="ada88bd0f0190fc8b796ba22da44cff45d6d9981",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_6ccba",
                    table="accounts_externalidentity",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ExternalIdentityTransition",
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
                    models.Index(fields=["subject_id"], name="accounts_ex_subject_c2dc0e_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="accounts_ex_xact_id_5c2e2a_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentitytransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="7d54484c966eed7a770ad7883746184e2ccc7160",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_5a8ff",
                    table="accounts_externalidentitytransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="MailReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("complete_until", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("queued_again", models.IntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mailreport",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="32f794d4ea7f74c45ab9e4cdbd5cd82bacf7a723",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_d81be",
                    table="accounts_mailreport",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RecoveryCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "reference",
                    models.CharField(
                        help_text="What the person is given to ask with.",
                        max_length=16,
                        unique=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("collecting", "Collecting"),
                            ("proposed", "Proposed"),
                            ("approved", "Approved"),
                            ("completed", "Completed"),
                            ("rejected", "Rejected"),
                        ],
                        default="opened",
                        max_length=40,
                    ),
                ),
                ("contact_sealed", models.BinaryField()),
                ("contact_channel", models.CharField(max_length=10)),
                ("contact_mask", models.CharField(max_length=40)),
                ("contact_fingerprint", models.CharField(db_index=True, max_length=64)),
                ("language", models.CharField(max_length=5)),
                ("network", models.GenericIPAddressField(null=True)),
                (
                    "rejection",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("not_found", "Not Found"),
                            ("not_proved", "Not Proved"),
                            ("no_answer", "No Answer"),
                            ("duplicate", "Duplicate"),
                            ("own_channel", "Own Channel"),
                        ],
                        max_length=20,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "second_factor_lost",
                    models.BooleanField(
                        default=False,
                        help_text="Completed, the account has no second factor any more.",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["proposed", "approved"])),
                        fields=("account",),
                        name="one_case_under_decision_per_account",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["opened", "collecting", "rejected"]),
                            ("account__isnull", False),
                            _connector="OR",
                        ),
                        name="case_proposed_for_an_account",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "rejected"), _negated=True),
                            models.Q(("rejection", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="case_rejection_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "completed"), _negated=True),
                            ("completed_at__isnull", False),
                            _connector="OR",
                        ),
                        name="completed_case_has_its_instant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("contact_channel__in", ["email", "phone"])),
                        name="case_channel_known",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_recoverycasetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'approve') AND b.state = 'proposed' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'complete') AND b.state = 'approved' AND a.state = 'completed' THEN 'complete' WHEN (named IS NULL OR named = 'decline') AND b.state = 'collecting' AND a.state = 'rejected' THEN 'decline' WHEN (named IS NULL OR named = 'decline') AND b.state = 'opened' AND a.state = 'rejected' THEN 'decline' WHEN (named IS NULL OR named = 'propose') AND b.state = 'collecting' AND a.state = 'proposed' THEN 'propose' WHEN (named IS NULL OR named = 'reject') AND b.state = 'proposed' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'revoke') AND b.state = 'approved' AND a.state = 'rejected' THEN 'revoke' WHEN (named IS NULL OR named = 'take') AND b.state = 'opened' AND a.state = 'collecting' THEN 'take'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_recoverycasetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c90124458905a7b69b33c1080a17eaaf1156617c",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_e4b36",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_recoverycase",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('opened')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('opened') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="0af1e60760bd6ba38c1740775efcb46d7bbcc027",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_80fff",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_recoverycase",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="1ff673b660156a45a3dc85e1fd7639bde1574119",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_2ec8b",
                    table="accounts_recoverycase",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="case_is_kept",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF (OLD.key, OLD.reference, OLD.contact_sealed, OLD.contact_channel,\n                        OLD.contact_fingerprint, OLD.opened_at)\n                       IS DISTINCT FROM\n                       (NEW.key, NEW.reference, NEW.contact_sealed, NEW.contact_channel,\n                        NEW.contact_fingerprint, NEW.opened_at)\n                       OR (OLD.state NOT IN ('opened', 'collecting')\n                           AND (OLD.account_id, OLD.second_factor_lost)\n                               IS DISTINCT FROM (NEW.account_id, NEW.second_factor_lost))\n                       OR (OLD.state IN ('completed', 'rejected') AND OLD IS DISTINCT FROM NEW) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD061', MESSAGE = format(\n                            'recovery case %s is kept as it is', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="d1a681ba54322bfce5e8746654824abfc638ce1a",
                    operation="UPDATE",
                    pgid="pgtrigger_case_is_kept_b66dc",
                    table="accounts_recoverycase",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="case_is_proved",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" = 'proposed' AND OLD.\"state\" = 'collecting')",
                    func="\n                    IF (SELECT count(DISTINCT p.kind) FROM accounts_proofstep p\n                        WHERE p.case_id = NEW.id) < 2 THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD061', MESSAGE = format(\n                            'recovery case %s has too few kinds of proof', NEW.id);\n                    END IF;\n                    IF (SELECT u.kind FROM accounts_user u WHERE u.id = NEW.account_id)\n                        IS DISTINCT FROM 'customer' THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD061', MESSAGE = format(\n                            'recovery case %s is not about a customer', NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="0029ee0662facd4d30d040a12f78f08525da1cbe",
                    operation="UPDATE",
                    pgid="pgtrigger_case_is_proved_919bc",
                    table="accounts_recoverycase",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="case_decided_by_another",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.\"state\" = 'proposed')",
                    func="\n                    IF NEW.state IN ('approved', 'rejected') AND NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        WHERE s.subject = 'recovery_case:' || NEW.id\n                          AND s.part = CASE NEW.state WHEN 'approved' THEN 'approved'\n                                                      ELSE 'rejected' END\n                          AND NOT EXISTS (\n                              SELECT FROM accounts_proofstep p\n                              JOIN accounts_user u ON u.id = p.recorded_by_id\n                              WHERE p.case_id = NEW.id AND u.staff_number = s.staff_number)\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD062', MESSAGE = format(\n                            'recovery case %s is not decided by another person', NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="6b3bc24fda6220c3c0e3e017f642490f73793543",
                    operation="UPDATE",
                    pgid="pgtrigger_case_decided_by_another_8d512",
                    table="accounts_recoverycase",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="OneTimeLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("recover", "Recover"),
                            ("sign_up", "Sign Up"),
                            ("case", "Case"),
                            ("staff", "Staff"),
                        ],
                        max_length=10,
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=10)),
                (
                    "address_fingerprint",
                    models.CharField(
                        blank=True,
                        help_text="Where it was sent, to see whether that changed.",
                        max_length=64,
                    ),
                ),
                (
                    "address_sealed",
                    models.BinaryField(
                        help_text="The address a new account is to have; no account has it yet.",
                        null=True,
                    ),
                ),
                ("issued_at", models.DateTimeField()),
                (
                    "expires_at",
                    models.DateTimeField(help_text="None until its channel has it.", null=True),
                ),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="accounts.accessrequest",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="accounts.recoverycase",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["user", "issued_at"], name="links_of_account")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("used_at", None),
                            models.Q(
                                ("used_at__gte", models.F("issued_at")),
                                ("used_at__lt", models.F("expires_at")),
                            ),
                            _connector="OR",
                        ),
                        name="link_used_in_its_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("address_sealed__isnull", False),
                                ("purpose", "sign_up"),
                                ("user", None),
                            ),
                            models.Q(
                                models.Q(("purpose", "sign_up"), _negated=True),
                                ("address_sealed", None),
                                ("user__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="link_names_whom_it_is_for",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("case__isnull", False), ("purpose", "case")),
                            models.Q(models.Q(("purpose", "case"), _negated=True), ("case", None)),
                            _connector="OR",
                        ),
                        name="link_of_a_case_names_it",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="onetimelink",
            trigger=pgtrigger.compiler.Trigger(
                name="link_is_for_whom_it_may",
                sql=winddown.guards.GuardSql(
                    condition='WHEN (NEW."user_id" IS NOT NULL)',
                    func="\n                    IF (NEW.purpose = 'staff') <> (\n                        SELECT u.kind = 'staff' FROM accounts_user u WHERE u.id = NEW.user_id) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD060', MESSAGE = format(\n                            'no link to %s for account %s', NEW.purpose, NEW.user_id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="ac2c1f473cdbfdf54823265f9b813234c743ee76",
                    operation="INSERT",
                    pgid="pgtrigger_link_is_for_whom_it_may_78b85",
                    table="accounts_onetimelink",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="onetimelink",
            trigger=pgtrigger.compiler.Trigger(
                name="link_opens_once",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF TG_OP = 'DELETE' OR OLD.used_at IS NOT NULL OR (\n                        OLD.key, OLD.purpose, OLD.request_id, OLD.user_id, OLD.case_id, OLD.channel,\n                        OLD.address_fingerprint, OLD.issued_at\n                    ) IS DISTINCT FROM (\n                        NEW.key, NEW.purpose, NEW.request_id, NEW.user_id, NEW.case_id, NEW.channel,\n                        NEW.address_fingerprint, NEW.issued_at\n                    ) OR (\n                        OLD.expires_at IS NOT NULL AND NEW.expires_at IS DISTINCT FROM OLD.expires_at\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format(\n                            'one-time link %s is kept as it is: %s refused', OLD.id, TG_OP);\n                    END IF;\n                    IF NEW.used_at IS NOT NULL THEN\n                        NEW.used_at := winddown_now();\n                        IF NEW.expires_at IS NULL OR NEW.used_at >= NEW.expires_at\n                           OR NEW.used_at < NEW.issued_at\n                           OR (NEW.purpose <> 'staff' AND EXISTS (\n                               SELECT FROM accounts_credentialfence f\n                               WHERE f.state <> 'lifted' AND f.not_before > NEW.issued_at))\n                           OR EXISTS (\n                               SELECT FROM accounts_user u WHERE u.id = NEW.user_id AND (\n                                   NOT u.is_active OR u.password_set_at > NEW.issued_at\n                                   OR u.channel_changed_at > NEW.issued_at))\n                        THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD060', MESSAGE = format(\n                                'one-time link %s is dead', NEW.id);\n                        END IF;\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="0fb7d6bde6f283e26440939aa2b3ea2f6ffb21ff",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_link_opens_once_ef8af",
                    table="accounts_onetimelink",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("recover", "Recover"),
                            ("sign_up", "Sign Up"),
                            ("account_known", "Account Known"),
                            ("password_changed", "Password Changed"),
                            ("case_approved", "Case Approved"),
                            ("case_rejected", "Case Rejected"),
                            ("case_link", "Case Link"),
                            ("channel_changed", "Channel Changed"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "Email"), ("phone", "Phone")], max_length=10
                    ),
                ),
                ("to_sealed", models.BinaryField(null=True)),
                ("language", models.CharField(max_length=5)),
                (
                    "facts",
                    models.JSONField(
                        default=dict, help_text="What its text names; nothing personal."
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                (
                    "lease_until",
                    models.DateTimeField(
                        help_text="Real time: nobody else sends it, or tries again, before.",
                        null=True,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("given_up_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="accounts.onetimelink",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("given_up_at", None), ("sent_at", None)),
                        fields=["channel", "id"],
                        name="messages_owed",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["queued_at"],
                        name="accounts_me_queued__687faa_brin",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sent_at", None), ("given_up_at", None), _connector="OR"
                        ),
                        name="message_ends_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("given_up_at", None), ("sent_at", None)),
                            ("to_sealed", None),
                            _connector="OR",
                        ),
                        name="address_of_an_ended_message_is_wiped",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["email", "phone"])),
                        name="message_channel_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProofStep",
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
                            ("identity_document", "Identity Document"),
                            ("past_transactions", "Past Transactions"),
                            ("call_back", "Call Back"),
                            ("card_last4", "Card Last4"),
                        ],
                        max_length=20,
                    ),
                ),
                ("note", models.CharField(max_length=500)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="accounts.recoverycase",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("case", "kind"), name="one_proof_of_a_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("note", ""), _negated=True),
                        name="proof_says_what_was_seen",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proofstep",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="e281f975e9436582c45d651e41333532971b86ba",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_228f7",
                    table="accounts_proofstep",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proofstep",
            trigger=pgtrigger.compiler.Trigger(
                name="proof_while_collecting",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF (SELECT c.state FROM accounts_recoverycase c WHERE c.id = NEW.case_id\n                        FOR SHARE) <> 'collecting' THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD061', MESSAGE = format(\n                            'recovery case %s is not collecting proofs', NEW.case_id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="178b7fd1d30616a452bd27aa75dcb6d4d7f2a0fd",
                    operation="INSERT",
                    pgid="pgtrigger_proof_while_collecting_cefa8",
                    table="accounts_proofstep",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="RecoveryCaseTransition",
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
                    models.Index(fields=["subject_id"], name="accounts_re_subject_1f2f25_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="accounts_re_xact_id_0f12ec_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycasetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="3b6b3c981fae1fc4800720462e313702f370e37e",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_a1a13",
                    table="accounts_recoverycasetransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ResetNoticeTransition",
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
                    models.Index(fields=["subject_id"], name="accounts_re_subject_2711c7_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="accounts_re_xact_id_78f50f_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnoticetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d549839f5d501d75471d8894f160563846d2894d",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_04bc9",
                    table="accounts_resetnoticetransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("session_key", models.CharField(max_length=40, unique=True)),
                ("issued_at", models.DateTimeField(null=True)),
                ("method", models.CharField(blank=True, max_length=20)),
                ("switch_version", models.IntegerField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SignInStorm",
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
                        choices=[("under_way", "Under Way"), ("over", "Over")],
                        default="under_way",
                        max_length=40,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("holds_until", models.DateTimeField()),
                ("signs", models.JSONField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "under_way")),
                        fields=("state",),
                        name="one_storm_under_way",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("holds_until__gt", models.F("began_at"))),
                        name="storm_holds_for_a_while",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signinstorm",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_signinstormtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'end') AND b.state = 'under_way' AND a.state = 'over' THEN 'end'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_signinstormtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="24d9d92ffb5f354c59cec378318227a0b3cd6014",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_db867",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_signinstorm",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signinstorm",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('under_way')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('under_way') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="ca3dd004923a05ebbd94028adef58a060f822e29",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_5a3e6",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_signinstorm",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signinstorm",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="7729da43ec9eeb8a4becf792ac6cbaf0f0997649",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_bc971",
                    table="accounts_signinstorm",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SignInStormTransition",
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
                    models.Index(fields=["subject_id"], name="accounts_si_subject_82b55d_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="accounts_si_xact_id_63b573_brin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signinstormtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="6fc25572832082b791e0d5c8bc153eabb4df6ba6",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_016b6",
                    table="accounts_signinstormtransition",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SourceMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "minute",
                        "source",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("minute", models.DateTimeField()),
                ("source", models.CharField(max_length=80)),
                ("tries", models.BigIntegerField()),
                ("ids", accounts.models.attack.Sketch()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SuspiciousSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=80, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("address", "Address"),
                            ("network", "Network"),
                            ("device", "Device"),
                        ],
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("evidence", models.JSONField(help_text="Counts only.")),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.detectionrule",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_at__gte", models.F("since"))),
                        name="source_lasts_forward",
                    )
                ],
            },
        ),
        # Half-filled pages keep mass updates heap-only. Attempts to sign in are a plain heap under a
        # BRIN index: nothing looks one up by its number, and an attack writes thousands a second.
        migrations.RunSQL(
            "ALTER TABLE accounts_user SET (fillfactor = 50);"
            " ALTER TABLE accounts_externalidentity SET (fillfactor = 50);"
            " ALTER TABLE accounts_authevent DROP CONSTRAINT accounts_authevent_pkey",
            "ALTER TABLE accounts_authevent ADD PRIMARY KEY (id);"
            " ALTER TABLE accounts_externalidentity RESET (fillfactor);"
            " ALTER TABLE accounts_user RESET (fillfactor)",
        ),
    ]
