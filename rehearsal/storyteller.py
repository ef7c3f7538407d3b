"""The output of a replay: each date and what happened, and the tables at the end."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from rehearsal.case import load_case
from rehearsal.report import Report

TOKYO = ZoneInfo("Asia/Tokyo")
WINDOW_OPENED = load_case().programme.refund_window_first_on


class Storyteller:
    """Prints, and decides nothing."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def date(self, at: dt.datetime) -> None:
        self.console.print(f"\n[bold]{at.astimezone(TOKYO):%Y-%m-%d %H:%M} JST[/bold]")

    def line(self, sentence: str) -> None:
        self.console.print(f"  {sentence}")

    def verdict(self, report: Report, path: Path) -> None:
        """The money table, the figures, the invariants and the result are on the terminal."""
        self.console.print(self._money(report))
        self.console.print(self._figures(report))
        self.console.print(self._paid(report))
        for code, sentences in report.breached.items():
            self.console.print(
                f"[red]invariant {code} is breached[/red]: " + "; ".join(sentences[:3])
            )
        for check, held in report.checks.items():
            self.console.print(f"{'[green]yes[/green]' if held else '[red]NO[/red] '} {check}")
        self.console.print(
            f"\n{'[green]PASSED[/green]' if report.passed else '[red]FAILED[/red]'}:"
            f" {report.accounts:,} accounts, seed {report.seed}, {report.seconds:,.0f} s, peak memory"
            f" {report.peak_memory_kib / 1024:,.0f} MiB. Report: {path}"
        )

    def _money(self, report: Report) -> Table:
        table = Table(title="Where every yen of the wallets went", title_justify="left")
        table.add_column("line")
        table.add_column("JPY", justify="right")
        for line in report.money:
            table.add_row(line.line, f"{line.amount_minor:,}")
        table.add_section()
        table.add_row("difference", f"{report.difference_minor:,}")
        return table

    def _paid(self, report: Report) -> Table:
        table = Table(
            title=f"Paid by the end of each day, plan {report.plan}"
            " (7pay at day 101: 32.4% of the people)",
            title_justify="left",
        )
        for name in ("day", "date", "people", "yen"):
            table.add_column(name, justify="left" if name == "date" else "right")
        for day in report.paid_by_day:
            number = (dt.date.fromisoformat(day["day"]) - WINDOW_OPENED).days + 1
            table.add_row(str(number), day["day"], f"{day['people']:.1%}", f"{day['amount']:.1%}")
        return table

    def _figures(self, report: Report) -> Table:
        table = Table(title="Published figures beside the reproduced ones", title_justify="left")
        for name in ("figure", "as of", "published", "reproduced", ""):
            table.add_column(
                name, justify="right" if name in ("published", "reproduced") else "left"
            )
        for figure in report.figures:
            what = figure.what + (f" (within {figure.tolerance:.0%})" if figure.tolerance else "")
            table.add_row(
                what,
                figure.as_of,
                f"{figure.published:,}",
                f"{figure.reproduced:,}",
                "[green]ok[/green]" if figure.holds else "[red]differs[/red]",
            )
        return table
