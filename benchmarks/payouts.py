"""From applications to results: the two payout views, the files for the bank, and its answer to them."""

from __future__ import annotations

import datetime as dt
import resource
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import User
from benchmarks import harness, population, refund_balances, runs
from benchmarks.harness import Bench, Measurement, Process, Spending, Spent, times
from refunds.applications import payees, submitting
from refunds.applications.submitting import Submission
from refunds.bank_accounts import Account
from refunds.bankfiles import zengin_result, zengin_transfer
from refunds.bankfiles.answers import AccountCheck, CheckLine, ResultLine
from refunds.bankfiles.records import RECORDS_MAX
from refunds.bankfiles.zengin_codes import BankRow, BranchRow
from refunds.bankfiles.zengin_result import AnswerKind
from refunds.models import (
    Entitlement,
    EntitlementTransition,
    Payee,
    PayeeTransition,
    Payout,
    PayoutBatch,
    PayoutTransition,
    RefundApplication,
    RefundApplicationTransition,
)
from refunds.payouts import bank_codes, payout_batches, refund_limits, results, view_lists
from wallets.models import Wallet, WalletTransition
from winddown import clock, witness
from winddown.actors import SYSTEM, Actor
from winddown.models import RowDigest

COPY_AND_UPDATE = "results: COPY and one update"
BARE = "results: the bare statements"
OURS = "results: imported, each line held against its payout"
VIEWS = "both payout views"
AT_ONCE = 5_000
REFERENCE_AT = 92
_AGAINST = "{:,} results imported, times the bare statements"


def run(bench: Bench) -> None:
    for size in bench.sizes:
        rows = min(size, RECORDS_MAX)
        template = bench.databases.filled("sent", fill, wallets=rows)
        with tempfile.NamedTemporaryFile() as file:
            with bench.databases.side(template):
                file.writelines(answer())
                file.flush()
            _pairs(bench, template, file.name, size=size, rows=rows)
        with bench.databases.side(template):
            said = Process("payouts", "take_views").go().result()
        _add(bench, VIEWS, "ours", [said], size=size, rows=rows)
    against = bench.figures[_AGAINST.format(bench.largest)]
    bench.at_most("results against COPY and the bare statements", 1.5, against["clock"])
    bench.at_most("the same in processor seconds", 1.5, against["processor"])
    bench.at_most("both payout views", 60, bench.at(VIEWS).seconds, " s")
    bench.at_most("growth exponent of results", 1.05, bench.growth().get(OURS, 1.0), unit="")
    bench.notes += [
        "Every refund has an application, an account that the bank knows, and a payout in one file."
        " The bank answers all of them in one file: every fiftieth came back.",
        "The bare statements write the same rows with the triggers off: payouts with the digests of"
        " what they say, entitlements, wallets, applications and refused accounts, each with its"
        " log. COPY and one update changes the payouts only.",
        "The answer is imported right after the bare statements. The ratios are medians of such"
        " pairs, by the clock and in processor seconds of the program and its server process. Other"
        " programs disturb the second much less.",
    ]


def _pairs(bench: Bench, template: str, file: str, *, size: int, rows: int) -> None:
    """The answer was imported right after the bare statements, as often as the size is measured."""
    sides = ((COPY_AND_UPDATE, "copy_and_update"), (BARE, "bare"), (OURS, "import_results"))
    found: dict[str, list[dict[str, Any]]] = {side: [] for side, _function in sides}
    for _ in range(bench.repeats(size)):
        for side, function in sides:
            with bench.databases.side(template):
                found[side].append(Process("payouts", function, file).go().result())
    for side, _function in sides:
        part = "ours" if side == OURS else "limit"
        _add(bench, side, part, found[side], size=size, rows=rows)
    ours, limit = ([Spent(*said["spent"]) for said in found[side]] for side in (OURS, BARE))
    bench.figure(_AGAINST.format(size), **times(ours, limit))


