"""The one row of the clock, which stands at real time."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("winddown", "0002_initial")]
    operations = [
        migrations.RunSQL(
            "INSERT INTO winddown_clock (id, rehearsal, shift) VALUES (1, false, '0')",
            "DELETE FROM winddown_clock",
        ),
    ]
