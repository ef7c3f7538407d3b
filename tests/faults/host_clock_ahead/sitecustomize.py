"""Python reads this at its start, where the path leads here: the clock of its host is 40 s ahead."""

import datetime as dt

import time_machine

time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=40)).start()