def _add(
    bench: Bench, side: str, part: str, said: list[dict[str, Any]], *, size: int, rows: int
) -> None:
    """The best time and the largest memory of the measurements count."""
    spent = [Spent(*each["spent"]) for each in said]
    bench.add(Measurement(side, part, size, rows, min(each.seconds for each in spent)))
    bench.figure(
        f"{size:,} {side}",
        **{
            "processor s": min(each.processor_s for each in spent),
            "peak MiB": max(each["peak MiB"] for each in said),
        },
    )


# --- What is there --------------------------------------------------------------------------------


def fill(wallets: int) -> None:
    """All wallets are entitled, all holders applied, and one file of all payouts is at the bank."""
    clock.mark_as_rehearsal()
    refund_balances.fill(wallets)
    runs.ended(
        "refund-balances",
        maker="treasurer",
        checker="approver",
        workers=1,
        params={"part": "entitle"},
    )
    staff = _staff()
    _banks(staff)
    _apply()
    with tempfile.TemporaryDirectory() as place:
        _check(Path(place), staff)
        _pay(Path(place), staff)


def _staff() -> Any:
    """Somebody who may do what one person may, and others for what takes more."""
    person = population.person("treasurer")
    for label, codename in (("refunds", "adopt_terms"), ("refunds", "take_payout_view")):
        kind, _ = ContentType.objects.get_or_create(app_label=label, model="role")
        permission, _ = Permission.objects.get_or_create(
            content_type=kind, codename=codename, defaults={"name": codename}
        )
        person.user_permissions.add(permission)
    population.staff("approver2", "treasury_approver")
    population.staff("sender", "treasury_operator")
    return User.objects.get(pk=person.pk)


def _banks(staff: Actor) -> None:
    bank_codes.load(
        version="benchmark",
        banks=[BankRow("0005", "銀行", "ｷﾞﾝｺｳ")],
        branches=[BranchRow("0005", f"{n:03d}", "店", "ﾐｾ") for n in range(1, 900)],
        actor=staff,
        reason="benchmark",
    )
    refund_limits.adopt(
        actor=staff,
        reason="benchmark",
        source="benchmark",
        remitter_code="1234567890",
        remitter_name="ﾃｽﾄﾍﾟｲ",
        bank_code="0005",
        branch_code="001",
        account_number="7654321",
        auto_approve_max_minor=10**9,
        two_approvers_above_minor=10**12,
    )


def _apply() -> None:
    """The holders apply in portions, as a bulk load of applications does."""
    waiting = Entitlement.objects.order_by("pk").values_list(
        "pk", "wallet__account_id", "amount_minor"
    )
    last = 0
    while block := list(waiting.filter(pk__gt=last)[:AT_ONCE]):
        last = block[-1][0]
        outcomes = submitting.submit_many(
            [
                Submission(
                    holder_id=holder,
                    channel="app",
                    op_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{holder}"),
                    account=Account(
                        "0005",
                        f"{holder % 899 + 1:03d}",
                        "1",
                        f"{holder % 10**7:07d}",
                        "ヤマダ タロウ",
                    ),
                    confirmed_minor=amount,
                )
                for _pk, holder, amount in block
            ],
            actor=SYSTEM,
            reason="benchmark",
        )
        assert all(outcome.refusal is None for outcome in outcomes), outcomes[0].refusal


def _check(place: Path, staff: Actor) -> None:
    """The bank knows every account."""
    path = payees.export_check_file(place, actor=staff, reason="benchmark")
    assert path is not None
    asked = zengin_result.read_checks(path.read_bytes())
    answer = zengin_result.write_checks(
        remitter=asked.header.remitter,
        value_date=payout_batches.today(),
        answered_on=payout_batches.today(),
        lines=(CheckLine(line.item, AccountCheck.MATCHED) for line in asked.lines),
    )
    results.import_file(b"".join(answer), actor=staff, reason="benchmark")


