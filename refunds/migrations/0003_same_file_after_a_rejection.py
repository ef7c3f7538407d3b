"""The payouts of a rejected batch may be sealed again for the same day."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0002_witness'),
        ('winddown', '0006_witness'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='payoutbatch',
            name='sha256',
            field=models.CharField(max_length=64, null=True),
        ),
        migrations.AddConstraint(
            model_name='payoutbatch',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['rejected', 'bank_rejected', 'voided']), _negated=True), fields=('sha256',), name='living_batch_has_its_own_file'),
        ),
    ]
