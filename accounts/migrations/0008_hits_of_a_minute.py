"""The minutes of the attempts know their hits, so that a page does not count first uses again."""

from django.db import migrations, models

COUNT_HITS = """
    UPDATE accounts_authminute m SET hits = found.hits FROM (
        SELECT date_bin('1 minute', d.first_at, timestamptz '1970-01-01 00:00+00') AS minute,
            count(*) AS hits
        FROM accounts_accountdevice d
        WHERE EXISTS (SELECT FROM accounts_suspicioussource s
                WHERE s.since <= d.first_at AND s.source = ANY (ARRAY[
                    host(d.network),
                    text(network(set_masklen(d.network,
                        CASE family(d.network) WHEN 4 THEN 24 ELSE 64 END))),
                    CASE WHEN d.device_ref <> '' THEN 'device:' || d.device_ref END
                ]))
            AND EXISTS (SELECT FROM accounts_accountdevice o
                WHERE o.user_id = d.user_id AND o.first_at < d.first_at)
        GROUP BY 1
    ) AS found WHERE m.minute = found.minute
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_witness'),
    ]

    operations = [
        migrations.AddField(
            model_name='authminute',
            name='hits',
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.RunSQL(COUNT_HITS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='suspicioussource',
            index=models.Index(fields=['since', 'source'], name='sources_by_time'),
        ),
    ]
