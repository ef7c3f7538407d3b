"""refund-balances in three parts: entitle, pay, exclude."""

from refunds.workflows.refund_balances.workflow import RefundBalances

__all__ = ["RefundBalances"]
