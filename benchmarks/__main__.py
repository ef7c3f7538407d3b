"""The benchmarks: `python -m benchmarks [name ...] [--sizes 10000,100000,1000000] [--quick]`."""

from __future__ import annotations

import argparse
import importlib
import os

NAMES = (
    "freeze_charges",
    "triggers",
    "concurrent_payment",
    "switch",
    "ledger",
    "refund_balances",
    "payouts",
    "reset_passwords",
    "zengin",
    "loaders",
    "auth_events",
    "attack_page",
    "claims",
    "verify",
)
SIZES = (10_000, 100_000, 1_000_000)
QUICK = (1_000, 10_000)


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(sorted(int(size) for size in text.split(",")))
    if min(sizes) < 1_000:
        raise argparse.ArgumentTypeError("a size is at least 1000")
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all")
    parser.add_argument("--sizes", type=_sizes, help="wallets, divided by commas")
    parser.add_argument("--quick", action="store_true", help="1,000 and 10,000 wallets, each once")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("WINDDOWN_LOG_LEVEL", "ERROR")
    import django

    django.setup()
    from benchmarks import databases, harness, report

    harness.wake_nobody()
    made = databases.Databases()
    try:
        for name in chosen.names or NAMES:
            module = importlib.import_module(f"benchmarks.{name}")
            bench = harness.Bench(
                name=name,
                title=(module.__doc__ or name).splitlines()[0],
                sizes=chosen.sizes or (QUICK if chosen.quick else SIZES),
                quick=chosen.quick,
                databases=made,
            )
            harness.console.rule(name)
            module.run(bench)
            report.show(bench)
            harness.console.print(f"  kept in {report.keep(bench).relative_to(harness.ROOT)}")
    finally:
        made.drop_all()


if __name__ == "__main__":
    main()
