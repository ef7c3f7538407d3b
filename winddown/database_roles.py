"""The roles of the database: the owner of the tables, and what the others may do to each table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import connection, models, transaction

# Rows that the service deletes. Nothing is ever deleted from any other table.
DELETED: Final = (
    "accounts.AttackWindow",
    "accounts.AuthMinute",
    "accounts.Session",
    "accounts.SourceMinute",
    "accounts.User_groups",
    "mfa.Authenticator",
    "refunds.AnswerLine",
)

# Written when the owner migrates: the permissions, the groups that hold them, the numbers of
# the law, and what is migrated.
MIGRATED: Final = (
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "winddown_lawrule",
)

# What the database itself says of a row of the ledger. Whoever could choose these columns could
# write a row that no seal covers, or date it back. A load says some of them of what happened before.
SAID_BY_THE_DATABASE: Final[dict[str, tuple[str, ...]]] = {
    "wallets_journal": ("id", "recorded_at", "xact_id"),
    "wallets_posting": ("id", "xact_id"),
}
SAID_BY_A_LOAD: Final = {"wallets_journal": ("id", "recorded_at")}

# The tables that the reader sees are those of these apps, without the columns that tell who
# somebody is, how to reach or pay them, how they sign in, or what people wrote about them.
READ: Final = ("winddown", "accounts", "wallets", "refunds")
PERSONAL: Final[dict[str, tuple[str, ...]]] = {
    "accounts_accessrequest": ("key", "typed_sealed", "network"),
    "accounts_accountdevice": ("device_ref", "network"),
    "accounts_authevent": ("login_id", "network", "device_ref"),
    "accounts_birthdate": ("day_sealed", "fingerprint"),
    "accounts_carrierfilepart": ("content_sealed",),
    "accounts_devicetoken": ("digest", "device_name"),
    "accounts_externalidentity": ("subject",),
    "accounts_message": ("key", "to_sealed", "facts"),
    "accounts_onetimelink": ("key", "address_fingerprint", "address_sealed"),
    "accounts_personkey": ("secret",),
    "accounts_postaladdress": ("address_sealed", "fingerprint"),
    "accounts_proofstep": ("note",),
    "accounts_recoverycase": (
        "key",
        "reference",
        "contact_sealed",
        "contact_mask",
        "contact_fingerprint",
        "network",
    ),
    "accounts_session": ("session_key", "session_data"),
    "accounts_signinstorm": ("signs",),
    "accounts_sourceminute": ("source", "ids"),
    "accounts_suspicioussource": ("source", "evidence"),
    "accounts_user": (
        "password",
        "refused_hash",
        "account_ref",
        "login_id",
        "email",
        "mail_address",
        "phone",
        "phone_number",
        "display_name",
        "kana_name",
    ),
    "refunds_applicationdocument": ("content_sealed",),
    "refunds_applicationorigin": ("network", "device", "address"),
    "refunds_answerline": ("fingerprint", "name"),
    "refunds_claimnumber": ("key", "digest"),
    "refunds_tracecase": ("account_end", "resolution"),
    "refunds_claimfile": ("key", "content_sealed"),
    "refunds_claimnote": ("text",),
    "refunds_fraudreport": (
        "key",
        "words_sealed",
        "answer_sealed",
        "fingerprint",
        "network",
        "device",
    ),
    "refunds_closingdocument": ("subject", "owner", "contact"),
    "refunds_fraudclaim": ("evidence", "rejection_note"),
    "refunds_issueranswer": ("note",),
    "refunds_issuerfile": ("content",),
    "refunds_payee": (
        "bank_code",
        "branch_code",
        "account_type",
        "account_number_sealed",
        "account_mask",
        "fingerprint",
        "name_kana",
        "name_truncated",
    ),
    "refunds_payoutfilepart": ("content_sealed",),
    "refunds_refundapplication": (
        "address_sealed",
        "body_digest",
        "draft_sealed",
        "late_reason",
    ),
    "refunds_loss": ("drop_reason",),
    "refunds_uploadedanswer": ("content_sealed",),
    "refunds_voucher": ("code_sealed",),
    "wallets_fundingcard": ("card_ref", "card_token", "bin", "last4"),
    "wallets_hold": ("reason",),
    "winddown_approval": ("reason", "summary"),
    "winddown_auditentry": ("facts", "reason"),
    # A shop may be a person.
    "winddown_dutyaddress": ("target_sealed",),
    "winddown_merchant": ("name", "email", "address"),
    "winddown_noticeevidence": ("content",),
    "winddown_signature": ("reason",),
}


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the four roles of one database."""

    owner: str = "winddown_owner"
    application: str = "winddown_application"
    loader: str = "winddown_loader"
    reader: str = "winddown_reader"


def declared() -> dict[str, type[models.Model]]:
    """Returns every model by its table."""
    return {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }


def is_append_only(model: type[models.Model]) -> bool:
    """Returns whether the guard of that name stands on the model's table."""
    return any(trigger.name == "append_only" for trigger in getattr(model._meta, "triggers", ()))


def is_log(model: type[models.Model]) -> bool:
    """Returns whether the rows are the changes of state of another table."""
    return {"transition", "source", "target"} <= {each.column for each in model._meta.fields}


def application_may(table: str, model: type[models.Model] | None) -> tuple[str, ...]:
    """Returns the application's privileges on the table."""
    if table in MIGRATED or model is None:
        return ("SELECT",)
    may = ["SELECT"]
    if table not in SAID_BY_THE_DATABASE:
        may.append("INSERT")
    if not is_append_only(model):
        may.append("UPDATE")
    if model._meta.label in DELETED:
        may.append("DELETE")
    return tuple(may)


