"""shred-personal-data: who is due, what is deleted, the scan afterwards, and the certificate."""

from refunds.workflows.shred_personal_data.workflow import ShredPersonalData

__all__ = ["ShredPersonalData"]
