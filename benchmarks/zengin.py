"""The Zengin transfer file: writing, reading and normalising it, beside bare formatting and an
ordinary program.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, BinaryIO

import jaconv

from benchmarks.harness import Bench, Measurement, Process
from refunds.bankfiles.kana import to_bank_kana
from refunds.bankfiles.transfer_items import Remitter, TransferRow
from refunds.bankfiles.zengin_transfer import stream, write

REMITTER = Remitter(
    code="0123456789",
    name="ﾃｽﾄﾍﾟｲ",
    bank_code="0001",
    bank_name="ﾐｽﾞﾎ",
    branch_code="001",
    branch_name="ﾄｳｷﾖｳ",
    account_type="1",
    account_number="1234567",
)
VALUE_DATE = date(2019, 11, 18)
PAYEES = (
    "キュウヨ　イチロウ",
    "メアリー ジェーン",
    "ワタナベ ケイコ",
    "サトウ タロウ",
    "ヴァン ダイク",
)
BARE_ROW = "\t".join(["%s"] * 10) + "\n"


def transfers(rows: int, *, payees: tuple[str, ...]) -> Iterator[TransferRow]:
    """Yields rows as a database cursor would: plain tuples, normalised at intake or not."""
    for number in range(1, rows + 1):
        yield (
            f"{number % 1000:04d}",
            "ﾐﾂｲｽﾐﾄﾓ",
            f"{number % 900:03d}",
            "ｷﾞﾝｻﾞ",
            "1",
            f"{number % 10_000_000:07d}",
            payees[number % len(payees)],
            number % 9_999 + 1,
            str(number),
            "1",
        )


def bare(rows: Iterable[TransferRow]) -> Iterator[bytes]:
    """The limit: every value is formatted and encoded once. Nothing is padded, checked or summed."""
    for row in rows:
        yield (BARE_ROW % row).encode("cp932")


def plain(rows: Iterable[TransferRow]) -> Iterator[bytes]:
    """The peer: the library alone normalises the names of each record, and fields are padded one by
    one.
    """
    for bank, bank_name, branch, branch_name, kind, account, payee, amount, reference, new in rows:
        kana = jaconv.z2h(jaconv.enlarge_smallkana(jaconv.hira2kata(payee)), ascii=True, digit=True)
        line = "2" + bank.zfill(4) + bank_name.ljust(15) + branch.zfill(3) + branch_name.ljust(15)
        line += "0000" + kind + account.zfill(7) + kana.ljust(30)[:30] + str(amount).zfill(10)
        line += new + reference.zfill(20) + "7 " + " " * 7 + "\r\n"
        yield line.encode("cp932")


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def drain(pieces: Iterable[bytes], target: BinaryIO) -> None:
    target.seek(0)
    target.truncate()
    target.writelines(pieces)
    target.flush()


# The largest number of data records in a transfer file.
RECORDS_MAX = 999_999

BARE = "bare formatting"
OURS = "written"
READ = "read back, every record checked"
KANA = "names normalised at intake"
PLAIN = "names normalised and padded one by one"


def run(bench: Bench) -> None:
    for size in bench.sizes:
        rows = min(size, RECORDS_MAX)
        # In a process of its own, so that its peak memory is measured alone.
        figures = Process("zengin", "measure", rows).go().result()
        for side, part, name in (
            (BARE, "limit", "bare_s"),
            (OURS, "ours", "write_s"),
            (READ, "ours", "read_s"),
            (KANA, "ours", "kana_s"),
            (PLAIN, "peer", "plain_s"),
        ):
            bench.add(Measurement(side, part, size, rows, figures[name]))
        bench.figure(f"{rows:,} records", **{"peak MiB": figures["peak_mib"]})
    bench.at_most("written against bare formatting", 6, bench.ratio(OURS, BARE))
    bench.at_most("memory", 100, max(line["peak MiB"] for line in bench.figures.values()), " MiB")
    bench.at_most("growth exponent", 1.05, bench.growth().get(OURS, 1.0), unit="")


def measure(words: str) -> dict[str, Any]:
    """Returns the seconds of each side over so many records, without the generation of the rows,
    and the peak memory of this process.
    """
    rows = int(words)
    normalised = tuple(to_bank_kana(payee) for payee in PAYEES)
    generated_s = seconds_of(lambda: sum(1 for _ in transfers(rows, payees=normalised)))
    with tempfile.TemporaryFile() as target:
        bare_s = seconds_of(lambda: drain(bare(transfers(rows, payees=normalised)), target))
        plain_s = seconds_of(lambda: drain(plain(transfers(rows, payees=PAYEES)), target))
        write_s = seconds_of(
            lambda: drain(write(REMITTER, VALUE_DATE, transfers(rows, payees=normalised)), target)
        )
        target.seek(0)
        read_s = seconds_of(lambda: sum(1 for _ in stream(target)[1]))
    kana_s = seconds_of(
        lambda: sum(len(to_bank_kana(PAYEES[n % len(PAYEES)])) for n in range(rows))
    )
    # Linux counts in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "bare_s": bare_s - generated_s,
        "plain_s": plain_s - generated_s,
        "write_s": write_s - generated_s,
        "read_s": read_s,
        "kana_s": kana_s,
        "peak_mib": peak / (1024**2 if sys.platform == "darwin" else 1024),
    }
