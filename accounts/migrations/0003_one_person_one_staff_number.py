"""A staff number has one spelling. Numbers that stand in another one are written anew, also under the
signatures of their owners: the person stays who signed.
"""

import accounts.models.staff_number
import django.db.models.functions.text
from django.db import migrations, models

SPELLING = "lower(btrim(normalize(staff_number, NFKC)))"
REWRITE = f"""
UPDATE accounts_user SET staff_number = {SPELLING} WHERE staff_number <> {SPELLING};
ALTER TABLE winddown_signature DISABLE TRIGGER USER;
UPDATE winddown_signature SET staff_number = {SPELLING} WHERE staff_number <> {SPELLING};
ALTER TABLE winddown_signature ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_initial"), ("winddown", "0002_initial")]
    operations = [
        migrations.AlterField(
            model_name="user",
            name="staff_number",
            field=accounts.models.staff_number.StaffNumberField(
                blank=True, help_text="The person behind a staff account.", max_length=40
            ),
        ),
        migrations.RunSQL(REWRITE, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "staff_number",
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim(
                                accounts.models.staff_number.Normalized(models.F("staff_number"))
                            )
                        ),
                    ),
                    models.Q(
                        (
                            "staff_number__regex",
                            "[[:space:][:cntrl:]\\u00ad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]",
                        ),
                        _negated=True,
                    ),
                ),
                name="staff_number_in_one_spelling",
            ),
        ),
    ]
