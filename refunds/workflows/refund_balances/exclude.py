"""An amount that nobody applied for within the window is excluded."""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from refunds.models import Entitlement
from refunds.payouts import tracing
from refunds.workflows.refund_balances import outline
from refunds.workflows.refund_balances.outline import BATCH_ROWS, Part
from wallets.models import LedgerAccount, Wallet
from wallets.movements import posting
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import says
from winddown.machines.move import named, transition_one
from winddown.models import Batch, Milestone, Programme, Run
from winddown.programme import gates, notice_watch
from winddown.runs.registry import Moved, PlanContent, Step


class Exclude(Part):
    """Excludes only amounts that nobody applied for by the end of the window, and whose holders were
    traced as the law asks for the amount. An amount that is in process, returned, held, or in a
    file that a restored database does not know stays owed. So does one whose notice did not arrive
    (rule 42), and one of a holder under a hold. While a line of the bank is open, nothing is
    excluded.
    """

    name = "exclude"

    def plan(self, run: Run) -> PlanContent:
        refuse_to_exclude()
        rows = _unclaimed(run)
        others = Entitlement.objects.exclude(state__in=Entitlement.APPLICABLE)
        kept = tracing.kept_from_exclusion()
        # These change all the time, so their number is no part of the digest.
        on_the_way = kept.pop("application_under_way") + kept.pop("sent_before_restore")
        return PlanContent(
            counts={"excluded": rows.count()},
            sums_minor={"excluded": outline.amount(rows)},
            excluded=kept,
            estimates=lambda: {
                "in_process_returned_or_held": on_the_way
                + others.filter(state__in=Entitlement.UNPAID).count()
            },
        )

    def at_once(self, run: Run) -> None:
        programme = Programme.current()
        if programme.state == Programme.State.REFUNDING:
            transition_one(programme, "close_window", actor=SYSTEM, reason=run.reason, run=run)

    def steps(self) -> list[Step]:
        return [Step("exclude_unclaimed", _unclaimed, _exclude, batch_rows=BATCH_ROWS)]

    def verify(self, run: Run) -> list[str]:
        gaps = []
        if left := _unclaimed(run).count():
            gaps.append(f"{left} unclaimed entitlements are not excluded")
        return gaps

    def at_end(self, run: Run) -> None:
        programme = Programme.current()
        if programme.state == Programme.State.REFUND_CLOSED:
            transition_one(programme, "settle", actor=SYSTEM, reason=run.reason, run=run)


def refuse_to_exclude() -> None:
    """The window is over, refunds were open, and the notice was published in every channel that the
    law asks for and stood. Raises `GuardNotMet` otherwise, with the numbers (Payment Services Act
    art. 20(2), Companies Act art. 940(3)).
    """
    ends = Milestone.objects.filter(kind=Milestone.Kind.REFUND_WINDOW_ENDS).first()
    if ends is None:
        raise outline.refused(says("the milestone refund_window_ends is not set"))
    if clock.now() < ends.at:
        raise outline.refused(says("the window lasts until {at}", at=ends.at.isoformat()))
    programme = Programme.current()
    if programme.state not in Programme.REFUNDS_OPENED:
        raise outline.refused(says("the programme is {stage}", stage=programme.state))
    if gaps := notice_watch.gaps():
        raise outline.refused(gaps[0])
    for gate in ("notice", "breaks"):
        if failing := gates.failing(gates.measured(gate)):
            raise outline.refused(gates.said(failing))


def _unclaimed(run: Run) -> QuerySet[Entitlement]:
    return tracing.to_be_excluded()


def _exclude(run: Run, batch: Batch, rows: QuerySet[Entitlement]) -> Moved:
    """The entitlements and their wallets are excluded. The sum moved from owed to unclaimed."""
    inner, params = rows.values("pk").query.sql_with_params()
    with named("exclude", actor=SYSTEM, run=run, reason=run.reason), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH chosen AS MATERIALIZED (
                SELECT e.id, e.wallet_id, e.amount_minor FROM refunds_entitlement e
                WHERE e.id IN ({inner}) AND e.state = ANY (%s)
                ORDER BY e.id FOR NO KEY UPDATE
            ), moved AS (
                UPDATE refunds_entitlement e SET state = %s FROM chosen c WHERE e.id = c.id
            ), wallets AS (
                UPDATE wallets_wallet w SET state = %s FROM chosen c
                WHERE w.id = c.wallet_id AND w.state = %s
            )
            SELECT count(*), coalesce(sum(amount_minor), 0) FROM chosen
            """,  # noqa: S608  the queryset's own SQL
            [
                *params,
                list(Entitlement.APPLICABLE),
                Entitlement.State.EXCLUDED,
                Wallet.State.EXCLUDED,
                Wallet.State.ENTITLED,
            ],
        )
        excluded, amount = cursor.fetchone()
    if excluded:
        posting.post(
            [
                (LedgerAccount.REFUNDS_PAYABLE, None, -int(amount)),
                (LedgerAccount.UNCLAIMED, None, int(amount)),
            ],
            source="batch",
            source_id=batch.pk,
            kind="refund_exclude",
            occurred_at=run.as_of or clock.now(),
            actor=SYSTEM,
            run_id=run.pk,
        )
    return Moved(rows=excluded, amount_minor=int(amount))
