"""The programme and the machinery of its runs."""

from winddown.models.alarm import Alarm, AlarmNotice, AlarmTransition, DutyAddress
from winddown.models.announcement import Announcement, AnnouncementRelease
from winddown.models.approval import Approval, Signature
from winddown.models.audit import AuditEntry, AuditHorizon, AuditSeal
from winddown.models.capability import Capability, CapabilityTransition, Probe
from winddown.models.clock import Clock
from winddown.models.declared import FundingSource, Instrument, LoginProvider, Merchant
from winddown.models.filing import Filing, FilingReceipt, FilingTransition, FilingVersion
from winddown.models.loaded_file import LoadedFile
from winddown.models.milestone import Milestone
from winddown.models.notice import LawRule, PublicNotice, PublishedFigure
from winddown.models.programme import Programme, ProgrammeTransition
from winddown.models.publication import (
    NoticeCorrection,
    NoticeEvidence,
    NoticeInterruption,
    NoticeProbe,
    NoticePublication,
)
from winddown.models.row_digest import RowDigest
from winddown.models.run import Batch, Failure, Plan, Run, RunTransition, StepTotal, Worker
from winddown.models.set_up_code import SetUpCode
from winddown.models.transition import TransitionLog

__all__ = [
    "Alarm",
    "AlarmNotice",
    "AlarmTransition",
    "Announcement",
    "AnnouncementRelease",
    "Approval",
    "AuditEntry",
    "AuditHorizon",
    "AuditSeal",
    "Batch",
    "Capability",
    "CapabilityTransition",
    "Clock",
    "DutyAddress",
    "Failure",
    "Filing",
    "FilingReceipt",
    "FilingTransition",
    "FilingVersion",
    "FundingSource",
    "Instrument",
    "LawRule",
    "LoadedFile",
    "LoginProvider",
    "Merchant",
    "Milestone",
    "NoticeCorrection",
    "NoticeEvidence",
    "NoticeInterruption",
    "NoticeProbe",
    "NoticePublication",
    "Plan",
    "Probe",
    "Programme",
    "ProgrammeTransition",
    "PublicNotice",
    "PublishedFigure",
    "RowDigest",
    "Run",
    "RunTransition",
    "SetUpCode",
    "Signature",
    "StepTotal",
    "TransitionLog",
    "Worker",
]
