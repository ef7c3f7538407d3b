"""Filings: what an authority is told, in versions that never change, signed by two people."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django_fsm import transition

from winddown.guards import Guard, append_only, columns_are_fixed
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models.publication import NoticeEvidence
from winddown.models.transition import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Filing(Stateful):
    """draft -> proposed -> approved -> filed -> accepted | returned; approved | returned |
    withdrawn -> draft with a new version; proposed -> draft when somebody refuses it;
    draft | proposed | approved -> withdrawn when its clock no longer runs.

    One for each duty: the kind, the authority, and the day on which its clock started. `version` is
    the number of the newest version.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        PROPOSED = "proposed"
        APPROVED = "approved"
        FILED = "filed"
        ACCEPTED = "accepted"
        RETURNED = "returned"
        WITHDRAWN = "withdrawn"

    WITH_AUTHORITY = (State.FILED, State.ACCEPTED)
    """The authority has it, and did not send it back."""
    UNFILED = (State.DRAFT, State.PROPOSED, State.APPROVED)
    """Its newest version is with no authority."""
    WITH_US = (*UNFILED, State.RETURNED)
    """The duty is still open."""
    ALONE = (State.WITHDRAWN,)
    """Nobody needs it, unless its clock starts again."""

    kind = models.CharField(max_length=40)
    authority = models.CharField(max_length=40)
    clock_on = models.DateField(help_text="The day on which the time for it began.")
    due_on = models.DateField(help_text="The last day on which it is in time.")
    state = state_field(State, initial=State.DRAFT)
    version = models.IntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "authority", "clock_on"], name="one_filing_per_duty"
            ),
            models.CheckConstraint(
                condition=models.Q(version__gte=0), name="filing_versions_count_up"
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(),
            columns_are_fixed("kind", "authority", "clock_on", "due_on"),
            columns_are_fixed(
                "version",
                once="OLD.state IN ('filed', 'accepted') OR NEW.version <> OLD.version + 1",
                name="version_counts_up",
            ),
            Guard(
                name="filing_is_signed",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                func=f"""
                    IF OLD.state <> NEW.state AND NEW.state = 'approved' AND (
                        SELECT count(DISTINCT s.staff_number)
                        FROM winddown_signature s
                        JOIN winddown_filingversion v
                            ON v.filing_id = NEW.id AND v.number = NEW.version
                        JOIN accounts_user author ON author.id = v.author_id
                        WHERE s.subject = 'filing:' || NEW.id || ':' || NEW.version
                          AND s.part = 'approved' AND s.digest = v.digest
                          AND s.staff_number <> author.staff_number
                    ) < 2 THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.FILING_REFUSED}', MESSAGE = format(
                            'filing %s is not approved by two people beside its author', OLD.id);
                    END IF;
                    IF OLD.state <> NEW.state AND NEW.state = 'filed' AND NOT EXISTS (
                        SELECT FROM winddown_filingreceipt r
                        JOIN winddown_filingversion v ON v.id = r.version_id
                        WHERE v.filing_id = NEW.id AND v.number = NEW.version
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.FILING_REFUSED}',
                            MESSAGE = format('filing %s has no receipt', OLD.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"filing {self.pk}"

    @property
    def subject(self) -> str:
        """Returns the subject of the approvals: each version is signed anew."""
        return f"filing:{self.pk}:{self.version}"

    @transition(
        field="state", source="draft", target="proposed", permission="winddown.write_filing"
    )
    def propose(self) -> None:
        """The newest version waits for two people beside its author."""

    @transition(
        field="state",
        source=["approved", "returned", "withdrawn"],
        target="draft",
        permission="winddown.write_filing",
    )
    def rewrite(self) -> None:
        """A new version was written, which nobody has signed."""

    @transition(
        field="state", source="proposed", target="draft", permission="winddown.approve_filing"
    )
    def refuse(self) -> None:
        """Somebody did not agree. The next version is proposed again."""

    @transition(
        field="state", source="proposed", target="approved", permission="winddown.approve_filing"
    )
    def approve(self) -> None:
        """Two people beside the author agreed to exactly this version."""

    @transition(field="state", source="approved", target="filed", permission="winddown.file_filing")
    def file(self) -> None:
        """The authority has it, and the receipt is here."""

    @transition(field="state", source="filed", target="accepted", permission="winddown.file_filing")
    def accept(self) -> None:
        """The authority took it. Nothing more is expected."""

    @transition(field="state", source="filed", target="returned", permission="winddown.file_filing")
    def give_back(self) -> None:
        """The authority sent it back: a new version is due."""

    @transition(
        field="state",
        source=["draft", "proposed", "approved"],
        target="withdrawn",
        permission="winddown.withdraw_incident",
    )
    def withdraw(self) -> None:
        """Its clock no longer runs. It is written again if the clock starts anew."""


class FilingTransition(TransitionLog):
    pass


class FilingVersion(models.Model):
    """One version of a filing: the text of each section, and the figures as of an instant, frozen.

    `sections` has texts by code, and `figures` whole numbers by code. `digest` covers all of it.
    """

    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    as_of = models.DateTimeField()
    sections = models.JSONField()
    figures = models.JSONField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["filing", "number"], name="filing_version_once"),
            models.CheckConstraint(
                condition=models.Q(as_of__lte=models.F("written_at")),
                name="filing_figures_not_of_the_future",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filing} version {self.number}"


class FilingReceipt(models.Model):
    """The authority's receipt of a version, with the file that shows it.

    Of receipts from before the files were kept only `evidence_sha256` is known, the file's digest.
    """

    version = models.OneToOneField(FilingVersion, on_delete=models.PROTECT, related_name="receipt")
    number = models.CharField(max_length=80)
    received_on = models.DateField()
    evidence = models.ForeignKey(
        NoticeEvidence, null=True, on_delete=models.PROTECT, related_name="+"
    )
    evidence_sha256 = models.CharField(max_length=64, blank=True, default="")
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    filed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(older=({"evidence_id": "NULL"}, {"evidence_sha256": "''"})),
            Guard(
                name="receipt_has_its_file",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.evidence_id IS NULL"),
                func=f"""
                    RAISE EXCEPTION USING ERRCODE = '{SqlState.FILING_REFUSED}',
                        MESSAGE = format('receipt %s has no file that shows it', NEW.number);
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(number=""),
                name="receipt_has_its_number",
            ),
            models.CheckConstraint(
                condition=models.Q(evidence__isnull=False, evidence_sha256="")
                | models.Q(evidence=None, evidence_sha256__regex="^[0-9a-f]{64}$"),
                name="receipt_has_a_file_or_its_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"receipt {self.number}"

    @property
    def sha256(self) -> str:
        """Returns the digest of the file that shows it."""
        return self.evidence.sha256 if self.evidence else self.evidence_sha256
