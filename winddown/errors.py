"""Every refusal of this system is a `WinddownError` whose docstring is its message and whose fields
are its facts.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Saying(str):
    """A part of a refusal with its facts: English as text, and sayable in other languages."""

    template: str
    facts: dict[str, Any]


def says(template: str, **facts: Any) -> Saying:
    """Returns the sentence. Its template is a text of the catalogue, with `{fact}` for each fact."""
    saying = Saying(template.format_map(facts) if facts else template)
    saying.template, saying.facts = template, facts
    return saying


class WinddownError(Exception):
    """Something was refused."""

    exit_code: ClassVar[int] = 1
    # Whether the audit journal has an entry about the member of staff who was refused.
    noted: ClassVar[bool] = False

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(str(self))

    def __str__(self) -> str:
        return self.sentence(**self.facts)

    def sentence(self, **facts: Any) -> str:
        """Returns the refusal in English, with these facts in it."""
        sentence = " ".join((type(self).__doc__ or "").split())
        return sentence.format_map(_Facts(facts))

    @property
    def code(self) -> str:
        return type(self).__name__


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


class CapabilityStopped(WinddownError):
    """{capability} is stopped since {since}: {reason}"""


class PastDeadline(WinddownError):
    """{capability} ended at {at}."""


class NotYetOpen(WinddownError):
    """{capability} is not open yet: the programme has not come to it."""


class UnknownCapability(WinddownError):
    """There is no capability {capability}. {hint}"""


class TransitionRefused(WinddownError):
    """{model} {subject} is {source}; {transition} is declared only from {sources}."""


class ConditionNotMet(WinddownError):
    """{model} {subject} does not meet the declared condition of {transition}."""


class NotPermitted(WinddownError):
    """{actor} may not {action}: it takes the permission {permission}."""

    noted = True


class SamePerson(WinddownError):
    """{actor} already signed {subject} as {part}; a second person must decide."""

    noted = True


class AskedAlready(WinddownError):
    """{actor} asked for exactly this a moment ago: {subject} waits for a second person."""


class DoneAlready(WinddownError):
    """{actor} did exactly this a moment ago ({subject}). Nothing has changed a second time."""


class NothingToDecide(WinddownError):
    """There is no open approval request for {subject}."""


class PlanChanged(WinddownError):
    """The content of {subject} has changed since its approval (approved {approved}, now {now}):
    plan again.
    """


class PlanExpired(WinddownError):
    """The request for {subject} expired at {expires_at}: plan again."""


class ReasonBlank(WinddownError):
    """The reason for {action} is blank: the audit journal needs one that can be read."""


class RunBusy(WinddownError):
    """{workflow} already has run {run} in state {state}; finish or abort it first."""


class RunNotFound(WinddownError):
    """No run of {workflow} is {wanted}."""


class GuardNotMet(WinddownError):
    """{action} is refused: {why}"""


class UnknownWorkflow(WinddownError):
    """There is no workflow {name}. {hint}"""


class LedgerRefused(WinddownError):
    """The ledger refuses {movement}: {why}"""


class InsufficientBalance(WinddownError):
    """Wallet {wallet} has {available_minor} available, {asked_minor} was asked."""


class WalletNotUsable(WinddownError):
    """Wallet {wallet} is {state}; {movement} is refused."""


class IdempotencyConflict(WinddownError):
    """{source} {source_id} was already recorded with other values: {difference}"""


class LoadRefused(WinddownError):
    """{file} was refused whole, nothing was changed: {why}"""

    exit_code = 1


class ClockRefused(WinddownError):
    """The clock can be moved only in a database that was marked as a rehearsal before it held a
    programme.
    """
