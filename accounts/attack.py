"""List-type attacks in the attempts to sign in: counts per minute, suspicious sources, and the
windows of the waves, each by a versioned rule.

The analysis reads every attempt once, in the order of time, and keeps whole minutes; what it says of
a span depends on the attempts alone, so reading a month at once and reading it minute by minute end
in the same rows.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from accounts.detection import Rule, Thresholds, declare
from accounts.models import (
    AttackWatch,
    AttackWindow,
    AuthMinute,
    DetectionRule,
    SuspiciousSource,
)
from accounts.models.attack import Sketch
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit

MINUTE: Final = dt.timedelta(minutes=1)
HOUR: Final = dt.timedelta(hours=1)
DAY: Final = dt.timedelta(days=1)
# An attempt is committed within a minute of its time; what comes later is read again by the loader.
SETTLED_AFTER: Final = MINUTE
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
RECENT_FOR: Final = 7 * DAY

_OWN = "the operator's own, set against the published attacks of 2013 to 2019"

UNKNOWN_IDS = Rule(
    code="S1-unknown-ids",
    version=1,
    thresholds={
        "ratio_min": 0.1,
        "baseline_factor": 5,
        "matching_5_min": 40,
        "matching_60_min": 40,
        "quiet_min": 60,
    },
    source=f"Signal S1: attempts with an id that nobody has; {_OWN}",
)
STRANGE_PASSWORDS = Rule(
    code="S2-wrong-passwords",
    version=1,
    thresholds={
        "ratio_min": 0.1,
        "baseline_factor": 5,
        "matching_5_min": 40,
        "matching_60_min": 40,
        "quiet_min": 60,
    },
    source=f"Signal S2: wrong passwords from devices strange to the account; {_OWN}",
)
HITS = Rule(
    code="S5-successes",
    version=1,
    thresholds={"matching_1440_min": 3, "quiet_min": 1_440},
    source=f"Signal S5: sign-ins that a suspicious source achieved from a new device; {_OWN}",
)
MANY_IDS = Rule(
    code="S3-many-ids",
    version=1,
    thresholds={"ids_min": 20, "ids_of_network_min": 60, "tries_per_id_max": 3},
    source="Signals S3 and S4: 20 ids an hour from one source are strong, at one or two tries per"
    f" id; the threshold of a whole /24 is {_OWN}",
)
SHARED_DEVICE = Rule(
    code="S6-shared-device",
    version=1,
    thresholds={"accounts_min": 3},
    source=f"Signal S6: one device opened several accounts; {_OWN}",
)
RULES: Final = (UNKNOWN_IDS, STRANGE_PASSWORDS, HITS, MANY_IDS, SHARED_DEVICE)
WAVES: Final = {
    AttackWindow.Wave.UNKNOWN_LOGIN_ID.value: UNKNOWN_IDS,
    AttackWindow.Wave.WRONG_PASSWORD.value: STRANGE_PASSWORDS,
    AttackWindow.Wave.SUCCESS.value: HITS,
}

# Of a row `d` with network and device: the sources it belongs to, as SQL. An IPv6 network is a /64.
SOURCES_OF: Final = """ARRAY[
    host({0}.network),
    text(network(set_masklen({0}.network, CASE family({0}.network) WHEN 4 THEN 24 ELSE 64 END))),
    CASE WHEN {0}.device_ref <> '' THEN 'device:' || {0}.device_ref END
]"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading did: up to when (exclusive) it knows, what it counted, and what opened."""

    until: dt.datetime | None
    attempts: int
    opened: tuple[str, ...]


