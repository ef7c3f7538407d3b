"""`manage.py refund_balances`: plan, run, pause and resume refund-balances."""

from winddown.runs.command import WorkflowCommand


class Command(WorkflowCommand):
    help = "Plan, run, pause and resume refund-balances."
    workflow = "refund-balances"
    example = '{"part": "pay", "value_date": "2019-11-15"}'
