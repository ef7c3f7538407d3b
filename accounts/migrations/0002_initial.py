import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("winddown", "0002_initial"),
        ("winddown", "0003_clock_row"),
    ]

    operations = [
        migrations.AddField(
            model_name="credentialfence",
            name="run",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credential_fence",
                to="winddown.run",
            ),
        ),
        migrations.AddIndex(
            model_name="credentialfencetransition",
            index=models.Index(fields=["subject_id"], name="accounts_cr_subject_1d21e6_idx"),
        ),
        migrations.AddIndex(
            model_name="credentialfencetransition",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["xact_id"], name="accounts_cr_xact_id_786a88_brin"
            ),
        ),
        migrations.AddField(
            model_name="externalidentity",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="external_identities",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="externalidentitytransition",
            index=models.Index(fields=["subject_id"], name="accounts_ex_subject_c2dc0e_idx"),
        ),
        migrations.AddIndex(
            model_name="externalidentitytransition",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["xact_id"], name="accounts_ex_xact_id_5c2e2a_brin"
            ),
        ),
        migrations.AddField(
            model_name="resetnotice",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="winddown.run",
            ),
        ),
        migrations.AddField(
            model_name="resetnotice",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="resetnoticetransition",
            index=models.Index(fields=["subject_id"], name="accounts_re_subject_2711c7_idx"),
        ),
        migrations.AddIndex(
            model_name="resetnoticetransition",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["xact_id"], name="accounts_re_xact_id_78f50f_brin"
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("login_id", django.db.models.functions.text.Lower("login_id"))),
                name="login_id_in_lower_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "staff"),
                    models.Q(("is_staff", False), ("is_superuser", False), ("staff_number", "")),
                    _connector="OR",
                ),
                name="customer_is_not_staff",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "customer"),
                    models.Q(("staff_number", ""), _negated=True),
                    _connector="OR",
                ),
                name="staff_has_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="credentialfence",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "standing")),
                fields=("state",),
                name="one_standing_fence",
            ),
        ),
        migrations.AddConstraint(
            model_name="credentialfence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at__isnull", False), ("state", "lifted")),
                    models.Q(models.Q(("state", "lifted"), _negated=True), ("lifted_at", None)),
                    _connector="OR",
                ),
                name="lifted_fence_has_its_instant",
            ),
        ),
        migrations.AddConstraint(
            model_name="externalidentity",
            constraint=models.UniqueConstraint(
                fields=("provider", "subject"), name="subject_known_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="externalidentity",
            constraint=models.UniqueConstraint(
                fields=("user", "provider"), name="one_identity_per_provider"
            ),
        ),
        migrations.AddConstraint(
            model_name="externalidentity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("provider__in", ("facebook", "google", "line", "twitter", "yahoo"))
                ),
                name="identity_of_known_provider",
            ),
        ),
        migrations.AddConstraint(
            model_name="resetnotice",
            constraint=models.UniqueConstraint(
                fields=("run", "user"), name="one_reset_notice_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="resetnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["email", "phone"])), name="notice_channel_known"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfencetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="78ef9130acb4e6ffdf81d2e7ab4f0aa04217989c",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_a5698",
                    table="accounts_credentialfencetransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentitytransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="38fce3f14cfb3d3ebeaa5bbbfa73d34a6f27e64d",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_5a8ff",
                    table="accounts_externalidentitytransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnoticetransition",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="fc4f8389dbc3c9cae0f39196eea15d369e0a3bdf",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_04bc9",
                    table="accounts_resetnoticetransition",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_credentialfencetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'lift') AND b.state = 'standing' AND a.state = 'lifted' THEN 'lift' WHEN (named IS NULL OR named = 'supersede') AND b.state = 'standing' AND a.state = 'superseded' THEN 'supersede'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_credentialfencetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="a310f60227d0f6266b9be4f41d9def1392b94ab5",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_e26a0",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_credentialfence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('standing')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('standing') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="a999124bfc3250d618b6cded7822302814e243ec",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_6ed81",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_credentialfence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="eb5680c84c91f36910b5ed7ed7521d5c1121d928",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_6410d",
                    table="accounts_credentialfence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="fence_is_kept",
                sql=winddown.guards.GuardSql(
                    func="\n                    IF TG_OP = 'DELETE' OR OLD.state <> 'standing'\n                       OR NEW.not_before <> OLD.not_before OR NEW.run_id <> OLD.run_id THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format(\n                            'credential fence %s is kept as it is: %s refused', OLD.id, TG_OP);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="0d8099e036ee38eb0ec3487b35500be2c78b1f2c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_fence_is_kept_bb936",
                    table="accounts_credentialfence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialfence",
            trigger=pgtrigger.compiler.Trigger(
                name="lifted_by_two",
                sql=winddown.guards.GuardSql(
                    condition="WHEN (NEW.\"state\" = 'lifted' AND OLD.\"state\" = 'standing')",
                    func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s\n                        JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE s.subject = 'credential_fence:' || NEW.id AND s.part = 'approved'\n                          AND s.signer_id <> a.maker_id\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD034', MESSAGE = format(\n                            'credential fence %s: no second person agreed to lift it', NEW.id);\n                    END IF;\n                    IF EXISTS (\n                        SELECT FROM winddown_batch b\n                        WHERE b.run_id = NEW.run_id AND b.step = 'remove_passwords' AND b.moved > 0\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD035', MESSAGE = format(\n                            'credential fence %s: its run has removed passwords', NEW.id);\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="be3fe379f406f74630a5bee43af691e886a7d72c",
                    operation="UPDATE",
                    pgid="pgtrigger_lifted_by_two_aa831",
                    table="accounts_credentialfence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_externalidentitytransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'restore') AND b.state = 'suspended' AND a.state = 'active' THEN 'restore' WHEN (named IS NULL OR named = 'suspend') AND b.state = 'active' AND a.state = 'suspended' THEN 'suspend'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_externalidentitytransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="b7d471b68cafcd5bb6320ccf7f01e2d29298ff12",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_1fd64",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_externalidentity",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('active')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('active') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="88cda0280d480e9e9e9eb56f4af02f7a761f3bbc",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_56b27",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_externalidentity",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="externalidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="fa923e427d9897bb2e342b7682c52a1ce4cd635d",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_6ccba",
                    table="accounts_externalidentity",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="machine",
                sql=winddown.guards.GuardSql(
                    declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;",
                    func="\n            WITH logged AS (\n                INSERT INTO accounts_resetnoticetransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'give_up') AND b.state = 'queued' AND a.state = 'undeliverable' THEN 'give_up' WHEN (named IS NULL OR named = 'give_up') AND b.state = 'sent' AND a.state = 'undeliverable' THEN 'give_up' WHEN (named IS NULL OR named = 'send') AND b.state = 'queued' AND a.state = 'sent' THEN 'send'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('accounts_resetnoticetransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ",
                    hash="40e53626d24ad186e3638027d893d244163f9062",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_machine_10203",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS after ",
                    table="accounts_resetnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_start",
                sql=winddown.guards.GuardSql(
                    func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('queued')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('queued') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ",
                    hash="f96a11acdf317dac193fbbba8b79f85222158d78",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_machine_start_5aee6",
                    referencing="REFERENCING NEW TABLE AS after ",
                    table="accounts_resetnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="resetnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="machine_row",
                sql=winddown.guards.GuardSql(
                    func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);",
                    hash="ee8aa144dbffe6eca4fc2562418d4d5d6ce8607c",
                    level="STATEMENT",
                    operation='DELETE OR TRUNCATE OR UPDATE OF "id"',
                    pgid="pgtrigger_machine_row_9191a",
                    table="accounts_resetnotice",
                    when="BEFORE",
                ),
            ),
        ),
    ]
