"""People, to whom the tables of every app refer (docs/decisions/0030)."""

import accounts.models.staff_number
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("accounts", "0001_initial"),
    ]
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
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
                    accounts.models.staff_number.StaffNumberField(
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
                (
                    "mail_address",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                django.db.models.lookups.Regex(
                                    models.F("email"),
                                    "^[0-9A-Za-z!#$%&'*+/=?^_`{|}~.-]+@(?:[0-9A-Za-z-]+[.])+[A-Za-z][0-9A-Za-z-]*$",
                                ),
                                then=django.db.models.functions.text.Lower(
                                    django.db.models.functions.comparison.Collate(
                                        models.F("email"), "C"
                                    )
                                ),
                            ),
                            default=models.Value(None),
                        ),
                        output_field=models.CharField(max_length=254),
                    ),
                ),
                (
                    "phone_number",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                django.db.models.lookups.Regex(
                                    models.Func(
                                        models.F("phone"),
                                        models.Value("[-() .]"),
                                        models.Value(""),
                                        models.Value("g"),
                                        function="regexp_replace",
                                        output_field=models.CharField(),
                                    ),
                                    "^(?:[+]|010|00)?810?[1-9][0-9]{8,9}$",
                                ),
                                then=django.db.models.functions.text.Concat(
                                    models.Value("0"),
                                    models.Func(
                                        models.Func(
                                            models.F("phone"),
                                            models.Value("[-() .]"),
                                            models.Value(""),
                                            models.Value("g"),
                                            function="regexp_replace",
                                            output_field=models.CharField(),
                                        ),
                                        models.Value("^(?:[+]|010|00)?810?"),
                                        models.Value(""),
                                        function="regexp_replace",
                                        output_field=models.CharField(),
                                    ),
                                ),
                            ),
                            models.When(
                                django.db.models.lookups.Regex(
                                    models.Func(
                                        models.F("phone"),
                                        models.Value("[-() .]"),
                                        models.Value(""),
                                        models.Value("g"),
                                        function="regexp_replace",
                                        output_field=models.CharField(),
                                    ),
                                    "^0(?:1[1-9]|[2-9][0-9])[0-9]{7,8}$",
                                ),
                                then=models.Func(
                                    models.F("phone"),
                                    models.Value("[-() .]"),
                                    models.Value(""),
                                    models.Value("g"),
                                    function="regexp_replace",
                                    output_field=models.CharField(),
                                ),
                            ),
                            models.When(
                                django.db.models.lookups.Regex(
                                    models.Func(
                                        models.F("phone"),
                                        models.Value("[-() .]"),
                                        models.Value(""),
                                        models.Value("g"),
                                        function="regexp_replace",
                                        output_field=models.CharField(),
                                    ),
                                    "^(?:[+]|010|00)(?:[1-79][0-9]|8[02-9])[0-9]{5,13}$",
                                ),
                                then=models.Func(
                                    models.Func(
                                        models.F("phone"),
                                        models.Value("[-() .]"),
                                        models.Value(""),
                                        models.Value("g"),
                                        function="regexp_replace",
                                        output_field=models.CharField(),
                                    ),
                                    models.Value("^(?:[+]|010|00)"),
                                    models.Value(""),
                                    function="regexp_replace",
                                    output_field=models.CharField(),
                                ),
                            ),
                            default=models.Value(None),
                        ),
                        output_field=models.CharField(max_length=20),
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("staff_number", ""), _negated=True),
                        fields=["staff_number"],
                        name="accounts_of_person",
                    ),
                    models.Index(
                        condition=models.Q(("mail_address__isnull", False)),
                        fields=["mail_address"],
                        name="account_of_email",
                    ),
                    models.Index(
                        condition=models.Q(("phone_number__isnull", False)),
                        fields=["phone_number"],
                        name="account_of_phone",
                    ),
                ],
                "constraints": [
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
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "login_id",
                                django.db.models.functions.text.Lower(
                                    django.db.models.functions.text.Trim(
                                        accounts.models.staff_number.Normalized(
                                            models.F("login_id")
                                        )
                                    )
                                ),
                            )
                        ),
                        name="login_id_in_one_spelling",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "staff_number",
                                django.db.models.functions.text.Lower(
                                    django.db.models.functions.text.Trim(
                                        accounts.models.staff_number.Normalized(
                                            models.F("staff_number")
                                        )
                                    )
                                ),
                            ),
                            models.Q(
                                (
                                    "staff_number__regex",
                                    "[[:space:][:cntrl:]\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\U000e0000-\\U000e0fff]",
                                ),
                                _negated=True,
                            ),
                        ),
                        name="staff_number_in_one_spelling",
                    ),
                ],
            },
        ),
    ]
