"""The keys under which a person's data are sealed, one for each class of data."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.models import Run
from winddown.personal_data import DataClass, deleted_sql
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

WORKFLOW = "shred-personal-data"
_SHREDS = f"""
    EXISTS (SELECT FROM winddown_run r WHERE r.id = NEW.run_id AND r.workflow = '{WORKFLOW}'
        AND r.state = '{Run.State.RUNNING}')
"""


class PersonKey(models.Model):
    """A random secret of one person and class of data. Values about the person are sealed with it and
    the field key. Without the secret they cannot be read, wherever a copy of them is.

    Only a run of `shred-personal-data`, whose plan a second person approved, destroys it. The row
    stays and says when. Somebody who comes back later gets another key. `person_id` has no foreign
    key, because `HOUSE` is no account. A mass table.
    """

    person_id = models.BigIntegerField(help_text="An account, 0 for the house.")
    data_class = models.CharField(max_length=16, choices=DataClass.choices)
    secret = models.BinaryField(
        null=True,
        max_length=32,
        # Two random UUIDs have 244 random bits.
        db_default=RawSQL(
            "sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))", ()
        ),
    )
    made_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))
    destroyed_at = models.DateTimeField(null=True)
    run = models.ForeignKey(
        "winddown.Run", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["person_id", "data_class"],
                condition=~Q(destroyed_at=None),
                name="destroyed_keys_of_person",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person_id", "data_class"],
                condition=Q(destroyed_at=None),
                name="one_key_per_person_and_class",
            ),
            models.CheckConstraint(
                condition=Q(data_class__in=DataClass.values), name="key_of_a_known_class"
            ),
            models.CheckConstraint(
                condition=Q(secret__isnull=False, destroyed_at=None, run=None)
                | Q(secret=None, destroyed_at__isnull=False, run__isnull=False),
                name="destroyed_key_has_no_secret",
            ),
        ]
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("person_id", "data_class", "made_at"),
            Guard(
                name="key_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "(OLD.destroyed_at IS NOT NULL OR NEW.destroyed_at IS NULL)"
                ),
                func=f"""
                    IF (OLD.secret, OLD.destroyed_at, OLD.run_id)
                        IS DISTINCT FROM (NEW.secret, NEW.destroyed_at, NEW.run_id) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                            MESSAGE = format('key %s cannot change any more', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="destroyed_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.destroyed_at IS NOT NULL"),
                func=f"""
                    IF NOT {_SHREDS} THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = 'a key is destroyed only by a run that two people approved';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"key {self.pk}"


def loses_only(values: dict[str, str], *, whose: str, data_class: DataClass) -> str:
    """Returns SQL for a guard of one row: the update only puts these values into these columns, and
    the data of the person were deleted. `whose` is SQL with `{row}`.
    """
    blank = ", ".join(value.format(row="OLD") for value in values.values())
    new = ", ".join(f"NEW.{column}" for column in values)
    taken = ", ".join(f"'{column}'" for column in values)
    return (
        f"(({new}) IS NOT DISTINCT FROM ({blank})"
        f" AND to_jsonb(NEW) - ARRAY[{taken}] = to_jsonb(OLD) - ARRAY[{taken}]"
        f" AND {deleted_sql(whose.format(row='OLD'), data_class)})"
    )


def append_only_until_deleted(
    values: dict[str, str], *, whose: str, data_class: DataClass
) -> list[Guard]:
    """Returns the triggers of a table that is append-only, but for these columns once the data of the
    row's person were deleted.
    """
    refusal = (
        f"RAISE EXCEPTION USING ERRCODE = '{SqlState.APPEND_ONLY}',"
        " MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);"
    )
    return [
        Guard(
            name="rows_stay",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Delete | pgtrigger.Truncate,
            func=refusal,
        ),
        Guard(
            name="row_only_loses",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            func=f"""
                IF NOT {loses_only(values, whose=whose, data_class=data_class)} THEN
                    {refusal}
                END IF;
                RETURN NEW;
            """,
        ),
    ]
