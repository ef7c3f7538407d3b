"""Fraud claims: a wallet that a thief used, what was lost, and who decided that it was so."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import transition

from winddown.guards import Guard
from winddown.machines.declare import Stateful, machine_guards, state_field
from winddown.models import TransitionLog
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class FraudClaimQuerySet(models.QuerySet["FraudClaim"]):
    """Sets of claims by what the business calls them."""

    def found_true(self) -> FraudClaimQuerySet:
        """Two people agreed that it was fraud, and nobody works on it again."""
        return self.filter(
            state__in=(*FraudClaim.ACCEPTED, FraudClaim.State.CLOSED), confirmed_at__isnull=False
        )


def worked(claims: str) -> str:
    """Returns SQL of who worked on the claims, which are SQL: `claim_id`, `actor_id`, whether it
    `makes` the person a maker, who cannot decide the claim, and whether it was `before_appeal`.

    Whoever took the report, moved the claim, added or dropped a loss, or named a payer is a maker
    (rule 23). A decision makes nobody a maker; but who decided before an appeal has nothing to do
    with it after.
    """
    # As an array, because the triggers plan without nested loops and would read whole tables.
    chosen = f"ANY (ARRAY({claims}))"
    return f"""
        SELECT t.subject_id AS claim_id, t.actor_id,
            t.transition NOT IN ('confirm', 'reject', 'send_back', 'reopen') AS makes,
            t.transition <> 'appeal' AND t.id < (
                SELECT max(p.id) FROM refunds_fraudclaimtransition p
                WHERE p.subject_id = t.subject_id AND p.transition = 'appeal') AS before_appeal
        FROM refunds_fraudclaimtransition t
        WHERE t.subject_id = {chosen} AND t.actor_id IS NOT NULL
        UNION ALL
        SELECT e.claim_id, e.actor_id, true, e.at < c.appealed_at
        FROM (
            SELECT claim_id, added_by_id AS actor_id, added_at AS at FROM refunds_loss
            UNION ALL SELECT claim_id, dropped_by_id, dropped_at FROM refunds_loss
            UNION ALL SELECT claim_id, named_by_id, named_at FROM refunds_paymentpayer
        ) e JOIN refunds_fraudclaim c ON c.id = e.claim_id AND c.id = {chosen}
        WHERE e.claim_id = {chosen} AND e.actor_id IS NOT NULL
        UNION ALL
        SELECT c.id, (item ->> 'by')::bigint, true, false
        FROM refunds_fraudclaim c, jsonb_array_elements(c.evidence) AS item
        WHERE c.id = {chosen} AND item ->> 'by' IS NOT NULL
    """


class FraudClaim(Stateful):
    """candidate | reported -> triage -> investigating <-> awaiting_customer;
    investigating -> proposed_confirm -> confirmed -> remedying -> remedied -> closed;
    investigating -> proposed_reject -> rejected -> appealed -> investigating; rejected -> closed;
    proposed_confirm | proposed_reject -> investigating;
    remedied -> reopened -> investigating; candidate -> expired; remedied | closed -> remedying when
    the money of a compensation came back.

    One claim of a wallet is open at a time. `hit_at` is when the earliest loss happened,
    `confirmed_at` when a second person agreed. Figures "as of" an instant use these two, so they
    can be computed again later (rule 28).
    """

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        REPORTED = "reported"
        TRIAGE = "triage"
        INVESTIGATING = "investigating"
        AWAITING_CUSTOMER = "awaiting_customer"
        PROPOSED_CONFIRM = "proposed_confirm"
        PROPOSED_REJECT = "proposed_reject"
        CONFIRMED = "confirmed"
        REJECTED = "rejected"
        APPEALED = "appealed"
        REMEDYING = "remedying"
        REMEDIED = "remedied"
        REOPENED = "reopened"
        CLOSED = "closed"
        EXPIRED = "expired"

    class Channel(models.TextChoices):
        RULE = "rule"
        CUSTOMER = "customer"
        SUPPORT = "support"
        ISSUER = "issuer"

    class Rejection(models.TextChoices):
        OWN_TRANSACTION = "own_transaction"
        NO_LOSS = "no_loss"
        DUPLICATE = "duplicate"
        NOT_REACHED = "not_reached"
        OTHER = "other"

    initial_states = (State.CANDIDATE, State.REPORTED)

    CANDIDATES = (State.CANDIDATE, State.REPORTED)
    """Nobody has taken the claim up yet."""
    TAKEN_UP = (
        State.TRIAGE,
        State.INVESTIGATING,
        State.AWAITING_CUSTOMER,
        State.REOPENED,
        State.APPEALED,
    )
    """An analyst works on the claim, or must do so again."""
    UNDER_WORK = (*CANDIDATES, *TAKEN_UP)
    """Hits and losses may be added and dropped."""
    PROPOSED = (State.PROPOSED_CONFIRM, State.PROPOSED_REJECT)
    """The claim is on a list that a second person decides; it stays as it was signed."""
    UNDECIDED = (*UNDER_WORK, *PROPOSED)
    """Two people have not agreed about the claim, so no refund leaves its wallet."""
    OWED = (State.CONFIRMED, State.REMEDYING)
    """Two people agreed that it was fraud, and not every loss is made good yet."""
    ACCEPTED = (*OWED, State.REMEDIED)
    """Two people agreed that it was fraud."""
    DISMISSED = (State.REJECTED, State.EXPIRED)
    """It was found not to be fraud, or the suspicion was dropped."""
    DECIDED = (*ACCEPTED, State.REJECTED)
    """A second person's signature stands behind the state."""
    OPEN = (*UNDECIDED, *OWED)
    """The wallet's one open claim."""
    SETTLED = (*DISMISSED, State.REMEDIED, State.CLOSED)
    """Nothing is left to do, unless the claim is appealed or reopened."""

    wallet = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, related_name="claims")
    state = state_field(State, initial=State.CANDIDATE)
    channel = models.CharField(
        max_length=10, choices=Channel.choices, help_text="How the claim came in."
    )
    opened_at = models.DateTimeField()
    hit_at = models.DateTimeField(null=True)
    compromised_from = models.DateTimeField(
        null=True, help_text="A payee set from here on is the thief's until `secured_at`."
    )
    secured_at = models.DateTimeField(null=True)
    analyst = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decision = models.ForeignKey(
        "refunds.ClaimDecision", null=True, on_delete=models.PROTECT, related_name="claims"
    )
    evidence = models.JSONField(default=list, help_text="What was looked at: kinds and row ids.")
    confirmed_at = models.DateTimeField(null=True)
    rejected_at = models.DateTimeField(null=True)
    rejection = models.CharField(max_length=20, choices=Rejection.choices, blank=True)
    rejection_note = models.TextField(blank=True, help_text="Shown to the customer.")
    appeal_until = models.DateTimeField(null=True)
    appealed_at = models.DateTimeField(null=True, help_text="A rejection is appealed once.")
    reopening = models.ForeignKey(
        "winddown.Approval", null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = FraudClaimQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["wallet"],
                # A compensation may come back after the next claim was opened.
                condition=~Q(state__in=["rejected", "remedying", "remedied", "closed", "expired"]),
                name="one_open_claim_per_wallet",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "remedying", "remedied"])
                | (Q(confirmed_at__isnull=False) & ~Q(evidence=[])),
                name="confirmed_with_evidence",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["rejected", "appealed"])
                | (
                    Q(rejected_at__isnull=False, appeal_until__gt=F("rejected_at"))
                    & ~Q(rejection="")
                    & ~Q(evidence=[])
                ),
                name="rejected_with_reason_and_appeal",
            ),
            models.CheckConstraint(
                condition=Q(secured_at=None) | Q(secured_at__gt=F("compromised_from")),
                name="secured_after_compromise",
            ),
        ]
        triggers = [
            *machine_guards(),
            *witnessed(older=({"appealed_at": "NULL"},)),
            Guard(
                name="decided_by_second_person",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("undecided", "bigint"), ("own", "bigint"), ("unreviewed", "bigint")],
                func=f"""
                    IF (SELECT count(*) FROM before b JOIN after a ON a.id = b.id
                        WHERE a.state <> b.state AND a.state IN ('confirmed', 'rejected')) = 0 THEN
                        RETURN NULL;
                    END IF;
                    WITH decided AS (
                        SELECT a.id, a.state, a.decision_id FROM before b
                            JOIN after a ON a.id = b.id
                        WHERE a.state <> b.state AND a.state IN ('confirmed', 'rejected')
                    ), signed AS (
                        SELECT d.id AS decision_id, s.staff_number, line.key::bigint AS claim_id,
                               line.value::bigint AS lost,
                               CASE d.verdict WHEN 'confirm' THEN 'confirmed'
                                   ELSE 'rejected' END AS state
                        FROM refunds_claimdecision d
                        JOIN winddown_signature s ON s.subject = 'claim_decision:' || d.id
                            AND s.part = 'approved' AND s.digest = d.digest
                                AND s.signer_id <> d.maker_id
                        JOIN winddown_approval p ON p.id = s.approval_id
                            AND p.summary->>'verdict' = d.verdict
                        CROSS JOIN LATERAL jsonb_each_text(p.summary->'claims') AS line
                        WHERE d.id IN (SELECT decision_id FROM decided)
                    ), lost AS (
                        SELECT claim_id, sum(amount_minor) AS lost FROM refunds_loss
                        WHERE claim_id IN (SELECT id FROM decided)
                            AND dropped_at IS NULL GROUP BY claim_id
                    ), worked AS ({worked("SELECT id FROM decided")}),
                    people AS (
                        SELECT id, staff_number FROM accounts_user
                        WHERE id IN (SELECT actor_id FROM worked)
                    )
                    SELECT min(c.id) FILTER (WHERE s.claim_id IS NULL
                        OR s.lost <> coalesce(l.lost, 0)
                               OR (c.state = 'confirmed' AND coalesce(l.lost, 0) = 0)),
                           min(c.id) FILTER (WHERE EXISTS (
                               SELECT FROM worked w JOIN people u ON u.id = w.actor_id
                               WHERE w.claim_id = c.id AND u.staff_number = s.staff_number
                                 AND (w.makes OR w.before_appeal)))
                    INTO undecided, own
                    FROM decided c
                    LEFT JOIN signed s ON s.claim_id = c.id AND s.decision_id = c.decision_id
                        AND s.state = c.state
                    LEFT JOIN lost l ON l.claim_id = c.id;
                    IF undecided IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'claim %s has no decision of a second person for its losses',
                            undecided);
                    END IF;
                    IF own IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.SAME_PERSON}', MESSAGE = format(
                            'claim %s was worked on by the person who decides it', own);
                    END IF;
                    -- The sample follows from the seed: the claims whose hash with it is least.
                    SELECT min(k.claim_id) INTO unreviewed
                    FROM refunds_claimdecision d
                    JOIN winddown_signature s ON s.subject = 'claim_decision:' || d.id
                        AND s.part = 'approved' AND s.digest = d.digest
                    JOIN winddown_approval p ON p.id = s.approval_id
                    CROSS JOIN LATERAL (
                        SELECT key::bigint AS claim_id
                        FROM jsonb_object_keys(p.summary->'claims') AS key
                        ORDER BY sha256(convert_to(d.seed || ':' || key, 'UTF8')) LIMIT d.sampled) k
                    WHERE d.sampled > 0 AND d.id = ANY (ARRAY(
                            SELECT a.decision_id FROM before b JOIN after a ON a.id = b.id
                            WHERE a.state <> b.state AND a.state IN ('confirmed', 'rejected')))
                      AND NOT EXISTS (SELECT FROM refunds_claimreview r
                        JOIN accounts_user u ON u.id = r.reviewer_id
                        WHERE r.decision_id = d.id AND r.claim_id = k.claim_id AND r.agrees
                          AND u.staff_number <> s.staff_number);
                    IF unreviewed IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}', MESSAGE = format(
                            'claim %s of the sample has no second review', unreviewed);
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="appealed_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.appealed_at IS NOT NULL"
                    " AND OLD.appealed_at IS DISTINCT FROM NEW.appealed_at)"
                    " OR (NEW.state = 'appealed' AND OLD.state <> 'appealed'"
                    " AND (OLD.appealed_at IS NOT NULL OR NEW.appealed_at IS NULL)))"
                ),
                func=f"""
                    RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                        MESSAGE = format('claim %s is appealed once', NEW.id);
                """,
            ),
            Guard(
                name="confirmed_is_not_rejected",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "(NEW.state IN ('proposed_reject', 'rejected') AND OLD.state <> NEW.state"
                    " AND NEW.confirmed_at IS NOT NULL)"
                ),
                func=f"""
                    RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}',
                        MESSAGE = format('claim %s has confirmed losses', NEW.id);
                """,
            ),
            Guard(
                name="losses_are_what_the_thief_charged_and_spent",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    IF (SELECT count(*) FROM before b JOIN after a ON a.id = b.id
                        WHERE a.state <> b.state AND a.state = 'confirmed') = 0 THEN
                        RETURN NULL;
                    END IF;
                    -- Beyond what the charges so far cover, a thief spends the holder's own value.
                    -- Only what the holder, somebody unknown or a claw-back took, and what a
                    -- merchant gave back, can make it more.
                    WITH decided AS (
                        SELECT a.id, a.wallet_id FROM before b JOIN after a ON a.id = b.id
                        WHERE a.state <> b.state AND a.state = 'confirmed'
                    ), lost AS (
                        SELECT l.* FROM refunds_loss l JOIN decided d ON d.id = l.claim_id
                        WHERE l.dropped_at IS NULL
                    ), paid AS (
                        SELECT d.id AS claim_id, p.occurred_at, p.paid_part_minor,
                            y.payer = 'thief' AND p.state IN ('authorised', 'posted') AS by_thief
                        FROM decided d JOIN wallets_payment p ON p.wallet_id = d.wallet_id
                        LEFT JOIN refunds_paymentpayer y ON y.payment_id = p.id
                            AND y.claim_id = d.id AND y.replaced_at IS NULL
                    ), running AS (
                        SELECT claim_id, sum(amount) OVER (PARTITION BY claim_id
                            ORDER BY at, amount ROWS UNBOUNDED PRECEDING) AS uncovered
                        FROM (
                            SELECT claim_id, occurred_at AS at, paid_part_minor AS amount
                            FROM paid WHERE by_thief
                            UNION ALL
                            SELECT l.claim_id, l.hit_at, -l.amount_minor FROM lost l
                            WHERE l.top_up_id IS NOT NULL
                        ) moves
                    ), bound AS (
                        SELECT d.id,
                            (SELECT coalesce(sum(l.amount_minor), 0) FROM lost l
                             WHERE l.claim_id = d.id AND l.funding = 'own_balance') AS own,
                            greatest(0, (SELECT max(r.uncovered) FROM running r
                                WHERE r.claim_id = d.id)) AS least,
                            (SELECT coalesce(sum(p.paid_part_minor), 0) FROM paid p
                             WHERE p.claim_id = d.id AND p.by_thief IS NOT TRUE)
                            + (SELECT coalesce(sum(h.amount_minor), 0) FROM wallets_hold h
                               WHERE h.wallet_id = d.wallet_id AND h.state = 'taken') AS more
                        FROM decided d
                    )
                    SELECT min(id) INTO wrong FROM bound
                    WHERE own < least OR own > least + more;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_REFUSED}', MESSAGE = format(
                            'the losses of claim %s are not what the thief charged and spent',
                            wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="made_whole_before_remedied",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    IF (SELECT count(*) FROM before b JOIN after a ON a.id = b.id
                        WHERE a.state <> b.state AND a.state = 'remedied') = 0 THEN
                        RETURN NULL;
                    END IF;
                    SELECT min(l.claim_id) INTO wrong FROM refunds_loss l
                    WHERE l.claim_id IN (
                            SELECT a.id FROM before b JOIN after a ON a.id = b.id
                            WHERE a.state <> b.state AND a.state = 'remedied')
                      AND l.dropped_at IS NULL AND NOT EXISTS (
                            SELECT FROM refunds_remedy r
                            WHERE r.loss_id = l.id AND r.state = 'remedied'
                                AND r.amount_minor = l.amount_minor);
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LOSS_WITHOUT_REMEDY}',
                            MESSAGE = format('claim %s has a loss without its remedy', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="appeal_goes_to_another_analyst",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="appealed", new__state="investigating"),
                func=f"""
                    IF NEW.analyst_id IS NULL
                       OR NEW.analyst_id IS NOT DISTINCT FROM OLD.analyst_id THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.SAME_PERSON}',
                            MESSAGE = format('the appeal of claim %s needs another analyst',
                                NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="reopened_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="remedied", new__state="reopened"),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE a.id = NEW.reopening_id AND s.part = 'approved'
                          AND s.digest = a.digest AND s.signer_id <> a.maker_id
                          AND a.subject LIKE 'claim:' || NEW.id || ':reopen:%'
                    ) OR NEW.reopening_id IS NOT DISTINCT FROM OLD.reopening_id THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('claim %s is reopened by two people', NEW.id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk}"

    @property
    def subject(self) -> str:
        return f"claim:{self.pk}"

    @property
    def reference(self) -> str:
        """The reference of the claim that customers and issuers get instead of a name."""
        return f"FC{self.pk:08d}"

    @transition(
        field="state",
        source=["candidate", "reported"],
        target="triage",
        permission="refunds.work_claim",
    )
    def take_up(self) -> None:
        """An analyst looks at the suspicion."""

    @transition(
        field="state", source="candidate", target="expired", permission="refunds.decide_claim"
    )
    def expire(self) -> None:
        """A supervisor let the suspicion drop; no candidate expires by itself."""

    @transition(
        field="state",
        source=["triage", "appealed", "reopened"],
        target="investigating",
        permission="refunds.work_claim",
    )
    def investigate(self) -> None:
        """An analyst establishes the losses. An appeal goes to another analyst than before."""

    @transition(
        field="state",
        source="investigating",
        target="awaiting_customer",
        permission="refunds.work_claim",
    )
    def ask_customer(self) -> None:
        """The holder was asked which movements were not the holder's own."""

    @transition(
        field="state",
        source="awaiting_customer",
        target="investigating",
        permission="refunds.work_claim",
        custom={"system": True},
    )
    def resume(self) -> None:
        """The holder answered, or the time to answer passed."""

    @transition(
        field="state",
        source="investigating",
        target="proposed_confirm",
        permission="refunds.work_claim",
        custom={"when": ~Q(evidence=[]) & Q(losses__dropped_at=None, losses__amount_minor__gt=0)},
    )
    def propose_confirm(self) -> None:
        """An analyst says it was fraud and waits for a second person."""

    @transition(
        field="state",
        source="investigating",
        target="proposed_reject",
        permission="refunds.work_claim",
        custom={"when": ~Q(evidence=[]) & ~Q(rejection="") & Q(confirmed_at=None)},
    )
    def propose_reject(self) -> None:
        """An analyst says it was not fraud and waits for a second person. What two people confirmed
        is not rejected later: a reopened claim without new losses is confirmed again."""

    @transition(
        field="state",
        source=["proposed_confirm", "proposed_reject"],
        target="investigating",
        permission="refunds.decide_claim",
    )
    def send_back(self) -> None:
        """The second person was not convinced."""

    @transition(
        field="state",
        source="proposed_confirm",
        target="confirmed",
        permission="refunds.decide_claim",
    )
    def confirm(self) -> None:
        """A second person agreed: every loss is the operator's from now on."""

    @transition(
        field="state",
        source="proposed_reject",
        target="rejected",
        permission="refunds.decide_claim",
    )
    def reject(self) -> None:
        """A second person agreed; the holder may appeal until the deadline."""

    @transition(
        field="state",
        source="rejected",
        target="appealed",
        permission="refunds.report_claim",
        custom={"system": True, "when": Q(appealed_at=None)},
    )
    def appeal(self) -> None:
        """The holder does not accept the rejection, once."""

    @transition(
        field="state",
        source="rejected",
        target="closed",
        permission="refunds.decide_claim",
        custom={"system": True},
    )
    def let_rest(self) -> None:
        """The appeal deadline passed or the appeal was rejected, so the rejection is final."""

    @transition(
        field="state",
        source="confirmed",
        target="remedying",
        permission="refunds.decide_claim",
        custom={"system": True},
    )
    def start_remedies(self) -> None:
        """Every loss has its route to a remedy."""

    @transition(
        field="state",
        source="remedying",
        target="remedied",
        permission="refunds.work_claim",
        custom={"system": True},
    )
    def finish_remedies(self) -> None:
        """Every loss was made good exactly once."""

    @transition(
        field="state",
        source="rejected",
        target="remedying",
        permission="refunds.decide_claim",
        custom={"system": True},
    )
    def stand_by_confirmation(self) -> None:
        """Two people confirmed losses of the claim before, so the rejection does not hold."""

    @transition(
        field="state",
        source=["remedied", "closed"],
        target="remedying",
        permission="refunds.reconcile",
        custom={"system": True},
    )
    def owe_again(self) -> None:
        """The bank sent the money of a compensation back."""

    @transition(
        field="state",
        source="remedied",
        target="closed",
        permission="refunds.decide_claim",
        custom={"system": True},
    )
    def close(self) -> None:
        """Nothing is left to do."""

    @transition(
        field="state", source="remedied", target="reopened", permission="refunds.reopen_claim"
    )
    def reopen(self) -> None:
        """Two people found further losses; remedied losses stay remedied (rule 27)."""


class FraudClaimTransition(TransitionLog):
    class Meta(TransitionLog.Meta):
        triggers = [
            *TransitionLog.Meta.triggers,
            Guard(
                name="appeal_is_for_others",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                declare=[("wrong", "bigint")],
                func=f"""
                    IF NOT EXISTS (SELECT FROM refunds_fraudclaim c
                        WHERE c.appealed_at IS NOT NULL AND c.id = ANY (ARRAY(
                            SELECT subject_id FROM after WHERE transition <> 'appeal'))) THEN
                        RETURN NULL;
                    END IF;
                    WITH worked AS ({worked("SELECT subject_id FROM after")})
                    SELECT min(a.subject_id) INTO wrong FROM after a
                    JOIN accounts_user u ON u.id = a.actor_id AND u.staff_number <> ''
                    JOIN worked w ON w.claim_id = a.subject_id AND w.before_appeal
                    JOIN accounts_user e ON e.id = w.actor_id AND e.staff_number = u.staff_number
                    WHERE a.transition <> 'appeal';
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.SAME_PERSON}', MESSAGE = format(
                            'the appeal of claim %s needs other people', wrong);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
