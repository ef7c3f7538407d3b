"""Assisted recovery: a person without a channel proves their identity to two members of staff."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import transition

from accounts.models.person_key import append_only_until_deleted, loses_only
from winddown.guards import Guard
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.personal_data import DataClass
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

PROOFS_MIN = 2


WHOSE = "coalesce({row}.account_id, 0)"
BLANK = {"contact_mask": "''", "contact_fingerprint": "''", "network": "NULL::inet"}
"""What takes the place of what a person told, when it was deleted; the sealed text has no key then."""
PROOF_WHOSE = (
    "(SELECT coalesce(c.account_id, 0) FROM accounts_recoverycase c WHERE c.id = {row}.case_id)"
)
PROOF_BLANK = {"note": "'deleted'"}


class RecoveryCase(Stateful):
    """opened -> collecting -> proposed -> approved -> completed; before approval, or taken back
    after it, -> rejected.

    The person's text (who they are, where they are reached now) is sealed. `account` is the account
    that support found. It and `second_factor_lost` do not change after the proposal. Approval takes
    a signature of a second person, who did not propose the case and recorded no proof in it. The
    person completes the case with a link that was sent to the new channel. The use of the link
    proves the channel.
    """

    class State(models.TextChoices):
        OPENED = "opened"
        COLLECTING = "collecting"
        PROPOSED = "proposed"
        APPROVED = "approved"
        COMPLETED = "completed"
        REJECTED = "rejected"

    class Rejection(models.TextChoices):
        NOT_FOUND = "not_found"
        NOT_PROVED = "not_proved"
        NO_ANSWER = "no_answer"
        DUPLICATE = "duplicate"
        OWN_CHANNEL = "own_channel"

    UNDER_WORK = (State.OPENED, State.COLLECTING)
    """Proofs are collected. Nobody has proposed anything yet."""
    UNDER_DECISION = (State.PROPOSED, State.APPROVED)
    """It names an account and has not ended. An account has at most one."""
    ENDED = (State.COMPLETED, State.REJECTED)
    """It never changes again."""
    AGREED = (State.APPROVED, State.COMPLETED)
    """A second person agreed to it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(
        max_length=16, unique=True, help_text="What the person is given to ask with."
    )
    state = state_field(State, initial=State.OPENED)
    contact_sealed = models.BinaryField()
    contact_channel = models.CharField(max_length=10)
    contact_mask = models.CharField(max_length=40)
    contact_fingerprint = models.CharField(max_length=64, db_index=True)
    language = models.CharField(max_length=5)
    network = models.GenericIPAddressField(null=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    second_factor_lost = models.BooleanField(
        default=False, help_text="Completed, the account has no second factor any more."
    )
    rejection = models.CharField(max_length=20, choices=Rejection.choices, blank=True)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=["proposed", "approved"]),
                name="one_case_under_decision_per_account",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["opened", "collecting", "rejected"])
                | Q(account__isnull=False),
                name="case_proposed_for_an_account",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(rejection=""),
                name="case_rejection_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="completed") | Q(completed_at__isnull=False),
                name="completed_case_has_its_instant",
            ),
            models.CheckConstraint(
                condition=Q(contact_channel__in=["email", "phone"]), name="case_channel_known"
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(),
            Guard(
                name="case_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                    IF {loses_only(BLANK, whose=WHOSE, data_class=DataClass.CONTACT)} THEN
                        RETURN NEW;
                    END IF;
                    IF (OLD.key, OLD.reference, OLD.contact_sealed, OLD.contact_channel,
                        OLD.contact_fingerprint, OLD.opened_at)
                       IS DISTINCT FROM
                       (NEW.key, NEW.reference, NEW.contact_sealed, NEW.contact_channel,
                        NEW.contact_fingerprint, NEW.opened_at)
                       OR (OLD.state NOT IN ('opened', 'collecting')
                           AND (OLD.account_id, OLD.second_factor_lost)
                               IS DISTINCT FROM (NEW.account_id, NEW.second_factor_lost))
                       OR (OLD.state IN ('completed', 'rejected') AND OLD IS DISTINCT FROM NEW) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CASE_REFUSED}', MESSAGE = format(
                            'recovery case %s is kept as it is', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="case_is_proved",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__state="proposed", old__state="collecting"),
                func=f"""
                    IF (SELECT count(DISTINCT p.kind) FROM accounts_proofstep p
                        WHERE p.case_id = NEW.id) < {PROOFS_MIN} THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CASE_REFUSED}', MESSAGE = format(
                            'recovery case %s has too few kinds of proof', NEW.id);
                    END IF;
                    IF (SELECT u.kind FROM accounts_user u WHERE u.id = NEW.account_id)
                        IS DISTINCT FROM 'customer' THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CASE_REFUSED}', MESSAGE = format(
                            'recovery case %s is not about a customer', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="case_decided_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="proposed"),
                func=f"""
                    IF NEW.state IN ('approved', 'rejected') AND NOT EXISTS (
                        SELECT FROM winddown_signature s
                        WHERE s.subject = 'recovery_case:' || NEW.id
                          AND s.part = CASE NEW.state WHEN 'approved' THEN 'approved'
                                                      ELSE 'rejected' END
                          AND NOT EXISTS (
                              SELECT FROM accounts_proofstep p
                              JOIN accounts_user u ON u.id = p.recorded_by_id
                              WHERE p.case_id = NEW.id AND u.staff_number = s.staff_number)
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CASE_NOT_APPROVED}', MESSAGE = format(
                            'recovery case %s is not decided by another person', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"recovery case {self.pk}"

    @property
    def subject(self) -> str:
        return f"recovery_case:{self.pk}"

    @transition(
        field="state",
        source="opened",
        target="collecting",
        permission="accounts.work_recovery_case",
    )
    def take(self) -> None:
        """Somebody of support gathers what proves who the person is."""

    @transition(
        field="state",
        source="collecting",
        target="proposed",
        permission="accounts.work_recovery_case",
    )
    def propose(self) -> None:
        """Support says that the proofs are enough. A second person looks at them."""

    @transition(
        field="state",
        source="proposed",
        target="approved",
        permission="accounts.decide_recovery_case",
    )
    def approve(self) -> None:
        """A second person agrees. The person may ask for a link to the new channel."""

    @transition(
        field="state",
        source="proposed",
        target="rejected",
        permission="accounts.decide_recovery_case",
    )
    def reject(self) -> None:
        """A second person does not agree."""

    @transition(
        field="state",
        source=["opened", "collecting"],
        target="rejected",
        permission="accounts.work_recovery_case",
    )
    def decline(self) -> None:
        """There is nothing to decide: nobody found, nothing proved, no answer."""

    @transition(
        field="state",
        source="approved",
        target="rejected",
        permission="accounts.decide_recovery_case",
    )
    def revoke(self) -> None:
        """Doubts came up after the approval. One person is enough to stop."""

    @transition(
        field="state",
        source="approved",
        target="completed",
        permission="accounts.complete_recovery_case",
        custom={"system": True},
    )
    def complete(self) -> None:
        """The person used the link that was sent to the new channel."""


