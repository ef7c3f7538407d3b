"""A simulated carrier, which takes our files of notices and reports the result of every row."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from random import Random

from accounts.models import ResetNotice
from rehearsal.doors import Act
from winddown import clock

# The share of mails that come back from old mailboxes.
BOUNCED = 0.012


def carry(channel: str, *, act: Act, directory: Path, by: str, seed: int) -> int:
    """The queued notices by the channel are with the carrier, and its report is loaded; the post
    reports nothing. Returns how many notices that were. `act` runs a command.
    """
    words = ("export_notices", f"--channel={channel}", f"--out={directory}")
    done = act(*words, by=by, reason="for the carrier")
    if not done or not done["rows"]:
        return 0
    if channel != ResetNotice.Channel.LETTER:
        report = answer(directory / done["files"][0], at=clock.now(), seed=seed)
        act("load_mail_results", str(report), by=by, reason="report")
    return int(done["rows"])


def answer(path: Path, *, at: dt.datetime, seed: int) -> Path:
    """The report is beside the file, in the columns that `load_mail_results` takes. Returns its
    path.

    The same seed and rows give the same report.
    """
    draw = Random(seed)  # noqa: S311  no secret
    report = path.with_suffix(".report.csv")
    with path.open(newline="") as taken, report.open("w", newline="") as told:
        out = csv.writer(told)
        out.writerow(("message_id", "event", "at"))
        for row in csv.DictReader(taken):
            out.writerow((row["message_id"], "accepted", at.isoformat()))
            if draw.random() < BOUNCED:
                out.writerow((row["message_id"], "bounced", at.isoformat()))
    return report
