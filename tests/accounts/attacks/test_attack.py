"""Attacks found in the attempts to sign in: their waves, their sources, and what is no attack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attacks import attack_windows, counting, queries, rules
from accounts.models import (
    AccountDevice,
    AttackWatch,
    AttackWindow,
    AuthEvent,
    AuthMinute,
    SourceMinute,
    SuspiciousSource,
)
from tests.owning import as_owner
from winddown import clock
from winddown.models import AuditEntry
from winddown.programme import filing_kinds

BEGIN = dt.datetime(2019, 7, 1, 15, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = 60 * MINUTE
THIEF = "203.0.113.7"
HOME = "100.64.0.1"


@pytest.fixture(autouse=True)
def july(database: Any, rehearsal_clock: Any) -> None:
    clock.travel(BEGIN + 24 * HOUR, frozen=True)


def attempts(rows: Iterable[tuple[dt.datetime, str, int | None, str, str, str]]) -> None:
    """Time, login id, account, outcome, network and device of each."""
    AuthEvent.objects.bulk_create(
        AuthEvent(
            occurred_at=at,
            login_id=login_id,
            user_id=user_id,
            outcome=outcome,
            method="password",
            network=network,
            device_ref=device,
            country="JP",
        )
        for at, login_id, user_id, outcome, network, device in rows
    )


def everyday(since: dt.datetime, *, people: int = 60, every: dt.timedelta = MINUTE) -> None:
    """So many people sign in one after another, each from their own phone."""
    attempts(
        (since + number * every, f"p{number}", number, "success", HOME, f"phone {number}")
        for number in range(people)
    )


def unknown_ids(since: dt.datetime, number: int, *, network: str = THIEF, ids: int = 0) -> None:
    """`number` tries at six a minute, of `ids` different ids (default: as many as tries)."""
    attempts(
        (
            since + MINUTE * at / 6,
            f"nobody{at * (ids or number) // number}",
            None,
            "unknown_login_id",
            network,
            "bot",
        )
        for at in range(number)
    )


def wrong_passwords(
    since: dt.datetime, number: int, *, device: str, network: str = THIEF, people: int = 60
) -> None:
    """`number` tries at six a minute with the ids of everybody; with `phone`, each from the usual
    device.
    """
    attempts(
        (
            since + MINUTE * at / 6,
            f"p{at % people}",
            at % people,
            "wrong_password",
            network,
            f"phone {at % people}" if device == "phone" else device,
        )
        for at in range(number)
    )


def hits(since: dt.datetime, number: int, *, device: str = "bot") -> None:
    attempts((since + MINUTE * at, f"p{at}", at, "success", THIEF, device) for at in range(number))


def list_type(since: dt.datetime) -> None:
    unknown_ids(since, 240)
    wrong_passwords(since + 40 * MINUTE, 120, device="bot")
    hits(since + 65 * MINUTE, 4)


def waves() -> list[str]:
    return list(AttackWindow.objects.order_by("started_at").values_list("wave", flat=True))


def kept() -> dict[str, Any]:
    """All results of the analysis, without ids and times of writing."""
    watch = AttackWatch.objects.get()
    return {
        "watch": (watch.read_until, watch.folded_until, watch.memory),
        "minutes": list(AuthMinute.objects.order_by("minute").values()),
        "sources": sorted(SourceMinute.objects.values_list("minute", "source", "tries", "ids")),
        "devices": sorted(
            AccountDevice.objects.values_list("user_id", "device_ref", "first_at", "event_id")
        ),
        "suspicious": sorted(
            SuspiciousSource.objects.values_list("source", "since", "last_at", "rule__code")
        ),
        "evidence": dict(SuspiciousSource.objects.values_list("source", "evidence")),
        "windows": list(
            AttackWindow.objects.order_by("started_at", "wave").values_list(
                "wave", "started_at", "last_at", "ended_at", "rule__code", "evidence"
            )
        ),
    }


def forget() -> None:
    with as_owner():
        for model in (AuthMinute, SourceMinute, AccountDevice, SuspiciousSource, AttackWindow):
            model.objects.all().delete()
        AttackWatch.objects.all().delete()


# --- the waves ----------------------------------------------------------------------------------


def test_the_three_waves_of_a_list_type_attack_open_their_windows_in_order() -> None:
    everyday(BEGIN)
    list_type(BEGIN + 2 * HOUR)
    done = counting.count_attempts()
    assert set(done.opened) == set(rules.WAVES)
    found = attack_windows.finding()
    assert [window.wave for window in found.windows] == list(rules.WAVES)
    assert found.in_order
    first, _, last = found.windows
    assert first.started_at == BEGIN + 2 * HOUR
    assert last.started_at == BEGIN + 2 * HOUR + 65 * MINUTE
    assert first.ended_at is not None
    assert BEGIN + 2 * HOUR + 40 * MINUTE <= first.ended_at <= BEGIN + 4 * HOUR


def test_wrong_passwords_before_unknown_ids_are_not_the_order_of_a_list_type_attack() -> None:
    everyday(BEGIN)
    wrong_passwords(BEGIN + 2 * HOUR, 120, device="bot")
    unknown_ids(BEGIN + 4 * HOUR, 240)
    hits(BEGIN + 5 * HOUR, 4)
    counting.count_attempts()
    assert set(waves()) == set(rules.WAVES)
    assert not attack_windows.finding().in_order


@pytest.mark.parametrize(("device", "opened"), [("phone", []), ("bot", ["wrong_password"])])
def test_wrong_passwords_are_a_wave_only_from_strange_devices(
    device: str, opened: list[str]
) -> None:
    """Signal S2: after a reset many people mistype on their own phones."""
    everyday(BEGIN)
    wrong_passwords(BEGIN + 2 * HOUR, 200, device=device, network=HOME)
    counting.count_attempts()
    assert waves() == opened


@pytest.mark.parametrize(("honest", "opened"), [(360, []), (359, ["unknown_login_id"])])
def test_unknown_ids_are_a_wave_when_they_are_a_tenth_of_the_attempts(
    honest: int, opened: list[str]
) -> None:
    """Signal S1, both sides of the share: 40 of 400 attempts within the hour."""
    attempts(
        (BEGIN + 10 * dt.timedelta(seconds=at), "p", 1, "success", HOME, "phone")
        for at in range(honest)
    )
    attempts(
        (BEGIN + at * MINUTE, f"nobody{at}", None, "unknown_login_id", HOME, "")
        for at in range(40 if opened else 39)
    )
    counting.count_attempts()
    assert waves() == opened


def test_a_window_ends_with_its_wave_and_a_new_wave_opens_another() -> None:
    everyday(BEGIN)
    unknown_ids(BEGIN + 2 * HOUR, 240)
    counting.count_attempts(until=BEGIN + 2 * HOUR + 40 * MINUTE)
    (window,) = AttackWindow.objects.all()
    assert window.ended_at is None
    unknown_ids(BEGIN + 8 * HOUR, 240)
    counting.count_attempts()
    first, second = AttackWindow.objects.order_by("started_at")
    assert (first.pk, second.started_at) == (window.pk, BEGIN + 8 * HOUR)
    assert first.ended_at is not None


def test_the_usual_share_is_learnt_from_hours_without_an_attack() -> None:
    """Where a fifteenth of all ids is usually mistyped, an alarm needs a third."""
    for hour in range(20):
        everyday(BEGIN + hour * HOUR, people=56)
        unknown_ids(BEGIN + hour * HOUR, 4)
    counting.count_attempts()
    assert waves() == []
    usual = attack_windows.finding().baseline["unknown_login_id"]
    assert 0.05 < usual < 4 / 60
    unknown_ids(BEGIN + 30 * HOUR, 240)
    clock.travel(BEGIN + 48 * HOUR, frozen=True)
    counting.count_attempts()
    window = AttackWindow.objects.get()
    assert window.evidence["opened_by"]["baseline"] == pytest.approx(usual, abs=0.01)


# --- sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ids", "kinds"), [(17, set()), (22, {"address", "device"})])
def test_a_source_that_tries_about_twenty_ids_an_hour_is_suspicious(
    ids: int, kinds: set[str]
) -> None:
    """Signal S3, both sides of the limit as a sketch can count it. A whole network needs three
    times as many.
    """
    unknown_ids(BEGIN, ids)
    counting.count_attempts()
    assert set(SuspiciousSource.objects.values_list("kind", flat=True)) == kinds


def test_a_network_of_many_addresses_is_suspicious_as_a_whole() -> None:
    """Signal S3: none of its addresses tries more than two ids."""
    for host in range(40):
        unknown_ids(BEGIN + host * MINUTE / 2, 2, network=f"203.0.113.{host}", ids=0)
    attempts(
        (BEGIN + at * MINUTE / 2, f"x{at}", None, "unknown_login_id", f"203.0.113.{at % 40}", "")
        for at in range(60)
    )
    counting.count_attempts()
    sources = set(SuspiciousSource.objects.values_list("source", flat=True))
    assert sources == {"203.0.113.0/24"}


def test_a_source_that_tries_few_ids_many_times_is_not_suspicious() -> None:
    """Signal S4: an attack tries each id once or twice; a person who forgot a password tries one
    often.
    """
    unknown_ids(BEGIN, 200, ids=25)
    counting.count_attempts()
    assert not SuspiciousSource.objects.exists()
    unknown_ids(BEGIN + 30 * HOUR, 50, ids=25)
    clock.travel(BEGIN + 48 * HOUR, frozen=True)
    counting.count_attempts()
    assert SuspiciousSource.objects.filter(kind="address").exists()


def test_a_device_that_opened_three_accounts_is_suspicious() -> None:
    """Signal S6: two accounts may be a family."""
    hits(BEGIN, 2, device="tablet")
    counting.count_attempts()
    assert not SuspiciousSource.objects.exists()
    attempts([(BEGIN + HOUR, "p9", 9, "success", HOME, "tablet")])
    counting.count_again_from(BEGIN + HOUR)
    counting.count_attempts()
    source = SuspiciousSource.objects.get()
    assert (source.source, source.since) == ("device:tablet", BEGIN + HOUR)


def test_the_first_device_of_an_account_is_not_counted_as_a_hit() -> None:
    """Signal S5: a person who registers in a suspicious network was not robbed there."""
    unknown_ids(BEGIN, 240)
    attempts(
        (BEGIN + 2 * HOUR + at * MINUTE, f"n{at}", 900 + at, "success", THIEF, f"new {at}")
        for at in range(5)
    )
    counting.count_attempts()
    assert waves() == ["unknown_login_id"]


# --- reading --------------------------------------------------------------------------------------


def test_attempts_read_minute_by_minute_give_the_same_rows_as_all_at_once() -> None:
    everyday(BEGIN, people=120)
    wrong_passwords(BEGIN + 90 * MINUTE, 30, device="phone", network=HOME)
    list_type(BEGIN + 2 * HOUR)
    everyday(BEGIN + 5 * HOUR)
    list_type(BEGIN + 9 * HOUR)
    until = BEGIN + 12 * HOUR
    counting.count_attempts(until=until)
    at_once = kept()
    assert len(at_once["windows"]) >= 4
    forget()
    at = BEGIN
    while at < until:
        at += 7 * MINUTE
        counting.count_attempts(until=min(at, until))
    assert kept() == at_once


def test_late_attempts_give_the_same_rows_as_attempts_in_time() -> None:
    everyday(BEGIN, people=120)
    unknown_ids(BEGIN + 2 * HOUR, 240)
    counting.count_attempts()
    wrong_passwords(BEGIN + 2 * HOUR + 40 * MINUTE, 120, device="bot")
    hits(BEGIN + 2 * HOUR + 65 * MINUTE, 4)
    everyday(BEGIN - 2 * HOUR)
    counting.count_again_from(BEGIN - 2 * HOUR)
    counting.count_attempts()
    piecemeal = kept()
    forget()
    counting.count_attempts()
    assert kept() == piecemeal
    assert len(piecemeal["windows"]) == 3


def test_a_second_reading_changes_nothing_and_alarms_nobody() -> None:
    everyday(BEGIN)
    list_type(BEGIN + 2 * HOUR)
    counting.count_attempts()
    before = kept()
    again = counting.count_attempts()
    assert (again.attempts, again.opened) == (0, ())
    assert kept() == before
    assert AuditEntry.objects.filter(action="attack.window_opened").count() == 3


def test_the_newest_minute_is_read_after_it_is_over() -> None:
    now = BEGIN + 24 * HOUR
    unknown_ids(now - 2 * MINUTE, 6)
    unknown_ids(now - MINUTE, 6)
    assert counting.count_attempts().attempts == 6
    clock.travel(now + MINUTE, frozen=True)
    assert counting.count_attempts().attempts == 6


def test_two_readings_at_once_read_no_attempt_twice(own_database: Any) -> None:
    unknown_ids(BEGIN, 60)
    counting.count_attempts(until=BEGIN)
    with own_database.connect() as other:
        other.execute("BEGIN; SELECT FROM accounts_attackwatch FOR UPDATE")
        assert counting.count_attempts(wait=False).until is None
        assert not AuthMinute.objects.exists()
        other.execute("COMMIT")
    assert counting.count_attempts(wait=False).attempts == 60


# --- evidence -------------------------------------------------------------------------------------


def test_a_window_is_decided_alike_from_its_stored_rule_and_evidence() -> None:
    everyday(BEGIN)
    list_type(BEGIN + 2 * HOUR)
    counting.count_attempts()
    for window in AttackWindow.objects.select_related("rule"):
        told = window.evidence["opened_by"]
        assert (window.rule.code, window.rule.version) == (
            rules.WAVES[window.wave].code,
            rules.WAVES[window.wave].version,
        )
        assert attack_windows.hit(window.rule.thresholds, told)
        needed = window.rule.thresholds[f"matching_{told['span_min']}_min"]
        assert not attack_windows.hit(window.rule.thresholds, told | {"matching": needed - 1})


def test_an_opened_window_is_recorded_in_the_audit_journal() -> None:
    everyday(BEGIN)
    unknown_ids(BEGIN + 2 * HOUR, 240)
    counting.count_attempts()
    entry = AuditEntry.objects.get(action="attack.window_opened")
    assert entry.facts["rule"] == "S1-unknown-ids v1"
    assert "nobody" not in str(entry.facts)


def test_a_sketch_counts_ids_well_enough_for_its_thresholds() -> None:
    """Linear counting in 256 bits, as the database hashes login ids."""
    with connection.cursor() as cursor:
        for true in (10, 20, 60, 200, 600):
            cursor.execute(
                "SELECT bit_count(bit_or(set_bit(0::bit(256), hashtext('id' || n) & 255, 1)))"
                " FROM generate_series(1, %s) n",
                [true],
            )
            assert counting.ids_of(cursor.fetchone()[0]) == pytest.approx(true, rel=0.2, abs=2)


def test_the_chart_counts_every_attempt_in_a_few_equal_parts() -> None:
    everyday(BEGIN)
    list_type(BEGIN + 2 * HOUR)
    counting.count_attempts()
    parts = attack_windows.bins(since=BEGIN, until=BEGIN + 24 * HOUR)
    assert len(parts) <= attack_windows.BINS_MAX
    assert sum(part.attempts for part in parts) == 60 + 240 + 120 + 4
    assert sum(part.unknown_login_id for part in parts) == 240
    assert sum(part.wrong_password for part in parts) == 120
    assert sum(part.success for part in parts) == 4
    assert {part.since - BEGIN for part in parts} == {
        number * (parts[1].since - BEGIN) for number in range(len(parts))
    }


def test_the_stored_hits_of_a_minute_are_those_counted_again_from_all_first_uses() -> None:
    everyday(BEGIN, people=120)
    list_type(BEGIN + 2 * HOUR)
    counting.count_attempts(until=BEGIN + 3 * HOUR)
    hits(BEGIN + 4 * HOUR, 7, device="another bot")
    wrong_passwords(BEGIN + 20 * MINUTE, 60, device="bot")
    counting.count_again_from(BEGIN + 20 * MINUTE)
    counting.count_attempts()
    with connection.cursor() as cursor:
        cursor.execute(queries.HITS, {"since": BEGIN, "until": BEGIN + 24 * HOUR})
        counted: dict[dt.datetime, int] = dict(cursor.fetchall())
    assert dict(AuthMinute.objects.exclude(hits=0).values_list("minute", "hits")) == counted
    assert sum(counted.values()) == 4 + 7


def test_a_finding_and_its_chart_read_neither_attempts_nor_first_uses() -> None:
    everyday(BEGIN)
    list_type(BEGIN + 2 * HOUR)
    counting.count_attempts()
    with CaptureQueriesContext(connection) as read:
        attack_windows.finding()
        attack_windows.bins(since=BEGIN, until=BEGIN + 24 * HOUR)
    assert len(read) <= 4
    asked = " ".join(query["sql"] for query in read)
    assert "accounts_authminute" in asked
    assert "accounts_accountdevice" not in asked
    assert "accounts_authevent" not in asked


def test_the_command_prints_windows_sources_and_order() -> None:
    everyday(BEGIN)
    list_type(BEGIN + 2 * HOUR)
    out = StringIO()
    call_command("find_attacks", stdout=out)
    assert "S1-unknown-ids v1" in out.getvalue()
    assert THIEF in out.getvalue()
    out = StringIO()
    call_command("find_attacks", json=True, stdout=out)
    assert '"in_order": true' in out.getvalue()


# --- the figures of an investigation report -----------------------------------------------------


def test_the_investigation_report_counts_sign_ins_and_sources_inside_the_windows_of_each_wave(
    programme: Any,
) -> None:
    everyday(BEGIN)
    list_type(BEGIN + 2 * HOUR)
    counting.count_attempts()
    as_of = clock.now()
    figures = filing_kinds.figures_of("investigation_report", as_of=as_of)
    for window in AttackWindow.objects.all():
        inside = AuthEvent.objects.filter(
            occurred_at__gte=window.started_at, occurred_at__lt=window.last_at
        )
        successes = inside.filter(outcome="success").count()
        assert figures[f"attempts_{window.wave}"] == inside.count() > 0
        assert figures[f"successes_{window.wave}"] == successes
    assert figures["sources_unknown_login_id"] >= 1
    # Honest people are in the windows too, and no source of theirs counts.
    assert figures["sources_unknown_login_id"] <= SourceMinute.objects.values("source").count()

    earlier = AttackWindow.objects.get(wave="unknown_login_id").started_at + 10 * MINUTE
    cut = filing_kinds.figures_of("investigation_report", as_of=earlier)
    counted = AuthEvent.objects.filter(
        occurred_at__gte=earlier - 10 * MINUTE, occurred_at__lt=earlier
    ).count()
    assert cut["attempts_unknown_login_id"] == counted
    assert cut["attempts_success"] == 0
