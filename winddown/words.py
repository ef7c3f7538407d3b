"""The words that people read for codes: capabilities, states, workflows, plan lines, refusals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from winddown import texts
from winddown.errors import Saying, WinddownError
from winddown.personal_data import DataClass
from winddown.registries import Registry
from winddown.workflows import WORKFLOWS

Text = str | Promise


@dataclass(frozen=True, slots=True)
class StateWord:
    """A state as people see it: its word, and the tone that sets icon and colour."""

    word: Text
    tone: str


# --- capabilities -------------------------------------------------------------------------------

DECLARED: Registry[Callable[[str], Text]] = Registry(
    "names that the programme declares",
    entries_are="by the beginning of a capability's code: names what follows it",
    owner=__name__,
)
_CAPABILITIES: dict[str, tuple[Text, Text]] = {
    "register": (_("Registration"), _("New customers cannot register.")),
    "spend": (_("Payment"), _("Nobody can pay with the wallet.")),
    "transfer": (_("Transfer between wallets"), _("No value moves from wallet to wallet.")),
    "withdraw": (_("Withdrawal"), _("No value can be withdrawn.")),
    "login_password": (_("Sign-in by password"), _("No customer can sign in by password.")),
    "refund_apply": (_("Refund application"), _("Nobody can apply for a refund.")),
    "payout": (_("Payout"), _("No transfer leaves for the bank.")),
}


_DATA_CLASSES: dict[str, Text] = {
    DataClass.IDENTITY: _("names and login IDs"),
    DataClass.CONTACT: _("addresses and telephone numbers"),
    DataClass.BANK_DETAILS: _("bank details"),
    DataClass.AUTHENTICATION: _("sign-ins and devices"),
    DataClass.CLAIMS_EVIDENCE: _("evidence of claims"),
    DataClass.CORRESPONDENCE: _("correspondence"),
    DataClass.MONEY_RECORDS: _("records of money"),
}


def data_class(code: str) -> Text:
    """Returns what the personal data of the class are, in the middle of a sentence."""
    return _DATA_CLASSES.get(code, code)


def provider(code: str) -> Text:
    """Returns the name of the login provider."""
    return DECLARED["login_external"](code)


def funding_source(code: str) -> Text:
    """Returns the name of the funding source."""
    return DECLARED["top_up"](code)


def sign_in_method(code: str) -> Text:
    """Returns how somebody signed in, as a part of a sentence."""
    own = {"password": _("with a password"), "passkey": _("with a passkey")}
    return own.get(code) or format_lazy(_("with {provider}"), provider=provider(code))


def capability_title(code: str) -> Text:
    """Returns the name of the capability `code`; the code itself if it has no name."""
    kind, _sep, of = code.partition(":")
    if kind == "top_up":
        return format_lazy(_("Top-up: {source}"), source=funding_source(of))
    if kind == "login_external":
        return format_lazy(_("Sign-in with {provider}"), provider=provider(of))
    return _CAPABILITIES[code][0] if code in _CAPABILITIES else code


def capability_effect(code: str) -> Text:
    """Returns what is refused while `code` is stopped."""
    kind, _sep, of = code.partition(":")
    if kind == "top_up":
        return format_lazy(_("No wallet can be charged by {source}."), source=funding_source(of))
    if kind == "login_external":
        return format_lazy(
            _("Nobody can sign in with {provider}, and no such session is accepted."),
            provider=provider(of),
        )
    return _CAPABILITIES[code][1] if code in _CAPABILITIES else ""


# --- states -------------------------------------------------------------------------------------

STATES: Registry[dict[str, StateWord]] = Registry(
    "words of states", entries_are="by machine: the word and tone of each state", owner=__name__
)
STATES.add_all(
    {
        "alarm": {
            "raised": StateWord(pgettext_lazy("alarm", "Not acknowledged"), "bad"),
            "escalated": StateWord(pgettext_lazy("alarm", "Escalated"), "bad"),
            "acknowledged": StateWord(pgettext_lazy("alarm", "Acknowledged"), "wait"),
            "closed": StateWord(pgettext_lazy("alarm", "Ended"), "idle"),
        },
        "capability": {
            "enabled": StateWord(pgettext_lazy("switch", "On"), "on"),
            "disabled": StateWord(pgettext_lazy("switch", "Stopped"), "off"),
            "restoring": StateWord(pgettext_lazy("switch", "Stopped, restart asked"), "wait"),
            "ended": StateWord(pgettext_lazy("switch", "Ended"), "off"),
            "later": StateWord(pgettext_lazy("switch", "Not open yet"), "idle"),
        },
        "programme": {
            "operating": StateWord(_("In operation"), "on"),
            "incident": StateWord(_("Incident"), "bad"),
            "restricted": StateWord(_("Restricted"), "wait"),
            "announced": StateWord(_("End announced"), "wait"),
            "closing": StateWord(_("Closing"), "run"),
            "closed": StateWord(_("Closed"), "off"),
            "balance_fixed": StateWord(_("Balances sealed"), "off"),
            "refunding": StateWord(_("Refunding"), "run"),
            "refund_closed": StateWord(_("Refund window over"), "off"),
            "settling": StateWord(_("Settling"), "run"),
            "completed": StateWord(_("Completed"), "on"),
            "reported": StateWord(_("Reported"), "on"),
        },
        "run": {
            "never": StateWord(pgettext_lazy("run", "Never planned"), "idle"),
            "requested": StateWord(pgettext_lazy("run", "Requested"), "wait"),
            "awaiting_approval": StateWord(pgettext_lazy("run", "Waits for approval"), "wait"),
            "approved": StateWord(pgettext_lazy("run", "Approved, not started"), "wait"),
            "running": StateWord(pgettext_lazy("run", "Running"), "run"),
            "paused": StateWord(pgettext_lazy("run", "Paused"), "wait"),
            "succeeded": StateWord(pgettext_lazy("run", "Succeeded"), "on"),
            "partially_failed": StateWord(pgettext_lazy("run", "Ended with failures"), "bad"),
            "aborted": StateWord(pgettext_lazy("run", "Aborted"), "off"),
        },
        "step": {
            "waiting": StateWord(pgettext_lazy("step", "Not begun"), "idle"),
            "running": StateWord(pgettext_lazy("step", "Under way"), "run"),
            "halted": StateWord(pgettext_lazy("step", "Halted"), "wait"),
            "done": StateWord(pgettext_lazy("step", "Done"), "on"),
            "failed": StateWord(pgettext_lazy("step", "Done, with failures"), "bad"),
        },
        "offer": {
            "on": StateWord(pgettext_lazy("offer", "Works"), "on"),
            "off": StateWord(pgettext_lazy("offer", "Stopped"), "off"),
            "ended": StateWord(pgettext_lazy("offer", "Ended"), "off"),
            "later": StateWord(pgettext_lazy("offer", "Not yet"), "wait"),
        },
        "milestone": {
            "open": StateWord(pgettext_lazy("milestone", "Open"), "wait"),
            "held_back": StateWord(pgettext_lazy("milestone", "Held back"), "bad"),
            "reached": StateWord(pgettext_lazy("milestone", "Reached"), "on"),
        },
        "filing": {
            "none": StateWord(pgettext_lazy("filing", "Not written"), "idle"),
            "draft": StateWord(pgettext_lazy("filing", "Draft"), "idle"),
            "proposed": StateWord(pgettext_lazy("filing", "Waits for two people"), "wait"),
            "approved": StateWord(pgettext_lazy("filing", "Approved, not filed"), "wait"),
            "filed": StateWord(pgettext_lazy("filing", "Filed"), "run"),
            "accepted": StateWord(pgettext_lazy("filing", "Accepted"), "on"),
            "returned": StateWord(pgettext_lazy("filing", "Sent back"), "bad"),
            "withdrawn": StateWord(pgettext_lazy("filing", "No longer due"), "off"),
        },
        "invariant": {
            "holds": StateWord(_("Holds"), "on"),
            "breached": StateWord(_("Does not hold"), "bad"),
        },
        "attack": {
            "none": StateWord(pgettext_lazy("attack", "None seen"), "on"),
            "open": StateWord(pgettext_lazy("attack", "Goes on"), "bad"),
            "over": StateWord(pgettext_lazy("attack", "Over"), "idle"),
        },
        "publication": {
            "missing": StateWord(pgettext_lazy("publication", "Missing"), "bad"),
            "late": StateWord(pgettext_lazy("publication", "Began late"), "wait"),
            "published": StateWord(pgettext_lazy("publication", "Published"), "on"),
        },
        "announcement": {
            "waits": StateWord(pgettext_lazy("announcement", "Waits for a second person"), "wait"),
            "released": StateWord(pgettext_lazy("announcement", "Released"), "on"),
            "rejected": StateWord(pgettext_lazy("announcement", "Not released"), "off"),
        },
        "interruption": {
            "down": StateWord(pgettext_lazy("notice", "unreachable"), "bad"),
            "altered": StateWord(pgettext_lazy("notice", "altered"), "bad"),
            "intact": StateWord(pgettext_lazy("notice", "as published"), "on"),
        },
        "correction": {
            "open": StateWord(pgettext_lazy("correction", "To be attached"), "bad"),
            "done": StateWord(pgettext_lazy("correction", "Attached"), "on"),
        },
        "probe": {
            "refused": StateWord(_("Refused"), "on"),
            "passed": StateWord(_("Passed"), "bad"),
            "open": StateWord(_("Passed"), "on"),
        },
    }
)


def state_word(machine: str, state: str) -> StateWord:
    """Returns word and tone of a state; the state's own name if it has no word."""
    return (STATES.get(machine) or {}).get(state) or StateWord(state.replace("_", " "), "idle")