def read(*, until: dt.datetime | None = None, wait: bool = True) -> Reading:
    """Every attempt of the whole minutes before `until` (default: now) is counted, sources that it
    betrays are suspicious, and the windows stand.

    A second call reads nothing twice. With `wait` off, nothing is done while another reading is
    under way. Minutes that are not settled yet are left for the next reading.
    """
    settled = clock.now() - SETTLED_AFTER
    end = _whole_minute(min(until, settled) if until else settled)
    attempts = 0
    while (step := _read_span(end, wait=wait)) is not None:
        attempts += step
    with transaction.atomic():
        watch = _locked(wait=wait)
        if watch is None:
            return Reading(until=None, attempts=attempts, opened=())
        return Reading(until=watch.read_until, attempts=attempts, opened=_fold(watch))


def watch() -> tuple[str, ...]:
    """The newest attempts are read, unless another reading is under way; returns what opened."""
    return read(wait=False).opened


def read_again_from(at: dt.datetime) -> None:
    """Attempts from `at` on came in late: the next reading takes everything from there again."""
    with transaction.atomic(), connection.cursor() as cursor:
        _locked(wait=True)
        # A COPY of millions outruns the summaries that ranges of time are found by.
        cursor.execute(
            "SELECT brin_summarize_new_values(indexrelid::regclass) FROM pg_index"
            " JOIN pg_class c ON c.oid = indexrelid JOIN pg_am ON pg_am.oid = c.relam"
            " WHERE indrelid = 'accounts_authevent'::regclass AND amname = 'brin'"
        )
        AttackWatch.objects.filter(read_until__gt=_whole_minute(at)).update(
            read_until=_whole_minute(at), folded_until=None, memory={}
        )


def _locked(*, wait: bool) -> AttackWatch | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_attackwatch (id, memory) SELECT 1, '{}'"
            " WHERE NOT EXISTS (SELECT FROM accounts_attackwatch) ON CONFLICT DO NOTHING"
        )
    return AttackWatch.objects.select_for_update(skip_locked=not wait).filter(pk=1).first()


def _whole_minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)


# --- counting -------------------------------------------------------------------------------------


def _read_span(end: dt.datetime, *, wait: bool) -> int | None:
    """The next day, or what is left of it before `end`, is counted and committed; None when nothing
    is left.
    """
    with transaction.atomic():
        watch = _locked(wait=wait)
        if watch is None:
            return None
        since = watch.read_until or _first_minute()
        if since is None or since >= end:
            return None
        until = min(end, since.replace(hour=0, minute=0) + DAY)
        attempts = _count(since, until)
        watch.read_until = until
        watch.save(update_fields=["read_until"])
        return attempts


def _first_minute() -> dt.datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(occurred_at) FROM accounts_authevent")
        first: dt.datetime | None = cursor.fetchone()[0]
    return _whole_minute(first) if first else None


def _count(since: dt.datetime, until: dt.datetime) -> int:
    """Devices, minutes and sources of the attempts in the span are as if they were read for the
    first time; returns the attempts.
    """
    rules = declare(RULES, at=clock.now())
    span = {"since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
        )
        for table in ("accounts_authminute", "accounts_sourceminute"):
            cursor.execute(
                f"DELETE FROM {table} WHERE minute >= %(since)s AND minute < %(until)s",  # noqa: S608
                span,
            )
        cursor.execute(_COUNT_MINUTES, span)
        attempts = int(cursor.fetchone()[0])
        if attempts:
            cursor.execute(_COUNT_DEVICES, span)
            cursor.execute(_COUNT_SOURCES, span)
            cursor.execute(_SUSPECT_MANY_IDS, {**span, **_many_ids(rules[MANY_IDS.code])})
            shared = {"rule": rules[SHARED_DEVICE.code].pk, **SHARED_DEVICE.thresholds}
            cursor.execute(_SUSPECT_SHARED_DEVICES, {**span, **shared})
    return attempts


