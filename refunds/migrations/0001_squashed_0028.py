"""The tables of refunds (docs/decisions/0030)."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models

# Room on the pages of the mass tables, so that their changes of state stay heap-only. The lines of an
# answer never outlive their transaction, so the server need not write them twice.
PAGES = """
ALTER TABLE refunds_entitlement SET (fillfactor = 60);
ALTER TABLE refunds_payout SET (fillfactor = 60);
ALTER TABLE refunds_refundapplication SET (fillfactor = 60);
ALTER TABLE refunds_answerline SET UNLOGGED;
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("refunds", "0001_initial"),
        ("refunds", "0002_witness"),
        ("refunds", "0003_same_file_after_a_rejection"),
        ("refunds", "0004_request_list"),
        ("refunds", "0005_kept_rows"),
        ("refunds", "0006_bank_profiles"),
        ("refunds", "0007_payment_blocks"),
        ("refunds", "0008_reminders"),
        ("refunds", "0009_result_of_one_inclusion"),
        ("refunds", "0010_ways_out"),
        ("refunds", "0011_parts_of_an_entitlement"),
        ("refunds", "0012_answers_of_the_bank"),
        ("refunds", "0013_payout_views"),
        ("refunds", "0014_statements_of_the_bank"),
        ("refunds", "0015_payees_left_unchecked"),
        ("refunds", "0016_tracing"),
        ("refunds", "0017_closing_proof"),
        ("refunds", "0018_caps_and_releases"),
        ("refunds", "0019_bank_days"),
        ("refunds", "0020_closing_documents"),
        ("refunds", "0021_payout_methods"),
        ("refunds", "0022_voided_files"),
        ("refunds", "0023_versions_of_a_batch"),
        ("refunds", "0024_payout_waves"),
        ("refunds", "0025_breaks_together"),
        ("refunds", "0026_recalls"),
        ("refunds", "0027_other_ends"),
        ("refunds", "0028_break_matches"),
    ]
    dependencies = [
        ("accounts", "0002_squashed_0027"),
        ("wallets", "0001_squashed_0007"),
        ("winddown", "0001_squashed_0028"),
    ]

    operations = [
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
                            ("report", "Report"),
                            ("statement", "Statement"),
                            ("rejection", "Rejection"),
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
                ("answered_on", models.DateField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
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
                            ("deposited", "Deposited"),
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
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entitlements",
                        to="wallets.wallet",
                    ),
                ),
                (
                    "part",
                    models.SmallIntegerField(
                        default=1, help_text="1 for what was free at the close."
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
                    models.UniqueConstraint(
                        fields=("wallet", "part"), name="entitlement_part_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("part__gte", 1)), name="parts_count_from_one"
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
                ("file_sum_max_minor", models.BigIntegerField(default=999999999999)),
                (
                    "pays_from",
                    models.CharField(
                        blank=True,
                        help_text="The bank account of the set-up file, if it names one.",
                        max_length=20,
                    ),
                ),
                (
                    "straight_through_percent",
                    models.SmallIntegerField(
                        default=90,
                        help_text="The share of people and amount that should need nobody's touch.",
                    ),
                ),
                (
                    "batch_max_minor",
                    models.BigIntegerField(
                        default=999999999999,
                        help_text="What one file may come to, by our own rule.",
                    ),
                ),
                (
                    "day_max_minor",
                    models.BigIntegerField(
                        default=9999999999999,
                        help_text="What all files of one value date may come to.",
                    ),
                ),
                (
                    "line_max_minor",
                    models.BigIntegerField(
                        default=9999999999, help_text="What one transfer may come to."
                    ),
                ),
                (
                    "release_grace_minutes",
                    models.SmallIntegerField(
                        default=0,
                        help_text="How long a released file can be stopped by one person.",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("auto_approve_max_minor__gte", 0),
                            ("batch_max_minor__gte", models.F("line_max_minor")),
                            ("cooling_off_hours__gte", 0),
                            ("day_max_minor__gte", models.F("batch_max_minor")),
                            ("file_records_max__range", (1, 999999)),
                            ("file_sum_max_minor__gte", 1),
                            ("holders_per_account_max__gte", 1),
                            ("line_max_minor__gte", 1),
                            ("release_grace_minutes__range", (0, 1440)),
                            ("returns_before_postal_order__gte", 1),
                            ("straight_through_percent__range", (0, 100)),
                            ("two_approvers_above_minor__gte", 0),
                        ),
                        name="terms_within_reason",
                    )
                ],
            },
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
                    models.CharField(
                        help_text="The bank that pays for us, or the number of the provider of its method.",
                        max_length=4,
                    ),
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
                            ("releasing", "Releasing"),
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
                ("sha256", models.CharField(max_length=64, null=True)),
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
                (
                    "rejection",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.bankfile",
                    ),
                ),
                (
                    "leaves_at",
                    models.DateTimeField(help_text="When a released file may leave.", null=True),
                ),
                (
                    "method",
                    models.CharField(
                        db_default="bank",
                        default="bank",
                        help_text="How its payouts are paid: an entry of the registry of payout methods.",
                        max_length=16,
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        help_text="The void batch of which this is the next version.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="refunds.payoutbatch",
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
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ["rejected", "bank_rejected", "voided"]), _negated=True
                        ),
                        fields=("sha256",),
                        name="living_batch_has_its_own_file",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
                            ("cancelled", "Cancelled"),
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
                (
                    "method",
                    models.CharField(
                        db_default="bank",
                        default="bank",
                        help_text="How it is paid: an entry of the registry of payout methods.",
                        max_length=16,
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
                                (
                                    "state__in",
                                    ["returned", "uncollectable", "recalled", "cancelled"],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="payout_live_until_it_came_back",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("batch", None), ("state__in", ["ready", "checked", "cancelled"])
                            ),
                            models.Q(
                                models.Q(
                                    ("state__in", ["ready", "checked", "cancelled"]), _negated=True
                                ),
                                ("batch__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="payout_in_a_batch_from_batched_on",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["ready", "cancelled"]),
                            models.Q(("method", "bank"), ("payee__isnull", False)),
                            models.Q(
                                ("entitlement__isnull", False),
                                ("payee", None),
                                models.Q(("method", "bank"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="checked_payout_has_payee",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
                            ("payee_differs", "Payee Differs"),
                            ("value_date_differs", "Value Date Differs"),
                            ("payer_differs", "Payer Differs"),
                            ("dead_batch", "Dead Batch"),
                            ("not_at_the_bank", "Not At The Bank"),
                            ("contradicts", "Contradicts"),
                            ("paid_twice", "Paid Twice"),
                            ("paid_after_all", "Paid After All"),
                            ("unknown_status", "Unknown Status"),
                            ("unknown_credit", "Unknown Credit"),
                            ("unknown_debit", "Unknown Debit"),
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
                (
                    "owner",
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
                        choices=[
                            ("app", "App"),
                            ("web", "Web"),
                            ("paper", "Paper"),
                            ("phone", "Phone"),
                        ],
                        help_text="How the application came in.",
                        max_length=5,
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
                ("address_sealed", models.BinaryField(null=True)),
                (
                    "fallback_consent",
                    models.BooleanField(
                        default=False,
                        help_text="If this method fails, the next one may be used without asking.",
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        default="bank",
                        help_text="How the holder is paid: an entry of the registry of payout methods.",
                        max_length=16,
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
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "withdrawn"]),
                            models.Q(
                                ("op_id__isnull", False),
                                ("submitted_at__isnull", False),
                                models.Q(
                                    ("payee__isnull", False),
                                    models.Q(("method", "bank"), _negated=True),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="submitted_application_complete",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
        migrations.CreateModel(
            name="RequestList",
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
                "db_table": "refunds_asklist",
            },
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
                    "request_list",
                    models.ForeignKey(
                        db_column="ask_list_id",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="refunds.requestlist",
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
        migrations.CreateModel(
            name="BankProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                (
                    "lines_max",
                    models.IntegerField(help_text="How many transfers one file holds at most."),
                ),
                (
                    "file_sum_max_minor",
                    models.BigIntegerField(help_text="What they come to at most."),
                ),
                (
                    "charset",
                    models.CharField(
                        choices=[
                            ("jis_x_0201", "Jis X 0201"),
                            ("shift_jis", "Shift Jis"),
                            ("utf_8", "Utf 8"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "name_truncation",
                    models.SmallIntegerField(
                        help_text="How many characters of a payee's name the bank takes."
                    ),
                ),
                (
                    "cut_off",
                    models.CharField(
                        help_text="Until when on the day before, as HH:MM.", max_length=5
                    ),
                ),
                (
                    "closed_days",
                    models.JSONField(
                        default=list,
                        help_text="Days on which this bank alone is closed, as ISO dates.",
                    ),
                ),
                (
                    "account_types",
                    models.JSONField(help_text="The types of payees' accounts that it takes."),
                ),
                ("source", models.TextField()),
                (
                    "format",
                    models.CharField(
                        choices=[("zengin", "Zengin"), ("iso20022", "Iso20022"), ("csv", "Csv")],
                        default="zengin",
                        help_text="What its files are: an entry of the table of formats.",
                        max_length=12,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("file_sum_max_minor__gte", 1), ("lines_max__range", (1, 999999))
                        ),
                        name="bank_profile_within_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BankAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                ("remitter_code", models.CharField(max_length=10)),
                ("remitter_name", models.CharField(max_length=40)),
                ("bank_code", models.CharField(max_length=4)),
                ("branch_code", models.CharField(max_length=3)),
                ("account_type", models.CharField(max_length=1)),
                ("account_number", models.CharField(max_length=7)),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="refunds.bankprofile",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PaymentBlock",
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
                            ("sanction", "Sanction"),
                            ("dispute", "Dispute"),
                            ("legal_hold", "Legal Hold"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "evidence",
                    models.CharField(
                        help_text="Where it stands: a list and its entry, a court's file number.",
                        max_length=200,
                    ),
                ),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(help_text="When it ends by itself; exclusive.")),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_blocks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lifted_by",
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
                        condition=models.Q(("ends_at__gt", models.F("begins_at"))),
                        name="block_ends_after_its_begin",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lifted_at", None), ("lifted_by", None)),
                            models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="block_lifted_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("evidence", ""), _negated=True),
                        name="block_has_evidence",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReminderSchedule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_day", models.DateField(unique=True)),
                (
                    "begun_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
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
            name="Reminder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "days_before",
                    models.SmallIntegerField(help_text="Of the wave: 60, 30, 7, 1 or 0."),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "Email"), ("phone", "Phone"), ("letter", "Letter")],
                        max_length=10,
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
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "instead_of",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instead",
                        to="refunds.reminder",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminder",
                        to="accounts.message",
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.reminderschedule",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("channel", "letter"), ("letter_file", None)),
                        fields=["id"],
                        name="letters_to_print",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("instead_of", None)),
                        fields=("schedule", "days_before", "holder"),
                        name="one_reminder_per_person_and_wave",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("channel", "letter"), ("message", None)),
                            models.Q(
                                ("channel__in", ["email", "phone"]),
                                ("letter_file", None),
                                models.Q(("message", None), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="reminder_is_a_message_or_a_letter",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReplacedResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("state", models.CharField(max_length=20)),
                ("return_reason", models.CharField(blank=True, max_length=24)),
                ("result_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.bankfile",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.bankfile",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_results",
                        to="refunds.payout",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("payout", "by"), name="result_replaced_once_by_a_file"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AnswerLine",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("reference", models.CharField(max_length=35)),
                ("sequence", models.IntegerField(null=True)),
                ("payout_id", models.BigIntegerField(null=True)),
                ("payee_id", models.BigIntegerField(null=True)),
                ("fingerprint", models.CharField(db_default="", max_length=64)),
                ("name", models.CharField(db_default="", max_length=140)),
                ("amount_minor", models.BigIntegerField(db_default=0)),
                ("code", models.CharField(db_default="", max_length=24)),
                ("verdict", models.CharField(db_default="", max_length=20)),
                ("again", models.BooleanField(db_default=False)),
                ("batch_id", models.BigIntegerField(null=True)),
                ("entitlement_id", models.BigIntegerField(null=True)),
                ("remedy_id", models.BigIntegerField(null=True)),
                ("paid_from", models.CharField(db_default="", max_length=34)),
                (
                    "said",
                    models.CharField(
                        db_default="",
                        help_text="How the bank says it, where it is no final word.",
                        max_length=8,
                    ),
                ),
                ("value_mmdd", models.CharField(db_default="", max_length=4)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UploadedAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("content_sealed", models.BinaryField()),
                ("at", models.DateTimeField()),
                (
                    "actor",
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
            name="PayoutView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateTimeField()),
                (
                    "rules",
                    models.SmallIntegerField(
                        help_text="Version of the rules that sorted the rows."
                    ),
                ),
                ("payable_rows", models.IntegerField()),
                ("payable_minor", models.BigIntegerField()),
                ("payable_sha256", models.CharField(max_length=64)),
                ("excluded_rows", models.IntegerField()),
                ("excluded_minor", models.BigIntegerField()),
                ("excluded_sha256", models.CharField(max_length=64)),
                ("people", models.IntegerField()),
                (
                    "straight_people",
                    models.IntegerField(help_text="People who need nobody's touch."),
                ),
                ("straight_minor", models.BigIntegerField()),
                ("control_minor", models.BigIntegerField()),
                ("reasons", models.JSONField(help_text="By code: the rows of it and their sum.")),
                (
                    "taken_by",
                    models.ForeignKey(
                        db_index=False,
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
                            (
                                "straight_minor__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("payable_minor"), "+", models.F("excluded_minor")
                                ),
                            ),
                            ("straight_people__lte", models.F("people")),
                        ),
                        name="straight_through_is_a_share",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutViewPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "list",
                    models.CharField(
                        choices=[("payable", "Payable"), ("excluded", "Excluded")], max_length=8
                    ),
                ),
                ("number", models.IntegerField()),
                ("content", models.BinaryField()),
                (
                    "view",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="refunds.payoutview",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("view", "list", "number"), name="view_part_once_per_list"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountStatement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField(help_text="Counted from 1 in the file.")),
                (
                    "account",
                    models.CharField(help_text="The number as our limits name it.", max_length=34),
                ),
                (
                    "last_on",
                    models.DateField(help_text="The last day that it is about.", null=True),
                ),
                ("before_minor", models.BigIntegerField(null=True)),
                ("after_minor", models.BigIntegerField(null=True)),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="refunds.bankfile",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("file", "number"), name="statement_once_in_a_file"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("after_minor", None), ("before_minor", None)),
                            models.Q(
                                ("after_minor__isnull", False), ("before_minor__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="statement_has_both_balances_or_none",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.CharField(max_length=64)),
                ("part", models.IntegerField()),
                ("booked_on", models.DateField()),
                (
                    "direction",
                    models.CharField(choices=[("in", "In"), ("out", "Out")], max_length=3),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statement_lines",
                        to="refunds.payoutbatch",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statement_lines",
                        to="refunds.payout",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="refunds.accountstatement",
                    ),
                ),
                (
                    "line",
                    models.IntegerField(
                        help_text="As a break about it counts the file's lines.", null=True
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["identity", "part"], name="line_by_movement")],
            },
        ),
        migrations.CreateModel(
            name="TracingEffort",
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
                            ("letter", "Letter"),
                            ("email", "Email"),
                            ("telephone", "Telephone"),
                            ("register", "Register"),
                            ("other", "Other"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField(help_text="When it was made.")),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("reached", "Reached"),
                            ("not_reached", "Not Reached"),
                            ("new_address", "New Address"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "evidence",
                    models.CharField(
                        help_text="Where it stands: a list, a receipt, a file number.",
                        max_length=200,
                    ),
                ),
                (
                    "file_sha256",
                    models.CharField(
                        blank=True, help_text="Of the file that it was loaded from.", max_length=64
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("winddown_now()", ())
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("holder", "kind", "at"), name="effort_once"),
                    models.CheckConstraint(
                        condition=models.Q(("evidence", ""), _negated=True),
                        name="effort_has_evidence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("at__lte", models.F("recorded_at"))),
                        name="effort_was_made_before",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClosingProof",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateTimeField()),
                (
                    "rules",
                    models.SmallIntegerField(
                        help_text="Version of the rules that sorted the wallets."
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("wallets", models.BigIntegerField()),
                ("buckets", models.JSONField(help_text="By bucket: wallets and sums.")),
                ("ledger", models.JSONField(help_text="By sum: what the ledger says.")),
                ("rows_digest", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("marks", models.JSONField(help_text="By table: its newest row.")),
                (
                    "taken_by",
                    models.ForeignKey(
                        db_index=False,
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
            name="BankDayTie",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("bank_day", models.DateField()),
                ("as_of", models.DateTimeField(help_text="When it was read.")),
                (
                    "ledger_minor",
                    models.BigIntegerField(help_text="By the postings of our account."),
                ),
                (
                    "statement_minor",
                    models.BigIntegerField(help_text="By the movements of the statements."),
                ),
                (
                    "customers_minor",
                    models.BigIntegerField(help_text="By what is shown as paid to its holder."),
                ),
                ("named_minor", models.BigIntegerField()),
                (
                    "stated_until",
                    models.DateField(
                        help_text="The last day that statements of every paying account cover.",
                        null=True,
                    ),
                ),
                ("owed_minor", models.BigIntegerField()),
                ("reserve_minor", models.BigIntegerField(help_text="Kept for what is disputed.")),
                ("funds_minor", models.BigIntegerField(help_text="Set aside, as last reported.")),
                (
                    "taken_by",
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
                "indexes": [models.Index(fields=["bank_day"], name="tie_by_bank_day")],
            },
        ),
        migrations.CreateModel(
            name="BankDayDifference",
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
                            ("not_answered", "Not Answered"),
                            ("return_under_way", "Return Under Way"),
                            ("not_stated_yet", "Not Stated Yet"),
                            ("explained", "Explained"),
                            ("not_stated", "Not Stated"),
                            ("line_open", "Line Open"),
                            ("contradicts", "Contradicts"),
                        ],
                        max_length=16,
                    ),
                ),
                ("rows", models.IntegerField()),
                ("amount_minor", models.BigIntegerField()),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.payoutbatch",
                    ),
                ),
                (
                    "found",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refunds.reconciliationbreak",
                    ),
                ),
                (
                    "tie",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="differences",
                        to="refunds.bankdaytie",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tie", "kind", "batch", "found"),
                        name="difference_once_in_a_tie",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ClosingDocument",
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
                            ("residual", "Residual"),
                            ("hosting", "Hosting"),
                            ("portal", "Portal"),
                            ("successor", "Successor"),
                            ("institution", "Institution"),
                            ("agreement", "Agreement"),
                            ("insurer", "Insurer"),
                            ("policy", "Policy"),
                            ("agent", "Agent"),
                            ("group_member", "Group Member"),
                            ("third_party", "Third Party"),
                            ("responsible", "Responsible"),
                            ("procedure", "Procedure"),
                            ("reconciliation", "Reconciliation"),
                            ("recipient", "Recipient"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "subject",
                    models.CharField(help_text="Whom or what it is about.", max_length=120),
                ),
                ("owner", models.CharField(help_text="Who keeps it up to date.", max_length=120)),
                ("contact", models.CharField(blank=True, max_length=200)),
                (
                    "retrieval",
                    models.CharField(
                        choices=[("at_once", "At Once"), ("two_days", "Two Days")], max_length=8
                    ),
                ),
                ("reviewed_on", models.DateField(help_text="When it was last found right.")),
                (
                    "until_on",
                    models.DateField(help_text="The last day on which it holds.", null=True),
                ),
                (
                    "amount_minor",
                    models.BigIntegerField(help_text="What was withdrawn.", null=True),
                ),
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
                    "recorded_by",
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
                    models.CheckConstraint(
                        condition=models.Q(("subject", ""), _negated=True),
                        name="document_has_its_subject",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("owner", ""), _negated=True),
                        name="document_has_its_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ["hosting", "portal"]), ("until_on__isnull", False)
                            ),
                            models.Q(
                                models.Q(("kind__in", ["hosting", "portal"]), _negated=True),
                                ("until_on", None),
                            ),
                            _connector="OR",
                        ),
                        name="document_holds_until_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount_minor__gte", 0), ("kind", "residual")),
                            models.Q(
                                models.Q(("kind", "residual"), _negated=True),
                                ("amount_minor", None),
                            ),
                            _connector="OR",
                        ),
                        name="document_has_the_residual",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["successor", "recipient"]), _negated=True),
                            models.Q(("contact", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="document_says_how_to_reach",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MethodTerms",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16, unique=True)),
                (
                    "place",
                    models.SmallIntegerField(
                        help_text="The order of the offer, and of the fallback."
                    ),
                ),
                (
                    "amount_max_minor",
                    models.BigIntegerField(help_text="The greatest amount that it carries."),
                ),
                (
                    "costs",
                    models.JSONField(
                        help_text="Pairs of the greatest amount and the cost up to it."
                    ),
                ),
                (
                    "money_days",
                    models.SmallIntegerField(help_text="Days until the holder has the money."),
                ),
                (
                    "valid_days",
                    models.SmallIntegerField(
                        default=0,
                        help_text="Days until it expires if it is not cashed; 0 if it does not.",
                    ),
                ),
                ("source", models.TextField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_max_minor__gte", 1),
                            ("money_days__gte", 0),
                            ("valid_days__gte", 0),
                        ),
                        name="method_terms_within_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Voucher",
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
                            ("made", "Made"),
                            ("issued", "Issued"),
                            ("notified", "Notified"),
                            ("cashed", "Cashed"),
                            ("expired", "Expired"),
                            ("reissued", "Reissued"),
                            ("voided", "Voided"),
                        ],
                        default="made",
                        max_length=40,
                    ),
                ),
                ("code_sealed", models.BinaryField(null=True)),
                (
                    "expires_on",
                    models.DateField(help_text="The last day on which it can be cashed."),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "shown_at",
                    models.DateTimeField(
                        help_text="When its holder saw the code, once.", null=True
                    ),
                ),
                ("reminded_at", models.DateTimeField(help_text="The newest reminder.", null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vouchers",
                        to="refunds.payoutbatch",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vouchers",
                        to="refunds.payout",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("payout", "batch"), name="voucher_once_per_list"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["made", "issued", "notified", "cashed"])),
                        fields=("payout",),
                        name="one_living_voucher_per_payout",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name="VoucherTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_vou_subject_e1f351_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_vou_xact_id_d5a437_brin",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VoidedFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="void",
                        to="refunds.bankfile",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PayoutWave",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("record_on", models.DateField()),
                ("cut_off_on", models.DateField()),
                ("pay_on", models.DateField(help_text="The value date of its files.")),
                ("payees_close_days", models.SmallIntegerField()),
                (
                    "approval",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.approval",
                    ),
                ),
                (
                    "withdrawal",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.approval",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cut_off_on__gte", models.F("record_on")),
                            ("pay_on__gt", models.F("cut_off_on")),
                            ("payees_close_days__range", (0, 30)),
                        ),
                        name="days_of_a_wave_in_order",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawal", None)),
                        fields=("pay_on",),
                        name="one_wave_for_a_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Recall",
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
                            ("requested", "Requested"),
                            ("in_process", "In Process"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="requested",
                        max_length=40,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True, help_text="What the bank said, and where.", max_length=200
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recalls",
                        to="refunds.payout",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["requested", "in_process"])),
                        fields=("payout",),
                        name="one_open_recall_per_payout",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "requested"),
                            models.Q(("answer", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="recall_has_an_answer",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name="RecallTransition",
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
                    models.Index(fields=["subject_id"], name="refunds_rec_subject_f35569_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["xact_id"],
                        name="refunds_rec_xact_id_2ef98b_brin",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OtherEnd",
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
                        choices=[("deposited", "Deposited"), ("transferred", "Transferred")],
                        max_length=12,
                    ),
                ),
                ("institution", models.CharField(max_length=120)),
                ("contact", models.CharField(max_length=200)),
                (
                    "reference",
                    models.CharField(
                        help_text="The receipt number of the institution.", max_length=60
                    ),
                ),
                ("ended_on", models.DateField(help_text="When the institution took the money.")),
                ("items", models.IntegerField()),
                ("total_minor", models.BigIntegerField()),
                ("approval_subject", models.CharField(max_length=40, unique=True)),
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
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "institution", "reference"), name="other_end_receipt_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("institution", ""), _negated=True),
                            models.Q(("contact", ""), _negated=True),
                            models.Q(("reference", ""), _negated=True),
                        ),
                        name="other_end_says_where",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("items__gte", 1), ("total_minor__gte", 1)),
                        name="other_end_has_an_amount",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OtherEndLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "end",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="refunds.otherend",
                    ),
                ),
                (
                    "entitlement",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="other_end_line",
                        to="refunds.entitlement",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Successor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60, unique=True)),
                ("contact", models.CharField(help_text="Where the holder asks.", max_length=200)),
                ("day_max_minor", models.BigIntegerField(help_text="For one person in one day.")),
                ("person_max_minor", models.BigIntegerField(help_text="For one person in all.")),
                ("source", models.TextField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("day_max_minor__gte", 1), ("person_max_minor__gte", 1)),
                        name="successor_caps_positive",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BreakMatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "approval",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="winddown.approval",
                    ),
                ),
                (
                    "found",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="matches",
                        to="refunds.reconciliationbreak",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="matches",
                        to="refunds.payout",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("found", "payout"), name="break_matched_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="match_positive"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            PAGES,
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
        pgtrigger.migrations.AddTrigger(
            model_name="bankfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.actor_id, a.answered_on, extract(epoch FROM a.at), a.id, a.kind, a.lines, a.sha256, a.sum_minor)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="6ed0360ed309665a08a344cec9f4f03d44fe9ce1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_e2632",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_bankfile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.actor_id, OLD.answered_on, OLD.at, OLD.id, OLD.kind, OLD.lines, OLD.sha256, OLD.sum_minor) IS DISTINCT FROM (NEW.actor_id, NEW.answered_on, NEW.at, NEW.id, NEW.kind, NEW.lines, NEW.sha256, NEW.sum_minor))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.actor_id, NEW.answered_on, extract(epoch FROM NEW.at), NEW.id, NEW.kind, NEW.lines, NEW.sha256, NEW.sum_minor)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="6ad9b3d77f9ffb17e555f0cacbafdee588895482",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_8cebf",
                    table="refunds_bankfile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issuer",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.answer_days, a.closes_on_day, a.code, a.id, a.margin_days, a.name, a.pays_on_day, a.source, a.stop_before_days)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="7ebe62fa5fda7cd947add29fa061eb0a702bcd0b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_85e15",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_issuer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issuer",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.answer_days, OLD.closes_on_day, OLD.code, OLD.id, OLD.margin_days, OLD.name, OLD.pays_on_day, OLD.source, OLD.stop_before_days) IS DISTINCT FROM (NEW.answer_days, NEW.closes_on_day, NEW.code, NEW.id, NEW.margin_days, NEW.name, NEW.pays_on_day, NEW.source, NEW.stop_before_days))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.answer_days, NEW.closes_on_day, NEW.code, NEW.id, NEW.margin_days, NEW.name, NEW.pays_on_day, NEW.source, NEW.stop_before_days)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="ec6dac57cfef2d94f5bca8ac5cbad16574ec64ff",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_6cfae",
                    table="refunds_issuer",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="claimdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.claims_count, a.digest, a.id, a.maker_id, extract(epoch FROM a.proposed_at), a.verdict)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="3f83e01a9b8383e673036486115acf931e45acb5",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_78b64",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_claimdecision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="claimdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.claims_count, OLD.digest, OLD.id, OLD.maker_id, OLD.proposed_at, OLD.verdict) IS DISTINCT FROM (NEW.amount_minor, NEW.claims_count, NEW.digest, NEW.id, NEW.maker_id, NEW.proposed_at, NEW.verdict))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.claims_count, NEW.digest, NEW.id, NEW.maker_id, extract(epoch FROM NEW.proposed_at), NEW.verdict)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="a1fc5d78d711a4177e2303664168eafa37544e7e",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_9bb42",
                    table="refunds_claimdecision",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.analyst_id, extract(epoch FROM a.appeal_until), a.channel, extract(epoch FROM a.compromised_from), extract(epoch FROM a.confirmed_at), a.decision_id, a.evidence, extract(epoch FROM a.hit_at), a.id, extract(epoch FROM a.opened_at), extract(epoch FROM a.rejected_at), a.rejection, a.rejection_note, a.reopening_id, extract(epoch FROM a.secured_at), a.state, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="552341cfea0e175fb0662a6de09e1531215fb444",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_90432",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_fraudclaim",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaim",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.analyst_id, OLD.appeal_until, OLD.channel, OLD.compromised_from, OLD.confirmed_at, OLD.decision_id, OLD.evidence, OLD.hit_at, OLD.id, OLD.opened_at, OLD.rejected_at, OLD.rejection, OLD.rejection_note, OLD.reopening_id, OLD.secured_at, OLD.state, OLD.wallet_id) IS DISTINCT FROM (NEW.analyst_id, NEW.appeal_until, NEW.channel, NEW.compromised_from, NEW.confirmed_at, NEW.decision_id, NEW.evidence, NEW.hit_at, NEW.id, NEW.opened_at, NEW.rejected_at, NEW.rejection, NEW.rejection_note, NEW.reopening_id, NEW.secured_at, NEW.state, NEW.wallet_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.analyst_id, extract(epoch FROM NEW.appeal_until), NEW.channel, extract(epoch FROM NEW.compromised_from), extract(epoch FROM NEW.confirmed_at), NEW.decision_id, NEW.evidence, extract(epoch FROM NEW.hit_at), NEW.id, extract(epoch FROM NEW.opened_at), extract(epoch FROM NEW.rejected_at), NEW.rejection, NEW.rejection_note, NEW.reopening_id, extract(epoch FROM NEW.secured_at), NEW.state, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="ad1a6fdae101976045ef04c9b4a346e66afb974f",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_fafcf",
                    table="refunds_fraudclaim",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="loss",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.added_at), a.added_by_id, a.amount_minor, a.claim_id, extract(epoch FROM a.confirmed_at), a.drop_reason, extract(epoch FROM a.dropped_at), a.funding, extract(epoch FROM a.hit_at), a.id, a.issuer_id, a.payment_id, a.top_up_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="101dc8571652f00f8c831e18d2c22b03d4f65863",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_82ba0",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_loss",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="loss",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.added_at, OLD.added_by_id, OLD.amount_minor, OLD.claim_id, OLD.confirmed_at, OLD.drop_reason, OLD.dropped_at, OLD.funding, OLD.hit_at, OLD.id, OLD.issuer_id, OLD.payment_id, OLD.top_up_id) IS DISTINCT FROM (NEW.added_at, NEW.added_by_id, NEW.amount_minor, NEW.claim_id, NEW.confirmed_at, NEW.drop_reason, NEW.dropped_at, NEW.funding, NEW.hit_at, NEW.id, NEW.issuer_id, NEW.payment_id, NEW.top_up_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.added_at), NEW.added_by_id, NEW.amount_minor, NEW.claim_id, extract(epoch FROM NEW.confirmed_at), NEW.drop_reason, extract(epoch FROM NEW.dropped_at), NEW.funding, extract(epoch FROM NEW.hit_at), NEW.id, NEW.issuer_id, NEW.payment_id, NEW.top_up_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="db791d947e0e2749a5a1e2e4ad57ed8d0170e0e9",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_8a6f5",
                    table="refunds_loss",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="remedy",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, extract(epoch FROM a.asked_at), extract(epoch FROM a.failed_at), a.failure, a.id, a.kind, a.loss_id, extract(epoch FROM a.proposed_at), extract(epoch FROM a.remedied_at), a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="5f2dac763417c481a5cc8695469bf4e3d8f80067",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_81532",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_remedy",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="remedy",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.asked_at, OLD.failed_at, OLD.failure, OLD.id, OLD.kind, OLD.loss_id, OLD.proposed_at, OLD.remedied_at, OLD.state) IS DISTINCT FROM (NEW.amount_minor, NEW.asked_at, NEW.failed_at, NEW.failure, NEW.id, NEW.kind, NEW.loss_id, NEW.proposed_at, NEW.remedied_at, NEW.state))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, extract(epoch FROM NEW.asked_at), extract(epoch FROM NEW.failed_at), NEW.failure, NEW.id, NEW.kind, NEW.loss_id, extract(epoch FROM NEW.proposed_at), extract(epoch FROM NEW.remedied_at), NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="f6975cf836f18407c474c6372b91fce555b860ce",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_a1968",
                    table="refunds_remedy",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="chargeback",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.arn, a.chargeback_ref, a.credited_by_id, extract(epoch FROM a.due_at), a.id, a.issuer_id, extract(epoch FROM a.notified_at), a.refund_arn, a.rrn, a.scheme, a.scheme_reason, a.state, a.top_up_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="5d84752f2fb4f5eb7c0e647fd6cd3cc6aa955a2b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_e4557",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_chargeback",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chargeback",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.arn, OLD.chargeback_ref, OLD.credited_by_id, OLD.due_at, OLD.id, OLD.issuer_id, OLD.notified_at, OLD.refund_arn, OLD.rrn, OLD.scheme, OLD.scheme_reason, OLD.state, OLD.top_up_id) IS DISTINCT FROM (NEW.amount_minor, NEW.arn, NEW.chargeback_ref, NEW.credited_by_id, NEW.due_at, NEW.id, NEW.issuer_id, NEW.notified_at, NEW.refund_arn, NEW.rrn, NEW.scheme, NEW.scheme_reason, NEW.state, NEW.top_up_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.arn, NEW.chargeback_ref, NEW.credited_by_id, extract(epoch FROM NEW.due_at), NEW.id, NEW.issuer_id, extract(epoch FROM NEW.notified_at), NEW.refund_arn, NEW.rrn, NEW.scheme, NEW.scheme_reason, NEW.state, NEW.top_up_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="af6afac7e47c6ce43401374daba5af3615416856",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_b0a37",
                    table="refunds_chargeback",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="chargebacktransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c6c525c7aa494ad82547f28bd58830e95e6175cb",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_dc944",
                    table="refunds_chargebacktransition",
                    when="BEFORE",
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
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.returns, a.snapshot_id, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="93794c21c56f15832b33a882df12a8657ff5e854",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_2ef03",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_entitlement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.returns, OLD.snapshot_id, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.returns, NEW.snapshot_id, NEW.wallet_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.returns, NEW.snapshot_id, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="8e3ef01b27b1df157c666a7696dcd41128574126",
                    operation='UPDATE OF "wallet_id", "snapshot_id", "amount_minor", "returns"',
                    pgid="pgtrigger_witness_f0283",
                    table="refunds_entitlement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.wallet_id, OLD.part, OLD.snapshot_id, OLD.amount_minor) IS DISTINCT FROM (NEW.wallet_id, NEW.part, NEW.snapshot_id, NEW.amount_minor) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: wallet_id, part, snapshot_id, amount_minor cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="0ab21ae15670c73fbcfe9829d22f82a0c446b9f6",
                    operation='UPDATE OF "wallet_id", "part", "snapshot_id", "amount_minor"',
                    pgid="pgtrigger_columns_are_fixed_e918d",
                    table="refunds_entitlement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="excluded_after_its_time",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    WHERE a.state = 'excluded' AND b.state IN ('computed', 'notified') AND (\n                        NOT EXISTS (SELECT FROM winddown_milestone m\n                            WHERE m.kind = 'refund_window_ends' AND m.at <= winddown_now())\n                        OR EXISTS (SELECT FROM refunds_reconciliationbreak k\n                            WHERE k.state = 'open')\n                        OR ((a.notice_undeliverable) OR (\n        EXISTS (SELECT FROM refunds_refundapplication x WHERE x.entitlement_id = a.id\n            AND x.live AND NOT x.late AND x.submitted_at IS NOT NULL)\n    ) OR (\n        EXISTS (SELECT FROM wallets_wallet w WHERE w.id = a.wallet_id AND w.held_minor > 0)\n    ) OR (\n        EXISTS (SELECT FROM refunds_paymentblock k WHERE k.holder_id = (SELECT w.account_id FROM wallets_wallet w WHERE w.id = a.wallet_id)\n            AND k.lifted_at IS NULL AND k.ends_at > winddown_now())\n    ) OR (\n        \n    (SELECT count(*) FROM refunds_tracingeffort t WHERE t.holder_id = (SELECT w.account_id FROM wallets_wallet w WHERE w.id = a.wallet_id))\n    + (SELECT count(*) FROM refunds_reminder m LEFT JOIN accounts_message s ON s.id = m.message_id\n        WHERE m.holder_id = (SELECT w.account_id FROM wallets_wallet w WHERE w.id = a.wallet_id)\n            AND (m.letter_file IS NOT NULL OR s.sent_at IS NOT NULL))\n < CASE WHEN a.amount_minor >= (SELECT r.value FROM winddown_lawrule r JOIN winddown_programme p ON p.jurisdiction = r.jurisdiction WHERE r.name = 'tracing_large_minor' ORDER BY r.id DESC LIMIT 1)\n            THEN (SELECT r.value FROM winddown_lawrule r JOIN winddown_programme p ON p.jurisdiction = r.jurisdiction WHERE r.name = 'tracing_efforts_large' ORDER BY r.id DESC LIMIT 1) ELSE (SELECT r.value FROM winddown_lawrule r JOIN winddown_programme p ON p.jurisdiction = r.jurisdiction WHERE r.name = 'tracing_efforts_min' ORDER BY r.id DESC LIMIT 1) END\n    )));\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD055',\n                            MESSAGE = format('entitlement %s may not be excluded yet', wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="800f3a1969e733f33c943baa17dfd959d2cdd218",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_excluded_after_its_time_6cc98",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_entitlement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="entitlement",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_entitlementtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'apply') AND b.state = 'computed' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'apply') AND b.state = 'notified' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'apply') AND b.state = 'returned' AND a.state = 'applied' THEN 'apply' WHEN (named IS NULL OR named = 'approve') AND b.state = 'applied' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'approve_late') AND b.state = 'excluded' AND a.state = 'late_approved' THEN 'approve_late' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'computed' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'excluded' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'deposit') AND b.state = 'notified' AND a.state = 'deposited' THEN 'deposit' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'computed' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'exclude') AND b.state = 'notified' AND a.state = 'excluded' THEN 'exclude' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'applied' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'approved' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'late_approved' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'exclude_again') AND b.state = 'returned' AND a.state = 'excluded' THEN 'exclude_again' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'paid' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'paying' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'hold') AND b.state = 'applied' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'approved' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'computed' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'late_approved' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'notified' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'hold') AND b.state = 'returned' AND a.state = 'held' THEN 'hold' WHEN (named IS NULL OR named = 'notify') AND b.state = 'computed' AND a.state = 'notified' THEN 'notify' WHEN (named IS NULL OR named = 'pay') AND b.state = 'approved' AND a.state = 'paying' THEN 'pay' WHEN (named IS NULL OR named = 'pay') AND b.state = 'late_approved' AND a.state = 'paying' THEN 'pay' WHEN (named IS NULL OR named = 'release') AND b.state = 'held' AND a.state = 'computed' THEN 'release' WHEN (named IS NULL OR named = 'settle') AND b.state = 'applied' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'approved' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'paying' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'returned' AND a.state = 'paid' THEN 'settle' WHEN (named IS NULL OR named = 'take_back') AND b.state = 'paying' AND a.state = 'approved' THEN 'take_back' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'applied' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'approved' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'computed' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'held' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'late_approved' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'notified' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'transfer') AND b.state = 'returned' AND a.state = 'transferred' THEN 'transfer' WHEN (named IS NULL OR named = 'unapply') AND b.state = 'applied' AND a.state = 'notified' THEN 'unapply' WHEN (named IS NULL OR named = 'unapply') AND b.state = 'returned' AND a.state = 'notified' THEN 'unapply' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'paid' AND a.state = 'paying' THEN 'void_result' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'returned' AND a.state = 'paying' THEN 'void_result' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'approved' AND a.state = 'notified' THEN 'withdraw'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_entitlementtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="bbdd9e6b0252348c3774b935c03d2284fce82608",
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
                name="ended_elsewhere_by_two",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    WHERE a.state IN ('deposited', 'transferred') AND a.state <> b.state\n                        AND NOT EXISTS (SELECT FROM refunds_otherendline l\n                            JOIN refunds_otherend d ON d.id = l.end_id\n                            WHERE l.entitlement_id = a.id AND d.kind = a.state);\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format(\n                                'entitlement %s is in no list that two people signed', wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="e7e9cadaafeb9a3c3f9650b8b4fff12108e02262",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_ended_elsewhere_by_two_c8a7e",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_entitlement",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="entitlementtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b1c2cfad6098ce131013e043f98143c8bb529ffb",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_3e6fb",
                    table="refunds_entitlementtransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="fraudclaimtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b1ab19b202d0b1fdb60fc70603d5ea449bd66f2c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_ebfcc",
                    table="refunds_fraudclaimtransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="issueractiontransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c42371cc03edc48b2290ab52ec6ddc37eae21243",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_cec22",
                    table="refunds_issueractiontransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="issuerfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.actor_id, a.amount_minor, extract(epoch FROM a.at), a.content, a.direction, a.id, a.issuer_id, a.rows, a.sequence, a.sha256)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="ab5f7da4e5b58478f8e4cf1de6a8e48aec9cccf2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_ee338",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_issuerfile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issuerfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.actor_id, OLD.amount_minor, OLD.at, OLD.content, OLD.direction, OLD.id, OLD.issuer_id, OLD.rows, OLD.sequence, OLD.sha256) IS DISTINCT FROM (NEW.actor_id, NEW.amount_minor, NEW.at, NEW.content, NEW.direction, NEW.id, NEW.issuer_id, NEW.rows, NEW.sequence, NEW.sha256))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.actor_id, NEW.amount_minor, extract(epoch FROM NEW.at), NEW.content, NEW.direction, NEW.id, NEW.issuer_id, NEW.rows, NEW.sequence, NEW.sha256)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="6e0e13cdb3317ae2f87861ab442afa320f42b29f",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_7bc11",
                    table="refunds_issuerfile",
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
        pgtrigger.migrations.AddTrigger(
            model_name="payee",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_mask, encode(sha256(a.account_number_sealed), 'hex'), a.account_type, a.answer, extract(epoch FROM a.answered_at), a.bank_code, a.branch_code, extract(epoch FROM a.entered_at), a.fingerprint, a.holder_id, a.name_kana, a.name_truncated, extract(epoch FROM a.replaced_at), extract(epoch FROM a.shared_cleared_at), extract(epoch FROM a.usable_from), a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="0e3731163b5aab8cb9052789c704f8dcea9b32e2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_c12bb",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payee",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payee",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account_mask, OLD.account_number_sealed, OLD.account_type, OLD.answer, OLD.answered_at, OLD.bank_code, OLD.branch_code, OLD.entered_at, OLD.fingerprint, OLD.holder_id, OLD.name_kana, OLD.name_truncated, OLD.replaced_at, OLD.shared_cleared_at, OLD.usable_from, OLD.version) IS DISTINCT FROM (NEW.account_mask, NEW.account_number_sealed, NEW.account_type, NEW.answer, NEW.answered_at, NEW.bank_code, NEW.branch_code, NEW.entered_at, NEW.fingerprint, NEW.holder_id, NEW.name_kana, NEW.name_truncated, NEW.replaced_at, NEW.shared_cleared_at, NEW.usable_from, NEW.version))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_mask, encode(sha256(NEW.account_number_sealed), 'hex'), NEW.account_type, NEW.answer, extract(epoch FROM NEW.answered_at), NEW.bank_code, NEW.branch_code, extract(epoch FROM NEW.entered_at), NEW.fingerprint, NEW.holder_id, NEW.name_kana, NEW.name_truncated, extract(epoch FROM NEW.replaced_at), extract(epoch FROM NEW.shared_cleared_at), extract(epoch FROM NEW.usable_from), NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="e585e906ca2ddd9911b3929c0ef1b60e906915b5",
                    operation='UPDATE OF "holder_id", "version", "bank_code", "branch_code", "account_type", "account_number_sealed", "account_mask", "fingerprint", "name_kana", "name_truncated", "answer", "answered_at", "entered_at", "usable_from", "replaced_at", "shared_cleared_at"',
                    pgid="pgtrigger_witness_63e87",
                    table="refunds_payee",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payee",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_payeetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'ask') AND b.state = 'entered' AND a.state = 'asked' THEN 'ask' WHEN (named IS NULL OR named = 'leave_unchecked') AND b.state = 'entered' AND a.state = 'matched' THEN 'leave_unchecked' WHEN (named IS NULL OR named = 'match') AND b.state = 'asked' AND a.state = 'matched' THEN 'match' WHEN (named IS NULL OR named = 'override') AND b.state = 'refused' AND a.state = 'overridden' THEN 'override' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'asked' AND a.state = 'refused' THEN 'refuse' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'matched' AND a.state = 'refused' THEN 'refuse' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'overridden' AND a.state = 'refused' THEN 'refuse' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'refused' AND a.state = 'matched' THEN 'void_result'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payeetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="4f4255c9cad6c9f72bfbef13f9cd212f7bff0d73",
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
        pgtrigger.migrations.AddTrigger(
            model_name="payeetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b8836e22d5d502ec4c5898a50d34ad1ceb444955",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_0561b",
                    table="refunds_payeetransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="refundterms",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_number, a.account_type, extract(epoch FROM a.adopted_at), a.auto_approve_max_minor, a.bank_code, a.bank_name, a.batch_max_minor, a.branch_code, a.branch_name, a.cooling_off_hours, a.day_max_minor, a.file_records_max, a.file_sum_max_minor, a.holders_per_account_max, a.id, a.line_max_minor, a.pays_from, a.release_grace_minutes, a.remitter_code, a.remitter_name, a.returns_before_postal_order, a.source, a.straight_through_percent, a.two_approvers_above_minor)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="81608c260c87beb5c27d734c5aa090c2705885cd",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_65af5",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_refundterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundterms",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account_number, OLD.account_type, OLD.adopted_at, OLD.auto_approve_max_minor, OLD.bank_code, OLD.bank_name, OLD.batch_max_minor, OLD.branch_code, OLD.branch_name, OLD.cooling_off_hours, OLD.day_max_minor, OLD.file_records_max, OLD.file_sum_max_minor, OLD.holders_per_account_max, OLD.id, OLD.line_max_minor, OLD.pays_from, OLD.release_grace_minutes, OLD.remitter_code, OLD.remitter_name, OLD.returns_before_postal_order, OLD.source, OLD.straight_through_percent, OLD.two_approvers_above_minor) IS DISTINCT FROM (NEW.account_number, NEW.account_type, NEW.adopted_at, NEW.auto_approve_max_minor, NEW.bank_code, NEW.bank_name, NEW.batch_max_minor, NEW.branch_code, NEW.branch_name, NEW.cooling_off_hours, NEW.day_max_minor, NEW.file_records_max, NEW.file_sum_max_minor, NEW.holders_per_account_max, NEW.id, NEW.line_max_minor, NEW.pays_from, NEW.release_grace_minutes, NEW.remitter_code, NEW.remitter_name, NEW.returns_before_postal_order, NEW.source, NEW.straight_through_percent, NEW.two_approvers_above_minor))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_number, NEW.account_type, extract(epoch FROM NEW.adopted_at), NEW.auto_approve_max_minor, NEW.bank_code, NEW.bank_name, NEW.batch_max_minor, NEW.branch_code, NEW.branch_name, NEW.cooling_off_hours, NEW.day_max_minor, NEW.file_records_max, NEW.file_sum_max_minor, NEW.holders_per_account_max, NEW.id, NEW.line_max_minor, NEW.pays_from, NEW.release_grace_minutes, NEW.remitter_code, NEW.remitter_name, NEW.returns_before_postal_order, NEW.source, NEW.straight_through_percent, NEW.two_approvers_above_minor)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="4a1b93d444de26667c7aba34e99693041ea30b34",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_d22ea",
                    table="refunds_refundterms",
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
                name="outflow_is_what_was_signed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.state <> NEW.state AND NEW.state IN ('exported', 'transmitted'))",
                    func="\n                    IF ((NEW.items::bigint, NEW.total_minor::numeric) = (\n                        SELECT count(*), coalesce(sum(o.amount_minor), 0) FROM refunds_payout o\n                        WHERE o.batch_id = NEW.id AND o.state IN ('batched', 'exported'))) IS NOT TRUE\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                            'payout batch %s: its payouts are not what was signed', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="f3011520e4d9e93f432837a44c7f1ef606de3aa5",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_outflow_is_what_was_signed_2365e",
                    table="refunds_payoutbatch",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatch",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_payoutbatchtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'accept') AND b.state = 'transmitted' AND a.state = 'bank_accepted' THEN 'accept' WHEN (named IS NULL OR named = 'approve') AND b.state = 'submitted_for_approval' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'begin_reconciliation') AND b.state = 'executed' AND a.state = 'reconciling' THEN 'begin_reconciliation' WHEN (named IS NULL OR named = 'close') AND b.state = 'reconciled' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'execute') AND b.state = 'bank_accepted' AND a.state = 'executed' THEN 'execute' WHEN (named IS NULL OR named = 'export') AND b.state = 'releasing' AND a.state = 'exported' THEN 'export' WHEN (named IS NULL OR named = 'reconcile') AND b.state = 'reconciling' AND a.state = 'reconciled' THEN 'reconcile' WHEN (named IS NULL OR named = 'refuse') AND b.state = 'transmitted' AND a.state = 'bank_rejected' THEN 'refuse' WHEN (named IS NULL OR named = 'reject') AND b.state = 'submitted_for_approval' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'release') AND b.state = 'approved' AND a.state = 'releasing' THEN 'release' WHEN (named IS NULL OR named = 'seal') AND b.state = 'open' AND a.state = 'sealed' THEN 'seal' WHEN (named IS NULL OR named = 'stop_release') AND b.state = 'releasing' AND a.state = 'approved' THEN 'stop_release' WHEN (named IS NULL OR named = 'submit') AND b.state = 'sealed' AND a.state = 'submitted_for_approval' THEN 'submit' WHEN (named IS NULL OR named = 'transmit') AND b.state = 'exported' AND a.state = 'transmitted' THEN 'transmit' WHEN (named IS NULL OR named = 'void') AND b.state = 'approved' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'exported' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'open' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'releasing' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'sealed' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'submitted_for_approval' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'reconciled' AND a.state = 'reconciling' THEN 'void_result' WHEN (named IS NULL OR named = 'waive') AND b.state = 'reconciling' AND a.state = 'closed' THEN 'waive'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payoutbatchtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="d2d383f6ebe726bc740e89ca5cfb296646e89694",
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
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approvals_needed, a.bank_code, a.digest, extract(epoch FROM a.exported_at), a.id, a.items, extract(epoch FROM a.leaves_at), a.maker_id, a.method, extract(epoch FROM a.opened_at), a.rejection_id, a.replaces_id, a.run_id, extract(epoch FROM a.sealed_at), a.sequence, a.sha256, a.state, a.terms_id, a.total_minor, extract(epoch FROM a.transmitted_at), a.transmitted_by_id, a.value_date)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="c146f4bf6ce3cebe56c9af0cd5f59fd5856fcbf2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_f7591",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payoutbatch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatch",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.approvals_needed, OLD.bank_code, OLD.digest, OLD.exported_at, OLD.id, OLD.items, OLD.leaves_at, OLD.maker_id, OLD.method, OLD.opened_at, OLD.rejection_id, OLD.replaces_id, OLD.run_id, OLD.sealed_at, OLD.sequence, OLD.sha256, OLD.state, OLD.terms_id, OLD.total_minor, OLD.transmitted_at, OLD.transmitted_by_id, OLD.value_date) IS DISTINCT FROM (NEW.approvals_needed, NEW.bank_code, NEW.digest, NEW.exported_at, NEW.id, NEW.items, NEW.leaves_at, NEW.maker_id, NEW.method, NEW.opened_at, NEW.rejection_id, NEW.replaces_id, NEW.run_id, NEW.sealed_at, NEW.sequence, NEW.sha256, NEW.state, NEW.terms_id, NEW.total_minor, NEW.transmitted_at, NEW.transmitted_by_id, NEW.value_date))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approvals_needed, NEW.bank_code, NEW.digest, extract(epoch FROM NEW.exported_at), NEW.id, NEW.items, extract(epoch FROM NEW.leaves_at), NEW.maker_id, NEW.method, extract(epoch FROM NEW.opened_at), NEW.rejection_id, NEW.replaces_id, NEW.run_id, extract(epoch FROM NEW.sealed_at), NEW.sequence, NEW.sha256, NEW.state, NEW.terms_id, NEW.total_minor, extract(epoch FROM NEW.transmitted_at), NEW.transmitted_by_id, NEW.value_date)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="916a4cfb850fa46f0b193a264d7998efa6e7c742",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_eff5b",
                    table="refunds_payoutbatch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatch",
            trigger=pgtrigger.compiler.Trigger(
                name="sealed_batch_is_frozen",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE signed integer; subject_name text := 'payout_batch:' || OLD.id; ending text; caps refunds_refundterms; found bigint;",
                    func="\n                    IF OLD.state <> 'open' AND (OLD.bank_code, OLD.method, OLD.sequence, OLD.value_date, OLD.items, OLD.total_minor, OLD.sha256, OLD.digest, OLD.approvals_needed, OLD.maker_id, OLD.run_id, OLD.terms_id, OLD.sealed_at) IS DISTINCT FROM (NEW.bank_code, NEW.method, NEW.sequence, NEW.value_date, NEW.items, NEW.total_minor, NEW.sha256, NEW.digest, NEW.approvals_needed, NEW.maker_id, NEW.run_id, NEW.terms_id, NEW.sealed_at) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051',\n                            MESSAGE = format(\n                                'payout batch %s is sealed: nothing of it can change', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state AND NEW.state = 'approved' THEN\n                        SELECT count(DISTINCT s.staff_number) INTO signed\n                        FROM winddown_signature s\n                        WHERE s.subject = subject_name AND s.part = 'approved'\n                            AND s.digest = NEW.digest\n                          AND s.signer_id <> NEW.maker_id\n                          AND s.staff_number <> (SELECT u.staff_number FROM accounts_user u\n                              WHERE u.id = NEW.maker_id);\n                        IF signed < NEW.approvals_needed THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                                'payout batch %s has %s of %s approvals, its maker not counted',\n                                OLD.id, signed, NEW.approvals_needed);\n                        END IF;\n                    END IF;\n                    IF (OLD.state, NEW.state) IN (('submitted_for_approval', 'approved'),\n                        ('releasing', 'exported'))\n                    THEN\n                        PERFORM pg_advisory_xact_lock(7026, NEW.value_date - DATE '2000-01-01');\n                        SELECT * INTO caps FROM refunds_refundterms ORDER BY id DESC LIMIT 1;\n                        SELECT max(p.amount_minor) INTO found FROM refunds_payout p\n                            WHERE p.batch_id = OLD.id;\n                        IF found > caps.line_max_minor OR NEW.total_minor > caps.batch_max_minor\n                            OR NEW.total_minor + (\n                                SELECT coalesce(sum(b.total_minor), 0) FROM refunds_payoutbatch b\n                                WHERE b.value_date = NEW.value_date AND b.id <> OLD.id\n                                  AND b.state NOT IN ('open', 'sealed', 'submitted_for_approval',\n                                      'rejected', 'bank_rejected', 'voided'))\n                                > caps.day_max_minor\n                        THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD056', MESSAGE = format(\n                                'payout batch %s is above a cap of the refund', OLD.id);\n                        END IF;\n                    END IF;\n                    IF NEW.state = 'exported' AND OLD.state = 'releasing'\n                        AND NEW.leaves_at > winddown_now()\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD004', MESSAGE = format(\n                            'payout batch %s can still be stopped', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state AND NEW.state = 'transmitted' AND (\n                        SELECT count(*) FROM accounts_user u\n                        WHERE u.id = NEW.transmitted_by_id AND u.staff_number <> ''\n                          AND u.staff_number <> (SELECT m.staff_number FROM accounts_user m\n                              WHERE m.id = NEW.maker_id)\n                          AND u.staff_number NOT IN (\n                              SELECT s.staff_number FROM winddown_signature s\n                                  WHERE s.subject = subject_name)\n                    ) = 0 THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD053', MESSAGE = format(\n                            'payout batch %s: who transmits neither made nor approved it', OLD.id);\n                    END IF;\n                    IF OLD.state <> NEW.state THEN\n                        ending := CASE\n                            WHEN NEW.state = 'voided' THEN 'void'\n                            WHEN NEW.state = 'bank_rejected' THEN 'refusal'\n                            WHEN NEW.state = 'closed' AND OLD.state <> 'reconciled' THEN 'waiver'\n                        END;\n                        IF ending IS NOT NULL AND NOT EXISTS (\n                            SELECT FROM winddown_signature s\n                            JOIN winddown_approval a ON a.id = s.approval_id\n                            JOIN accounts_user m ON m.id = a.maker_id\n                            WHERE (s.subject LIKE subject_name || ':' || ending || ':%'\n                                  OR ending = 'void'\n                                  AND s.subject LIKE 'payout_lines:' || OLD.id || ':%')\n                              AND s.part = 'approved' AND s.staff_number <> m.staff_number)\n                        THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                                'payout batch %s: two people sign its %s', OLD.id, ending);\n                        END IF;\n                        IF NEW.state = 'bank_rejected' AND NEW.rejection_id IS NULL THEN\n                            RAISE EXCEPTION USING ERRCODE = 'WD052', MESSAGE = format(\n                                'payout batch %s: the rejection of the bank is missing', OLD.id);\n                        END IF;\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="12b39a0f6402993001b721101b11afb596cf748f",
                    operation="UPDATE",
                    pgid="pgtrigger_sealed_batch_is_frozen_57f5c",
                    table="refunds_payoutbatch",
                    when="BEFORE",
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
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="nobody_blocked_is_booked",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    SELECT min(a.id) INTO wrong FROM after a JOIN refunds_paymentblock k\n                        ON k.holder_id = a.holder_id AND k.lifted_at IS NULL\n                        AND k.ends_at > winddown_now();\n                    \n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD054',\n            MESSAGE = format('payout %s: its holder may be paid nothing now', wrong);\n    END IF;\n    RETURN NULL;\n\n                ",
                    hash="2d2964d8f0c7989fb8bec07c56708f2f1a642d00",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_nobody_blocked_is_booked_ee4d0",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="nobody_blocked_is_sent",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    JOIN refunds_paymentblock k ON k.holder_id = a.holder_id\n                        AND k.lifted_at IS NULL AND k.ends_at > winddown_now()\n                    WHERE a.state <> b.state AND a.state IN ('checked', 'batched', 'exported');\n                    \n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD054',\n            MESSAGE = format('payout %s: its holder may be paid nothing now', wrong);\n    END IF;\n    RETURN NULL;\n\n                ",
                    hash="39855decbf8b0e1adedcfb4e00a858010e332bbe",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_nobody_blocked_is_sent_96e4f",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.attempt, a.batch_id, a.entitlement_id, a.holder_id, a.method, a.payee_id, a.remedy_id, extract(epoch FROM a.result_at), a.result_file_id, a.return_reason)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="ef3a806ddd1f46a4349b2e3972e99e021ad877de",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_73a8d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.attempt, OLD.batch_id, OLD.entitlement_id, OLD.holder_id, OLD.method, OLD.payee_id, OLD.remedy_id, OLD.result_at, OLD.result_file_id, OLD.return_reason) IS DISTINCT FROM (NEW.amount_minor, NEW.attempt, NEW.batch_id, NEW.entitlement_id, NEW.holder_id, NEW.method, NEW.payee_id, NEW.remedy_id, NEW.result_at, NEW.result_file_id, NEW.return_reason))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.attempt, NEW.batch_id, NEW.entitlement_id, NEW.holder_id, NEW.method, NEW.payee_id, NEW.remedy_id, extract(epoch FROM NEW.result_at), NEW.result_file_id, NEW.return_reason)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="ccaf8d1dd787cd256fd2618e9237e79cc3a21c24",
                    operation='UPDATE OF "entitlement_id", "remedy_id", "holder_id", "payee_id", "amount_minor", "attempt", "batch_id", "result_file_id", "result_at", "return_reason", "method"',
                    pgid="pgtrigger_witness_ed699",
                    table="refunds_payout",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_payouttransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'cancel') AND b.state = 'checked' AND a.state = 'cancelled' THEN 'cancel' WHEN (named IS NULL OR named = 'cancel') AND b.state = 'ready' AND a.state = 'cancelled' THEN 'cancel' WHEN (named IS NULL OR named = 'check_payee') AND b.state = 'ready' AND a.state = 'checked' THEN 'check_payee' WHEN (named IS NULL OR named = 'execute') AND b.state = 'exported' AND a.state = 'executed' THEN 'execute' WHEN (named IS NULL OR named = 'export') AND b.state = 'batched' AND a.state = 'exported' THEN 'export' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'executed' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_back') AND b.state = 'settled' AND a.state = 'returned' THEN 'give_back' WHEN (named IS NULL OR named = 'give_up') AND b.state = 'returned' AND a.state = 'uncollectable' THEN 'give_up' WHEN (named IS NULL OR named = 'put_in_batch') AND b.state = 'checked' AND a.state = 'batched' THEN 'put_in_batch' WHEN (named IS NULL OR named = 'recall') AND b.state = 'exported' AND a.state = 'recalled' THEN 'recall' WHEN (named IS NULL OR named = 'settle') AND b.state = 'executed' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'settle') AND b.state = 'returned' AND a.state = 'settled' THEN 'settle' WHEN (named IS NULL OR named = 'take_out') AND b.state = 'batched' AND a.state = 'ready' THEN 'take_out' WHEN (named IS NULL OR named = 'take_out') AND b.state = 'exported' AND a.state = 'ready' THEN 'take_out' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'returned' AND a.state = 'executed' THEN 'void_result' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'settled' AND a.state = 'executed' THEN 'void_result'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_payouttransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="88c98cbdd4fc2247c2bc6e46d73a5e71da22447d",
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
                name="payout_is_fixed",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                    WHERE (a.entitlement_id, a.remedy_id, a.holder_id, a.amount_minor, a.attempt,\n                              a.method)\n                          IS DISTINCT FROM (b.entitlement_id, b.remedy_id, b.holder_id,\n                              b.amount_minor, b.attempt, b.method)\n                       OR (b.batch_id IS NOT NULL AND a.batch_id IS NOT NULL\n                           AND (a.payee_id, a.batch_id) IS DISTINCT FROM (b.payee_id, b.batch_id))\n                       OR (b.result_file_id IS NOT NULL\n                           AND (a.result_file_id, a.result_at, a.return_reason)\n                           IS DISTINCT FROM (b.result_file_id, b.result_at, b.return_reason)\n                           AND NOT EXISTS (SELECT FROM refunds_voidedfile v\n                               WHERE v.file_id = b.result_file_id)\n                           AND NOT EXISTS (SELECT FROM refunds_replacedresult r\n                               WHERE r.payout_id = a.id AND r.by_id = a.result_file_id\n                                 AND (r.file_id, r.state, r.return_reason, r.result_at)\n                                   = (b.result_file_id, b.state, b.return_reason, b.result_at)))\n                       OR (a.live AND NOT b.live\n                           AND NOT (b.state = 'returned'\n                               AND a.state IN ('settled', 'executed')));\n                    IF wrong IS NULL THEN\n                        SELECT min(a.id) INTO wrong FROM before b JOIN after a ON a.id = b.id\n                        LEFT JOIN refunds_payoutbatch o ON o.id = b.batch_id\n                        LEFT JOIN refunds_payoutbatch n ON n.id = a.batch_id\n                        WHERE a.batch_id IS DISTINCT FROM b.batch_id\n                          AND (n.state <> 'open' OR n.method <> a.method\n                               OR o.state NOT IN ('rejected', 'bank_rejected', 'voided'));\n                    END IF;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD051', MESSAGE = format(\n                            'payout %s: what it pays, and what a sealed batch holds, is fixed',\n                            wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="2ed075b1eab05c3645dc66c12794be448e43be35",
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
        pgtrigger.migrations.AddTrigger(
            model_name="payoutbatchtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="49f07fa196f7dc96cac182ba6d149280b6472669",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_2a8a8",
                    table="refunds_payoutbatchtransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="payoutfilepart",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.batch_id, encode(sha256(a.content_sealed), 'hex'), a.id, a.number)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="f69c25351c312eeaed6f7679b802c1d941b69db6",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_d454b",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payoutfilepart",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutfilepart",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.batch_id, OLD.content_sealed, OLD.id, OLD.number) IS DISTINCT FROM (NEW.batch_id, NEW.content_sealed, NEW.id, NEW.number))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.batch_id, encode(sha256(NEW.content_sealed), 'hex'), NEW.id, NEW.number)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="e0ab80274cc13572058bcf1e0f684b5c1276ecba",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_7f388",
                    table="refunds_payoutfilepart",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="payouttransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="1d5b91435bf145bfce9094eefa4cf587288ade0c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_b7a69",
                    table="refunds_payouttransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreak",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.answer, a.expected_minor, a.file_id, extract(epoch FROM a.found_at), a.id, a.kind, a.line, a.owner_id, a.payout_id, a.reference, a.resolution, extract(epoch FROM a.resolved_at), a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="a2c4a053c98bc4759e66696859225f1e526e5d21",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_76b51",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_reconciliationbreak",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreak",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.answer, OLD.expected_minor, OLD.file_id, OLD.found_at, OLD.id, OLD.kind, OLD.line, OLD.owner_id, OLD.payout_id, OLD.reference, OLD.resolution, OLD.resolved_at, OLD.state) IS DISTINCT FROM (NEW.amount_minor, NEW.answer, NEW.expected_minor, NEW.file_id, NEW.found_at, NEW.id, NEW.kind, NEW.line, NEW.owner_id, NEW.payout_id, NEW.reference, NEW.resolution, NEW.resolved_at, NEW.state))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.answer, NEW.expected_minor, NEW.file_id, extract(epoch FROM NEW.found_at), NEW.id, NEW.kind, NEW.line, NEW.owner_id, NEW.payout_id, NEW.reference, NEW.resolution, extract(epoch FROM NEW.resolved_at), NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="b93cc91093c6a5f54aa0cd93218073689cdf18a6",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_4368a",
                    table="refunds_reconciliationbreak",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreak",
            trigger=pgtrigger.compiler.Trigger(
                name="two_clear_a_break",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF OLD.state <> NEW.state AND NEW.state = 'resolved' AND NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        JOIN accounts_user m ON m.id = a.maker_id\n                        WHERE (s.subject LIKE 'break:' || OLD.id || ':%'\n                              OR s.subject LIKE 'breaks:%'\n                              AND a.summary -> 'breaks' @> to_jsonb(OLD.id))\n                          AND s.part = 'approved'\n                          AND s.staff_number <> m.staff_number)\n                        AND NOT EXISTS (\n                            SELECT FROM refunds_breakmatch m WHERE m.found_id = NEW.id)\n                        AND NOT EXISTS (\n                            SELECT FROM refunds_voidedfile v WHERE v.file_id = NEW.file_id)\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033', MESSAGE = format(\n                            'break %s is cleared by two people', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="e3e2dab43e197058d1ca1a0b18efe24ef7b9f4fb",
                    operation="UPDATE",
                    pgid="pgtrigger_two_clear_a_break_54d3b",
                    table="refunds_reconciliationbreak",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="reconciliationbreaktransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="743170ac49e1d050ec7f60d493ccae285b20de86",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_a7333",
                    table="refunds_reconciliationbreaktransition",
                    when="BEFORE",
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
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplication",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.applicant_id, a.body_digest, a.channel, a.confirmed_minor, extract(epoch FROM a.decided_at), a.decided_by_id, a.entitlement_id, a.fallback_consent, a.late, a.late_reason, a.method, a.op_id, a.payee_id, a.rejection, a.review_reason, extract(epoch FROM a.started_at), extract(epoch FROM a.submitted_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="18e04b30f767cf00d3ccf1b254631728f3ce67d7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_1f3a2",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_refundapplication",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplication",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.applicant_id, OLD.body_digest, OLD.channel, OLD.confirmed_minor, OLD.decided_at, OLD.decided_by_id, OLD.entitlement_id, OLD.fallback_consent, OLD.late, OLD.late_reason, OLD.method, OLD.op_id, OLD.payee_id, OLD.rejection, OLD.review_reason, OLD.started_at, OLD.submitted_at) IS DISTINCT FROM (NEW.applicant_id, NEW.body_digest, NEW.channel, NEW.confirmed_minor, NEW.decided_at, NEW.decided_by_id, NEW.entitlement_id, NEW.fallback_consent, NEW.late, NEW.late_reason, NEW.method, NEW.op_id, NEW.payee_id, NEW.rejection, NEW.review_reason, NEW.started_at, NEW.submitted_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.applicant_id, NEW.body_digest, NEW.channel, NEW.confirmed_minor, extract(epoch FROM NEW.decided_at), NEW.decided_by_id, NEW.entitlement_id, NEW.fallback_consent, NEW.late, NEW.late_reason, NEW.method, NEW.op_id, NEW.payee_id, NEW.rejection, NEW.review_reason, extract(epoch FROM NEW.started_at), extract(epoch FROM NEW.submitted_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="88eb28a48783185f6cf4054a79412bf013670fea",
                    operation='UPDATE OF "entitlement_id", "applicant_id", "payee_id", "channel", "body_digest", "late", "late_reason", "op_id", "review_reason", "rejection", "started_at", "confirmed_minor", "submitted_at", "decided_at", "decided_by_id", "method", "fallback_consent"',
                    pgid="pgtrigger_witness_c038b",
                    table="refunds_refundapplication",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplication",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_refundapplicationtransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'answer') AND b.state = 'needs_info' AND a.state = 'identity_check' THEN 'answer' WHEN (named IS NULL OR named = 'approve') AND b.state = 'amount_confirmed' AND a.state = 'approved' THEN 'approve' WHEN (named IS NULL OR named = 'approve_late') AND b.state = 'amount_confirmed' AND a.state = 'approved' THEN 'approve_late' WHEN (named IS NULL OR named = 'ask') AND b.state = 'identity_check' AND a.state = 'needs_info' THEN 'ask' WHEN (named IS NULL OR named = 'ask_again') AND b.state = 'approved' AND a.state = 'needs_info' THEN 'ask_again' WHEN (named IS NULL OR named = 'ask_again') AND b.state = 'closed' AND a.state = 'needs_info' THEN 'ask_again' WHEN (named IS NULL OR named = 'check_identity') AND b.state = 'submitted' AND a.state = 'identity_check' THEN 'check_identity' WHEN (named IS NULL OR named = 'close') AND b.state = 'amount_confirmed' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'approved' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'identity_check' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'needs_info' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'submitted' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'close') AND b.state = 'verified' AND a.state = 'closed' THEN 'close' WHEN (named IS NULL OR named = 'confirm_amount') AND b.state = 'verified' AND a.state = 'amount_confirmed' THEN 'confirm_amount' WHEN (named IS NULL OR named = 'reject') AND b.state = 'amount_confirmed' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'identity_check' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'needs_info' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'submitted' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'reject') AND b.state = 'verified' AND a.state = 'rejected' THEN 'reject' WHEN (named IS NULL OR named = 'submit') AND b.state = 'draft' AND a.state = 'submitted' THEN 'submit' WHEN (named IS NULL OR named = 'verify') AND b.state = 'identity_check' AND a.state = 'verified' THEN 'verify' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'closed' AND a.state = 'approved' THEN 'void_result' WHEN (named IS NULL OR named = 'void_result') AND b.state = 'needs_info' AND a.state = 'approved' THEN 'void_result' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'amount_confirmed' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'approved' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'draft' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'identity_check' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'needs_info' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'submitted' AND a.state = 'withdrawn' THEN 'withdraw' WHEN (named IS NULL OR named = 'withdraw') AND b.state = 'verified' AND a.state = 'withdrawn' THEN 'withdraw'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_refundapplicationtransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="2293431b1299d5c2522fc2702844bb83a8cc1a00",
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
        pgtrigger.migrations.AddTrigger(
            model_name="refundapplicationtransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="0251892c868a4d347a01fff836907e603c7e99a3",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_62439",
                    table="refunds_refundapplicationtransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="remedytransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="98df1d6c8a0a7e71b11c38543394cdb2d27a6005",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_c3ea5",
                    table="refunds_remedytransition",
                    when="BEFORE",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="rulehit",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.claim_id, a.evidence, extract(epoch FROM a.found_at), extract(epoch FROM a.hit_at), a.id, a.rule_id, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="2652f6a38fa58d0bd50a83eed74c222e56908d20",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_5d8df",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_rulehit",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rulehit",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.claim_id, OLD.evidence, OLD.found_at, OLD.hit_at, OLD.id, OLD.rule_id, OLD.wallet_id) IS DISTINCT FROM (NEW.claim_id, NEW.evidence, NEW.found_at, NEW.hit_at, NEW.id, NEW.rule_id, NEW.wallet_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.claim_id, NEW.evidence, extract(epoch FROM NEW.found_at), extract(epoch FROM NEW.hit_at), NEW.id, NEW.rule_id, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="b3a13bb4a3423dc683cde42d8e2accf9658d6a80",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_6b180",
                    table="refunds_rulehit",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="requestlist",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="84c974876ae8ad87798635b857f2a182b736aca8",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_d44b9",
                    table="refunds_asklist",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="requestlist",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.actions_count, a.amount_minor, a.digest, a.id, a.maker_id, extract(epoch FROM a.submitted_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="cf510f994b48ab5e4f2d21f08084a45c6e3cd655",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_aad51",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_asklist",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="requestlist",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.actions_count, OLD.amount_minor, OLD.digest, OLD.id, OLD.maker_id, OLD.submitted_at) IS DISTINCT FROM (NEW.actions_count, NEW.amount_minor, NEW.digest, NEW.id, NEW.maker_id, NEW.submitted_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.actions_count, NEW.amount_minor, NEW.digest, NEW.id, NEW.maker_id, extract(epoch FROM NEW.submitted_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="c4fdffb7e3dee278896b10dd1fdd820c73eceac6",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_0a3cd",
                    table="refunds_asklist",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="issueraction",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, extract(epoch FROM a.answer_due_at), extract(epoch FROM a.answered_at), a.ask_list_id, a.attempt, extract(epoch FROM a.deadline_at), extract(epoch FROM a.drafted_at), a.funding, a.id, a.issuer_id, a.key, a.kind, a.refund_arn, a.remedy_id, extract(epoch FROM a.sent_at), a.state, a.statement_on)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="2d898556951228889dd4dc421d665ffe844cd286",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_7358b",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_issueraction",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueraction",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.answer_due_at, OLD.answered_at, OLD.ask_list_id, OLD.attempt, OLD.deadline_at, OLD.drafted_at, OLD.funding, OLD.id, OLD.issuer_id, OLD.key, OLD.kind, OLD.refund_arn, OLD.remedy_id, OLD.sent_at, OLD.state, OLD.statement_on) IS DISTINCT FROM (NEW.amount_minor, NEW.answer_due_at, NEW.answered_at, NEW.ask_list_id, NEW.attempt, NEW.deadline_at, NEW.drafted_at, NEW.funding, NEW.id, NEW.issuer_id, NEW.key, NEW.kind, NEW.refund_arn, NEW.remedy_id, NEW.sent_at, NEW.state, NEW.statement_on))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, extract(epoch FROM NEW.answer_due_at), extract(epoch FROM NEW.answered_at), NEW.ask_list_id, NEW.attempt, extract(epoch FROM NEW.deadline_at), extract(epoch FROM NEW.drafted_at), NEW.funding, NEW.id, NEW.issuer_id, NEW.key, NEW.kind, NEW.refund_arn, NEW.remedy_id, extract(epoch FROM NEW.sent_at), NEW.state, NEW.statement_on)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="550c5254754d6cdef4f5084401ea0d82330ca48d",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_e0899",
                    table="refunds_issueraction",
                    when="AFTER",
                ),
            ),
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
        pgtrigger.migrations.AddTrigger(
            model_name="issueranswer",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.action_id, extract(epoch FROM a.answered_at), a.applied, a.attempt, a.code, a.file_id, a.id, a.line, a.note, a.refund_arn, a.statement_on)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="9626a71de275cc20686f08d585f90700487a0f00",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_c7a18",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_issueranswer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="issueranswer",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.action_id, OLD.answered_at, OLD.applied, OLD.attempt, OLD.code, OLD.file_id, OLD.id, OLD.line, OLD.note, OLD.refund_arn, OLD.statement_on) IS DISTINCT FROM (NEW.action_id, NEW.answered_at, NEW.applied, NEW.attempt, NEW.code, NEW.file_id, NEW.id, NEW.line, NEW.note, NEW.refund_arn, NEW.statement_on))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.action_id, extract(epoch FROM NEW.answered_at), NEW.applied, NEW.attempt, NEW.code, NEW.file_id, NEW.id, NEW.line, NEW.note, NEW.refund_arn, NEW.statement_on)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="353915df933e87b9e7e50184f2ddbcf643c44123",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_43c2f",
                    table="refunds_issueranswer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="c8165a3d90151cbb49c66c4e1ef37c9d72528645",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_98276",
                    table="refunds_bankprofile",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="42e860459c5a13fc152ee8406831881f567c866b",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_columns_are_fixed_83f7e",
                    table="refunds_bankprofile",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_types, a.charset, a.closed_days, a.code, a.cut_off, a.file_sum_max_minor, a.format, a.id, a.lines_max, a.name_truncation, a.source)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="bad7e49cc35a2a8a4a2c22cc191e06b34f2e744a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_706e7",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_bankprofile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account_types, OLD.charset, OLD.closed_days, OLD.code, OLD.cut_off, OLD.file_sum_max_minor, OLD.format, OLD.id, OLD.lines_max, OLD.name_truncation, OLD.source) IS DISTINCT FROM (NEW.account_types, NEW.charset, NEW.closed_days, NEW.code, NEW.cut_off, NEW.file_sum_max_minor, NEW.format, NEW.id, NEW.lines_max, NEW.name_truncation, NEW.source))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_types, NEW.charset, NEW.closed_days, NEW.code, NEW.cut_off, NEW.file_sum_max_minor, NEW.format, NEW.id, NEW.lines_max, NEW.name_truncation, NEW.source)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="38a6b3a45fd0c667ae9d12f9f3db0df182abc5d7",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_97bc0",
                    table="refunds_bankprofile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_number, a.account_type, a.bank_code, a.branch_code, a.code, a.id, a.profile_id, a.remitter_code, a.remitter_name)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="dcd836ef3640d34a0f64351cce5145644fcc25c9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_655af",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_bankaccount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account_number, OLD.account_type, OLD.bank_code, OLD.branch_code, OLD.code, OLD.id, OLD.profile_id, OLD.remitter_code, OLD.remitter_name) IS DISTINCT FROM (NEW.account_number, NEW.account_type, NEW.bank_code, NEW.branch_code, NEW.code, NEW.id, NEW.profile_id, NEW.remitter_code, NEW.remitter_name))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_number, NEW.account_type, NEW.bank_code, NEW.branch_code, NEW.code, NEW.id, NEW.profile_id, NEW.remitter_code, NEW.remitter_name)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="0aa7a3d05133bdc364ecda96a0181fe14952517d",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_64934",
                    table="refunds_bankaccount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="9ade026c810d9d121fa9713c563676a7adebaba2",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_e1dbb",
                    table="refunds_bankaccount",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="91467ce1fe18fdde87d0a52a139dd000d3309dcc",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_columns_are_fixed_9fafe",
                    table="refunds_bankaccount",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentblock",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.begins_at), extract(epoch FROM a.ends_at), a.entered_by_id, a.evidence, a.holder_id, a.id, a.kind, extract(epoch FROM a.lifted_at), a.lifted_by_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="ebd01d180af9884d0d8ebaf33076bbc2f91b408d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_a0927",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_paymentblock",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentblock",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.begins_at, OLD.ends_at, OLD.entered_by_id, OLD.evidence, OLD.holder_id, OLD.id, OLD.kind, OLD.lifted_at, OLD.lifted_by_id) IS DISTINCT FROM (NEW.begins_at, NEW.ends_at, NEW.entered_by_id, NEW.evidence, NEW.holder_id, NEW.id, NEW.kind, NEW.lifted_at, NEW.lifted_by_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.begins_at), extract(epoch FROM NEW.ends_at), NEW.entered_by_id, NEW.evidence, NEW.holder_id, NEW.id, NEW.kind, extract(epoch FROM NEW.lifted_at), NEW.lifted_by_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="e1937ca84d2474e47be7b1724f224fc0018d0193",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_3a435",
                    table="refunds_paymentblock",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentblock",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="377a1410a45fa5fa6733f67ee88834c7f8314579",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_5b8b5",
                    table="refunds_paymentblock",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentblock",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.holder_id, OLD.kind, OLD.evidence, OLD.begins_at, OLD.ends_at, OLD.entered_by_id) IS DISTINCT FROM (NEW.holder_id, NEW.kind, NEW.evidence, NEW.begins_at, NEW.ends_at, NEW.entered_by_id) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: holder_id, kind, evidence, begins_at, ends_at, entered_by_id cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="f7f63ef86114fe489257c4368f8236bd1dfdc667",
                    operation='UPDATE OF "holder_id", "kind", "evidence", "begins_at", "ends_at", "entered_by_id"',
                    pgid="pgtrigger_columns_are_fixed_103a6",
                    table="refunds_paymentblock",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentblock",
            trigger=pgtrigger.compiler.Trigger(
                name="lifted_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.lifted_at, OLD.lifted_by_id) IS DISTINCT FROM (NEW.lifted_at, NEW.lifted_by_id) AND (OLD.lifted_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: lifted_at, lifted_by_id cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="0170ef0b9e8fff18669bcabfd49af50d3b83c845",
                    operation='UPDATE OF "lifted_at", "lifted_by_id"',
                    pgid="pgtrigger_lifted_once_30451",
                    table="refunds_paymentblock",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentblock",
            trigger=pgtrigger.compiler.Trigger(
                name="lifted_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL)",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE s.signer_id = NEW.lifted_by_id AND s.signer_id <> a.maker_id\n                          AND (s.part = 'rejected' AND s.subject = format('payment_block:%s', OLD.id)\n                            OR s.part = 'approved'\n                                AND s.subject LIKE format('payment_block:%s:lift:%%', OLD.id))\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('payment block %s is not lifted without a second person', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="a3d7eeb121cdee6725329b8d50489ce9658532dd",
                    operation='UPDATE OF "lifted_at"',
                    pgid="pgtrigger_lifted_by_two_9e749",
                    table="refunds_paymentblock",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminderschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="9b09650e758e6e4da84031ee6f31f6a7085d63c9",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_e47a4",
                    table="refunds_reminderschedule",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminderschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.begun_at), a.begun_by_id, a.id, a.last_day)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="6bbe99986e7b7f925f2c87af811a5989d28c93c0",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_3997b",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_reminderschedule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminderschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.begun_at, OLD.begun_by_id, OLD.id, OLD.last_day) IS DISTINCT FROM (NEW.begun_at, NEW.begun_by_id, NEW.id, NEW.last_day))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.begun_at), NEW.begun_by_id, NEW.id, NEW.last_day)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="e853f06fd67e3df402f4d72bfdf6bba0bc120119",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_07725",
                    table="refunds_reminderschedule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.channel, a.days_before, a.holder_id, a.id, a.instead_of_id, a.letter_file, a.message_id, extract(epoch FROM a.queued_at), a.schedule_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="128eb22446576be37e680aa6962ecb651ed4f4ec",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_47cdf",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_reminder",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.channel, OLD.days_before, OLD.holder_id, OLD.id, OLD.instead_of_id, OLD.letter_file, OLD.message_id, OLD.queued_at, OLD.schedule_id) IS DISTINCT FROM (NEW.channel, NEW.days_before, NEW.holder_id, NEW.id, NEW.instead_of_id, NEW.letter_file, NEW.message_id, NEW.queued_at, NEW.schedule_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.channel, NEW.days_before, NEW.holder_id, NEW.id, NEW.instead_of_id, NEW.letter_file, NEW.message_id, extract(epoch FROM NEW.queued_at), NEW.schedule_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="826acbc59b181497a0df425fdd0e5110faa0af68",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_3fa51",
                    table="refunds_reminder",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="88320cd4fb9a4f355d7128cd563beb5a57f192bf",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_06ab0",
                    table="refunds_reminder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.schedule_id, OLD.days_before, OLD.holder_id, OLD.channel, OLD.message_id, OLD.instead_of_id, OLD.queued_at) IS DISTINCT FROM (NEW.schedule_id, NEW.days_before, NEW.holder_id, NEW.channel, NEW.message_id, NEW.instead_of_id, NEW.queued_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: schedule_id, days_before, holder_id, channel, message_id, instead_of_id, queued_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="b3cca55e5caa21d0004b8655ecb6d7060ed81f29",
                    operation='UPDATE OF "schedule_id", "days_before", "holder_id", "channel", "message_id", "instead_of_id", "queued_at"',
                    pgid="pgtrigger_columns_are_fixed_25612",
                    table="refunds_reminder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="in_one_letter_file",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.letter_file) IS DISTINCT FROM (NEW.letter_file) AND (OLD.letter_file IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: letter_file cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="ce341921bef67ee8123fd8ae3f61785ee4993ae2",
                    operation='UPDATE OF "letter_file"',
                    pgid="pgtrigger_in_one_letter_file_3c151",
                    table="refunds_reminder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="replacedresult",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="753081644edd37d774ff3d44316cbf7bd902da73",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_22eaf",
                    table="refunds_replacedresult",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="replacedresult",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.by_id, a.file_id, a.id, a.payout_id, extract(epoch FROM a.result_at), a.return_reason, a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="189e1f1c40d376f5528e2cd3a0ee34728c7f87e1",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_bf93c",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_replacedresult",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="replacedresult",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.by_id, OLD.file_id, OLD.id, OLD.payout_id, OLD.result_at, OLD.return_reason, OLD.state) IS DISTINCT FROM (NEW.by_id, NEW.file_id, NEW.id, NEW.payout_id, NEW.result_at, NEW.return_reason, NEW.state))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.by_id, NEW.file_id, NEW.id, NEW.payout_id, extract(epoch FROM NEW.result_at), NEW.return_reason, NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="dd5a13a72fdd69b1e2092cc42d3599a135eebca9",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_5b209",
                    table="refunds_replacedresult",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="uploadedanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="f8b459f78430ca7f3c1196dc4b97faf84b963e67",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_d3b74",
                    table="refunds_uploadedanswer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="uploadedanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.actor_id, extract(epoch FROM a.at), encode(sha256(a.content_sealed), 'hex'), a.id, a.sha256)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="c73dcf90baa691275c9ae6dee0b3a6ccfd609e57",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_70662",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_uploadedanswer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="uploadedanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.actor_id, OLD.at, OLD.content_sealed, OLD.id, OLD.sha256) IS DISTINCT FROM (NEW.actor_id, NEW.at, NEW.content_sealed, NEW.id, NEW.sha256))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.actor_id, extract(epoch FROM NEW.at), encode(sha256(NEW.content_sealed), 'hex'), NEW.id, NEW.sha256)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="6ea6b622544e2f0aa5d78b386afd46dcafdc89a5",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_ee9c4",
                    table="refunds_uploadedanswer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutview",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="98026a16a84be5ab5c0740eb04b8f83c9a7a0db6",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_10421",
                    table="refunds_payoutview",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutview",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.control_minor, a.excluded_minor, a.excluded_rows, a.excluded_sha256, a.id, a.payable_minor, a.payable_rows, a.payable_sha256, a.people, a.reasons, a.rules, a.straight_minor, a.straight_people, a.taken_by_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="7490dcdbea27cbec58f96ca3e6ce533ff2594dfc",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_b5384",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payoutview",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutview",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.as_of, OLD.control_minor, OLD.excluded_minor, OLD.excluded_rows, OLD.excluded_sha256, OLD.id, OLD.payable_minor, OLD.payable_rows, OLD.payable_sha256, OLD.people, OLD.reasons, OLD.rules, OLD.straight_minor, OLD.straight_people, OLD.taken_by_id) IS DISTINCT FROM (NEW.as_of, NEW.control_minor, NEW.excluded_minor, NEW.excluded_rows, NEW.excluded_sha256, NEW.id, NEW.payable_minor, NEW.payable_rows, NEW.payable_sha256, NEW.people, NEW.reasons, NEW.rules, NEW.straight_minor, NEW.straight_people, NEW.taken_by_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.control_minor, NEW.excluded_minor, NEW.excluded_rows, NEW.excluded_sha256, NEW.id, NEW.payable_minor, NEW.payable_rows, NEW.payable_sha256, NEW.people, NEW.reasons, NEW.rules, NEW.straight_minor, NEW.straight_people, NEW.taken_by_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="c596842731130a3b9236500e7f46a3d155178078",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_a1be3",
                    table="refunds_payoutview",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutviewpart",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="ff98c85603f74a1ecad512ee982622d47e870043",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_6a890",
                    table="refunds_payoutviewpart",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutviewpart",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(encode(sha256(a.content), 'hex'), a.id, a.list, a.number, a.view_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="cb18de6b62fcc06ef5bb43e7dd7695e7fa27ce5e",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_ae7cf",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payoutviewpart",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutviewpart",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.content, OLD.id, OLD.list, OLD.number, OLD.view_id) IS DISTINCT FROM (NEW.content, NEW.id, NEW.list, NEW.number, NEW.view_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(encode(sha256(NEW.content), 'hex'), NEW.id, NEW.list, NEW.number, NEW.view_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="f182002edbfb1b96a3bea0f3b695fde900b23847",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_5873e",
                    table="refunds_payoutviewpart",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accountstatement",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="2b582dd22a4dda5a22d77e47f028e10068f3f49e",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_a2190",
                    table="refunds_accountstatement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accountstatement",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account, a.after_minor, a.before_minor, a.file_id, a.id, a.last_on, a.number)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="93f3ce339ef047b79cc61ce709bb52a2aec413cb",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_c98d8",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_accountstatement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accountstatement",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.account, OLD.after_minor, OLD.before_minor, OLD.file_id, OLD.id, OLD.last_on, OLD.number) IS DISTINCT FROM (NEW.account, NEW.after_minor, NEW.before_minor, NEW.file_id, NEW.id, NEW.last_on, NEW.number))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account, NEW.after_minor, NEW.before_minor, NEW.file_id, NEW.id, NEW.last_on, NEW.number)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="b9f36eb9b2da406c9b1ebf92adba7a30130b70b7",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_8f96f",
                    table="refunds_accountstatement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="statementline",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="acbc428dcfa1225373c72839493482acb87fb057",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_77760",
                    table="refunds_statementline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="statementline",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.batch_id, a.booked_on, a.direction, a.id, a.identity, a.line, a.part, a.payout_id, a.statement_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="d0e41d45491af48987690840056b210d16f31d8e",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_eb61d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_statementline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="statementline",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.batch_id, OLD.booked_on, OLD.direction, OLD.id, OLD.identity, OLD.line, OLD.part, OLD.payout_id, OLD.statement_id) IS DISTINCT FROM (NEW.amount_minor, NEW.batch_id, NEW.booked_on, NEW.direction, NEW.id, NEW.identity, NEW.line, NEW.part, NEW.payout_id, NEW.statement_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.batch_id, NEW.booked_on, NEW.direction, NEW.id, NEW.identity, NEW.line, NEW.part, NEW.payout_id, NEW.statement_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="8a8399299f8a5004ca18a9f36dc88d9332f460af",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_34521",
                    table="refunds_statementline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="statementline",
            trigger=pgtrigger.compiler.Trigger(
                name="movement_is_known_once",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE wrong bigint;",
                    func="\n                    SELECT min(a.id) INTO wrong FROM after a\n                    JOIN refunds_statementline s\n                        ON s.identity = a.identity AND s.part = a.part AND s.id <> a.id\n                    JOIN refunds_accountstatement k ON k.id = s.statement_id\n                    WHERE NOT EXISTS (\n                        SELECT FROM refunds_voidedfile v WHERE v.file_id = k.file_id);\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD057',\n                            MESSAGE = format('statement line %s: its movement is known', wrong);\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="39097a433e2f2dcd717f843c41201542b6b17ea2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_movement_is_known_once_8bf7d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_statementline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tracingeffort",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="97281363291acf833e5813270e7ae45f63800594",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_ed209",
                    table="refunds_tracingeffort",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tracingeffort",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.at), a.evidence, a.file_sha256, a.holder_id, a.id, a.kind, extract(epoch FROM a.recorded_at), a.recorded_by_id, a.result)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="bb58e576b9f510a0f71a348817172bd2da84493a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_c739a",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_tracingeffort",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tracingeffort",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.at, OLD.evidence, OLD.file_sha256, OLD.holder_id, OLD.id, OLD.kind, OLD.recorded_at, OLD.recorded_by_id, OLD.result) IS DISTINCT FROM (NEW.at, NEW.evidence, NEW.file_sha256, NEW.holder_id, NEW.id, NEW.kind, NEW.recorded_at, NEW.recorded_by_id, NEW.result))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.at), NEW.evidence, NEW.file_sha256, NEW.holder_id, NEW.id, NEW.kind, extract(epoch FROM NEW.recorded_at), NEW.recorded_by_id, NEW.result)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="e94f3b2359d0a02b2fecf056a156db1e7052aba9",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_3e82f",
                    table="refunds_tracingeffort",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closingproof",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="c2cb201aaeada9672068fba9aabf7b71c77e745f",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_0921c",
                    table="refunds_closingproof",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closingproof",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.buckets, a.currency, a.digest, a.id, a.ledger, a.marks, a.rows_digest, a.rules, a.taken_by_id, a.wallets)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="30c28b209dc9da3e5b06ae8f6a842ea4f5f8b3ba",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_5eb13",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_closingproof",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closingproof",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.as_of, OLD.buckets, OLD.currency, OLD.digest, OLD.id, OLD.ledger, OLD.marks, OLD.rows_digest, OLD.rules, OLD.taken_by_id, OLD.wallets) IS DISTINCT FROM (NEW.as_of, NEW.buckets, NEW.currency, NEW.digest, NEW.id, NEW.ledger, NEW.marks, NEW.rows_digest, NEW.rules, NEW.taken_by_id, NEW.wallets))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.buckets, NEW.currency, NEW.digest, NEW.id, NEW.ledger, NEW.marks, NEW.rows_digest, NEW.rules, NEW.taken_by_id, NEW.wallets)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="121207e1ea11b590f89818b07a89a4229bd6ee32",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_444db",
                    table="refunds_closingproof",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankdaytie",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="5424c8691ea48f17806083b53f08c337b23e0e85",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_bc629",
                    table="refunds_bankdaytie",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankdaytie",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.bank_day, a.customers_minor, a.funds_minor, a.id, a.ledger_minor, a.named_minor, a.owed_minor, a.reserve_minor, a.stated_until, a.statement_minor, a.taken_by_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="e7caf48a08add23630850654a4db8e878e8df1d8",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_be702",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_bankdaytie",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankdaytie",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.as_of, OLD.bank_day, OLD.customers_minor, OLD.funds_minor, OLD.id, OLD.ledger_minor, OLD.named_minor, OLD.owed_minor, OLD.reserve_minor, OLD.stated_until, OLD.statement_minor, OLD.taken_by_id) IS DISTINCT FROM (NEW.as_of, NEW.bank_day, NEW.customers_minor, NEW.funds_minor, NEW.id, NEW.ledger_minor, NEW.named_minor, NEW.owed_minor, NEW.reserve_minor, NEW.stated_until, NEW.statement_minor, NEW.taken_by_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.bank_day, NEW.customers_minor, NEW.funds_minor, NEW.id, NEW.ledger_minor, NEW.named_minor, NEW.owed_minor, NEW.reserve_minor, NEW.stated_until, NEW.statement_minor, NEW.taken_by_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="dca410c9e2289b8adfb57f396c94e888f03a7cc3",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_4e057",
                    table="refunds_bankdaytie",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankdaydifference",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="524e34379f3ffa43af6fe8c5a764f61ecf2b23e8",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_c95cf",
                    table="refunds_bankdaydifference",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankdaydifference",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.batch_id, a.found_id, a.id, a.kind, a.rows, a.tie_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="7787d3c1fa4411c5bba2c95cdd98ab5c48ecbe41",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_1ef7c",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_bankdaydifference",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankdaydifference",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.batch_id, OLD.found_id, OLD.id, OLD.kind, OLD.rows, OLD.tie_id) IS DISTINCT FROM (NEW.amount_minor, NEW.batch_id, NEW.found_id, NEW.id, NEW.kind, NEW.rows, NEW.tie_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.batch_id, NEW.found_id, NEW.id, NEW.kind, NEW.rows, NEW.tie_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="7da1d084f23a0a96656f0732e60457f055e27888",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_1c51f",
                    table="refunds_bankdaydifference",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closingdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="4cb5ef239088e91dc02464e1d00e6f9f6f70fe19",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_05a75",
                    table="refunds_closingdocument",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closingdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.contact, a.evidence_id, a.id, a.kind, a.owner, extract(epoch FROM a.recorded_at), a.recorded_by_id, a.retrieval, a.reviewed_on, a.subject, a.until_on)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="315214394b90d85e8a660e2b6223d933417f1622",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_4ca4d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_closingdocument",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closingdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.contact, OLD.evidence_id, OLD.id, OLD.kind, OLD.owner, OLD.recorded_at, OLD.recorded_by_id, OLD.retrieval, OLD.reviewed_on, OLD.subject, OLD.until_on) IS DISTINCT FROM (NEW.amount_minor, NEW.contact, NEW.evidence_id, NEW.id, NEW.kind, NEW.owner, NEW.recorded_at, NEW.recorded_by_id, NEW.retrieval, NEW.reviewed_on, NEW.subject, NEW.until_on))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.contact, NEW.evidence_id, NEW.id, NEW.kind, NEW.owner, extract(epoch FROM NEW.recorded_at), NEW.recorded_by_id, NEW.retrieval, NEW.reviewed_on, NEW.subject, NEW.until_on)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="ed7887146851fd4ba7ec666cae5564d2cb852a83",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_0a043",
                    table="refunds_closingdocument",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="methodterms",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_max_minor, a.code, a.costs, a.id, a.money_days, a.place, a.source, a.valid_days)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="8802308f0a7e9c3aa126a6a12968880e1e5d631d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_40cae",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_methodterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="methodterms",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_max_minor, OLD.code, OLD.costs, OLD.id, OLD.money_days, OLD.place, OLD.source, OLD.valid_days) IS DISTINCT FROM (NEW.amount_max_minor, NEW.code, NEW.costs, NEW.id, NEW.money_days, NEW.place, NEW.source, NEW.valid_days))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_max_minor, NEW.code, NEW.costs, NEW.id, NEW.money_days, NEW.place, NEW.source, NEW.valid_days)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="1ba4e0df53be1654710ead2a2751199f644207b8",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_45403",
                    table="refunds_methodterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="methodterms",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="44d9fc1c4e4ee04b8b76a3e50d78c9fc3e46e484",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_c867c",
                    table="refunds_methodterms",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="methodterms",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="3037f8e7e26d0645972d078b1d8ad0d8f230d06e",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_columns_are_fixed_e6969",
                    table="refunds_methodterms",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_vouchertransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'cash') AND b.state = 'issued' AND a.state = 'cashed' THEN 'cash' WHEN (named IS NULL OR named = 'cash') AND b.state = 'notified' AND a.state = 'cashed' THEN 'cash' WHEN (named IS NULL OR named = 'expire') AND b.state = 'cashed' AND a.state = 'expired' THEN 'expire' WHEN (named IS NULL OR named = 'expire') AND b.state = 'issued' AND a.state = 'expired' THEN 'expire' WHEN (named IS NULL OR named = 'expire') AND b.state = 'notified' AND a.state = 'expired' THEN 'expire' WHEN (named IS NULL OR named = 'issue') AND b.state = 'made' AND a.state = 'issued' THEN 'issue' WHEN (named IS NULL OR named = 'notify') AND b.state = 'issued' AND a.state = 'notified' THEN 'notify' WHEN (named IS NULL OR named = 'reissue') AND b.state = 'expired' AND a.state = 'reissued' THEN 'reissue' WHEN (named IS NULL OR named = 'void') AND b.state = 'issued' AND a.state = 'voided' THEN 'void' WHEN (named IS NULL OR named = 'void') AND b.state = 'made' AND a.state = 'voided' THEN 'void'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_vouchertransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="f5a5890e90c16c519ebbdaf3059be4c74555028c",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_51c23",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_voucher",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('made')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('made') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b2af563da91e0d01697e8a893e12f7c0ce45f54a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_09684",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_voucher",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="16676b7a17ef3ad2bae73f08abb11e73c9070e3d",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_d2260",
                    table="refunds_voucher",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.batch_id, encode(sha256(a.code_sealed), 'hex'), a.expires_on, extract(epoch FROM a.made_at), a.payout_id, extract(epoch FROM a.shown_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="12277ddcb828cf626b3f3dc2d9613d71d230c4f9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_43a8d",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_voucher",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.batch_id, OLD.code_sealed, OLD.expires_on, OLD.made_at, OLD.payout_id, OLD.shown_at) IS DISTINCT FROM (NEW.batch_id, NEW.code_sealed, NEW.expires_on, NEW.made_at, NEW.payout_id, NEW.shown_at))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.batch_id, encode(sha256(NEW.code_sealed), 'hex'), NEW.expires_on, extract(epoch FROM NEW.made_at), NEW.payout_id, extract(epoch FROM NEW.shown_at))::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="a2c9a501bc7101859f3400e81b97e67beada9cdc",
                    operation='UPDATE OF "payout_id", "batch_id", "code_sealed", "expires_on", "made_at", "shown_at"',
                    pgid="pgtrigger_witness_e3978",
                    table="refunds_voucher",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="d2852492f65c68ea44fdb8f144ff6f5d16c0f7de",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_303db",
                    table="refunds_voucher",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.payout_id, OLD.batch_id, OLD.expires_on, OLD.made_at) IS DISTINCT FROM (NEW.payout_id, NEW.batch_id, NEW.expires_on, NEW.made_at) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: payout_id, batch_id, expires_on, made_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="0a110cf19a1d120a3a6b964e3c17d1c20b0a352f",
                    operation='UPDATE OF "payout_id", "batch_id", "expires_on", "made_at"',
                    pgid="pgtrigger_columns_are_fixed_8f1f0",
                    table="refunds_voucher",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="code_shown_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.shown_at) IS DISTINCT FROM (NEW.shown_at) AND (OLD.shown_at IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: shown_at cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="835c9d14db224ff9d0a59f1a558652acdb80a622",
                    operation='UPDATE OF "shown_at"',
                    pgid="pgtrigger_code_shown_once_82430",
                    table="refunds_voucher",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="vouchertransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="b26c2ced8ac2d94a2005f1c2727dc1f56ca67021",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_3556c",
                    table="refunds_vouchertransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="vouchertransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="7ce58c08ce7c7c8132a6f36dbbc21ba21d35a16d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_02ed2",
                    table="refunds_vouchertransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voidedfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="647968c0495f2ecea09c540a66d9322e42a03228",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_20e4a",
                    table="refunds_voidedfile",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voidedfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.at), a.file_id, a.id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="ecdd8439862f2e9a25e66ab9626dd05c32b021b0",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_4b235",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_voidedfile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voidedfile",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.at, OLD.file_id, OLD.id) IS DISTINCT FROM (NEW.at, NEW.file_id, NEW.id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.at), NEW.file_id, NEW.id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="ce5ae2be48e9cf44ed646aafb2c1ea684232e4e9",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_d9637",
                    table="refunds_voidedfile",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voidedfile",
            trigger=pgtrigger.compiler.Trigger(
                name="two_void_a_file",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        JOIN accounts_user m ON m.id = a.maker_id\n                        WHERE s.subject LIKE 'bank_file:' || NEW.file_id || ':void:%'\n                          AND s.part = 'approved' AND s.staff_number <> m.staff_number)\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033', MESSAGE = format(\n                            'file %s of the bank is voided by two people', NEW.file_id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="4613c8e944151fcd28820a4e0a61f87bc977832b",
                    operation="INSERT",
                    pgid="pgtrigger_two_void_a_file_47919",
                    table="refunds_voidedfile",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutwave",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approval_id, a.cut_off_on, a.id, a.pay_on, a.payees_close_days, a.record_on, a.withdrawal_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="31b4f682fba7c890c9e07e981ae1149275d3c789",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_7c20c",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_payoutwave",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutwave",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.approval_id, OLD.cut_off_on, OLD.id, OLD.pay_on, OLD.payees_close_days, OLD.record_on, OLD.withdrawal_id) IS DISTINCT FROM (NEW.approval_id, NEW.cut_off_on, NEW.id, NEW.pay_on, NEW.payees_close_days, NEW.record_on, NEW.withdrawal_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approval_id, NEW.cut_off_on, NEW.id, NEW.pay_on, NEW.payees_close_days, NEW.record_on, NEW.withdrawal_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="f39de6180cebcccef1186ff2ddf8c65595e4dde6",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_42f27",
                    table="refunds_payoutwave",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutwave",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="ab2a87f50649a82cdc96ff643ad7197a1fd866d0",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_e0cf6",
                    table="refunds_payoutwave",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutwave",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.record_on, OLD.cut_off_on, OLD.pay_on, OLD.payees_close_days, OLD.approval_id) IS DISTINCT FROM (NEW.record_on, NEW.cut_off_on, NEW.pay_on, NEW.payees_close_days, NEW.approval_id) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: record_on, cut_off_on, pay_on, payees_close_days, approval_id cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="96b256eb497ed5c7677eb0a442a49955ca304ae9",
                    operation='UPDATE OF "record_on", "cut_off_on", "pay_on", "payees_close_days", "approval_id"',
                    pgid="pgtrigger_columns_are_fixed_c080f",
                    table="refunds_payoutwave",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutwave",
            trigger=pgtrigger.compiler.Trigger(
                name="withdrawn_once",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.withdrawal_id) IS DISTINCT FROM (NEW.withdrawal_id) AND (OLD.withdrawal_id IS NOT NULL))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: withdrawal_id cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="657010f67a5c635d2aa84da811001c2c6b5a9dad",
                    operation='UPDATE OF "withdrawal_id"',
                    pgid="pgtrigger_withdrawn_once_2fb7b",
                    table="refunds_payoutwave",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutwave",
            trigger=pgtrigger.compiler.Trigger(
                name="planned_by_two",
                sql=winddown.guards.GuardSql(
                    func="\n    IF NOT EXISTS (\n        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n        JOIN accounts_user m ON m.id = a.maker_id\n        WHERE a.id = NEW.approval_id AND a.subject LIKE 'payout_wave:new:%'\n          AND s.part = 'approved' AND s.staff_number <> m.staff_number\n    ) THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD033',\n            MESSAGE = 'a payout wave is planned and withdrawn by two people';\n    END IF;\n    RETURN NEW;\n",
                    hash="4ec73c8725d3ad51e3839b17b54980c86be8a882",
                    operation="INSERT",
                    pgid="pgtrigger_planned_by_two_3d86d",
                    table="refunds_payoutwave",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutwave",
            trigger=pgtrigger.compiler.Trigger(
                name="withdrawn_by_two",
                sql=winddown.guards.GuardSql(
                    func="\n    IF NOT EXISTS (\n        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n        JOIN accounts_user m ON m.id = a.maker_id\n        WHERE a.id = NEW.withdrawal_id AND a.subject LIKE 'payout_wave:' || NEW.id || ':%'\n          AND s.part = 'approved' AND s.staff_number <> m.staff_number\n    ) THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD033',\n            MESSAGE = 'a payout wave is planned and withdrawn by two people';\n    END IF;\n    RETURN NEW;\n",
                    hash="efb993466084a9342bfe8f0a6abfe186e50c1572",
                    operation='UPDATE OF "withdrawal_id"',
                    pgid="pgtrigger_withdrawn_by_two_8608e",
                    table="refunds_payoutwave",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recall",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO refunds_recalltransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'fail') AND b.state = 'in_process' AND a.state = 'failed' THEN 'fail' WHEN (named IS NULL OR named = 'fail') AND b.state = 'requested' AND a.state = 'failed' THEN 'fail' WHEN (named IS NULL OR named = 'finish') AND b.state = 'in_process' AND a.state = 'done' THEN 'finish' WHEN (named IS NULL OR named = 'finish') AND b.state = 'requested' AND a.state = 'done' THEN 'finish' WHEN (named IS NULL OR named = 'take_up') AND b.state = 'requested' AND a.state = 'in_process' THEN 'take_up'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_recalltransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="1d482836652ffb39d0bce369bf1ac3b0e8017667",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_0682e",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="refunds_recall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recall",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('requested')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('requested') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="d335d69a2ba784b11adb99d2d20495aa74e941e7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_6b2a0",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_recall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recall",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="8cd3c5af4b36711ba17a82734d1f51d7bf68e4dc",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_2b644",
                    table="refunds_recall",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recall",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.answer, extract(epoch FROM a.asked_at), a.asked_by_id, a.id, a.payout_id, a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="2ee0d1a5f4a783cce01f21c0bfc6d921b3c57be2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_38764",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_recall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recall",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.answer, OLD.asked_at, OLD.asked_by_id, OLD.id, OLD.payout_id, OLD.state) IS DISTINCT FROM (NEW.answer, NEW.asked_at, NEW.asked_by_id, NEW.id, NEW.payout_id, NEW.state))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.answer, extract(epoch FROM NEW.asked_at), NEW.asked_by_id, NEW.id, NEW.payout_id, NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="a10f57e45fd6ebf8df731d2cbc74c7efc90d2262",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_7d301",
                    table="refunds_recall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recalltransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="f510cdbf33b4c92ac5d6d1a970547c360ebdb18a",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_fcfed",
                    table="refunds_recalltransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recalltransition",
            trigger=pgtrigger.compiler.Trigger(
                name="written_by_triggers",
                sql=winddown.guards.GuardSql(
                    func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="8e3e2ce76178a3b12ca6b6e2cfb6a3bb31dfd538",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_written_by_triggers_2d2ae",
                    table="refunds_recalltransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="otherend",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="0f3f768907784ddf19ea661c3c5346aea67d1edb",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_8bada",
                    table="refunds_otherend",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="otherend",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approval_subject, a.contact, a.ended_on, a.evidence_id, a.id, a.institution, a.items, a.kind, extract(epoch FROM a.recorded_at), a.reference, a.total_minor)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="e43cadae5f22e00be5946f1764e9b1e19ed81912",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_b6103",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_otherend",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="otherend",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.approval_subject, OLD.contact, OLD.ended_on, OLD.evidence_id, OLD.id, OLD.institution, OLD.items, OLD.kind, OLD.recorded_at, OLD.reference, OLD.total_minor) IS DISTINCT FROM (NEW.approval_subject, NEW.contact, NEW.ended_on, NEW.evidence_id, NEW.id, NEW.institution, NEW.items, NEW.kind, NEW.recorded_at, NEW.reference, NEW.total_minor))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approval_subject, NEW.contact, NEW.ended_on, NEW.evidence_id, NEW.id, NEW.institution, NEW.items, NEW.kind, extract(epoch FROM NEW.recorded_at), NEW.reference, NEW.total_minor)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="ebf013adf8fb9be4026f6017e2e864afe794bd06",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_2e9a8",
                    table="refunds_otherend",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="otherend",
            trigger=pgtrigger.compiler.Trigger(
                name="ended_by_two",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        JOIN accounts_user m ON m.id = a.maker_id\n                        WHERE s.subject = NEW.approval_subject AND s.part = 'approved'\n                            AND s.staff_number <> m.staff_number\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('%s: two people end refunds like this',\n                                NEW.approval_subject);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="cfac8164c739d1ea149e16ecfd213391c84e4789",
                    operation="INSERT",
                    pgid="pgtrigger_ended_by_two_0e4c0",
                    table="refunds_otherend",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="otherendline",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="dcd4087ec38d3bb11b2a17a662052e54a35473d6",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_4c9ee",
                    table="refunds_otherendline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="otherendline",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.end_id, a.entitlement_id, a.id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="afddd78c6a30f02bf5fcd0d14e6752cbe1097a08",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_9a029",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_otherendline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="otherendline",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.end_id, OLD.entitlement_id, OLD.id) IS DISTINCT FROM (NEW.end_id, NEW.entitlement_id, NEW.id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.end_id, NEW.entitlement_id, NEW.id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="56d5ab867c2da5e8639fb57ed6bf5415648e17f4",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_290ac",
                    table="refunds_otherendline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="successor",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.contact, a.day_max_minor, a.id, a.name, a.person_max_minor, a.source)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="d7adf200eccd76d383f981a8270b0414779ea8f4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_a85f2",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_successor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="successor",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.contact, OLD.day_max_minor, OLD.id, OLD.name, OLD.person_max_minor, OLD.source) IS DISTINCT FROM (NEW.contact, NEW.day_max_minor, NEW.id, NEW.name, NEW.person_max_minor, NEW.source))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.contact, NEW.day_max_minor, NEW.id, NEW.name, NEW.person_max_minor, NEW.source)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="d77b24809dd32bb98d5257bd9bbe8ac25f6146c3",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_83544",
                    table="refunds_successor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="successor",
            trigger=pgtrigger.compiler.Trigger(
                name="row_is_kept",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="40d8f03c84b224ea6c083bce867867a4c219284a",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_row_is_kept_c6517",
                    table="refunds_successor",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="successor",
            trigger=pgtrigger.compiler.Trigger(
                name="columns_are_fixed",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.name) IS DISTINCT FROM (NEW.name) AND (true))",
                    func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: name cannot change any more', TG_TABLE_NAME, OLD.id);",
                    hash="aa097917de903b0a99bc5d21de2011a6d18a8b5c",
                    operation='UPDATE OF "name"',
                    pgid="pgtrigger_columns_are_fixed_01ba3",
                    table="refunds_successor",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="breakmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="4263753423464a41e1014e1b6868cd4404bdf154",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_988d7",
                    table="refunds_breakmatch",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="breakmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="witness_new",
                sql=winddown.guards.GuardSql(
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.approval_id, a.found_id, a.id, a.payout_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ",
                    hash="2ca26c8e89bc83e7a95e690eb522042f954a7f8c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_witness_new_b8c72",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="refunds_breakmatch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="breakmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="witness",
                sql=winddown.guards.GuardSql(
                    condition="WHEN ((OLD.amount_minor, OLD.approval_id, OLD.found_id, OLD.id, OLD.payout_id) IS DISTINCT FROM (NEW.amount_minor, NEW.approval_id, NEW.found_id, NEW.id, NEW.payout_id))",
                    func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.approval_id, NEW.found_id, NEW.id, NEW.payout_id)::text, 'UTF8')));\n            RETURN NULL;\n        ",
                    hash="c49e3af19db606bad7a379767af82f83334875b6",
                    operation="UPDATE",
                    pgid="pgtrigger_witness_c2cf7",
                    table="refunds_breakmatch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="breakmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="two_match_a_break",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        JOIN accounts_user m ON m.id = a.maker_id\n                        WHERE a.id = NEW.approval_id AND s.part = 'approved'\n                          AND s.staff_number <> m.staff_number\n                          AND a.summary -> 'breaks' @> to_jsonb(NEW.found_id)\n                          AND a.summary -> 'payouts' @> to_jsonb(NEW.payout_id))\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033', MESSAGE = format(\n                            'break %s is matched by two people', NEW.found_id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="54cc1ff81ed1e387a774cc65c2a1be077cb633d9",
                    operation="INSERT",
                    pgid="pgtrigger_two_match_a_break_bf531",
                    table="refunds_breakmatch",
                    when="BEFORE",
                ),
            ),
        ),
    ]