# --- workflows ----------------------------------------------------------------------------------

_WORKFLOWS = {listed.name: listed.title for listed in WORKFLOWS}
STEPS: Registry[Text] = Registry(
    "words of steps", entries_are="the title of a step of a workflow", owner=__name__
)
PLAN_VALUES: Registry[Text] = Registry(
    "words of plan values",
    entries_are="by term and code, as `line:code`: what a coded term of a plan says",
    owner=__name__,
)
PLAN_LINES: Registry[Text] = Registry(
    "words of plan lines", entries_are="the title of a line of a plan", owner=__name__
)
PLAN_LINES_OF: Registry[Callable[[str], Text]] = Registry(
    "words of plan lines by kind",
    entries_are="by the beginning of a line's name: the title of the line of what follows it",
    owner=__name__,
)
PLAN_LINES.add_all(
    {
        "switches": _("Switches that stop"),
        "providers": _("Login providers"),
        "paid_minor": _("Paid value in the wallets"),
        "bonus_minor": _("Bonus value in the wallets"),
        "wallets": _("Wallets"),
    }
)
_PARTS: dict[str, Text] = {
    "counts": _("Rows that change"),
    "sums_minor": _("Amounts that move"),
    "excluded": _("Left out"),
    "locked_out": _("People who lose access"),
    "terms": _("Terms"),
    "estimates": _("Estimates, not part of the approval"),
}
_MILESTONES: dict[str, Text] = {
    "card_top_up_ends": _("Top-up by card ends"),
    "spend_ends": _("Payment ends"),
    "refund_opens": _("Refund applications open"),
    "refund_window_ends": _("Refund applications end"),
    "incident_reported": _("The incident is reported"),
    "funds_secured": _("The funds are secured"),
    "claims_settled": _("All claims are settled"),
    "holders_paid": _("All holders are paid"),
    "programme_settled": _("Everything is settled"),
}


