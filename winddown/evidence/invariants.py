"""Invariants: each app registers its own here. `manage.py verify`, the tests and the release of
money check them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import wraps

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, transaction
from django.db.models import F

from winddown.authority import approvals
from winddown.authority.roles import INCOMPATIBLE, clashes
from winddown.evidence import audit, coverage, installed
from winddown.machines.declare import all_machines
from winddown.models import Approval, Batch, Milestone, Plan, Run, Signature
from winddown.registries import Registry
from winddown.witness import TABLE, digests_of_rows


class About(StrEnum):
    """What an invariant is about."""

    MONEY = auto()
    VICTIMS = auto()
    APPROVAL = auto()
    EVIDENCE = auto()
    ACCESS = auto()
    WORK = auto()


# No bank file leaves while an invariant about one of these is breached.
GUARDS_RELEASE = (About.MONEY, About.VICTIMS, About.APPROVAL)
# When a verification finds one about these breached, payouts stop.
STOPS_PAYOUTS = (*GUARDS_RELEASE, About.EVIDENCE)


@dataclass(frozen=True, slots=True)
class Invariant:
    """A statement that always holds; `breaches` returns one sentence per row that breaks it."""

    code: str
    statement: str
    about: About
    breaches: Callable[[], list[str]]

    @property
    def guards_release(self) -> bool:
        return self.about in GUARDS_RELEASE

    @property
    def stops_payouts(self) -> bool:
        return self.about in STOPS_PAYOUTS


INVARIANTS: Registry[Invariant] = Registry(
    "invariants", entries_are="a statement that always holds, and what breaks it", owner=__name__
)
SHOWN_MAX = 20


def invariant(
    code: str, statement: str, *, about: About
) -> Callable[[Callable[[], list[str]]], Callable[[], list[str]]]:
    """Registers the decorated function as the invariant `code`; two with one code are a mistake."""

    def register(breaches: Callable[[], list[str]]) -> Callable[[], list[str]]:
        INVARIANTS.add(code, Invariant(code, statement, about, _surely(breaches)))
        return breaches

    return register


def _surely(breaches: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """Returns the check that also tells of what it cannot read: what cannot be checked does not
    hold. A lost connection, a cancelled query or a refused role is no answer, and is raised.
    """

    @wraps(breaches)
    def checked() -> list[str]:
        try:
            with transaction.atomic():
                return breaches()
        except (OperationalError, ImproperlyConfigured):
            raise
        except Exception as error:
            return [f"cannot be checked: {error!r}"]

    return checked


def rows(sql: str, sentence: str, params: Mapping[str, str | list[str]] | None = None) -> list[str]:
    """Returns one sentence per row that `sql` returns for `params`, at most twenty; `sentence` is a
    format over the row's columns.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({sql}) AS breach LIMIT {SHOWN_MAX}", params)  # noqa: S608  sql is a constant of ours
        return [sentence.format(*row) for row in cursor.fetchall()]


def known() -> list[Invariant]:
    """Returns every registered invariant, in the order of the codes."""
    return [INVARIANTS[code] for code in sorted(INVARIANTS, key=_in_order)]


def _in_order(code: str) -> tuple[str, int, str]:
    digits = "".join(letter for letter in code if letter.isdigit())
    return code[:1], int(digits or 0), code


def breached() -> dict[str, list[str]]:
    """Returns code -> sentences for every invariant that does not hold; empty when all hold."""
    found = {each.code: each.breaches() for each in known()}
    return {code: sentences for code, sentences in found.items() if sentences}


@invariant("I9", "Every logged change of state is a declared one", about=About.EVIDENCE)
def undeclared_changes() -> list[str]:
    found: list[str] = []
    for model in all_machines():
        edges = [f"{edge.name}:{edge.source}:{edge.target}" for edge in model.edges()]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT transition, source, target, count(*) FROM "  # noqa: S608  the log's own table name
                f"{model.log_model()._meta.db_table} GROUP BY 1, 2, 3"
                " HAVING NOT concat_ws(':', transition, source, target) = ANY (%s)",
                [edges],
            )
            found += [
                f"{model.__name__}: {name} {source} -> {target}, {n} rows"
                for name, source, target, n in cursor
            ]
    return found


