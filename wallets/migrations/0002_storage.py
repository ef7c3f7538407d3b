"""Half-filled pages keep mass updates of wallets heap-only; there is no index on the state for the same reason."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallets", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE wallets_wallet SET (fillfactor = 50); ALTER TABLE wallets_topup SET (fillfactor = 80)",
            "ALTER TABLE wallets_wallet RESET (fillfactor); ALTER TABLE wallets_topup RESET (fillfactor)",
        ),
    ]