def workflow_title(name: str) -> Text:
    return _WORKFLOWS.get(name, name)


def step_title(name: str) -> Text:
    return STEPS.get(name) or name.replace("_", " ").capitalize()


def plan_line(name: str) -> Text:
    if name in PLAN_LINES:
        return PLAN_LINES[name]
    for beginning, title in PLAN_LINES_OF.items():
        if name.startswith(beginning):
            return title(name.removeprefix(beginning))
    return name.replace("_", " ").removesuffix(" minor").capitalize()


def plan_part(name: str) -> Text:
    return _PARTS.get(name) or plan_line(name)


def plan_value(name: str, value: str) -> Text:
    """Returns the words for a plan's value, if the value is a code with words."""
    return PLAN_VALUES.get(f"{name}:{value}") or value


def person_name(user: Any) -> str:
    """Returns the person's name or login ID, and "the system" for None. Characters that turn the
    direction of a text are replaced: a loaded name may have them.
    """
    if user is None:
        return str(_("the system"))
    return texts.printable(str(user.display_name or user.login_id))


CHANNELS: dict[str, Text] = {
    "newspaper": _("Daily newspaper"),
    "electronic_notice": _("Electronic notice"),
    "office": _("Offices"),
    "merchant": _("Shops of the merchants"),
    "app": pgettext_lazy("channel", "App"),
    "web": _("Web page of the service"),
    "mail": _("Mail to each holder"),
}


