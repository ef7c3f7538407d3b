"""A transfer file of a million records, beside bare formatting and the plain way of writing it."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import BinaryIO

import jaconv

from refunds.bankfiles.kana import to_bank_kana
from refunds.bankfiles.zengin_transfer import Remitter, TransferRow, stream, write

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
    """The limit: every value formatted and encoded once, nothing padded, checked or summed."""
    for row in rows:
        yield (BARE_ROW % row).encode("cp932")


def plain(rows: Iterable[TransferRow]) -> Iterator[bytes]:
    """The peer: names normalised per record by the library alone, fields padded one by one."""
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


def run(rows: int = 999_999) -> dict[str, float]:
    """Times of writing, reading back and normalising; the peak of this process; two ratios."""
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
    return {
        "rows": rows,
        "bare_s": bare_s - generated_s,
        "plain_s": plain_s - generated_s,
        "write_s": write_s - generated_s,
        "read_s": read_s,
        "kana_s": kana_s,
        "write_to_bare": (write_s - generated_s) / (bare_s - generated_s),
        "write_to_plain": (write_s - generated_s) / (plain_s - generated_s),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    figures = run(int(sys.argv[1]) if len(sys.argv) > 1 else 999_999)
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}, indent=2))
