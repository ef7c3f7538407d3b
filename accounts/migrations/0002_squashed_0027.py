"""The other tables of accounts, and the triggers of people (docs/decisions/0030)."""

import accounts.models.attack
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.lookups
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
import winddown.guards
from django.conf import settings
from django.db import migrations, models

# Half-filled pages keep mass updates heap-only. Attempts to sign in are a plain heap under a BRIN
# index: nothing looks one up by its number, and an attack writes thousands a second. Each session
# takes their ids by the thousand: one by one, they are a sixth of a load. The ids therefore do not
# say in which order two sessions wrote; nothing asks them.
PAGES = """
ALTER TABLE accounts_user SET (fillfactor = 50);
ALTER TABLE accounts_externalidentity SET (fillfactor = 50);
ALTER TABLE accounts_authevent DROP CONSTRAINT accounts_authevent_pkey;
ALTER TABLE accounts_authevent ALTER COLUMN id SET CACHE 1000;
"""

# The one function that runs with the owner's rights: only an owner may summarise an index.
SUMMARIES = """
CREATE FUNCTION accounts_summarise_attempts() RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT brin_summarize_new_values(indexrelid::regclass) FROM pg_index
    JOIN pg_class c ON c.oid = indexrelid JOIN pg_am ON pg_am.oid = c.relam
    WHERE indrelid = 'public.accounts_authevent'::regclass AND amname = 'brin';
$$;
"""


