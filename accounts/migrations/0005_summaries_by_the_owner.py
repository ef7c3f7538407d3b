"""The one function that runs with the owner's rights: only an owner may summarise an index."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION accounts_summarise_attempts() RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT brin_summarize_new_values(indexrelid::regclass) FROM pg_index
    JOIN pg_class c ON c.oid = indexrelid JOIN pg_am ON pg_am.oid = c.relam
    WHERE indrelid = 'public.accounts_authevent'::regclass AND amname = 'brin';
$$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_roles_in_one_hand'),
    ]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION accounts_summarise_attempts()"),
    ]