@invariant("I9b", "The last logged state of every row is the state it stands in", about=About.MONEY)
def states_beside_the_log() -> list[str]:
    found: list[str] = []
    for model in all_machines():
        log, table = model.log_model()._meta.db_table, model._meta.db_table
        found += rows(
            f"SELECT t.id, t.state, l.target FROM {table} t JOIN ("  # noqa: S608  our own table names
            f"SELECT DISTINCT ON (subject_id) subject_id, target FROM {log} ORDER BY subject_id, id DESC"
            ") l ON l.subject_id = t.id WHERE t.state <> l.target",
            f"{model.__name__} {{0}} is {{1}}, its log says {{2}}",
        )
    return found


@invariant("I9c", "A row without a logged change stands in a first state", about=About.MONEY)
def states_without_a_log() -> list[str]:
    found: list[str] = []
    for model in all_machines():
        log, table = model.log_model()._meta.db_table, model._meta.db_table
        found += rows(
            f"SELECT t.id, t.state FROM {table} t WHERE t.state <> ALL (%(firsts)s)"  # noqa: S608
            f" AND NOT EXISTS (SELECT FROM {log} l WHERE l.subject_id = t.id)",
            f"{model.__name__} {{0}} is {{1}}, and no change of it was logged",
            {"firsts": list(model.first_states())},
        )
    return found


@invariant(
    "I10", "No run went on without a second person's approval of its plan", about=About.APPROVAL
)
def unapproved_runs() -> list[str]:
    return rows(
        """
        SELECT r.id FROM winddown_run r
        WHERE r.state <> ALL (%(unapproved)s) AND NOT EXISTS (
            SELECT FROM winddown_signature s
            WHERE s.subject = 'run:' || r.id AND s.part = %(approved)s AND s.digest = r.plan_digest
              AND s.signer_id <> r.maker_id)
        """,
        "run {0} has no approval of a second person",
        {"unapproved": list(Run.NEEDS_NO_APPROVAL), "approved": Signature.Part.APPROVED},
    )


@invariant(
    "I10c",
    "The plan of a run has the digest that its run and its request bear",
    about=About.APPROVAL,
)
def plans_changed() -> list[str]:
    # Read first: a plan is written together with its request.
    latest = list(Plan.objects.order_by("run_id", "-pk").distinct("run_id").select_related("run"))
    asked = set(
        Approval.objects.filter(subject__startswith="run:").values_list("subject", "digest")
    )
    return [
        f"the plan of run {plan.run_id} is not the one that was asked to be approved"
        for plan in latest
        if not (
            approvals.digest_of({k: v for k, v in plan.content.items() if k != "estimates"})
            == plan.digest
            == plan.run.plan_digest
            and (plan.run.subject, plan.digest) in asked
            and plan.content["params"] == plan.run.params
        )
    ][:SHOWN_MAX]


