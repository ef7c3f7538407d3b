"""`manage.py shred_personal_data`: plan, run, pause and resume shred-personal-data."""

from winddown.runs.command import WorkflowCommand


class Command(WorkflowCommand):
    help = "Plan, run, pause and resume shred-personal-data."
    workflow = "shred-personal-data"
    example = '{"backups_until": "2020-12-31", "keep_days": {"contact": 400}}'
