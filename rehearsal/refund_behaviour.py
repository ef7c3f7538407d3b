"""What holders do about their refund: whether, when and how they apply, and to which account."""

from random import Random

from rehearsal.case import Case
from rehearsal.case_files import DAY, CaseClock, CaseFiles, Tally
from rehearsal.people import wallet_ref
from rehearsal.population import Closing, Fate

# Days after the refund window opens on which people apply: the first, the last, and the weight of
# early days. The published figure of 9 January is day 100. Those paid by then apply by 20 December
# at the latest, those whose first transfer comes back by 20 November; everybody else too late for a
# transfer within two weeks.
_APPLY_DAYS = {
    Fate.PAID: (0, 80, 2.2),
    Fate.PAID_NO_SUCH_ACCOUNT: (0, 50, 1.5),
    Fate.PAID_NAME_MISMATCH: (0, 50, 1.5),
    Fate.PAID_CLOSED_ONCE: (0, 50, 1.5),
    Fate.ALWAYS_BAD: (0, 30, 1.0),
    Fate.PENDING: (88, 99, 1.0),
    Fate.LAST_DAYS: (100, 101, 1.0),
    Fate.LATE: (105, 105, 1.0),
}
# An application by web needed an identity check and was paid from late January on, so nobody who
# used it is paid by 9 January.
_WEB_SHARES = {Fate.PENDING: 0.7, Fate.LAST_DAYS: 0.5, Fate.LATE: 0.5}
_QUALITIES = {
    Fate.PAID_NO_SUCH_ACCOUNT: "no_such_account",
    Fate.PAID_NAME_MISMATCH: "name_mismatch",
    Fate.PAID_CLOSED_ONCE: "closed_once",
    Fate.ALWAYS_BAD: "always_bad",
}
_PAID = {
    Fate.PAID,
    Fate.PAID_NO_SUCH_ACCOUNT,
    Fate.PAID_NAME_MISMATCH,
    Fate.PAID_CLOSED_ONCE,
}


class RefundBehaviour:
    """Writes one line for each holder and counts those who have their money by 9 January 2020."""

    def __init__(self, case: Case, *, files: CaseFiles, clock: CaseClock, rng: Random) -> None:
        self._files = files
        self._clock = clock
        self._rng = rng
        self._opens = clock.seconds(case.programme.refund_window_opens_at)
        self.paid_by_2020_01_09 = Tally()
        self.unpaid_on_2020_01_09 = Tally()

    def write(self, number: int, closing: Closing) -> None:
        paid = closing.fate in _PAID
        tally = self.paid_by_2020_01_09 if paid else self.unpaid_on_2020_01_09
        tally.add(closing.amount_minor)
        quality = _QUALITIES.get(closing.fate, "ok")
        applies_on, channel = self._application(closing.fate)
        self._files.behaviour.write(f"{wallet_ref(number)},{applies_on},{quality},{channel}")

    def _application(self, fate: Fate) -> tuple[str, str]:
        """Returns the day and the channel of the application. A holder who never applies has no
        day.
        """
        if fate is Fate.NEVER_APPLIES:
            return "", "app"
        first, last, eagerness = _APPLY_DAYS[fate]
        day = first + int((last - first + 1) * self._rng.random() ** eagerness)
        channel = "web" if self._rng.random() < _WEB_SHARES.get(fate, 0.0) else "app"
        return self._clock.text(self._opens + day * DAY)[:10], channel
