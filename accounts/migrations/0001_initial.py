import django.contrib.postgres.indexes
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
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
            ],
            options={
                "default_permissions": (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
            ],
            options={
                "default_permissions": (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
            },
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
                            ("sent", "Sent"),
                            ("undeliverable", "Undeliverable"),
                        ],
                        default="queued",
                        max_length=40,
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
            },
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
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
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
            ],
            options={
                "default_permissions": (),
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
                                ["password", "facebook", "google", "line", "twitter", "yahoo"],
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
                    hash="9a0ed1df2319b7dc8a28f44912fb2e3d57597c68",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_67272",
                    table="accounts_authevent",
                    when="BEFORE",
                ),
            ),
        ),
    ]