def _many_ids(rule: DetectionRule) -> dict[str, int | float]:
    """The thresholds of S3 in bits of the sketch."""
    said = MANY_IDS.thresholds
    return {
        "rule": rule.pk,
        "bits_min": _bits_of(int(said["ids_min"])),
        "bits_of_network_min": _bits_of(int(said["ids_of_network_min"])),
        "tries_per_id_max": said["tries_per_id_max"],
        # Beyond it a sketch is too full to tell tries per id.
        "bits_full": Sketch.BITS - 8,
    }


def _bits_of(ids: int) -> int:
    """The fewest bits of a sketch that stand for `ids` different ids or more."""
    return next(bits for bits in range(1, Sketch.BITS) if ids_of(bits) >= ids)


def ids_of(bits: int) -> int:
    """How many different ids most likely set so many bits (linear counting); a full sketch counts
    as nearly full.
    """
    free = max(1, Sketch.BITS - bits)
    return round(-Sketch.BITS * math.log(free / Sketch.BITS))


_MINUTE_OF = "date_bin('1 minute', {0}, timestamptz '1970-01-01 00:00+00')"
_IN_SPAN = "{0} >= %(since)s AND {0} < %(until)s"

_COUNT_MINUTES: Final = f"""
    WITH counted AS (
        INSERT INTO accounts_authminute (minute, attempts, unknown_login_ids, wrong_passwords,
            strange_passwords, successes, refused)
        SELECT {_MINUTE_OF.format("e.occurred_at")}, count(*),
            count(*) FILTER (WHERE outcome = 'unknown_login_id'),
            count(*) FILTER (WHERE outcome = 'wrong_password'), 0,
            count(*) FILTER (WHERE outcome = 'success'),
            count(*) FILTER (WHERE outcome = 'refused')
        FROM accounts_authevent e WHERE {_IN_SPAN.format("e.occurred_at")} GROUP BY 1
        RETURNING attempts
    ) SELECT coalesce(sum(attempts), 0) FROM counted
"""  # noqa: S608  constants

# What is known already is left out before: a conflict locks the row it meets, and so writes to it.
_COUNT_DEVICES: Final = f"""
    INSERT INTO accounts_accountdevice AS known
        (user_id, device_ref, first_at, event_id, network, country, displaced_session)
    SELECT DISTINCT ON (user_id, device_ref)
        user_id, device_ref, occurred_at, id, network, country, displaced_session
    FROM accounts_authevent e
    WHERE outcome = 'success' AND user_id IS NOT NULL AND device_ref <> ''
        AND {_IN_SPAN.format("occurred_at")}
        AND NOT EXISTS (SELECT FROM accounts_accountdevice earlier
            WHERE earlier.user_id = e.user_id AND earlier.device_ref = e.device_ref
                AND earlier.first_at <= e.occurred_at)
    ORDER BY user_id, device_ref, occurred_at, id
    ON CONFLICT (user_id, device_ref) DO UPDATE SET first_at = excluded.first_at,
        event_id = excluded.event_id, network = excluded.network, country = excluded.country,
        displaced_session = excluded.displaced_session
    WHERE excluded.first_at < known.first_at
"""  # noqa: S608  constants

