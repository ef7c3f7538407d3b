"""One kind of message tells of every change of the ways into an account."""

from django.db import migrations, models

# The earlier kinds, and the event that each told of. `access_added` said in its facts which one.
OWED = """
    UPDATE accounts_message SET kind = 'access_changed', facts = jsonb_build_object('event', CASE kind
        WHEN 'password_changed' THEN 'password_changed'
        WHEN 'channel_changed' THEN 'address_changed'
        ELSE coalesce(facts ->> 'what', 'factor') || '_added' END)
    WHERE kind IN ('password_changed', 'channel_changed', 'access_added')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_kept_rows'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='kind',
            field=models.CharField(choices=[('recover', 'Recover'), ('sign_up', 'Sign Up'), ('account_known', 'Account Known'), ('case_approved', 'Case Approved'), ('case_rejected', 'Case Rejected'), ('case_link', 'Case Link'), ('access_changed', 'Access Changed'), ('browser', 'Browser')], max_length=20),
        ),
        migrations.RunSQL(OWED, migrations.RunSQL.noop),
    ]