@invariant("I10b", "No person holds two roles that must not be in one hand", about=About.APPROVAL)
def incompatible_roles() -> list[str]:
    """Counts by staff number, not by account: one person may have two accounts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT u.staff_number, array_agg(DISTINCT g.name) FROM accounts_user u"
            " JOIN accounts_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id"
            " WHERE u.is_active AND u.staff_number <> '' GROUP BY 1 ORDER BY 1"
        )
        held = cursor.fetchall()
    return [
        f"one person ({number}) is {one} and {other}: {INCOMPATIBLE[one, other]}"
        for number, roles in held
        for one, other in clashes(roles)
    ][:SHOWN_MAX]


@invariant("I14", "The audit chain is whole and covers what it says", about=About.EVIDENCE)
def audit_chain() -> list[str]:
    return (audit.broken_links() + audit.rows_that_differ())[:SHOWN_MAX]


@invariant(
    "I14b",
    "Every witnessed row says what its last writer wrote, and none is gone",
    about=About.EVIDENCE,
)
def rows_rewritten() -> list[str]:
    """Compares digests only: each table is read once. The digest of a row that may go, and is gone,
    is empty. A row from before a migration that added columns may have the digest of its older form.
    """
    found: list[str] = []
    for model, digests in digests_of_rows():
        table = model._meta.db_table
        found += rows(
            f"SELECT coalesce(t.id, d.row_id) FROM ({digests}) t FULL JOIN ("  # noqa: S608  our own table names
            f" SELECT DISTINCT ON (row_id) row_id, digest FROM {TABLE} WHERE table_name = '{table}'"
            " ORDER BY row_id, id DESC) d ON d.row_id = t.id"
            " WHERE t.digest IS DISTINCT FROM nullif(d.digest, '')"
            " AND NOT coalesce(d.digest = ANY (t.older), false)",
            f"{model.__name__} {{0}} is not what its last writer wrote",
        )
    return found


@invariant(
    "I14c",
    "Every logged row below the audit horizon is in an entry or a seal",
    about=About.EVIDENCE,
)
def uncovered_rows() -> list[str]:
    return coverage.gaps()[:SHOWN_MAX]


@invariant(
    "I14d", "Every trigger and constraint of the code is in the database", about=About.EVIDENCE
)
def guards_missing() -> list[str]:
    found = installed.guards_gone() + installed.constraints_gone() + installed.guards_skipped()
    return found[:SHOWN_MAX]


@invariant("I15", "Every logged change of state names who made it", about=About.EVIDENCE)
def changes_without_actor() -> list[str]:
    found: list[str] = []
    for model in all_machines():
        log = model.log_model()._meta.db_table
        found += rows(
            f"SELECT l.id, l.transition FROM {log} l WHERE l.actor_id IS NULL AND l.run_id IS NULL"  # noqa: S608
            " AND NOT EXISTS (SELECT FROM winddown_auditentry e WHERE e.xact_id = l.xact_id)"
            " AND NOT EXISTS (SELECT FROM wallets_journal j WHERE j.xact_id = l.xact_id)",
            f"{model.__name__} log {{0}} ({{1}}) has neither actor nor run nor audit entry",
        )
    return found


@invariant("I16", "A milestone fires once, never early", about=About.EVIDENCE)
def milestones_fired_early() -> list[str]:
    return [
        f"{milestone.kind} fired at {milestone.fired_at}"
        for milestone in Milestone.objects.filter(fired_at__lt=F("at"))
    ]


@invariant(
    "I16b",
    "A milestone stands where the journal set it, and fired if it says so",
    about=About.MONEY,
)
def milestones_beside_the_journal() -> list[str]:
    return rows(
        """
        SELECT s.subject FROM (
            SELECT DISTINCT ON (subject) subject, (facts ->> 'at')::timestamptz AS at
            FROM winddown_auditentry WHERE action = 'milestone.set' ORDER BY subject, seq DESC
        ) s LEFT JOIN winddown_milestone m ON s.subject = 'milestone:' || m.kind
        WHERE date_trunc('milliseconds', m.at) IS DISTINCT FROM s.at
        """,
        "{0} is not where the journal set it",
    ) + rows(
        """
        SELECT DISTINCT e.subject FROM winddown_auditentry e
        LEFT JOIN winddown_milestone m ON e.subject = 'milestone:' || m.kind
        WHERE e.action = 'milestone.fire' AND m.fired_at IS NULL
        """,
        "{0} fired by the journal and has not by its row",
    )


@invariant(
    "I20",
    "No row of an ended run is lost: each is moved, failed, or was rightly left",
    about=About.WORK,
)
def lost_batches() -> list[str]:
    return rows(
        """
        SELECT b.run_id, b.step, b.first_id FROM winddown_batch b JOIN winddown_run r ON r.id = b.run_id
        WHERE r.state = ANY (%(ended)s) AND b.state = ANY (%(unfinished)s)
        """,
        "run {0} ended while its batch {1} from {2} was not done",
        {"ended": list(Run.VERIFIED), "unfinished": list(Batch.UNFINISHED)},
    ) + rows(
        """
        SELECT r.id, b.step, sum(b.moved) + sum(b.failed), t.rows_expected
        FROM winddown_run r JOIN winddown_batch b ON b.run_id = r.id
        JOIN winddown_steptotal t ON t.run_id = r.id AND t.step = b.step
        WHERE r.state = %(succeeded)s GROUP BY 1, 2, 4 HAVING sum(b.moved) + sum(b.failed) > t.rows_expected
        """,
        "run {0} moved {2} rows in {1}, more than the {3} it began with",
        {"succeeded": Run.State.SUCCEEDED},
    )


@invariant("I21", "No lease is older than two periods of the reaper", about=About.WORK)
def stuck_leases() -> list[str]:
    return rows(
        "SELECT b.id FROM winddown_batch b JOIN winddown_run r ON r.id = b.run_id"
        " WHERE b.state = %(leased)s AND r.state = %(running)s"
        " AND b.lease_until < clock_timestamp() - interval '5 minutes'",
        "batch {0} is leased to a worker that is gone",
        {"leased": Batch.State.LEASED, "running": Run.State.RUNNING},
    )