# Grouped by network and device first: an attack has few of them, so that little is left to spread
# over the three kinds of sources.
_COUNT_SOURCES: Final = f"""
    WITH tried AS MATERIALIZED (
        SELECT {_MINUTE_OF.format("e.occurred_at")} AS minute, e.network, e.device_ref,
            count(*) AS tries, count(*) FILTER (WHERE e.outcome = 'wrong_password') AS passwords,
            bit_or(set_bit(0::bit({Sketch.BITS}), hashtext(e.login_id) & {Sketch.BITS - 1}, 1))
                AS ids
        FROM accounts_authevent e
        LEFT JOIN accounts_accountdevice known ON e.outcome = 'wrong_password'
            AND known.user_id = e.user_id AND known.device_ref = e.device_ref
            AND known.first_at <= e.occurred_at
        WHERE {_IN_SPAN.format("e.occurred_at")}
            AND e.outcome IN ('unknown_login_id', 'wrong_password') AND known.user_id IS NULL
        GROUP BY 1, 2, 3
    ), strange AS (
        UPDATE accounts_authminute m SET strange_passwords = t.passwords
        FROM (SELECT minute, sum(passwords) AS passwords FROM tried GROUP BY 1) t
        WHERE m.minute = t.minute
    )
    INSERT INTO accounts_sourceminute (minute, source, tries, ids)
    SELECT minute, source, sum(tries), bit_or(ids)
    FROM tried, unnest({SOURCES_OF.format("tried")}) AS source
    WHERE source IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608  constants

_REMEMBER: Final = """
    ON CONFLICT (source) DO UPDATE SET since = least(known.since, excluded.since),
        last_at = greatest(known.last_at, excluded.last_at),
        rule_id = CASE WHEN excluded.since < known.since THEN excluded.rule_id
            ELSE known.rule_id END,
        evidence = CASE WHEN excluded.since < known.since THEN excluded.evidence
            ELSE known.evidence END
"""

# Every hour that the span touches is judged from its beginning, minute by minute, for the sources
# of the span: the others were judged before.
_SUSPECT_MANY_IDS: Final = f"""
    WITH judged AS (
        SELECT source, minute, sum(tries) OVER hour AS tries,
            bit_count(bit_or(ids) OVER hour) AS bits,
            CASE WHEN source LIKE 'device:%%' THEN 'device' WHEN source LIKE '%%/%%' THEN 'network'
                ELSE 'address' END AS kind
        FROM accounts_sourceminute
        WHERE minute >= date_bin('1 hour', %(since)s, timestamptz '1970-01-01 00:00+00')
            AND minute < %(until)s
            AND source IN (SELECT source FROM accounts_sourceminute
                WHERE {_IN_SPAN.format("minute")})
        WINDOW hour AS (
            PARTITION BY source,
                date_bin('1 hour', minute, timestamptz '1970-01-01 00:00+00')
            ORDER BY minute)
    ), crossed AS (
        SELECT *, round(-{Sketch.BITS} * ln((greatest(1, {Sketch.BITS} - bits))::float
            / {Sketch.BITS})) AS ids FROM judged
        WHERE bits >= CASE kind WHEN 'network' THEN %(bits_of_network_min)s ELSE %(bits_min)s END
    ), suspicious AS (
        SELECT * FROM crossed
        WHERE tries <= %(tries_per_id_max)s * ids OR bits >= %(bits_full)s
    )
    INSERT INTO accounts_suspicioussource AS known (source, kind, rule_id, since, last_at, evidence)
    SELECT DISTINCT ON (source) source, kind, %(rule)s, minute,
        max(minute) OVER (PARTITION BY source) + interval '1 minute',
        jsonb_build_object('ids', ids, 'tries', tries)
    FROM suspicious ORDER BY source, minute
    {_REMEMBER}
"""  # noqa: S608  constants

_SUSPECT_SHARED_DEVICES: Final = f"""
    INSERT INTO accounts_suspicioussource AS known (source, kind, rule_id, since, last_at, evidence)
    SELECT 'device:' || device_ref, 'device', %(rule)s,
        (array_agg(first_at ORDER BY first_at))[%(accounts_min)s], max(first_at),
        jsonb_build_object('accounts', %(accounts_min)s)
    FROM accounts_accountdevice
    WHERE device_ref IN (
            SELECT device_ref FROM accounts_accountdevice WHERE {_IN_SPAN.format("first_at")})
        AND first_at < %(until)s
    GROUP BY device_ref HAVING count(*) >= %(accounts_min)s
    {_REMEMBER}
