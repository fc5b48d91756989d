"""The loop: look at the VTN every while, carry out what it asks, tell it what it wants to know.

Polling is the truth; a notification only makes the next look come at once. While the VTN cannot be reached what is known
goes on, and it is asked again after a pause that grows to a minute, or as long as it said.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from dr_engine.settings import DrSettings
from dr_engine.store import grid
from dr_engine.telemetry import Telemetry
from dr_engine.ven.client import Declined, Unavailable, VtnClient, VtnError
from dr_engine.ven.enrolment import Enrolled, Enrolment, Listed
from dr_engine.ven.intake import Intake, Poll, Polled, missing
from dr_engine.ven.metrics import DECLINED, MQTT, UNAVAILABLE, WEBHOOK, VenMetrics
from dr_engine.ven.mqtt import MqttEar
from dr_engine.ven.reporting import Reporting
from dr_engine.ven.settings import VenSettings
from protocols.openadr.objects import Event
from protocols.openadr.versions import Version
from protocols.openadr.wire import NotOpenAdr, decode
from runtime.activity import Bell
from runtime.service import Host
from runtime.storage.database import Database

ACTIVITY: Final = "ven"
LONGEST_PAUSE_S: Final = 60.0
LOST: Final = timedelta(minutes=10)
"""A VTN that could not be looked at for so long is a matter for a person."""
AGAIN: Final = timedelta(seconds=60)
"""What is known is looked at again so often, though the VTN says nothing new: what was refused may fit now."""


@dataclass
class Status:
    """How it goes. `failure` is why the last look failed, `reports_failure` why reports could not be sent; "" when that
    succeeded."""

    started_at: datetime
    polled_at: datetime | None = None
    failure: str = ""
    failures: int = 0
    reports_failure: str = ""
    reports_failures: int = 0
    reports_after: datetime | None = None
    """Reports wait until then."""
    enrolled: Enrolled | None = None
    enrolled_at: datetime | None = None
    enrolled_after: int = 0
    """How many tokens had been refused by then."""
    notified_at: datetime | None = None


class Ven:
    """`run` for ever as a task; `notified` when the VTN has called."""

    def __init__(
        self,
        settings: DrSettings,
        ven: VenSettings,
        database: Database,
        host: Host,
        telemetry: Telemetry,
        metrics: VenMetrics,
        intake: Intake,
        changed: Callable[[], None],
    ) -> None:
        self.settings = ven
        self._database = database
        self._host = host
        self._changed = changed
        self._metrics = metrics
        metrics.polled_at = host.clock.now()
        self._client = VtnClient(ven, host.clock, metrics)
        self._enrolment = Enrolment(ven, self._client, secrets.token_urlsafe(32))
        self._intake = intake
        log = host.log.bind(part="ven")
        self._log = log
        self._reporting = Reporting(settings, ven, database, self._client, host.clock, telemetry, metrics, log)
        self._bell = Bell(host.activity, ACTIVITY)
        self._ear = MqttEar(ven, self._client, partial(self.notified, MQTT), host)
        self._taken: tuple[Poll | None, datetime] = None, host.clock.now()
        self.status = Status(host.clock.now())

    @property
    def listed(self) -> list[Listed]:
        """The programmes that the VTN showed us last."""
        return self._enrolment.listed

    @property
    def skew_s(self) -> float | None:
        """How far the VTN's clock is ahead of ours."""
        return self._client.skew_s

    @property
    def hears_by_mqtt(self) -> bool:
        """Whether we listen at the VTN's broker now."""
        return self._ear.is_connected

    def is_vtn(self, authorization: str | None) -> bool:
        """Whether a call bears the secret that our subscriptions gave the VTN."""
        return hmac.compare_digest((authorization or "").encode(), f"Bearer {self._enrolment.secret}".encode())

    def notified(self, means: str = WEBHOOK) -> None:
        """Something has changed at the VTN: look now."""
        self._metrics.notifications.add(means)
        self.status.notified_at = self._host.clock.now()
        self._bell.ring()

    async def run(self) -> None:
        """Listen to the VTN for ever."""
        try:
            with self._bell:
                self._bell.ring()
                while True:
                    await self._bell.heard()
                    with self._bell.seen_to():
                        alarm = self._host.clock.ring(await self.look(), self._bell.ring)
                    await self._bell.heard()
                    alarm.cancel()
        finally:
            await self._ear.close()
            await self._client.close()

    def concern(self) -> str:
        """Why the VTN is a matter for a person, in a sentence; "" when it is none."""
        status = self.status
        since = status.polled_at or status.started_at
        if not status.failure or self._host.clock.now() - since < LOST:
            return ""
        return f"the VTN could not be looked at since {since:%Y-%m-%d %H:%M} UTC: gridstay dr ven status says why"

    async def look(self) -> float:
        """Look once; how long to wait until the next time, in seconds."""
        status, now, began = self.status, self._host.clock.now(), self._host.clock.monotonic()
        try:
            poll = await self._poll(now)
        except VtnError as error:
            return await self._failed(error)
        is_new = poll != self._taken[0] or bool(poll.gone)
        if is_new or now >= self._taken[1] + AGAIN:
            await self._take(poll if is_new else None)
            self._taken = poll, now
        if status.failures:
            self._log.info("the VTN is back", after=status.failures)
            status.reports_after = None
        status.polled_at, status.failure, status.failures = now, "", 0
        self._metrics.looked(began)
        await self._report(poll.targets, now)
        counts = await self._database.read(grid.counts)
        self._metrics.kept(counts["events"], counts["reports_waiting"])
        return self.settings.poll_s

    async def _failed(self, error: VtnError) -> float:
        status = self.status
        self._metrics.polls.add(UNAVAILABLE if isinstance(error, Unavailable) else DECLINED)
        if str(error) != status.failure:
            self._log.warning("the VTN cannot be looked at", reason=str(error))
        status.failure, status.failures = str(error), status.failures + 1
        if isinstance(error, Declined):
            status.enrolled_at = None  # perhaps it knows us no more
        await self._take(None)
        return self._pause_s(error, status.failures)

    async def _report(self, targets: Mapping[str, frozenset[str]], now: datetime) -> None:
        """Send what is due. Events are looked at as often as ever while reports cannot be sent."""
        status = self.status
        if status.reports_after is not None and now < status.reports_after:
            return
        try:
            await self._reporting.send_due(targets)
        except VtnError as error:
            if str(error) != status.reports_failure:
                self._log.warning("reports cannot be sent", reason=str(error))
            status.reports_failure, status.reports_failures = str(error), status.reports_failures + 1
            status.reports_after = now + timedelta(seconds=self._pause_s(error, status.reports_failures))
            return
        status.reports_failure, status.reports_failures, status.reports_after = "", 0, None

    def _pause_s(self, error: VtnError, failures: int) -> float:
        """How long to wait after so many failures: as long as the VTN said, else longer each time."""
        asked = error.wait_s if isinstance(error, Unavailable) else None
        pause_s = min(self.settings.poll_s * 2 ** min(failures - 1, 6), max(LONGEST_PAUSE_S, self.settings.poll_s))
        return pause_s if asked is None else max(asked, 1.0)

    async def _take(self, poll: Poll | None) -> None:
        if await self._database.write(lambda connection: self._intake.take(connection, poll, self._host.clock.now())):
            self._changed()

    async def _poll(self, now: datetime) -> Poll:
        enrolled = await self._enrolled(now)
        is_newer = enrolled.version is Version.V3_1
        targets = {"targets": list(enrolled.all_targets)} if enrolled.all_targets and is_newer else {}
        polled: list[Polled] = []
        for name, program in enrolled.programs.items():
            ours = self.settings.program(name)
            if ours is not None:
                query: dict[str, Any] = {"programID": program.id, **targets}
                found = [one for one in await self._client.search("/events", query) if _is_for_us(one, enrolled)]
                polled.append(Polled(ours, enrolled.units(name), found))
        absent = await self._database.read(lambda connection: missing(connection, polled, self.settings.programs))
        gone = [event_id for event_id in absent if await self._is_gone(event_id, enrolled)]
        return Poll(polled, frozenset(gone), enrolled.targets)

    async def _is_gone(self, event_id: str, enrolled: Enrolled) -> bool:
        """The list did not have it; only its own absence, or that it is for others now, is a cancellation."""
        with suppress(Declined):
            found = await self._client.get(Event, f"/events/{event_id}")
            return found is None or not _is_meant(found, enrolled)
        return False

    async def _enrolled(self, now: datetime) -> Enrolled:
        status = self.status
        age_s = None if status.enrolled_at is None else (now - status.enrolled_at).total_seconds()
        is_known = status.enrolled_after == self._client.refused
        if status.enrolled is None or age_s is None or not (is_known and 0 <= age_s < self._patience_s(status.enrolled)):
            status.enrolled = await self._enrolment.look()
            status.enrolled_at, status.enrolled_after = now, self._client.refused
            await self._ear.turn_to(status.enrolled.broker)
        return status.enrolled

    def _patience_s(self, enrolled: Enrolled) -> float:
        """While a programme is missing at the VTN we look again with each poll."""
        return self.settings.enrol_every_s if enrolled.is_whole else self.settings.poll_s


def _is_for_us(wire: Any, enrolled: Enrolled) -> bool:
    """What cannot be read is not ours to throw away."""
    try:
        return enrolled.version is Version.V3_1 or _is_meant(decode(Event, wire), enrolled)
    except NotOpenAdr:
        return True


def _is_meant(event: Event, enrolled: Enrolled) -> bool:
    """A VTN of 3.1 shows us what is for us; of 3.0.1 it is for whom its targets name, or for all."""
    return enrolled.version is Version.V3_1 or not event.targets or bool(set(event.targets) & set(enrolled.all_targets))