def _pay(place: Path, staff: Actor) -> None:
    value_date = payout_batches.today() + dt.timedelta(days=7)
    while True:
        try:
            payout_batches.check_value_date(value_date)
            break
        except Exception:
            value_date += dt.timedelta(days=1)
    clock.travel(clock.now() + dt.timedelta(hours=25))
    runs.ended(
        "refund-balances",
        maker="treasurer",
        checker="approver",
        workers=1,
        params={"part": "pay", "value_date": f"{value_date}"},
    )
    batch = PayoutBatch.objects.get()
    batch = payout_batches.approve_batch(
        batch, actor=population.person("approver2"), digest=batch.digest, reason="benchmark"
    )
    payout_batches.export_batch(batch, directory=place, actor=staff, reason="benchmark")
    batch.refresh_from_db()
    payout_batches.mark_transmitted(batch, actor=population.person("sender"), reason="benchmark")
    clock.travel(clock.now() + (value_date - payout_batches.today()))


def answer() -> Iterator[bytes]:
    """Returns the bank's answer in pieces: every fiftieth transfer came back."""
    content = b"".join(payout_batches.content(PayoutBatch.objects.get()))
    header, items = zengin_transfer.stream(content)
    reasons = [None] * 49 + [zengin_result.ReturnReason.ACCOUNT_CLOSED]
    return zengin_result.write_results(
        remitter=header.remitter,
        value_date=header.value_date(near=payout_batches.today()),
        answered_on=payout_batches.today(),
        kind=AnswerKind.RESULT,
        lines=(ResultLine(item, reasons[n % 50]) for n, item in enumerate(items)),
    )


# --- The sides ------------------------------------------------------------------------------------


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Yields payout and result code, cut out of the bank's file."""
    with Path(path).open("rb") as file:
        for line in file:
            if line.startswith(b"2"):
                yield int(line[REFERENCE_AT + 7 : REFERENCE_AT + 19]), line[114:116].decode()


def copy_and_update(path: str) -> dict[str, Any]:
    """The lines are in a heap, and one update says of each payout what became of it."""
    with connection.cursor() as cursor:
        _triggers_off(cursor)
        with _measured() as said, transaction.atomic():
            _copied(cursor, path)
            _move_payouts(cursor)
    return said


def bare(path: str) -> dict[str, Any]:
    """The same rows are written for all payouts at once, without guard, trigger or comparison."""
    with connection.cursor() as cursor:
        _triggers_off(cursor)
        with _measured() as said, transaction.atomic():
            _copied(cursor, path)
            _move_payouts(cursor)
            _log(cursor, PayoutTransition, "SELECT payout_id AS id FROM bare_lines")
            cursor.execute(
                f"INSERT INTO {witness.TABLE} (table_name, row_id, digest) SELECT"
                f" '{Payout._meta.db_table}', o.id, {harness.digest_of(Payout, row='o')} FROM {_OF_LINE}"
            )
            for _model, log, sql, moved in _FOLLOWERS:
                cursor.execute(sql, _STATES)
                _log(cursor, log, moved)
    return said