"""  # noqa: S608  constants

# Sign-ins per minute that a source achieved after it had become suspicious, each the first from its
# device on an account that was in use before.
_HITS: Final = f"""
    SELECT {_MINUTE_OF.format("d.first_at")} AS minute, count(*)
    FROM accounts_accountdevice d
    WHERE {_IN_SPAN.format("d.first_at")}
        AND EXISTS (SELECT FROM accounts_suspicioussource s
            WHERE s.source = ANY ({SOURCES_OF.format("d")}) AND s.since <= d.first_at)
        AND EXISTS (SELECT FROM accounts_accountdevice o
            WHERE o.user_id = d.user_id AND o.first_at < d.first_at)
    GROUP BY 1
"""  # noqa: S608  constants


# --- folding --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Minute:
    """What counts in one minute, `at` in minutes since 1970."""

    at: int
    attempts: int
    unknown_login_id: int
    wrong_password: int
    success: int


def hit(thresholds: Thresholds, evidence: dict[str, Any]) -> bool:
    """Whether a wave's rule hits, from the evidence alone: so a stored window can be decided again.

    `evidence` counts the attempts and those that match within its span of minutes, and the baseline
    (the usual ratio) that they are held against.
    """
    needed = thresholds.get(f"matching_{evidence['span_min']}_min")
    if needed is None or evidence["matching"] < needed:
        return False
    if "ratio_min" not in thresholds:
        return True
    ratio_min = max(thresholds["ratio_min"], thresholds["baseline_factor"] * evidence["baseline"])
    return bool(evidence["matching"] >= ratio_min * evidence["attempts"])


class Fold:
    """The minutes in their order, folded into windows.

    What it remembers fits in a JSON object: the last hour's minutes, the last day's hits, the usual
    ratios (a decaying sum over hours in which no wave was open), and the open windows.
    """

    SPANS = {AttackWindow.Wave.SUCCESS.value: (1_440,)}
    USUAL_SPANS = (5, 60)
    # An hour loses half its weight in the baseline within half a week.
    DECAY = 0.5 ** (1 / 84)
    # Before anything is known: two per cent of a hundred attempts.
    ASSUMED = {"attempts": 100.0, "unknown_login_id": 2.0, "wrong_password": 2.0}
    COUNTED = ("attempts", "unknown_login_id", "wrong_password", "success")

    def __init__(self, memory: dict[str, Any]) -> None:
        self.recent: list[list[int]] = memory.get("recent", [])
        self.hits: list[list[int]] = memory.get("hits", [])
        self.usual: dict[str, float] = memory.get("usual", dict(self.ASSUMED))
        self.hour: dict[str, int] = memory.get("hour", {})
        self.open: dict[str, dict[str, Any]] = memory.get("open", {})
        self.windows: list[dict[str, Any]] = list(self.open.values())

    def memory(self) -> dict[str, Any]:
        return {
            "recent": self.recent,
            "hits": self.hits,
            "usual": self.usual,
            "hour": self.hour,
            "open": self.open,
        }

    def step(self, minute: Minute) -> None:
        """One more minute, later than those before."""
        self.pass_time(minute.at)
        counts = [minute.attempts, minute.unknown_login_id, minute.wrong_password]
        self.recent = [row for row in self.recent if row[0] > minute.at - 60]
        self.recent.append([minute.at, *counts])
        self.hits = [row for row in self.hits if row[0] > minute.at - 1_440]
        if minute.success:
            self.hits.append([minute.at, minute.success])
        for wave in WAVES:
            self._judge(wave, minute)
        self._learn(minute)

    def pass_time(self, at: int) -> None:
        """Windows whose wave was quiet for long enough before `at` are over."""
        for wave, window in list(self.open.items()):
            if at - window["last"] >= WAVES[wave].thresholds["quiet_min"]:
                window["ended"] = True
                del self.open[wave]

    def _judge(self, wave: str, minute: Minute) -> None:
        window = self.open.get(wave)
        if window is not None:
            window["attempts"] += minute.attempts
            window["matching"] += getattr(minute, wave)
        for span in self.SPANS.get(wave, self.USUAL_SPANS):
            first, evidence = self._within(wave, span, minute.at)
            if hit(WAVES[wave].thresholds, evidence):
                if window is None:
                    window = {"wave": wave, "start": first, "ended": False, "evidence": evidence}
                    window |= {"attempts": evidence["attempts"], "matching": evidence["matching"]}
                    self.open[wave] = window
                    self.windows.append(window)
                window["last"] = minute.at + 1
                return

    def _within(self, wave: str, span: int, at: int) -> tuple[int, dict[str, Any]]:
        """The first matching minute of the span that ends with `at`, and what was counted in it."""
        if wave == AttackWindow.Wave.SUCCESS.value:
            rows = [(row[0], row[1]) for row in self.hits]
            attempts = sum(row[1] for row in rows)
        else:
            column = self.COUNTED.index(wave) + 1
            within = [row for row in self.recent if row[0] > at - span]
            rows = [(row[0], row[column]) for row in within]
            attempts = sum(row[1] for row in within)
        first = next((minute for minute, matching in rows if matching), at)
        return first, {
            "span_min": span,
            "attempts": attempts,
            "matching": sum(matching for _, matching in rows),
            "baseline": self.baseline(wave),
        }

    def baseline(self, wave: str) -> float:
        """The usual share of the wave's attempts."""
        if wave not in self.usual:
            return 0.0
        return round(self.usual[wave] / self.usual["attempts"], 6)

    def _learn(self, minute: Minute) -> None:
        """An hour that passed without a wave has become part of what is usual."""
        number = minute.at // 60
        if self.hour.get("number") != number:
            if self.hour and not self.hour["disturbed"]:
                for name, weighed in self.usual.items():
                    self.usual[name] = weighed * self.DECAY + self.hour[name]
            self.hour = {"number": number, "disturbed": 0} | dict.fromkeys(self.ASSUMED, 0)
        self.hour["disturbed"] |= bool(self.open)
        for name in self.ASSUMED:
            self.hour[name] += getattr(minute, name)


