"""`manage.py freeze_charges`: plan, run, pause and resume freeze-charges."""

from winddown.runs.command import WorkflowCommand


class Command(WorkflowCommand):
    help = "Plan, run, pause and resume freeze-charges."
    workflow = "freeze-charges"
