"""The message that an application is in."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0026_postal_addresses'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='kind',
            field=models.CharField(choices=[('recover', 'Recover'), ('sign_up', 'Sign Up'), ('account_known', 'Account Known'), ('case_approved', 'Case Approved'), ('case_rejected', 'Case Rejected'), ('case_link', 'Case Link'), ('access_changed', 'Access Changed'), ('browser', 'Browser'), ('verify_address', 'Verify Address'), ('refund_reminder', 'Refund Reminder'), ('merchant_notice', 'Merchant Notice'), ('payee_changed', 'Payee Changed'), ('voucher_issued', 'Voucher Issued'), ('voucher_reminder', 'Voucher Reminder'), ('application_in', 'Application In')], max_length=20),
        ),
    ]