def _fold(watch: AttackWatch) -> tuple[str, ...]:
    """The windows stand as of what was read; returns the waves of those that are new."""
    if watch.read_until is None or watch.read_until == watch.folded_until:
        return ()
    whole = watch.folded_until is None
    fold = Fold(watch.memory)
    for minute in _minutes(watch.folded_until or EPOCH, watch.read_until):
        fold.step(minute)
    fold.pass_time(_number(watch.read_until))
    rules = declare(RULES, at=clock.now())
    if whole:
        _drop_others(fold.windows)
    opened = [
        window["wave"]
        for window in fold.windows
        if _store(window, rules[WAVES[window["wave"]].code])
    ]
    watch.memory = fold.memory()
    watch.folded_until = watch.read_until
    watch.save(update_fields=["memory", "folded_until"])
    return tuple(opened)


def _number(at: dt.datetime) -> int:
    return int((at - EPOCH).total_seconds()) // 60


def _at(number: int) -> dt.datetime:
    return EPOCH + number * MINUTE


def _minutes(since: dt.datetime, until: dt.datetime) -> list[Minute]:
    with connection.cursor() as cursor:
        cursor.execute(_HITS, {"since": since, "until": until})
        hits: dict[dt.datetime, int] = dict(cursor.fetchall())
    counted = AuthMinute.objects.filter(minute__gte=since, minute__lt=until).order_by("minute")
    return [
        Minute(_number(at), attempts, unknown, strange, hits.get(at, 0))
        for at, attempts, unknown, strange in counted.values_list(
            "minute", "attempts", "unknown_login_ids", "strange_passwords"
        )
    ]


def _drop_others(windows: list[dict[str, Any]]) -> None:
    """Windows that late attempts have shifted or ended are no longer there."""
    stay = {(window["wave"], _at(window["start"])) for window in windows}
    for window in AttackWindow.objects.all():
        if (window.wave, window.started_at) not in stay:
            window.delete()


