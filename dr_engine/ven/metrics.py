"""How it goes with the VTN, in numbers."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.metrics_core import Metric

from runtime.clock import Clock
from runtime.metrics import Counts, Levels, Spread

OK, UNAVAILABLE, DECLINED, UNMADE = "ok", "unavailable", "declined", "unmade"
WEBHOOK, MQTT = "webhook", "mqtt"


class VenMetrics:
    """Of both VENs; without a VTN there is nothing to count. `result` is ok, unavailable (asked again later), declined, or
    unmade: a report that cannot be made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.polled_at: datetime | None = None
        """The last look at the VTN that succeeded, or since when there were any."""
        self.polls = Counts("gridstay_ven_polls", "Looks at the VTN and what became of them", "result")
        self.poll_s = Spread("gridstay_ven_poll_seconds", "How long a look at the VTN took that succeeded")
        self.poll_age = Levels("gridstay_ven_poll_age_seconds", "How long ago the last look at the VTN was that succeeded")
        self.events = Levels("gridstay_ven_events", "Events that the VTN has now")
        self.reports = Counts("gridstay_ven_reports", "Reports to the VTN and what became of them", "result")
        self.reports_waiting = Levels("gridstay_ven_reports_waiting", "Reports that the VTN has still to take")
        self.tokens = Counts("gridstay_ven_tokens", "Tokens that the VTN was asked for", "result")
        self.notifications = Counts("gridstay_ven_notifications", "How often the VTN told us of changes", "means")
        self.answers = Counts("gridstay_ven_answers", "What events of a 2.0b VTN were answered", "opt")

    def looked(self, began: float) -> None:
        """A look has succeeded that began then (monotonic seconds)."""
        self.polled_at = self._clock.now()
        self.polls.add(OK)
        self.poll_s.observe(self._clock.monotonic() - began)

    def kept(self, events: int, reports_waiting: int) -> None:
        """What the store holds now."""
        self.events.set(events)
        self.reports_waiting.set(reports_waiting)

    def collect(self) -> Iterator[Metric]:
        """See `runtime.metrics.Collector`."""
        if self.polled_at is not None:
            self.poll_age.set((self._clock.now() - self.polled_at).total_seconds())
        levels = (self.poll_age, self.events, self.reports_waiting)
        counts = (self.polls, self.poll_s, self.reports, self.tokens, self.notifications, self.answers)
        for one in (*levels, *counts):
            yield from one.collect()
