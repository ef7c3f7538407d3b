"""`manage.py shut_down_by_deadline`: plan, run, pause and resume shut-down-by-deadline."""

from winddown.runs.command import WorkflowCommand


class Command(WorkflowCommand):
    help = "Plan, run, pause and resume shut-down-by-deadline."
    workflow = "shut-down-by-deadline"