def _store(window: dict[str, Any], rule: DetectionRule) -> bool:
    """The window's row is up to date; whether it is a new one, which is an alarm."""
    last_at = _at(window["last"])
    counts = {"attempts": window["attempts"], "matching": window["matching"]}
    row, new = AttackWindow.objects.update_or_create(
        wave=window["wave"],
        started_at=_at(window["start"]),
        defaults={
            "rule": rule,
            "last_at": last_at,
            "ended_at": last_at if window["ended"] else None,
            "evidence": {"opened_by": window["evidence"], **counts},
        },
    )
    if new:
        audit.append(
            "attack.window_opened",
            f"attack_window:{row.pk}",
            actor=SYSTEM,
            wave=row.wave,
            started_at=row.started_at,
            rule=f"{rule.code} v{rule.version}",
        )
    return new


# --- what was found -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """The windows in their order, whether the waves came in the order of a list-type attack, and
    what is usual.
    """

    read_until: dt.datetime | None
    windows: list[AttackWindow]
    in_order: bool
    sources: dict[str, int]
    baseline: dict[str, float]


def finding(*, as_of: dt.datetime | None = None) -> Finding:
    """Everything that was found by `as_of` (default: all of it)."""
    windows = AttackWindow.objects.select_related("rule").order_by("started_at", "wave")
    sources = SuspiciousSource.objects.all()
    if as_of is not None:
        windows = windows.filter(started_at__lte=as_of)
        sources = sources.filter(since__lte=as_of)
    watch = AttackWatch.objects.filter(pk=1).first()
    fold = Fold(watch.memory if watch else {})
    kinds = list(sources.values_list("kind", flat=True))
    found = list(windows)
    return Finding(
        read_until=watch.read_until if watch else None,
        windows=found,
        in_order=in_order(found),
        sources={kind: kinds.count(kind) for kind in SuspiciousSource.Kind.values},
        baseline={wave: fold.baseline(wave) for wave in WAVES if wave in fold.usual},
    )


def in_order(windows: list[AttackWindow]) -> bool:
    """Whether unknown ids began before wrong passwords, and these before successes (all three)."""
    first: dict[str, dt.datetime] = {}
    for window in windows:
        first[window.wave] = min(window.started_at, first.get(window.wave, window.started_at))
    begins = [first.get(wave) for wave in WAVES]
    known = [at for at in begins if at is not None]
    return len(known) == len(begins) and known == sorted(known)


def under_attack(*, at: dt.datetime) -> list[AttackWindow]:
    """The windows that are open or ended within the last week, newest first."""
    recent = AttackWindow.objects.filter(ended_at=None) | AttackWindow.objects.filter(
        ended_at__gt=at - RECENT_FOR
    )
    return list(recent.filter(started_at__lte=at).order_by("-started_at"))


@dataclass(frozen=True, slots=True)
class Bin:
    """Attempts in an equal part of the shown span."""

    since: dt.datetime
    attempts: int
    unknown_login_id: int
    wrong_password: int
    success: int
    """Sign-ins by suspicious sources from devices new to the account."""


BINS_MAX: Final = 96


def bins(*, since: dt.datetime, until: dt.datetime) -> list[Bin]:
    """The span in at most `BINS_MAX` equal parts of whole minutes, empty ones too."""
    minutes = max(1, math.ceil((until - since) / MINUTE))
    width = MINUTE * math.ceil(minutes / BINS_MAX)
    parts = [[0, 0, 0, 0] for _ in range(math.ceil((until - since) / width))]
    start = _number(since)
    for row in _minutes(since, until):
        part = parts[(row.at - start) // (width // MINUTE)]
        counts = (row.attempts, row.unknown_login_id, row.wrong_password, row.success)
        for column, count in enumerate(counts):
            part[column] += count
    return [Bin(since + number * width, *part) for number, part in enumerate(parts)]
