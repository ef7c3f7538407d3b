"""Payees: the bank accounts that holders gave us, encrypted and in versions. The latest version
counts."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import transition

from accounts import person_keys
from accounts.models.person_key import loses_only
from refunds.bank_accounts import Account
from winddown.guards import Guard
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.personal_data import DataClass
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

WHOSE = "{row}.holder_id"
BLANK = {
    "bank_code": "'0000'",
    "branch_code": "'000'",
    "account_type": "'9'",
    "account_number_sealed": "''::bytea",
    "account_mask": "'000'",
    "fingerprint": "''",
    "name_kana": "''",
}
"""What takes the place of an account that was deleted."""


class Payee(Stateful):
    """entered -> asked -> matched | refused; refused -> overridden;
    matched | overridden -> refused; entered -> matched where the bank checks no names.

    An account that is named by its IBAN has neither codes nor type. The account number is sealed
    and can be read only in this row; `account_mask` is what people see, `fingerprint` is equal for
    equal accounts. A new account is a new version, never a change of an old one; a version that
    replaces another is usable only after the cooling-off (rule 57).
    """

    class State(models.TextChoices):
        ENTERED = "entered"
        ASKED = "asked"
        MATCHED = "matched"
        REFUSED = "refused"
        OVERRIDDEN = "overridden"

    class AccountType(models.TextChoices):
        ORDINARY = "1"
        CURRENT = "2"
        SAVINGS = "4"
        OTHER = "9"

    NOT_CHECKED = "not_checked"
    """The answer in place of that of a bank that checks no names."""
    PAYABLE = (State.MATCHED, State.OVERRIDDEN)
    """The bank knows the account under this name, or two people found that it is right."""
    ALONE = (State.ENTERED, State.ASKED, State.REFUSED)
    """Asked for one at a time: no set of states has the same meaning."""

    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payees"
    )
    version = models.IntegerField()
    state = state_field(State, initial=State.ENTERED)
    bank_code = models.CharField(max_length=4, blank=True)
    branch_code = models.CharField(max_length=3, blank=True)
    account_type = models.CharField(max_length=1, choices=AccountType.choices, blank=True)
    account_number_sealed = models.BinaryField()
    account_mask = models.CharField(max_length=4)
    fingerprint = models.CharField(max_length=64)
    name_kana = models.CharField(max_length=30, help_text="In bank text.")
    name_truncated = models.BooleanField(default=False)
    entered_at = models.DateTimeField()
    usable_from = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=24, blank=True, help_text="The bank's last answer.")
    answered_at = models.DateTimeField(null=True)
    change_notice_owed = models.BooleanField(
        default=False, help_text="The old channel has still to hear of the change."
    )
    shared_cleared_at = models.DateTimeField(
        null=True, help_text="Two people found the sharing of this account in order."
    )

    class Meta:
        default_permissions = ()
        # Only current payees, because the question is how many holders share an account now.
        indexes = [
            models.Index(
                fields=["fingerprint", "holder"],
                condition=Q(replaced_at=None),
                name="payee_of_account",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["holder", "version"], name="payee_version_once"),
            models.UniqueConstraint(
                fields=["holder"], condition=Q(replaced_at=None), name="one_current_payee"
            ),
            models.CheckConstraint(
                condition=Q(bank_code__regex=r"^[0-9]{4}$", branch_code__regex=r"^[0-9]{3}$")
                & ~Q(account_type="")
                | Q(bank_code="", branch_code="", account_type=""),
                name="payee_has_codes_or_an_iban",
            ),
            models.CheckConstraint(
                condition=Q(account_mask__regex=r"^\*?[0-9A-Z]{3}$"), name="payee_mask_is_a_mask"
            ),
            models.CheckConstraint(
                condition=Q(usable_from__gte=F("entered_at")), name="payee_usable_after_entry"
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(
                "holder_id",
                "version",
                "bank_code",
                "branch_code",
                "account_type",
                "account_number_sealed",
                "account_mask",
                "fingerprint",
                "name_kana",
                "name_truncated",
                "answer",
                "answered_at",
                "entered_at",
                "usable_from",
                "replaced_at",
                "shared_cleared_at",
            ),
            Guard(
                name="payee_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                    IF {loses_only(BLANK, whose=WHOSE, data_class=DataClass.BANK_DETAILS)} THEN
                        RETURN NEW;
                    END IF;
                    IF (OLD.holder_id, OLD.version, OLD.bank_code, OLD.branch_code, OLD.name_kana,
                        OLD.account_type, OLD.account_number_sealed, OLD.account_mask,
                        OLD.fingerprint, OLD.entered_at)
                       IS DISTINCT FROM
                       (NEW.holder_id, NEW.version, NEW.bank_code, NEW.branch_code, NEW.name_kana,
                        NEW.account_type, NEW.account_number_sealed, NEW.account_mask,
                        NEW.fingerprint, NEW.entered_at)
                       OR NEW.usable_from < OLD.usable_from
                       OR (OLD.replaced_at IS NOT NULL
                           AND NEW.replaced_at IS DISTINCT FROM OLD.replaced_at) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.PAYEE_REFUSED}',
                            MESSAGE = format(
                                'payee %s is frozen: a new account is a new version', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"payee {self.pk} of account {self.holder_id}"

    @property
    def account_number(self) -> str:
        """The seven digits or the IBAN, for a bank file. Code that shows them to a person writes an audit
        entry.
        """
        return person_keys.unseal(
            self.account_number_sealed,
            place=account_place(self.pk),
            person_id=self.holder_id,
            data_class=DataClass.BANK_DETAILS,
        ).decode()

    @property
    def account(self) -> Account:
        """Returns the whole account. What `account_number` says about its number holds here too."""
        return Account(
            self.bank_code,
            self.branch_code,
            self.account_type,
            self.account_number,
            self.name_kana,
        )

    @transition(
        field="state",
        source="entered",
        target="asked",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def ask(self) -> None:
        """The bank was asked whether name and account belong together."""

    @transition(
        field="state",
        source="asked",
        target="matched",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def match(self) -> None:
        """The bank knows this account under this name."""

    @transition(
        field="state",
        source="entered",
        target="matched",
        permission="refunds.make_payout_batch",
        custom={"system": True},
    )
    def leave_unchecked(self) -> None:
        """The bank that pays checks no names: the first transfer is the check."""

    @transition(
        field="state",
        source=["asked", "matched", "overridden"],
        target="refused",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def refuse(self) -> None:
        """The bank does not know it, or sent a transfer back: nothing is paid to it (rule 56)."""

    @transition(
        field="state",
        source="refused",
        target="overridden",
        permission="refunds.override_name_check",
    )
    def override(self) -> None:
        """Two people agreed that the account is right although the bank refused it."""

    @transition(
        field="state",
        source="refused",
        target="matched",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def void_result(self) -> None:
        """Two people voided the file in which the bank refused it: it counts as not checked."""


class PayeeTransition(TransitionLog):
    pass


def account_place(payee_id: int) -> str:
    """Returns the place that the encryption of an account number is bound to."""
    return f"refunds_payee/account_number/{payee_id}"