def milestone_title(kind: str) -> Text:
    return _MILESTONES.get(kind) or kind.replace("_", " ").capitalize()


# --- what happened ------------------------------------------------------------------------------

ACTS: Registry[Text] = Registry(
    "words of acts", entries_are="by audit code: what happened", owner=__name__
)
ACTS.add_all(
    {
        "alarm.raise": _("Alarm raised"),
        "alarm.escalate": _("Alarm escalated"),
        "alarm.acknowledge": _("Alarm acknowledged"),
        "alarm.close": _("Alarm ended"),
        "duty_address.set": _("Duty address set"),
        "duty_address.end": _("Duty address ended"),
        "run.plan": _("Planned"),
        "run.submit": _("Sent for approval"),
        "run.approve": _("Approved"),
        "run.reject": _("Rejected"),
        "run.start": _("Started"),
        "run.pause": _("Paused"),
        "run.resume": _("Resumed"),
        "run.abort": _("Aborted"),
        "run.rate": _("Rate changed"),
        "run.retry": _("Failures retried"),
        "run.split": _("Batch split"),
        "run.end": _("Ended"),
        "run.succeed": _("Ended well"),
        "run.end_with_failures": _("Ended with failures"),
        "capability.stop": _("Stopped"),
        "capability.ratify": _("Ratified"),
        "capability.request_restore": _("Restart asked"),
        "capability.restore": _("Restarted"),
        "run.step": _("Next step begun"),
        "run.batch": _("Batch done"),
        "capability.keep_stopped": _("Kept stopped"),
        "milestone.set": _("Deadline set"),
        "milestone.fire": _("Deadline passed"),
        "milestone.assign": _("Milestone assigned"),
        "milestone.reach": _("Milestone reached"),
        "filing.write": _("Filing written"),
        "filing.propose": _("Filing proposed"),
        "filing.approve": _("Filing approved"),
        "filing.refuse": _("Filing not agreed to"),
        "filing.file": _("Filed with the authority"),
        "filing.accept": _("Filing accepted by the authority"),
        "filing.give_back": _("Filing sent back by the authority"),
        "filing.withdraw": _("Filing no longer due"),
        "approval.filing.first": _("Filing: first approval"),
        "approval.filing.second": _("Filing: second approval"),
        "approval.announcement.announce": _("Announcement of the end"),
        "programme.ask_announcement": _("Announcement of the end asked for"),
        "programme.refuse_announcement": _("Announcement of the end rejected"),
        "notice.publish": _("Public notice published"),
        "notice.record_publication": _("Publication of the notice recorded"),
        "announcement.draft": _("Announcement drafted"),
        "announcement.release": _("Announcement released"),
        "announcement.reject": _("Announcement rejected"),
        "approval.publish_text": _("Release of an announcement"),
        "notice.interrupt": _("Electronic notice interrupted"),
        "notice.resume": _("Interruption of the electronic notice ended"),
        "notice.attach_correction": _("Correction attached to the notice"),
        "notice.read_evidence": _("Evidence of a publication read"),
        "filing.read_evidence": _("Evidence of a receipt read"),
        "programme.publish_contact": _("Contact published"),
        "set_up.begin": _("Programme begun"),
        "rehearsal.clock": _("Clock of the rehearsal moved"),
        "set_up.code": _("Code of the set-up page printed"),
        "set_up.again": _("Links of the beginning renewed"),
        "set_up.ask": _("Change of the set-up asked for"),
        "set_up.adopt": _("Change of the set-up in force"),
        "set_up.reject": _("Change of the set-up rejected"),
        "approval.set_up.change": _("Change of the set-up"),
        "programme.report_safeguarded": _("Safeguarded funds reported"),
        "programme.declare_incident": _("Incident declared"),
        "programme.ask_withdrawal": _("Withdrawal of the incident asked for"),
        "programme.withdraw_incident": _("Incident withdrawn"),
        "programme.keep_incident": _("Withdrawal of the incident rejected"),
        "approval.incident_withdrawal.withdraw": _("Withdrawal of the incident"),
        "programme.restrict": _("Service restricted"),
        "programme.restore": _("Service restored"),
        "programme.announce": _("End announced"),
        "programme.start_closing": _("Closing begun"),
        "programme.close": _("Service closed"),
        "programme.fix_balance": _("Balances fixed"),
        "programme.open_refunds": _("Refunds opened"),
        "programme.close_window": _("Refund window closed"),
        "programme.settle": _("Settling begun"),
        "programme.complete": _("Programme completed"),
        "programme.report": _("Completion reported"),
        "backup.take": _("Backup taken"),
        "audit.seal": _("Rows sealed"),
        "audit.epoch": _("New count of seals begun"),
        "database.restored": _("Restore of the database noticed"),
        "invariants.verify": _("Invariants checked"),
        "encryption.reseal": _("Resealed under the new key"),
        "witness.ask": _("Witness of older rows asked for"),
        "witness.approve": _("Witness of older rows approved"),
        "witness.reject": _("Witness of older rows rejected"),
        "witness.rows": _("Older rows witnessed"),
        "refused": _("Refused"),
        "load.accounts": _("File loaded: accounts"),
        "load.auth_events": _("File loaded: sign-in attempts"),
        "load.external_identities": _("File loaded: external identities"),
        "load.funding_cards": _("File loaded: funding cards"),
        "load.log_coverage": _("File loaded: coverage of the logs"),
        "load.mail_results": _("File loaded: mail results"),
        "load.payments": _("File loaded: payments"),
        "load.top_ups": _("File loaded: top-ups"),
        "load.wallets": _("File loaded: wallets"),
        "load.breached_passwords": _("File loaded: breached passwords"),
        "approval.run": _("Run of a workflow"),
        "approval.ratify": _("Ratification of a stop"),
        "approval.restore": _("Restart"),
        "approval.decide": _("Decision"),
        "approval.witness": _("Rows older than their witness"),
        "audit.read": _("Audit journal read"),
        "approvals.read": _("Approvals read"),
        "look_up.read": _("Looked up"),
        "run_rows.read": _("Rows of a run read"),
    }
)