class Migration(migrations.Migration):
    replaces = [
        ("accounts", "0002_initial"),
        ("accounts", "0003_one_person_one_staff_number"),
        ("accounts", "0004_roles_in_one_hand"),
        ("accounts", "0005_summaries_by_the_owner"),
        ("accounts", "0006_access_added_message"),
        ("accounts", "0007_witness"),
        ("accounts", "0008_hits_of_a_minute"),
        ("accounts", "0009_imported_hash_cost"),
        ("accounts", "0010_link_for_a_browser"),
        ("accounts", "0011_addresses_that_reach"),
        ("accounts", "0012_login_id_in_one_spelling"),
        ("accounts", "0013_kept_rows"),
        ("accounts", "0014_access_changed_message"),
        ("accounts", "0015_link_for_an_address"),
        ("accounts", "0016_witnessed_roles"),
        ("accounts", "0017_guards_of_named_columns"),
        ("accounts", "0018_declared_providers"),
        ("accounts", "0019_bulk_messages"),
        ("accounts", "0020_visible_staff_numbers"),
        ("accounts", "0021_carrier_files"),
        ("accounts", "0022_merchant_notices"),
        ("accounts", "0023_ids_of_attempts"),
        ("accounts", "0024_payee_changed"),
        ("accounts", "0025_voucher_messages"),
        ("accounts", "0026_postal_addresses"),
        ("accounts", "0027_application_in"),
    ]
    dependencies = [
        ("accounts", "0001_squashed_0001"),
        ("winddown", "0001_squashed_0028"),
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
                ("method", models.CharField(max_length=20)),
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
                    )
                ],
            },
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
                ("hits", models.BigIntegerField(db_default=0)),
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
                ("provider", models.CharField(max_length=20)),
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
                ],
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
                            ("browser", "Browser"),
                            ("address", "Address"),
                            ("merchant", "Merchant"),
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
                        help_text="The address that the account is to have; it has not got it yet.",
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
                (
                    "merchant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.merchant",
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
                            models.Q(("case__isnull", False), ("purpose", "case")),
                            models.Q(models.Q(("purpose", "case"), _negated=True), ("case", None)),
                            _connector="OR",
                        ),
                        name="link_of_a_case_names_it",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("address_sealed__isnull", False),
                                ("merchant", None),
                                ("purpose", "sign_up"),
                                ("user", None),
                            ),
                            models.Q(
                                ("address_sealed__isnull", False),
                                ("merchant", None),
                                ("purpose", "address"),
                                ("user__isnull", False),
                            ),
                            models.Q(
                                ("address_sealed", None),
                                ("merchant__isnull", False),
                                ("purpose", "merchant"),
                                ("user", None),
                            ),
                            models.Q(
                                models.Q(
                                    ("purpose__in", ("sign_up", "address", "merchant")),
                                    _negated=True,
                                ),
                                ("address_sealed", None),
                                ("merchant", None),
                                ("user__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="link_names_whom_it_is_for",
                    ),
                ],
            },
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
                            ("case_approved", "Case Approved"),
                            ("case_rejected", "Case Rejected"),
                            ("case_link", "Case Link"),
                            ("access_changed", "Access Changed"),
                            ("browser", "Browser"),
                            ("verify_address", "Verify Address"),
                            ("refund_reminder", "Refund Reminder"),
                            ("merchant_notice", "Merchant Notice"),
                            ("payee_changed", "Payee Changed"),
                            ("voucher_issued", "Voucher Issued"),
                            ("voucher_reminder", "Voucher Reminder"),
                            ("application_in", "Application In"),
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
                (
                    "bounced_at",
                    models.DateTimeField(
                        help_text="A mail server took it and sent it back later.", null=True
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
                    models.Index(
                        condition=models.Q(
                            ("channel", "email"),
                            ("given_up_at", None),
                            ("sent_at", None),
                            models.Q(
                                ("kind__in", ["refund_reminder", "merchant_notice"]), _negated=True
                            ),
                        ),
                        fields=["id"],
                        name="messages_owed_to_one",
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
                "indexes": [models.Index(fields=["since", "source"], name="sources_by_time")],
            },
        ),
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
                        choices=[("email", "Email"), ("phone", "Phone"), ("letter", "Letter")],
                        max_length=10,
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
                        condition=models.Q(
                            models.Q(("state", "sending"), _negated=True),
                            models.Q(("attempted_at__isnull", False), ("attempts__gt", 0)),
                            _connector="OR",
                        ),
                        name="attempt_is_counted_before_it_is_made",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["email", "phone", "letter"])),
                        name="notice_channel_known",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name="RoleGiven",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
            },
            bases=("accounts.user_groups",),
        ),
        migrations.CreateModel(
            name="ImportedHashCost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cost", models.CharField(max_length=80)),
                ("loaded_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CarrierFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("rows", models.IntegerField(default=0)),
                (
                    "sha256",
                    models.CharField(
                        blank=True, help_text="Empty until it is complete.", max_length=64
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField(null=True)),
                (
                    "taken_by",
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
                            models.Q(("taken_at", None), ("taken_by", None)),
                            models.Q(("taken_at__isnull", False), ("taken_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="taken_file_names_who_took_it",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CarrierFilePart",
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
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="accounts.carrierfile",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("file", "number"), name="part_once_per_carrier_file"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MerchantMailing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_reminder", models.BooleanField()),
                ("title_ja", models.TextField()),
                ("body_ja", models.TextField()),
                ("title_en", models.TextField()),
                ("body_en", models.TextField()),
                (
                    "begun_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "announcement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.announcement",
                    ),
                ),
                (
                    "begun_by",
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
        migrations.CreateModel(
            name="MerchantNotice",
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
                        choices=[("email", "Email"), ("letter", "Letter")], max_length=10
                    ),
                ),
                (
                    "queued_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "letter_file",
                    models.IntegerField(help_text="The file of letters that holds it.", null=True),
                ),
                (
                    "instead_of",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instead",
                        to="accounts.merchantnotice",
                    ),
                ),
                (
                    "mailing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="accounts.merchantmailing",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.merchant",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merchant_notice",
                        to="accounts.message",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("instead_of", None)),
                        fields=("mailing", "merchant"),
                        name="one_notice_per_merchant_and_mailing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("channel", "letter"), ("message", None)),
                            models.Q(
                                ("channel", "email"),
                                ("letter_file", None),
                                models.Q(("message", None), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="merchant_notice_is_a_mail_or_a_letter",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MerchantReceipt",
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
                            ("link", "Link"),
                            ("telephone", "Telephone"),
                            ("visit", "Visit"),
                            ("fax", "Fax"),
                            ("post", "Post"),
                        ],
                        max_length=10,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "announcement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.announcement",
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
                (
                    "link",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.onetimelink",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.merchant",
                    ),
                ),
                (
                    "recorded_by",
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
                        fields=("merchant", "announcement"),
                        name="one_receipt_per_merchant_and_version",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("channel", "link"),
                                ("evidence", None),
                                ("link__isnull", False),
                                ("recorded_by", None),
                            ),
                            models.Q(
                                ("channel__in", ["telephone", "visit", "fax", "post"]),
                                ("evidence__isnull", False),
                                ("link", None),
                                ("recorded_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="receipt_has_its_proof",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("received_at__lte", models.F("recorded_at"))),
                        name="receipt_has_happened",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PostalAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address_sealed", models.BinaryField()),
                ("fingerprint", models.CharField(max_length=64)),
                (
                    "loaded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postal_address",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(
            PAGES,
        ),
        migrations.RunSQL(
            SUMMARIES,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.is_active, a.is_staff, a.is_superuser, a.kind, a.staff_number)::text, 'UTF8'))\n            FROM after a WHERE a.kind = 'staff' ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="6ac70717f416fb67bee884143abd57a68580d41d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_b651f",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.is_active, OLD.is_staff, OLD.is_superuser, OLD.kind, OLD.staff_number) IS DISTINCT FROM (NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.kind, NEW.staff_number) AND NEW.kind = 'staff')",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.kind, NEW.staff_number)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="d16e4cfc1e0739ba1d53aa1ba9d0a5b90401f0e9",
                    operation='UPDATE OF "kind", "staff_number", "is_active", "is_staff", "is_superuser"',
                    pgid="pgtrigger_witness_f5c87",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="person_keeps_roles_apart",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.is_active AND (NOT OLD.is_active OR OLD.staff_number <> NEW.staff_number))",
                    declare="DECLARE person text; held text[]; clash text;",
                    func="\n        SELECT u.staff_number INTO person FROM accounts_user u\n        WHERE u.id = NEW.id AND u.is_active AND u.staff_number <> '';\n        IF person IS NULL THEN\n            RETURN NULL;\n        END IF;\n        PERFORM FROM accounts_user u\n        WHERE u.staff_number = person AND u.staff_number <> '' ORDER BY u.id FOR NO KEY UPDATE;\n        held := ARRAY(SELECT g.name FROM accounts_user u\n            JOIN accounts_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id\n            WHERE u.staff_number = person AND u.staff_number <> '' AND u.is_active);\n        SELECT p.one || ' and ' || p.other INTO clash\n        FROM (VALUES ('fraud_analyst', 'fraud_supervisor'), ('treasury_operator', 'treasury_approver'), ('incident_commander', 'auditor'), ('fraud_analyst', 'auditor'), ('fraud_supervisor', 'auditor'), ('treasury_operator', 'auditor'), ('treasury_approver', 'auditor'), ('compliance', 'auditor'), ('support', 'auditor')) AS p(one, other)\n        WHERE p.one = ANY (held) AND p.other = ANY (held) LIMIT 1;\n        IF clash IS NOT NULL THEN\n            RAISE EXCEPTION USING ERRCODE = 'WD070',\n                MESSAGE = format('one person would be %s', clash);\n        END IF;\n        RETURN NULL;\n    ",
                    hash="4b8edc01a5882d093fe0f884e3206ebbccc74806",
                    operation='UPDATE OF "is_active", "staff_number"',
                    pgid="pgtrigger_person_keeps_roles_apart_fe691",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="signer_keeps_the_number",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.staff_number <> NEW.staff_number)",
                    func="\n            IF EXISTS (\n                SELECT FROM winddown_signature s WHERE s.staff_number = OLD.staff_number\n            ) THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD012',\n                    MESSAGE = format('account %s: this staff number has signed', OLD.id);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="770ba04204f624294e7ff8e66d84fc9dedf49f07",
                    operation='UPDATE OF "staff_number"',
                    pgid="pgtrigger_signer_keeps_the_number_5bdd7",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfencetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="6cc3aa8c3db604b15a520c6233bb93b914936718",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_fbdf2",
                    table="accounts_credentialfencetransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.provider) IS DISTINCT FROM (NEW.provider) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: provider cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="171dca7d64c4eea28731ad994f41a158626ad316",
                    operation='UPDATE OF "provider"',
                    pgid="pgtrigger_columns_are_fixed_5beeb",
                    table="accounts_externalidentity",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="provider_is_declared",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong text;",
                    func="\n                    SELECT min(a.provider) INTO wrong\n                    FROM after a LEFT JOIN winddown_loginprovider p ON p.code = a.provider\n                    WHERE p.id IS NULL;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD042',\n                            MESSAGE = format('%s is no login provider of the programme', wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="c092a5e8e117344d6006d73dfab0b7e418f303c7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_provider_is_declared_c585e",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_externalidentity",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentitytransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="41ff3c75b0acb94d71faf2b558483172ef765fd7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_de7bf",
                    table="accounts_externalidentitytransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_id, extract(epoch FROM a.completed_at), a.contact_channel, a.contact_fingerprint, a.contact_mask, encode(sha256(a.contact_sealed), 'hex'), extract(epoch FROM a.decided_at), a.id, a.key, a.language, a.network, extract(epoch FROM a.opened_at), a.reference, a.rejection, a.second_factor_lost, a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="09ba2362222b9c065dab9a4158923eca37626a5d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_8ce04",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_recoverycase",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycase",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account_id, OLD.completed_at, OLD.contact_channel, OLD.contact_fingerprint, OLD.contact_mask, OLD.contact_sealed, OLD.decided_at, OLD.id, OLD.key, OLD.language, OLD.network, OLD.opened_at, OLD.reference, OLD.rejection, OLD.second_factor_lost, OLD.state) IS DISTINCT FROM (NEW.account_id, NEW.completed_at, NEW.contact_channel, NEW.contact_fingerprint, NEW.contact_mask, NEW.contact_sealed, NEW.decided_at, NEW.id, NEW.key, NEW.language, NEW.network, NEW.opened_at, NEW.reference, NEW.rejection, NEW.second_factor_lost, NEW.state))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_id, extract(epoch FROM NEW.completed_at), NEW.contact_channel, NEW.contact_fingerprint, NEW.contact_mask, encode(sha256(NEW.contact_sealed), 'hex'), extract(epoch FROM NEW.decided_at), NEW.id, NEW.key, NEW.language, NEW.network, extract(epoch FROM NEW.opened_at), NEW.reference, NEW.rejection, NEW.second_factor_lost, NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="aab339dca14255b9606fe23ba13c6e88239bf8ef",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_ee2b7",
                    table="accounts_recoverycase",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="onetimelink",
            trigger=pgtrigger.compiler.Trigger(
                name="link_is_for_whom_it_may",
                sql=winddown.guards.GuardSql(
                    condition='WHEN (NEW."user_id" IS NOT NULL)',
                    func="\n                    IF NEW.purpose <> 'address' AND (NEW.purpose IN ('staff', 'browser')) <> (\n                        SELECT u.kind = 'staff' FROM accounts_user u WHERE u.id = NEW.user_id) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD060', MESSAGE = format(\n                            'no link to %s for account %s', NEW.purpose, NEW.user_id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="7dfe73bc24116df834475d9fd1779b1eb6f2464e",
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
                    func="\n                    IF TG_OP = 'DELETE' OR OLD.used_at IS NOT NULL OR (\n                        OLD.key, OLD.purpose, OLD.request_id, OLD.user_id, OLD.case_id,\n                        OLD.merchant_id, OLD.channel, OLD.address_fingerprint, OLD.issued_at\n                    ) IS DISTINCT FROM (\n                        NEW.key, NEW.purpose, NEW.request_id, NEW.user_id, NEW.case_id,\n                        NEW.merchant_id, NEW.channel, NEW.address_fingerprint, NEW.issued_at\n                    ) OR (\n                        OLD.expires_at IS NOT NULL AND NEW.expires_at IS DISTINCT FROM OLD.expires_at\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format(\n                            'one-time link %s is kept as it is: %s refused', OLD.id, TG_OP);\n                    END IF;\n                    IF NEW.used_at IS NOT NULL THEN\n                        NEW.used_at := winddown_now();\n                        IF NEW.expires_at IS NULL OR NEW.used_at >= NEW.expires_at\n                           OR NEW.used_at < NEW.issued_at\n                           OR (NEW.purpose NOT IN ('staff', 'browser', 'merchant') AND EXISTS (\n                               SELECT FROM accounts_credentialfence f\n                               WHERE f.state <> 'lifted' AND f.not_before > NEW.issued_at))\n                           OR EXISTS (\n                               SELECT FROM accounts_user u WHERE u.id = NEW.user_id AND (\n                                   NOT u.is_active OR u.password_set_at > NEW.issued_at\n                                   OR u.channel_changed_at > NEW.issued_at))\n                        THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD060', MESSAGE = format(\n                                'one-time link %s is dead', NEW.id);\n                        END IF;\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="2f804df873975e9cc843655fe4129880c79840d6",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_link_opens_once_ef8af",
                    table="accounts_onetimelink",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="proofstep",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.case_id, a.id, a.kind, a.note, extract(epoch FROM a.recorded_at), a.recorded_by_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="ce7c89142196daa99ce7d97e1475f6d5a4080793",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_50073",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_proofstep",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proofstep",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.case_id, OLD.id, OLD.kind, OLD.note, OLD.recorded_at, OLD.recorded_by_id) IS DISTINCT FROM (NEW.case_id, NEW.id, NEW.kind, NEW.note, NEW.recorded_at, NEW.recorded_by_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.case_id, NEW.id, NEW.kind, NEW.note, extract(epoch FROM NEW.recorded_at), NEW.recorded_by_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="1a56e993734e118438fa49f373d462c8b1494519",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_ccb0d",
                    table="accounts_proofstep",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="recoverycasetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b45c48392b297fd67428cded4adaafe636fe6063",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_386b9",
                    table="accounts_recoverycasetransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="resetnoticetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="d105109e195288e21e8616964d92510b342ae9a1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_ab175",
                    table="accounts_resetnoticetransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="signinstormtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="dfb418fe88df48333ab667e7864a14497abc15b0",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_76c7e",
                    table="accounts_signinstormtransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.id, extract(epoch FROM a.lifted_at), extract(epoch FROM a.not_before), a.run_id, a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="9049e93e1b4d0d76cef57e9ee14a2b9c379ff070",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_ce4f2",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_credentialfence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.id, OLD.lifted_at, OLD.not_before, OLD.run_id, OLD.state) IS DISTINCT FROM (NEW.id, NEW.lifted_at, NEW.not_before, NEW.run_id, NEW.state))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.id, extract(epoch FROM NEW.lifted_at), extract(epoch FROM NEW.not_before), NEW.run_id, NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="1e0fabc71ebc47eaed8067a298330df3e9ed9901",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_6a902",
                    table="accounts_credentialfence",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="rolegiven",
            trigger=pgtrigger.compiler.Trigger(
                name="roles_in_one_hand",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE person text; held text[]; clash text;",
                    func="\n        SELECT u.staff_number INTO person FROM accounts_user u\n        WHERE u.id = NEW.user_id AND u.is_active AND u.staff_number <> '';\n        IF person IS NULL THEN\n            RETURN NULL;\n        END IF;\n        PERFORM FROM accounts_user u\n        WHERE u.staff_number = person AND u.staff_number <> '' ORDER BY u.id FOR NO KEY UPDATE;\n        held := ARRAY(SELECT g.name FROM accounts_user u\n            JOIN accounts_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id\n            WHERE u.staff_number = person AND u.staff_number <> '' AND u.is_active);\n        SELECT p.one || ' and ' || p.other INTO clash\n        FROM (VALUES ('fraud_analyst', 'fraud_supervisor'), ('treasury_operator', 'treasury_approver'), ('incident_commander', 'auditor'), ('fraud_analyst', 'auditor'), ('fraud_supervisor', 'auditor'), ('treasury_operator', 'auditor'), ('treasury_approver', 'auditor'), ('compliance', 'auditor'), ('support', 'auditor')) AS p(one, other)\n        WHERE p.one = ANY (held) AND p.other = ANY (held) LIMIT 1;\n        IF clash IS NOT NULL THEN\n            RAISE EXCEPTION USING ERRCODE = 'WD070',\n                MESSAGE = format('one person would be %s', clash);\n        END IF;\n        RETURN NULL;\n    ",
                    hash="e1194ae405fc3564a99b89c3b62a4e79c1a8b7ed",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_roles_in_one_hand_12057",
                    table="accounts_user_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolegiven",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.group_id, a.id, a.user_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="2c2d6bce4395dc96b31563129dd2b8e5a45a249d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_6dbd2",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_user_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolegiven",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.group_id, OLD.id, OLD.user_id) IS DISTINCT FROM (NEW.group_id, NEW.id, NEW.user_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.group_id, NEW.id, NEW.user_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="26021213f6143ee754ff7192ef268fbb06f8412e",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_c6cf6",
                    table="accounts_user_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolegiven",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_gone",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, b.id, '' FROM before b ORDER BY b.id;\n            RETURN NULL;\n        ",
                    hash="bd9b3acc7ed8f84ed4df00231bd9ee984d06e3a8",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_witness_gone_95b26",
                    referencing="REFERENCING OLD TABLE AS before ",
                    table="accounts_user_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="importedhashcost",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="28db8ad499da8c733779d0e173dea60a271cfad8",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_177a5",
                    table="accounts_importedhashcost",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="carrierfile",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="1de0b992a99e9f62c353f28d1658e50cba3ebe63",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_380c1",
                    table="accounts_carrierfile",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="carrierfile",
            trigger=pgtrigger.compiler.Trigger(
                name="file_is_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.name, OLD.rows, OLD.sha256, OLD.made_at) IS DISTINCT FROM (NEW.name, NEW.rows, NEW.sha256, NEW.made_at) AND (OLD.sha256 <> ''))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: name, rows, sha256, made_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="74c4ee7b2a90f6cbc078f69162a4e869549abe35",
                    operation='UPDATE OF "name", "rows", "sha256", "made_at"',
                    pgid="pgtrigger_file_is_fixed_eda85",
                    table="accounts_carrierfile",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="carrierfilepart",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="0033a536ccd8cb4953b07ade843d848fbbe37348",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_87b50",
                    table="accounts_carrierfilepart",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantmailing",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="bee680aaf9b0818f955e261996ed375607e865e2",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_ab390",
                    table="accounts_merchantmailing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantmailing",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.announcement_id, extract(epoch FROM a.begun_at), a.begun_by_id, a.body_en, a.body_ja, a.id, a.is_reminder, a.title_en, a.title_ja)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="86a7d0866aa81971bf9784d05b93d36c77ae9acd",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_c12d0",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_merchantmailing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantmailing",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.announcement_id, OLD.begun_at, OLD.begun_by_id, OLD.body_en, OLD.body_ja, OLD.id, OLD.is_reminder, OLD.title_en, OLD.title_ja) IS DISTINCT FROM (NEW.announcement_id, NEW.begun_at, NEW.begun_by_id, NEW.body_en, NEW.body_ja, NEW.id, NEW.is_reminder, NEW.title_en, NEW.title_ja))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.announcement_id, extract(epoch FROM NEW.begun_at), NEW.begun_by_id, NEW.body_en, NEW.body_ja, NEW.id, NEW.is_reminder, NEW.title_en, NEW.title_ja)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="6abf3b456b6be9800f52b2b266f059429bf1a774",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_21447",
                    table="accounts_merchantmailing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.channel, a.id, a.instead_of_id, a.letter_file, a.mailing_id, a.merchant_id, a.message_id, extract(epoch FROM a.queued_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="57a9cf081fa65a2f1e5e9fc4d9538bc6cb1b8604",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_777e1",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_merchantnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.channel, OLD.id, OLD.instead_of_id, OLD.letter_file, OLD.mailing_id, OLD.merchant_id, OLD.message_id, OLD.queued_at) IS DISTINCT FROM (NEW.channel, NEW.id, NEW.instead_of_id, NEW.letter_file, NEW.mailing_id, NEW.merchant_id, NEW.message_id, NEW.queued_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.channel, NEW.id, NEW.instead_of_id, NEW.letter_file, NEW.mailing_id, NEW.merchant_id, NEW.message_id, extract(epoch FROM NEW.queued_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="748c0ccd5f86e04ee1d4403abfad670e83b3e698",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_05040",
                    table="accounts_merchantnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="7dc26c4b4314a76fd4e4a3e62bf987f8f0b631c4",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_f84c1",
                    table="accounts_merchantnotice",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.mailing_id, OLD.merchant_id, OLD.channel, OLD.message_id, OLD.instead_of_id, OLD.queued_at) IS DISTINCT FROM (NEW.mailing_id, NEW.merchant_id, NEW.channel, NEW.message_id, NEW.instead_of_id, NEW.queued_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: mailing_id, merchant_id, channel, message_id, instead_of_id, queued_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="1eb7ff1e72428539540a0c31ba4db98e342ac0b1",
                    operation='UPDATE OF "mailing_id", "merchant_id", "channel", "message_id", "instead_of_id", "queued_at"',
                    pgid="pgtrigger_columns_are_fixed_7b358",
                    table="accounts_merchantnotice",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="in_one_letter_file",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.letter_file) IS DISTINCT FROM (NEW.letter_file) AND (OLD.letter_file IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: letter_file cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="a02553bd112ceb0a1df71b7d07e699bb691d76ef",
                    operation='UPDATE OF "letter_file"',
                    pgid="pgtrigger_in_one_letter_file_2a0a9",
                    table="accounts_merchantnotice",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="e7f31ef7bc3688fa10b5b9b5ff7bd285b12febf2",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_7db42",
                    table="accounts_merchantreceipt",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.announcement_id, a.channel, a.evidence_id, a.id, a.link_id, a.merchant_id, extract(epoch FROM a.received_at), extract(epoch FROM a.recorded_at), a.recorded_by_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="58c3c3814e342c737d50b05445c97b20bfcd8eb4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_ef250",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_merchantreceipt",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="merchantreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.announcement_id, OLD.channel, OLD.evidence_id, OLD.id, OLD.link_id, OLD.merchant_id, OLD.received_at, OLD.recorded_at, OLD.recorded_by_id) IS DISTINCT FROM (NEW.announcement_id, NEW.channel, NEW.evidence_id, NEW.id, NEW.link_id, NEW.merchant_id, NEW.received_at, NEW.recorded_at, NEW.recorded_by_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.announcement_id, NEW.channel, NEW.evidence_id, NEW.id, NEW.link_id, NEW.merchant_id, extract(epoch FROM NEW.received_at), extract(epoch FROM NEW.recorded_at), NEW.recorded_by_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="b0c224d7412d89fb431683e39650f550af6dbb85",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_b3bec",
                    table="accounts_merchantreceipt",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="postaladdress",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="c2bf6e91608c9d26c30e69a4f16ff8a00775e3c3",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_e299d",
                    table="accounts_postaladdress",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="postaladdress",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(encode(sha256(a.address_sealed), 'hex'), a.fingerprint, a.id, extract(epoch FROM a.loaded_at), a.user_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="caaa243002d1025aad09ef4aa12f904b600f48fd",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_aa259",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_postaladdress",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="postaladdress",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.address_sealed, OLD.fingerprint, OLD.id, OLD.loaded_at, OLD.user_id) IS DISTINCT FROM (NEW.address_sealed, NEW.fingerprint, NEW.id, NEW.loaded_at, NEW.user_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(encode(sha256(NEW.address_sealed), 'hex'), NEW.fingerprint, NEW.id, extract(epoch FROM NEW.loaded_at), NEW.user_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="5d72a071f718df12bda21aa3b6fde4277c88c05a",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_54511",
                    table="accounts_postaladdress",
                    when="AFTER",
                ),
            ),
        ),
    ]
