"""A simulated carrier of notices: it takes our file and reports, for every row, what became of it."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from random import Random

# Of a hundred mails, how many come back: old mailboxes, as mass mailers know them.
BOUNCED = 0.012


def answer(path: Path, *, at: dt.datetime, seed: int) -> Path:
    """The report stands beside the file, in the columns that `load_mail_results` takes; the same
    for the same seed and the same rows.
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
