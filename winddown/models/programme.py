"""The wind-down programme: the one service that this database ends."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pgtrigger
from django.db import models
from django_fsm import transition

from winddown.guards import Guard
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models.milestone import Milestone
from winddown.models.transition import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

_BY_CLOCK = ", ".join(f"'{each}'" for each in Milestone.BY_CLOCK)


class Programme(Stateful):
    """operating -> incident -> restricted -> announced -> closing -> closed -> balance_fixed ->
    refunding
    -> refund_closed -> settling -> completed -> reported; incident | restricted -> operating.

    One database holds one programme (docs/decisions/0003).
    """

    class State(models.TextChoices):
        OPERATING = "operating"
        INCIDENT = "incident"
        RESTRICTED = "restricted"
        ANNOUNCED = "announced"
        CLOSING = "closing"
        CLOSED = "closed"
        BALANCE_FIXED = "balance_fixed"
        REFUNDING = "refunding"
        REFUND_CLOSED = "refund_closed"
        SETTLING = "settling"
        COMPLETED = "completed"
        REPORTED = "reported"

    IN_SERVICE = (State.OPERATING, State.INCIDENT, State.RESTRICTED, State.ANNOUNCED)
    """Wallets can be used, as far as the switches allow."""
    CLOSING_DOWN = (State.CLOSING, State.CLOSED)
    """Wallets are being closed, and nothing is owed yet."""
    REPAYING = (State.BALANCE_FIXED, State.REFUNDING, State.REFUND_CLOSED, State.SETTLING)
    """The balances are sealed, and what is owed is paid or excluded."""
    REFUNDS_OPENED = (
        State.REFUNDING,
        State.REFUND_CLOSED,
        State.SETTLING,
        State.COMPLETED,
        State.REPORTED,
    )
    """Holders could apply: late claims, and what a hold kept back, move until they end too."""
    ENDED = (State.COMPLETED, State.REPORTED)
    """Nothing moves any more; what happened can be read."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default="JPY")
    time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    state = state_field(State, initial=State.OPERATING)
    launched_at = models.DateTimeField()
    jurisdiction = models.CharField(
        max_length=20, default="japan", help_text="The pack of rules that holds: `programme/packs`."
    )
    legal_basis = models.CharField(
        max_length=40,
        default="discontinued_all",
        help_text="Why the money goes back, in the words of the pack.",
    )
    aware_at = models.DateTimeField(
        null=True, help_text="When the operator became aware of the incident."
    )
    announced_at = models.DateTimeField(null=True)
    contact_phone = models.CharField(
        max_length=20, blank=True, help_text="Where customers call; stands on public pages."
    )
    safeguarded_minor = models.BigIntegerField(
        default=0, help_text="Funds set aside for holders, as last reported."
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *machine_guards(),
            *witnessed(older=({"jurisdiction": "'japan'", "legal_basis": "'discontinued_all'"},)),
            Guard(
                name="zone_of_the_notice",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("time_zone"),
                condition=pgtrigger.Condition("OLD.time_zone <> NEW.time_zone"),
                func=f"""
                    IF EXISTS (SELECT FROM winddown_publicnotice) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                            MESSAGE = 'the last day of the public notice ends in the zone in which it was published';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="announced_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("announced_at"),
                condition=pgtrigger.Condition("OLD.announced_at IS DISTINCT FROM NEW.announced_at"),
                func=f"""
                    IF OLD.announced_at IS NOT NULL OR NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest
                        WHERE s.subject LIKE 'announcement:%' AND s.part = 'approved'
                          AND s.at <= NEW.announced_at
                          AND a.summary ->> 'programme' = NEW.name
                          AND a.summary ->> 'contact' = NEW.contact_phone
                          AND a.summary ->> 'legal_basis' = NEW.legal_basis
                          AND NOT EXISTS (
                              SELECT FROM winddown_milestone m WHERE m.kind IN ({_BY_CLOCK})
                              AND (a.summary -> 'deadlines' ->> m.kind)::timestamptz
                                  IS DISTINCT FROM date_trunc('milliseconds', m.at))
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = 'the end is announced once, and by two people';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="incident_withdrawn_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state", "aware_at"),
                # Only a declaration sets another instant without a second person.
                condition=pgtrigger.Condition(
                    "((OLD.state = 'incident' AND NEW.state = 'operating')"
                    " OR (OLD.aware_at IS NOT NULL AND OLD.aware_at IS DISTINCT FROM NEW.aware_at"
                    " AND NOT (OLD.state = 'operating' AND NEW.state = 'incident')))"
                ),
                func=f"""
                    IF NEW.state <> 'operating' OR NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest
                        WHERE s.subject LIKE 'incident_withdrawal:%' AND s.part = 'approved'
                          AND a.summary ->> 'declared' = (
                              SELECT max(t.id)::text FROM winddown_programmetransition t
                              WHERE t.transition = 'declare_incident')
                          AND (a.summary ->> 'aware_at')::timestamptz
                              IS NOT DISTINCT FROM date_trunc('milliseconds', OLD.aware_at)
                          AND (a.summary ->> 'back_to')::timestamptz
                              IS NOT DISTINCT FROM date_trunc('milliseconds', NEW.aware_at)
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = 'an incident is withdrawn by two people';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="completed_with_its_proof",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("OLD.state <> NEW.state AND NEW.state = 'completed'"),
                declare=[
                    ("proof", "refunds_closingproof"),
                    ("place", "text"),
                    ("newest", "bigint"),
                    ("found", "bigint"),
                ],
                # The proof holds until one of the tables of its marks gets a row.
                func=f"""
                    SELECT p.* INTO proof FROM refunds_closingproof p
                        JOIN winddown_signature s ON s.subject = 'closing_proof:' || p.id
                            AND s.part = 'approved' AND s.digest = p.digest
                        ORDER BY p.id DESC LIMIT 1;
                    found := CASE WHEN proof.id IS NULL THEN -1 END;
                    FOR place, newest IN SELECT key, value::bigint
                        FROM jsonb_each_text(proof.marks)
                    LOOP
                        EXECUTE format('SELECT nullif(coalesce(max(id), 0), %s) FROM %I',
                            newest, place) INTO found;
                        EXIT WHEN found IS NOT NULL;
                    END LOOP;
                    IF found IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = 'a programme is completed with a closing proof that holds';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="announced_facts_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("name", "contact_phone", "legal_basis"),
                condition=pgtrigger.Condition(
                    "OLD.announced_at IS NOT NULL AND (OLD.name, OLD.contact_phone,"
                    " OLD.legal_basis) IS DISTINCT FROM (NEW.name, NEW.contact_phone,"
                    " NEW.legal_basis)"
                ),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest,
                        LATERAL (SELECT a.summary #> '{{rows,programme}}' AS facts) file
                        WHERE s.subject LIKE 'set_up:%' AND s.part = 'approved'
                          AND (OLD.name = NEW.name OR file.facts ->> 'name' = NEW.name)
                          AND (OLD.contact_phone = NEW.contact_phone
                              OR file.facts ->> 'contact_phone' = NEW.contact_phone)
                          AND (OLD.legal_basis = NEW.legal_basis
                              OR file.facts ->> 'legal_basis' = NEW.legal_basis)
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = 'what two people announced changes by a set-up file of two people';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="programme_is_one_row"),
            models.CheckConstraint(
                condition=models.Q(safeguarded_minor__gte=0), name="safeguarded_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @classmethod
    def current(cls) -> Programme:
        return cls.objects.get(pk=1)

    @transition(
        field="state", source="operating", target="incident", permission="winddown.declare_incident"
    )
    def declare_incident(self) -> None:
        """The operator knows of an incident; the reporting deadlines count from `aware_at`."""

    @transition(
        field="state",
        source=["incident", "restricted"],
        target="operating",
        permission="winddown.withdraw_incident",
    )
    def withdraw_incident(self) -> None:
        """Two people found that it was declared by mistake; the reporting deadlines end."""

    @transition(
        field="state",
        source="incident",
        target="restricted",
        permission="winddown.restrict_programme",
        custom={"system": True},
    )
    def restrict(self) -> None:
        """At least one capability is stopped."""

    @transition(
        field="state",
        source="restricted",
        target="operating",
        permission="winddown.restore_programme",
    )
    def restore(self) -> None:
        """The root cause is removed, and no end of the service was announced."""

    @transition(
        field="state",
        source=["operating", "restricted"],
        target="announced",
        permission="winddown.announce_termination",
    )
    def announce(self) -> None:
        """The end of the service is public; top-up and registration can no longer be restored."""

    @transition(
        field="state",
        source="announced",
        target="closing",
        permission="winddown.close_programme",
        custom={"system": True},
    )
    def start_closing(self) -> None:
        """The closing run has begun."""

    @transition(
        field="state",
        source="closing",
        target="closed",
        permission="winddown.close_programme",
        custom={"system": True},
    )
    def close(self) -> None:
        """Spending has ended."""

    @transition(
        field="state",
        source="closed",
        target="balance_fixed",
        permission="winddown.fix_balance",
        custom={"system": True},
    )
    def fix_balance(self) -> None:
        """The closing snapshot is sealed and equals the ledger."""

    @transition(
        field="state",
        source="balance_fixed",
        target="refunding",
        permission="winddown.open_refunds",
        custom={"system": True},
    )
    def open_refunds(self) -> None:
        """Customers may apply."""

    @transition(
        field="state",
        source="refunding",
        target="refund_closed",
        permission="winddown.close_window",
        custom={"system": True},
    )
    def close_window(self) -> None:
        """The last day of the window has passed."""

    @transition(
        field="state",
        source="refund_closed",
        target="settling",
        permission="winddown.post_exclusion",
        custom={"system": True},
    )
    def settle(self) -> None:
        """Exclusion is posted."""

    @transition(
        field="state",
        source="settling",
        target="completed",
        permission="winddown.complete_programme",
    )
    def complete(self) -> None:
        """Nothing is in flight."""

    @transition(
        field="state", source="completed", target="reported", permission="winddown.file_completion"
    )
    def report(self) -> None:
        """The completion report is filed."""


class ProgrammeTransition(TransitionLog):
    pass
