"""Roles that exclude each other are refused when the second one is given."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_one_person_one_staff_number'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoleGiven',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('accounts.user_groups',),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('staff_number', ''), _negated=True), fields=['staff_number'], name='accounts_of_person'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='person_keeps_roles_apart', sql=winddown.guards.GuardSql(condition='WHEN (NEW.is_active AND (NOT OLD.is_active OR OLD.staff_number <> NEW.staff_number))', declare='DECLARE person text; held text[]; clash text;', func="\n        SELECT u.staff_number INTO person FROM accounts_user u\n        WHERE u.id = NEW.id AND u.is_active AND u.staff_number <> '';\n        IF person IS NULL THEN\n            RETURN NULL;\n        END IF;\n        PERFORM FROM accounts_user u\n        WHERE u.staff_number = person AND u.staff_number <> '' ORDER BY u.id FOR NO KEY UPDATE;\n        held := ARRAY(SELECT g.name FROM accounts_user u\n            JOIN accounts_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id\n            WHERE u.staff_number = person AND u.staff_number <> '' AND u.is_active);\n        SELECT p.one || ' and ' || p.other INTO clash\n        FROM (VALUES ('fraud_analyst', 'fraud_supervisor'), ('treasury_operator', 'treasury_approver'), ('incident_commander', 'auditor'), ('fraud_analyst', 'auditor'), ('fraud_supervisor', 'auditor'), ('treasury_operator', 'auditor'), ('treasury_approver', 'auditor'), ('compliance', 'auditor'), ('support', 'auditor')) AS p(one, other)\n        WHERE p.one = ANY (held) AND p.other = ANY (held) LIMIT 1;\n        IF clash IS NOT NULL THEN\n            RAISE EXCEPTION USING ERRCODE = 'WD070',\n                MESSAGE = format('one person would be %s', clash);\n        END IF;\n        RETURN NULL;\n    ", hash='2d55e9956d21957beb0739671473a3519238b2ec', operation='UPDATE', pgid='pgtrigger_person_keeps_roles_apart_fe691', table='accounts_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolegiven',
            trigger=pgtrigger.compiler.Trigger(name='roles_in_one_hand', sql=winddown.guards.GuardSql(declare='DECLARE person text; held text[]; clash text;', func="\n        SELECT u.staff_number INTO person FROM accounts_user u\n        WHERE u.id = NEW.user_id AND u.is_active AND u.staff_number <> '';\n        IF person IS NULL THEN\n            RETURN NULL;\n        END IF;\n        PERFORM FROM accounts_user u\n        WHERE u.staff_number = person AND u.staff_number <> '' ORDER BY u.id FOR NO KEY UPDATE;\n        held := ARRAY(SELECT g.name FROM accounts_user u\n            JOIN accounts_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id\n            WHERE u.staff_number = person AND u.staff_number <> '' AND u.is_active);\n        SELECT p.one || ' and ' || p.other INTO clash\n        FROM (VALUES ('fraud_analyst', 'fraud_supervisor'), ('treasury_operator', 'treasury_approver'), ('incident_commander', 'auditor'), ('fraud_analyst', 'auditor'), ('fraud_supervisor', 'auditor'), ('treasury_operator', 'auditor'), ('treasury_approver', 'auditor'), ('compliance', 'auditor'), ('support', 'auditor')) AS p(one, other)\n        WHERE p.one = ANY (held) AND p.other = ANY (held) LIMIT 1;\n        IF clash IS NOT NULL THEN\n            RAISE EXCEPTION USING ERRCODE = 'WD070',\n                MESSAGE = format('one person would be %s', clash);\n        END IF;\n        RETURN NULL;\n    ", hash='e1194ae405fc3564a99b89c3b62a4e79c1a8b7ed', operation='INSERT OR UPDATE', pgid='pgtrigger_roles_in_one_hand_12057', table='accounts_user_groups', when='AFTER')),
        ),
    ]