def act_title(action: str) -> Text:
    return ACTS.get(action) or action.rpartition(".")[2].replace("_", " ").capitalize()


# --- refusals -----------------------------------------------------------------------------------

# The fields are those of the error.
REFUSALS: Registry[Text] = Registry(
    "words of refusals",
    entries_are="by error: the refusal in the language of its reader",
    owner=__name__,
)
REFUSALS.add_all(
    {
        "CapabilityStopped": _("{capability} is stopped since {since}: {reason}"),
        "PastDeadline": _("{capability} ended at {at}."),
        "NotYetOpen": _("{capability} is not open yet: the programme has not come to it."),
        "TransitionRefused": _(
            "This is no longer possible: the state is now “{source}”. Look at the page again."
        ),
        "ConditionNotMet": _("The condition for “{transition}” is not met."),
        "NotPermitted": _("Your roles do not include this. {permission}"),
        "SamePerson": _(
            "You have already signed this request (as {part}). A second person must decide."
        ),
        "NothingToDecide": _("Nothing waits for a decision here any more."),
        "PlanChanged": _(
            "The content has changed since the approval (approved {approved}, now {now}). Plan again."
        ),
        "DoneAlready": _("You did exactly this a moment ago. Nothing has changed a second time."),
        "CodeRefused": _(
            "The set-up code is wrong, used or older than an hour. Print a new one on the server:"
            " manage.py begin --page"
        ),
        "BegunAlready": _("The programme {name} has begun."),
        "NothingChanges": _("The file says what is in force already."),
        "AskedAlready": _("You asked for exactly this a moment ago: it waits for a second person."),
        "PlanExpired": _("The request expired at {expires_at}. Plan again."),
        "RunBusy": _("{workflow} already has run {run} ({state}). Finish or abort it first."),
        "RunNotFound": _("There is no such run."),
        "GuardNotMet": _("“{action}” is refused: {why}"),
        "UnknownWorkflow": _("There is no workflow {name}."),
        "UnknownCapability": _("There is no switch {capability}."),
        "ReasonBlank": _("Give a reason that can be read: it goes into the audit journal."),
        "LedgerRefused": _("The ledger refuses “{movement}”: {why}"),
        "InsufficientBalance": _("The wallet has less than what was asked for."),
        "WalletNotUsable": _("The wallet is {state}; this is not possible."),
        "IdempotencyConflict": _("This was recorded already, with other values: {difference}"),
        "FileDiffers": _("{name} exists with other content. It was not touched."),
        "NotUnderstood": _("The set-up file is not in order. Nothing has changed."),
    }
)


