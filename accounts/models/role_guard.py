"""Roles that exclude each other are refused when the second one is given."""

from __future__ import annotations

import pgtrigger

from accounts.models.user import User
from winddown.authority.roles import INCOMPATIBLE
from winddown.guards import Guard
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


def _in_one_hand(account: str) -> str:
    """Returns the function's text. It refuses that the person behind `account` holds two such roles
    in any of the person's accounts. It locks these accounts, so it also sees a role that is given
    at the same moment.
    """
    pairs = ", ".join(f"('{one}', '{other}')" for one, other in INCOMPATIBLE)
    return f"""
        SELECT u.staff_number INTO person FROM accounts_user u
        WHERE u.id = {account} AND u.is_active AND u.staff_number <> '';
        IF person IS NULL THEN
            RETURN NULL;
        END IF;
        PERFORM FROM accounts_user u
        WHERE u.staff_number = person AND u.staff_number <> '' ORDER BY u.id FOR NO KEY UPDATE;
        held := ARRAY(SELECT g.name FROM accounts_user u
            JOIN accounts_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id
            WHERE u.staff_number = person AND u.staff_number <> '' AND u.is_active);
        SELECT p.one || ' and ' || p.other INTO clash
        FROM (VALUES {pairs}) AS p(one, other)
        WHERE p.one = ANY (held) AND p.other = ANY (held) LIMIT 1;
        IF clash IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = '{SqlState.ROLES_EXCLUDE}',
                MESSAGE = format('one person would be %s', clash);
        END IF;
        RETURN NULL;
    """


_DECLARED = [("person", "text"), ("held", "text[]"), ("clash", "text")]


class RoleGiven(User.groups.through):  # type: ignore[misc,name-defined]
    """A role of an account: the row that gives it."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            Guard(
                name="roles_in_one_hand",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                declare=_DECLARED,
                func=_in_one_hand("NEW.user_id"),
            ),
            *witnessed(kept=False),
        ]


pgtrigger.register(
    Guard(
        name="person_keeps_roles_apart",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("is_active", "staff_number"),
        condition=pgtrigger.Condition(
            "NEW.is_active AND (NOT OLD.is_active OR OLD.staff_number <> NEW.staff_number)"
        ),
        declare=_DECLARED,
        func=_in_one_hand("NEW.id"),
    )
)(User)
# A person who took another number could sign a second time. After the row, because a trigger before
# it makes PostgreSQL compute the addresses of every account anew that any statement changes.
pgtrigger.register(
    Guard(
        name="signer_keeps_the_number",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("staff_number"),
        condition=pgtrigger.Condition("OLD.staff_number <> NEW.staff_number"),
        func=f"""
            IF EXISTS (
                SELECT FROM winddown_signature s WHERE s.staff_number = OLD.staff_number
            ) THEN
                RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                    MESSAGE = format('account %s: this staff number has signed', OLD.id);
            END IF;
            RETURN NULL;
        """,
    )
)(User)
# Who may sign: of members of staff alone, so that a mass reset of customers costs nothing.
for _witness in witnessed(
    "kind", "staff_number", "is_active", "is_staff", "is_superuser", only="{row}.kind = 'staff'"
):
    pgtrigger.register(_witness)(User)
