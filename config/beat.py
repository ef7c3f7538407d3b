"""Beat keeps no file: Celery's own scheduler stores its entries as a shelf of pickles."""

from celery import beat


class Scheduler(beat.Scheduler):
    """The beat table. Each entry is due once when beat starts, and from then on by its interval.

    An early tick changes nothing, and an entry with a long interval also becomes due if beat is
    started often.
    """

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)
        for entry in self.schedule.values():
            entry.last_run_at -= entry.schedule.run_every
