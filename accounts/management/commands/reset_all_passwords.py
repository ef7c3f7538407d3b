"""`manage.py reset_all_passwords`: plan, run, pause and resume reset-all-passwords."""

from winddown.runs.command import WorkflowCommand


class Command(WorkflowCommand):
    help = "Plan, run, pause and resume reset-all-passwords."
    workflow = "reset-all-passwords"
    example = '{"mail": "file"}'
