"""Half-filled pages keep mass updates heap-only; attempts to sign in are a plain heap under a BRIN index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_user SET (fillfactor = 50);"
            " ALTER TABLE accounts_externalidentity SET (fillfactor = 50);"
            " ALTER TABLE accounts_authevent DROP CONSTRAINT accounts_authevent_pkey",
            "ALTER TABLE accounts_authevent ADD PRIMARY KEY (id);"
            " ALTER TABLE accounts_externalidentity RESET (fillfactor);"
            " ALTER TABLE accounts_user RESET (fillfactor)",
        ),
    ]
