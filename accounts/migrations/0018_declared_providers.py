"""The programme declares the login providers."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0017_guards_of_named_columns'),
        ('winddown', '0013_declared_sources_and_providers'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='authevent',
            name='auth_method_known',
        ),
        migrations.RemoveConstraint(
            model_name='externalidentity',
            name='identity_of_known_provider',
        ),
        migrations.AlterField(
            model_name='authevent',
            name='method',
            field=models.CharField(max_length=20),
        ),
        migrations.AlterField(
            model_name='externalidentity',
            name='provider',
            field=models.CharField(max_length=20),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='externalidentity',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.provider) IS DISTINCT FROM (NEW.provider) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: provider cannot change any more', TG_TABLE_NAME, OLD.id);", hash='171dca7d64c4eea28731ad994f41a158626ad316', operation='UPDATE OF "provider"', pgid='pgtrigger_columns_are_fixed_5beeb', table='accounts_externalidentity', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='externalidentity',
            trigger=pgtrigger.compiler.Trigger(name='provider_is_declared', sql=winddown.guards.GuardSql(declare='DECLARE wrong text;', func="\n                    SELECT min(a.provider) INTO wrong\n                    FROM after a LEFT JOIN winddown_loginprovider p ON p.code = a.provider\n                    WHERE p.id IS NULL;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD042',\n                            MESSAGE = format('%s is no login provider of the programme', wrong);\n                    END IF;\n                    RETURN NULL;\n                ", hash='c092a5e8e117344d6006d73dfab0b7e418f303c7', level='STATEMENT', operation='INSERT', pgid='pgtrigger_provider_is_declared_c585e', referencing='REFERENCING NEW TABLE AS after ', table='accounts_externalidentity', when='AFTER')),
        ),
    ]
