"""`manage.py suspend_external_login`: plan, run, pause and resume suspend-external-login."""

from winddown.runs.command import WorkflowCommand


class Command(WorkflowCommand):
    help = "Plan, run, pause and resume suspend-external-login."
    workflow = "suspend-external-login"
    example = '{"providers": ["line"]}'