# How a fact of a refusal is said. The value and all facts of the refusal are given.
FACTS: Registry[Callable[[Any, dict[str, Any]], Text]] = Registry(
    "words of facts", entries_are="by field of a refusal: says its value in words", owner=__name__
)
FACTS.add_all(
    {
        "capability": lambda value, facts: capability_title(str(value)),
        "milestone": lambda value, facts: milestone_title(str(value)),
        "workflow": lambda value, facts: workflow_title(str(value)),
        "stage": lambda value, facts: state_word("programme", str(value)).word,
        "source": lambda value, facts: _state_of(str(facts.get("model", "")), str(value)),
    }
)
_INSTANTS = ("at", "since", "expires_at", "not_before")


def _state_of(model: str, state: str) -> Text:
    """Returns the word for a state of the machine `model`, such as "RecoveryCase"."""
    machine = "".join(f"_{each.lower()}" if each.isupper() else each for each in model)
    return state_word(machine.removeprefix("_"), state).word


class _Facts(dict[str, Any]):
    """The facts of a refusal in the language and the time zone of its reader."""

    def __missing__(self, key: str) -> str:
        return "?"

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if isinstance(value, Saying):
            return said(value)
        if key in FACTS:
            return FACTS[key](value, dict(self.items()))
        if key in _INSTANTS:
            return _instant(value)
        return value


def _instant(value: Any) -> Any:
    try:
        at = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
        return f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}"
    except ValueError:
        return value


def said(saying: str) -> str:
    """Returns the part of a refusal in the reader's language; a plain text as it is."""
    if not isinstance(saying, Saying):
        return saying
    return gettext(saying.template).format_map(_Facts(saying.facts))


def refusal(error: WinddownError) -> str:
    """Returns the refusal in the reader's language, or in English if there is no translation."""
    if error.code not in REFUSALS:
        return str(error)
    return str(REFUSALS[error.code]).format_map(_Facts(error.facts))
