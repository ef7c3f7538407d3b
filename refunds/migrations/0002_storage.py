"""Room on the pages of the mass tables, so that their changes of state stay heap-only."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("refunds", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE refunds_entitlement SET (fillfactor = 60);"
            " ALTER TABLE refunds_payout SET (fillfactor = 60);"
            " ALTER TABLE refunds_refundapplication SET (fillfactor = 60)",
            "ALTER TABLE refunds_entitlement RESET (fillfactor);"
            " ALTER TABLE refunds_payout RESET (fillfactor);"
            " ALTER TABLE refunds_refundapplication RESET (fillfactor)",
        ),
    ]
