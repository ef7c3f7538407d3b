"""Steps in their order: each opens once, and after the last one the run is verified and ends."""

from __future__ import annotations

from django.db import (
    connection,
    transaction,
)
from django.db.models import Exists, F, OuterRef

from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import (
    Batch,
    Failure,
    Run,
    StepTotal,
)
from winddown.runs import control, counting, registry, waking


def open_step(run: Run, step: registry.Step) -> None:
    """Every row in scope of the step is in exactly one waiting batch, and the number of rows is
    fixed.

    A retry opens a finished step again and adds the rows that the retry repaired. Rows that failed
    in the step stay failed, and no batch is made twice.
    """
    total = StepTotal.objects.filter(run=run, step=step.name).first()
    scope = step.rows(run)
    if total is not None:
        failed = Failure.objects.filter(run=run, step=step.name, retried_at=None)
        scope = scope.exclude(Exists(failed.filter(subject_id=OuterRef("pk"))))
    inner, params = scope.order_by("pk").values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH opened AS (INSERT INTO winddown_batch"  # noqa: S608
            " (run_id, step, first_id, last_id, rows_expected, state, token, attempts, worker,"
            " moved, failed, amount_minor)"
            " SELECT %s, %s, min(id), max(id), count(*), %s, 0, 0, '', 0, 0, 0"
            " FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS n"
            f" FROM ({inner}) AS scope (id)) AS numbered"
            " GROUP BY n ORDER BY n ON CONFLICT DO NOTHING RETURNING rows_expected)"
            " SELECT coalesce(sum(rows_expected), 0) FROM opened",
            [run.pk, step.name, Batch.State.WAITING, step.batch_rows, *params],
        )
        opened = int(cursor.fetchone()[0])
    if total is None:
        StepTotal.objects.create(
            run=run, step=step.name, rows_expected=opened, started_at=clock.now()
        )
    else:
        StepTotal.objects.filter(pk=total.pk).update(
            rows_expected=F("rows_expected") + opened, ended_at=None
        )


def advance(run_id: int) -> bool:
    """Returns whether the run went on to a next step. After the last step, the run is verified and
    ends. The plan of an urgent run is counted again before the first step.

    Exactly one caller does this, under a lock on the run's row. A step with an unfinished batch is
    not closed.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).filter(pk=run_id).first()
        if run is None or run.state != Run.State.RUNNING:
            return False
        if Batch.objects.filter(run=run, step=run.step, state__in=Batch.UNFINISHED).exists():
            return False
        workflow = registry.get(run.workflow)
        StepTotal.objects.filter(run=run, step=run.step, ended_at=None).update(ended_at=clock.now())
        steps = workflow.steps(run)
        done = next((place for place, step in enumerate(steps, 1) if step.name == run.step), 0)
        if done < len(steps):
            following = steps[done]
            changed = counting.reason_to_pause(run) if not run.step else ""
            # The workflow is asked here too: another worker may have seen the problem and not yet
            # stored the pause.
            if (
                reason := changed
                or workflow.reason_to_pause(run)
                or workflow.reason_to_wait(run, following)
            ):
                control.stop(run, reason)
                return False
            Run.objects.filter(pk=run.pk).update(step=following.name)
            run.step = following.name
            open_step(run, following)
            audit.append("run.step", f"{run.subject}:{following.name}", actor=SYSTEM, run=run)
            transaction.on_commit(lambda: waking.wake(run.pk), robust=True)
            return True
        _end(run, workflow)
        return False


def _end(run: Run, workflow: registry.Workflow) -> None:
    """The run is verified against plan and data, and has ended in the state of its outcome."""
    gaps = workflow.verify(run)
    failures = Failure.objects.filter(run=run, retried_at=None).count()
    clean = not gaps and not failures
    run = transition_one(
        run,
        "succeed" if clean else "end_with_failures",
        actor=SYSTEM,
        reason="; ".join(gaps)[:2000],
        ended_at=clock.now(),
    )
    if clean:
        workflow.at_end(run)
    audit.append("run.end", run.subject, actor=SYSTEM, run=run, gaps=gaps, failures=failures)