class RecoveryCaseTransition(TransitionLog):
    pass


class ProofStep(models.Model):
    """One thing that one member of staff saw or heard. Rows are added and never changed. The note
    says what was checked. It does not repeat the data.
    """

    class Kind(models.TextChoices):
        IDENTITY_DOCUMENT = "identity_document"
        PAST_TRANSACTIONS = "past_transactions"
        CALL_BACK = "call_back"
        CARD_LAST4 = "card_last4"

    case = models.ForeignKey(RecoveryCase, on_delete=models.PROTECT, related_name="proofs")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    note = models.CharField(max_length=500)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["case", "kind"], name="one_proof_of_a_kind"),
            models.CheckConstraint(condition=~Q(note=""), name="proof_says_what_was_seen"),
        ]
        triggers = [
            *append_only_until_deleted(
                PROOF_BLANK, whose=PROOF_WHOSE, data_class=DataClass.CORRESPONDENCE
            ),
            *witnessed(),
            Guard(
                name="proof_while_collecting",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF (SELECT c.state FROM accounts_recoverycase c WHERE c.id = NEW.case_id
                        FOR SHARE) <> 'collecting' THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CASE_REFUSED}', MESSAGE = format(
                            'recovery case %s is not collecting proofs', NEW.case_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"proof of {self.kind} in case {self.case_id}"
