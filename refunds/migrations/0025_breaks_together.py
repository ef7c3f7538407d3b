
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0024_payout_waves'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='reconciliationbreak',
            name='two_clear_a_break',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reconciliationbreak',
            trigger=pgtrigger.compiler.Trigger(name='two_clear_a_break', sql=winddown.guards.GuardSql(func="\n                    IF OLD.state <> NEW.state AND NEW.state = 'resolved' AND NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        JOIN accounts_user m ON m.id = a.maker_id\n                        WHERE (s.subject LIKE 'break:' || OLD.id || ':%'\n                              OR s.subject LIKE 'breaks:%'\n                              AND a.summary -> 'breaks' @> to_jsonb(OLD.id))\n                          AND s.part = 'approved'\n                          AND s.staff_number <> m.staff_number)\n                        AND NOT EXISTS (\n                            SELECT FROM refunds_voidedfile v WHERE v.file_id = NEW.file_id)\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033', MESSAGE = format(\n                            'break %s is cleared by two people', OLD.id);\n                    END IF;\n                    RETURN NEW;\n                ", hash='31c2d3fb7eb26a3b4c26817ddae4e115cdc24df4', operation='UPDATE', pgid='pgtrigger_two_clear_a_break_54d3b', table='refunds_reconciliationbreak', when='BEFORE')),
        ),
    ]
