"""The files about people: accounts, their external logins, and the history of their sign-ins."""

from __future__ import annotations

from django.contrib.auth.hashers import get_hashers

from accounts.models import User
from winddown.file_kinds import (
    FileKind,
    Reference,
    Rule,
    Unique,
    declare,
    instant,
    matching,
    ref,
    text,
)

ACCOUNT = Reference(
    table=User._meta.db_table,
    key="account_ref",
    name="account",
    says="the account_ref of a loaded account",
)
ALGORITHMS = "|".join(hasher.algorithm for hasher in get_hashers())

ACCOUNTS = declare(
    FileKind(
        name="accounts",
        title="Accounts",
        model=User,
        key="account_ref",
        columns=(
            ref("account_ref", "the core system's key of the account"),
            matching(
                "login_id",
                "what the customer signs in with; stored in lower case, unique over customers and staff",
                form="a login id of at most 254 characters without blanks",
                pattern=r"^[^[:space:]]{1,254}$",
                typed="lower({0})",
            ),
            matching(
                "email",
                "where mail reaches the customer",
                form="an e-mail address",
                pattern=r"^[^[:space:]@]{1,64}@[^[:space:]@]{1,189}$",
                required=False,
            ),
            instant("email_verified_at", "when the address was proved to be theirs", required=False),
            matching(
                "phone",
                "where calls and messages reach the customer",
                form="a telephone number of at most 20 characters",
                pattern=r"^[+]?[0-9][0-9-]{4,18}$",
                required=False,
            ),
            instant("phone_verified_at", "when the number was proved to be theirs", required=False),
            text("display_name", "the name as shown", length_max=100, required=False),
            text("kana_name", "the name in kana, for bank transfers", length_max=100, required=False),
            instant("registered_at", "when the account was opened; also stands for when its password was set"),
            matching(
                "password_hash",
                "the password's hash as the core system stored it; empty for an account without a password",
                form=f"a password hash of a known algorithm ({ALGORITHMS.replace('|', ', ')})",
                pattern=rf"^({ALGORITHMS})[$].{{1,110}}$",
                required=False,
            ),
        ),
        # The password is left out: a mass reset changes it here, and the file stays the same file.
        compared={
            name: f"e.{name}"
            for name in (
                "login_id",
                "email",
                "email_verified_at",
                "phone",
                "phone_verified_at",
                "display_name",
                "kana_name",
                "registered_at",
            )
        },
        uniques=(
            Unique(("login_id",), shown="login_id", reason="belongs to another account already"),
        ),
        rules=(
            Rule(
                column="email_verified_at",
                breach="r.email_verified_at IS NOT NULL AND r.email = ''",
                reason="'says when an e-mail address was verified, and there is none'",
            ),
            Rule(
                column="phone_verified_at",
                breach="r.phone_verified_at IS NOT NULL AND r.phone = ''",
                reason="'says when a telephone number was verified, and there is none'",
            ),
        ),
        values={
            "account_ref": "r.account_ref",
            "login_id": "r.login_id",
            "kind": f"'{User.Kind.CUSTOMER.value}'",
            "email": "r.email",
            "email_verified_at": "r.email_verified_at",
            "phone": "r.phone",
            "phone_verified_at": "r.phone_verified_at",
            "display_name": "r.display_name",
            "kana_name": "r.kana_name",
            "registered_at": "r.registered_at",
            "password_set_at": "r.registered_at",
            # An unusable password as Django writes it: the mark, then something nobody can guess.
            "password": "CASE WHEN r.password_hash <> '' THEN r.password_hash"
            " ELSE '!' || replace(gen_random_uuid()::text, '-', '') END",
        },
    )
)
