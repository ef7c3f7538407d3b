"""The attack page. Its hits are stored by the minute, which is compared with counting them from the
attempts."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable

from django.db import connection

from accounts.attacks import attack_page, counting, queries
from benchmarks.harness import Bench, Measurement
from benchmarks.population import person, programme

PAGE = "the page, from beginning to end"
FIRST_USES = "first uses of the span, counted alone"
LOOKS = 15
LASTS = dt.timedelta(days=4)

# Each account signs in once from its own phone. After a third of them, forty addresses try ids that
# nobody has, as often as makes an attack. From then on, they make one sign-in of five hundred, each
# on another account.
ATTEMPTS = """
    INSERT INTO accounts_authevent
        (occurred_at, login_id, user_id, outcome, method, network, device_ref, country)
    SELECT %(since)s::timestamptz + n * %(lasts)s::interval / %(size)s,
        CASE kind WHEN 'try' THEN 'nobody-' || n ELSE 'person-' || who END,
        CASE WHEN kind <> 'try' THEN who END,
        CASE kind WHEN 'try' THEN 'unknown_login_id' ELSE 'success' END, 'password',
        CASE kind WHEN 'own' THEN '100.64.0.0'::inet + who %% 4000000
            ELSE '203.0.113.0'::inet + n %% 40 END,
        CASE kind WHEN 'own' THEN 'phone-' || who ELSE 'bot-' || n %% 40 END, 'JP'
    FROM generate_series(0, %(size)s - 1) AS n, LATERAL (
        SELECT 'own' AS kind, n AS who
        UNION ALL SELECT 'try', 0 FROM generate_series(1, greatest(1, 20000 / %(size)s))
            WHERE n BETWEEN %(size)s / 3 AND %(size)s / 2
        UNION ALL SELECT 'hit', n - %(size)s / 2 WHERE n > %(size)s / 2 AND n %% 500 = 0) AS of
"""


def run(bench: Bench) -> None:
    for size in bench.sizes:
        template = bench.databases.filled("attacked", fill, accounts=size)
        with bench.databases.side(template):
            reader = person("maker")
            page = attack_page.look(span="all", reader=reader)
            assert page.found.windows, "there is no attack to show"
            span = {"since": page.since, "until": page.until}
            spans = {
                of: _ms(lambda of=of: attack_page.look(span=of, reader=reader))
                for of in attack_page.SPANS
            }
            counted = _ms(lambda: _rows(queries.HITS, span))
            assert sum(part.success for part in page.bins) == sum(
                hits for _, hits in _rows(queries.HITS, span)
            )
            bench.add(Measurement(PAGE, "ours", size, size, spans["all"] / 1_000))
            bench.add(Measurement(FIRST_USES, "peer", size, size, counted / 1_000))
            bench.figure(f"{size:,} accounts", **{f"{of}, ms": ms for of, ms in spans.items()})
    bench.at_most("the page", 100, bench.at(PAGE).seconds * 1_000, " ms")
    bench.at_most("growth exponent, the page", 0.5, bench.growth().get(PAGE, 0.0), unit="")


def fill(*, accounts: int) -> None:
    programme()
    until = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - dt.timedelta(minutes=10)
    with connection.cursor() as cursor:
        cursor.execute(ATTEMPTS, {"since": until - LASTS, "lasts": LASTS, "size": accounts})
    counting.count_again_from(until - LASTS)
    counting.count_attempts()


def _rows(statement: str, span: dict[str, dt.datetime]) -> list[tuple[dt.datetime, int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, span)
        return list(cursor.fetchall())


def _ms(work: Callable[[], object]) -> float:
    """Returns the median of the milliseconds that the work takes."""
    taken = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1_000