_OF_LINE = "bare_lines l JOIN refunds_payout o ON o.id = l.payout_id"
_OF_RETURNED = f"SELECT DISTINCT o.payee_id AS id FROM {_OF_LINE} WHERE l.code <> '00'"
_STATES = {
    "done": "00",
    "settled": Payout.State.SETTLED,
    "returned": Payout.State.RETURNED,
    "paid": Entitlement.State.PAID,
    "back": Entitlement.State.RETURNED,
    "ended": Wallet.State.SETTLED,
    "closed": RefundApplication.State.CLOSED,
    "asked": RefundApplication.State.NEEDS_INFO,
    "refused": Payee.State.REFUSED,
}
# Model, its log, the update, and which rows it wrote.
_FOLLOWERS = (
    (
        Entitlement,
        EntitlementTransition,
        "UPDATE refunds_entitlement e SET state = CASE l.code WHEN %(done)s THEN %(paid)s"
        f" ELSE %(back)s END FROM {_OF_LINE} WHERE e.id = o.entitlement_id",
        f"SELECT o.entitlement_id AS id FROM {_OF_LINE}",
    ),
    (
        Wallet,
        WalletTransition,
        "UPDATE wallets_wallet w SET state = %(ended)s FROM refunds_entitlement e,"
        f" {_OF_LINE} WHERE e.id = o.entitlement_id AND w.id = e.wallet_id AND l.code = %(done)s",
        f"SELECT e.wallet_id AS id FROM refunds_entitlement e, {_OF_LINE}"
        " WHERE e.id = o.entitlement_id AND l.code = '00'",
    ),
    (
        RefundApplication,
        RefundApplicationTransition,
        "UPDATE refunds_refundapplication a SET state = CASE l.code WHEN %(done)s THEN %(closed)s"
        " ELSE %(asked)s END, live = l.code <> %(done)s"
        f" FROM {_OF_LINE} WHERE a.entitlement_id = o.entitlement_id",
        f"SELECT a.id FROM refunds_refundapplication a, {_OF_LINE}"
        " WHERE a.entitlement_id = o.entitlement_id",
    ),
    (
        Payee,
        PayeeTransition,
        "UPDATE refunds_payee p SET state = %(refused)s, answer = 'account_closed',"
        f" answered_at = clock_timestamp() FROM ({_OF_RETURNED}) r WHERE p.id = r.id",
        _OF_RETURNED,
    ),
)


def _copied(cursor: CursorWrapper, path: str) -> None:
    cursor.execute("CREATE UNLOGGED TABLE bare_lines (payout_id bigint, code text)")
    with cursor.copy("COPY bare_lines FROM STDIN") as copy:
        for line in _lines(path):
            copy.write_row(line)
    cursor.execute("ANALYZE bare_lines")


def _move_payouts(cursor: CursorWrapper) -> None:
    cursor.execute(
        "UPDATE refunds_payout o SET state = CASE l.code WHEN %(done)s THEN %(settled)s"
        " ELSE %(returned)s END, live = l.code = %(done)s, result_at = clock_timestamp(),"
        " result_file_id = (SELECT max(id) FROM refunds_bankfile),"
        " return_reason = CASE l.code WHEN %(done)s THEN '' ELSE 'account_closed' END"
        " FROM bare_lines l WHERE o.id = l.payout_id",
        _STATES,
    )


def _log(cursor: CursorWrapper, log: type[Any], subjects: str) -> None:
    cursor.execute(
        f"INSERT INTO {log._meta.db_table}"
        " (subject_id, transition, source, target, reason, at, xact_id)"
        f" SELECT id, 'bare', '', '', '', clock_timestamp(), 0 FROM ({subjects}) s"
    )


def _triggers_off(cursor: CursorWrapper) -> None:
    followers = (each for model, log, *_sql in _FOLLOWERS for each in (model, log))
    for model in (Payout, PayoutTransition, RowDigest, *followers):
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")


def import_results(path: str) -> dict[str, Any]:
    """The bank's answer is booked, with everything that an import does."""
    staff = population.person("treasurer")
    with _measured() as said:
        results.import_file(Path(path), actor=staff, reason="benchmark")
    return said


def take_views() -> dict[str, Any]:
    """Both payout views are taken."""
    staff = population.person("treasurer")
    with _measured() as said:
        view_lists.take(actor=staff, reason="benchmark")
    return said


@contextmanager
def _measured() -> Iterator[dict[str, Any]]:
    """Gives what the block took, and the peak memory of this process, once the block has ended."""
    said: dict[str, Any] = {}
    with Spending() as spending:
        yield said
    said |= {"spent": astuple(spending.spent), "peak MiB": _peak_mib()}


def _peak_mib() -> float:
    """Returns the peak memory of this program. What Linux says of the process (`getrusage`) counts
    that of the program that started it, too.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
