"""Sends notices to members over their own channels, through apprise: e-mail, LINE, Slack, SMS gateways, web push.

The inbox row is written with what it tells of; the courier wakes at that commit. It marks a notice after the channel has
taken it: a process that is killed in between sends that one again. What has no channel stays in the inbox and is logged.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import apprise
from sqlalchemy.exc import SQLAlchemyError

from reservation.domain import delivery
from reservation.domain.delivery import Contact, DeliveryState, Due, Outcome
from reservation.store import deliveries
from runtime.activity import Activity, Bell
from runtime.clock import Alarm, Clock
from runtime.log import Log
from runtime.storage.database import Database

AT_ONCE = 20
"""Notices under way at the same time."""
LIKELY = ("guest@example.org", "+819012345678", "U0123456789abcdef")
"""Addresses of the kinds that channels take."""
RETRY_S = 5.0
"""After the database failed."""

PersonalLink = Callable[[str, str], str]
"""A member's id and a booking's → the address of the page on which that member sees that stay, without signing in."""


class BadChannel(ValueError):
    """A channel that cannot be used; the text says why, without the secrets in its URL."""


def check(channels: Mapping[str, str]) -> None:
    """Raises BadChannel for a channel whose URL apprise does not know, or that has no place for an address."""
    for name, url in channels.items():
        try:
            delivery.check_channel(name, url)
        except ValueError as error:
            raise BadChannel(str(error)) from error
        urls = (delivery.url_to(Contact(name, address), channels) for address in LIKELY)
        if all(apprise.Apprise.instantiate(one) is None for one in urls):
            raise BadChannel(f"channel {name!r}: apprise does not know such a URL")


class Courier:
    """`run` for ever as a task. `link` goes with what tells of a stay."""

    def __init__(
        self,
        channels: Mapping[str, str],
        database: Database,
        *,
        clock: Clock,
        activity: Activity,
        log: Log,
        link: PersonalLink | None = None,
    ) -> None:
        self._channels = channels
        self._database = database
        self._clock = clock
        self._log = log
        self._link = link
        self._bell = Bell(activity, "courier")
        database.after_commit(deliveries.WOKEN, self._bell.ring)
        self._bell.ring()

    async def run(self) -> None:
        """Send what is due, whenever something is."""
        alarm: Alarm | None = None
        with self._bell:
            while True:
                await self._bell.heard()
                with self._bell.seen_to():
                    pause = await self._send_all()
                if alarm:
                    alarm.cancel()
                alarm = None if pause is None else self._clock.ring(pause, self._bell.ring)

    async def _send_all(self) -> float | None:
        """Send everything that is due. Returns the seconds until the next is, or None."""
        try:
            while some := await self._database.read(
                lambda connection: deliveries.due(connection, self._clock.now(), AT_ONCE)
            ):
                outcomes = await asyncio.gather(*(self._send(one) for one in some))
                ended = list(zip((one.id for one in some), outcomes, strict=True))
                await self._database.write(partial(deliveries.mark, ended=ended, now=self._clock.now()))
            following = await self._database.read(deliveries.next_due)
        except SQLAlchemyError as error:
            self._log.error("notices not sent; trying again", exc_info=error)
            return RETRY_S
        return None if following is None else max(0.0, (following - self._clock.now()).total_seconds())

    async def _send(self, due: Due) -> Outcome:
        if delivery.too_late(due, self._clock.now()):
            return Outcome(DeliveryState.EXPIRED, due.attempts)
        contacts = await self._database.read(lambda connection: deliveries.contacts_of(connection, due.member_id))
        contact = delivery.shared(contacts, self._channels)
        if contact is None:
            self._log.info("notice", member=due.member_id, text=due.text)
            return Outcome(DeliveryState.KEPT, due.attempts)
        error = await self._hand_over(contact, due)
        if error is None:
            return delivery.succeeded(due, contact.channel)
        self._log.warning("notice not sent", member=due.member_id, channel=contact.channel, why=error)
        return delivery.failed(due, contact.channel, error, self._clock.now())

    def _body(self, due: Due) -> str:
        """The text, with the guest's own link where it tells of a stay. The inbox has the text alone: a link opens pages."""
        return due.text if self._link is None or due.stay is None else f"{due.text}\n{self._link(due.member_id, due.stay)}"

    async def _hand_over(self, contact: Contact, due: Due) -> str | None:
        """What went wrong, if anything."""
        post = apprise.Apprise()
        if not post.add(delivery.url_to(contact, self._channels)):
            return "the channel does not take such an address"
        result = await post.async_notify(body=self._body(due), title=due.subject, body_format=apprise.NotifyFormat.TEXT)
        return None if result else " ".join(entry.message for entry in result.logs()) or "the channel refused it"
