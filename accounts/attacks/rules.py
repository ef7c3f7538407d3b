"""The rules that find an attack on the sign-in, with their thresholds and sources."""

from __future__ import annotations

import datetime as dt
from typing import Final

from accounts.attacks.detection import Rule
from accounts.models import (
    AttackWindow,
)

MINUTE: Final = dt.timedelta(minutes=1)


HOUR: Final = dt.timedelta(hours=1)


DAY: Final = dt.timedelta(days=1)


# An attempt is committed within a minute of its time. The loader reads later ones again.
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

SOURCES_OF: Final = """ARRAY[
    host({0}.network),
    text(network(set_masklen({0}.network, CASE family({0}.network) WHEN 4 THEN 24 ELSE 64 END))),
    CASE WHEN {0}.device_ref <> '' THEN 'device:' || {0}.device_ref END
]"""