def application_says(table: str, model: type[models.Model] | None) -> tuple[str, ...]:
    """Returns the columns that the application may fill, of a table of which it may not fill all."""
    if model is None or table not in SAID_BY_THE_DATABASE:
        return ()
    return tuple(
        field.column
        for field in model._meta.concrete_fields
        if field.column and field.column not in SAID_BY_THE_DATABASE[table]
    )


def reader_may(table: str, model: type[models.Model] | None) -> tuple[str, ...]:
    """Returns the columns of the table that the reader sees."""
    if model is None or model._meta.app_label not in READ:
        return ()
    personal = PERSONAL.get(table, ())
    if is_log(model):
        # Why somebody changed a state: of a claim, a case, a payee.
        personal += ("reason",)
    return tuple(
        field.column
        for field in model._meta.concrete_fields
        if field.column and field.column not in personal
    )


def statements(roles: Roles) -> list[str]:
    """Returns the SQL after which the connected database has these roles with these privileges.

    Whatever else the three roles below the owner were granted is taken back. A role that exists
    keeps its password and attributes. Tables that are not there yet are left out.
    """
    return [*_roles(roles), *_ownership(roles), *_floor(roles), *_tables(roles)]


def doors(database: str, roles: Roles) -> list[str]:
    """Returns the SQL after which the roles may do no more with the whole database than declared.

    These privileges stay behind when a database is copied or dumped; those on tables do not.
    """
    name = _quoted(database)
    application, loader, reader = map(_quoted, (roles.application, roles.loader, roles.reader))
    return [
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC, {application}, {loader}, {reader}",
        f"GRANT CONNECT ON DATABASE {name} TO {application}, {reader}",
        f"GRANT TEMPORARY ON DATABASE {name} TO {loader}",
    ]


def apply(roles: Roles) -> None:
    """The database has the roles and privileges, or nothing was changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements(roles):
            cursor.execute(statement)


def apply_for_login() -> Roles | None:
    """The database has the roles, and the login owns what is in it.

    Returns None, and changes nothing, where the login is no superuser's.
    """
    ((login, is_superuser),) = _rows(
        "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = session_user", []
    )
    if not is_superuser:
        return None
    roles = Roles(owner=login)
    apply(roles)
    return roles


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _roles(roles: Roles) -> Iterator[str]:
    names = [roles.owner, roles.application, roles.loader, roles.reader]
    there = {name for (name,) in _rows("SELECT rolname FROM pg_roles", [])}
    for name in names:
        if name not in there:
            yield _unless_there(f"CREATE ROLE {_quoted(name)} LOGIN")
    member = _rows(
        "SELECT FROM pg_auth_members WHERE roleid = to_regrole(%s) AND member = to_regrole(%s)",
        [_quoted(roles.application), _quoted(roles.loader)],
    )
    if not member:
        yield _unless_there(f"GRANT {_quoted(roles.application)} TO {_quoted(roles.loader)}")


def _unless_there(statement: str) -> str:
    """Returns SQL that does nothing if the role is there. Roles belong to all databases of a server,
    so that of another database may be made at the same time.
    """
    there = "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL"
    return f"DO $$ BEGIN {statement}; {there}; END $$"


def _ownership(roles: Roles) -> Iterator[str]:
    owner = _quoted(roles.owner)
    for (name,) in _rows(
        "SELECT datname FROM pg_database WHERE datname = current_database()"
        " AND pg_get_userbyid(datdba) <> %s",
        [roles.owner],
    ):
        yield f"ALTER DATABASE {_quoted(name)} OWNER TO {owner}"
    # A sequence of a column goes with its table.
    for (name,) in _rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'v') AND pg_get_userbyid(relowner) <> %s ORDER BY 1",
        [roles.owner],
    ):
        yield f"ALTER TABLE public.{_quoted(name)} OWNER TO {owner}"
    for (name,) in _rows(
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) <> %s"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        " ORDER BY 1",
        [roles.owner],
    ):
        yield f"ALTER FUNCTION {name} OWNER TO {owner}"


def _floor(roles: Roles) -> Iterator[str]:
    """What holds for every table, also for those of later migrations."""
    owner, application = _quoted(roles.owner), _quoted(roles.application)
    loader, reader = _quoted(roles.loader), _quoted(roles.reader)
    below = f"{application}, {loader}, {reader}"
    yield from doors(str(_rows("SELECT current_database()", [])[0][0]), roles)
    yield f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {below}"
    yield f"GRANT USAGE ON SCHEMA public TO {application}, {reader}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {below}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {below}"
    # A dump of the database reads where each sequence stands.
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application}"
    later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT"
    yield f"{later} SELECT, INSERT ON TABLES TO {application}"
    yield f"{later} USAGE, SELECT ON SEQUENCES TO {application}"
    if int(_rows("SELECT current_setting('server_version_num')", [])[0][0]) >= 170000:
        # A load refreshes the statistics of what it filled.
        yield f"GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {loader}"


def _tables(roles: Roles) -> Iterator[str]:
    known = declared()
    for (table,) in _rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", []
    ):
        model = known.get(table)
        may = ", ".join(application_may(table, model))
        yield f"GRANT {may} ON public.{_quoted(table)} TO {_quoted(roles.application)}"
        for privilege, columns, role in (
            ("INSERT", application_says(table, model), roles.application),
            ("INSERT", SAID_BY_A_LOAD.get(table, ()), roles.loader),
            ("SELECT", reader_may(table, model), roles.reader),
        ):
            if named := ", ".join(map(_quoted, columns)):
                yield f"GRANT {privilege} ({named}) ON public.{_quoted(table)} TO {_quoted(role)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
