"""Staff numbers are kept, and only triggers write the logs."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_login_id_in_one_spelling'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='credentialfencetransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='6cc3aa8c3db604b15a520c6233bb93b914936718', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_fbdf2', table='accounts_credentialfencetransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='externalidentitytransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='41ff3c75b0acb94d71faf2b558483172ef765fd7', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_de7bf', table='accounts_externalidentitytransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recoverycasetransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='b45c48392b297fd67428cded4adaafe636fe6063', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_386b9', table='accounts_recoverycasetransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='resetnoticetransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='d105109e195288e21e8616964d92510b342ae9a1', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_ab175', table='accounts_resetnoticetransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='signinstormtransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='dfb418fe88df48333ab667e7864a14497abc15b0', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_76c7e', table='accounts_signinstormtransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='signer_keeps_the_number', sql=winddown.guards.GuardSql(condition='WHEN (OLD.staff_number <> NEW.staff_number)', func="\n            IF EXISTS (\n                SELECT FROM winddown_signature s WHERE s.staff_number = OLD.staff_number\n            ) THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD012',\n                    MESSAGE = format('account %s: this staff number has signed', OLD.id);\n            END IF;\n            RETURN NEW;\n        ", hash='17cbf46b86e00e839f3818a927dd99b14ad6159a', operation='UPDATE OF "staff_number"', pgid='pgtrigger_signer_keeps_the_number_5bdd7', table='accounts_user', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.is_active, a.is_staff, a.is_superuser, a.kind, a.staff_number)::text, 'UTF8'))\n            FROM after a WHERE a.kind = 'staff' ORDER BY a.id;\n            RETURN NULL;\n        ", hash='6ac70717f416fb67bee884143abd57a68580d41d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_b651f', referencing='REFERENCING NEW TABLE AS after ', table='accounts_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition="WHEN ((OLD.is_active, OLD.is_staff, OLD.is_superuser, OLD.kind, OLD.staff_number) IS DISTINCT FROM (NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.kind, NEW.staff_number) AND NEW.kind = 'staff')", func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.kind, NEW.staff_number)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='d16e4cfc1e0739ba1d53aa1ba9d0a5b90401f0e9', operation='UPDATE OF "kind", "staff_number", "is_active", "is_staff", "is_superuser"', pgid='pgtrigger_witness_f5c87', table='accounts_user', when='AFTER')),
        ),
    ]
