"""A simulated mail carrier, which takes our file of notices and reports the result of every row."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from random import Random

# The share of mails that come back from old mailboxes.
BOUNCED = 0.012


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
