"""Links for an address: people have the address of their own account verified."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_access_changed_message'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='onetimelink',
            name='link_is_for_whom_it_may',
        ),
        migrations.RemoveConstraint(
            model_name='onetimelink',
            name='link_names_whom_it_is_for',
        ),
        migrations.AlterField(
            model_name='message',
            name='kind',
            field=models.CharField(choices=[('recover', 'Recover'), ('sign_up', 'Sign Up'), ('account_known', 'Account Known'), ('case_approved', 'Case Approved'), ('case_rejected', 'Case Rejected'), ('case_link', 'Case Link'), ('access_changed', 'Access Changed'), ('browser', 'Browser'), ('verify_address', 'Verify Address')], max_length=20),
        ),
        migrations.AlterField(
            model_name='onetimelink',
            name='address_sealed',
            field=models.BinaryField(help_text='The address that the account is to have; it has not got it yet.', null=True),
        ),
        migrations.AlterField(
            model_name='onetimelink',
            name='purpose',
            field=models.CharField(choices=[('recover', 'Recover'), ('sign_up', 'Sign Up'), ('case', 'Case'), ('staff', 'Staff'), ('browser', 'Browser'), ('address', 'Address')], max_length=10),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='onetimelink',
            trigger=pgtrigger.compiler.Trigger(name='link_is_for_whom_it_may', sql=winddown.guards.GuardSql(condition='WHEN (NEW."user_id" IS NOT NULL)', func="\n                    IF NEW.purpose <> 'address' AND (NEW.purpose IN ('staff', 'browser')) <> (\n                        SELECT u.kind = 'staff' FROM accounts_user u WHERE u.id = NEW.user_id) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD060', MESSAGE = format(\n                            'no link to %s for account %s', NEW.purpose, NEW.user_id);\n                    END IF;\n                    RETURN NEW;\n                ", hash='7dfe73bc24116df834475d9fd1779b1eb6f2464e', operation='INSERT', pgid='pgtrigger_link_is_for_whom_it_may_78b85', table='accounts_onetimelink', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='onetimelink',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('address_sealed__isnull', False), ('purpose', 'sign_up'), ('user', None)), models.Q(('address_sealed__isnull', False), ('purpose', 'address'), ('user__isnull', False)), models.Q(models.Q(('purpose__in', ('sign_up', 'address')), _negated=True), ('address_sealed', None), ('user__isnull', False)), _connector='OR'), name='link_names_whom_it_is_for'),
        ),
    ]
