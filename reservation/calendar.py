"""A booking as a calendar file (RFC 5545) for the guest's own calendar, where it takes the place of an earlier one of it."""

from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event

from reservation import wording
from reservation.domain.booking import Booking, BookingState
from reservation.domain.facility import Facility
from reservation.domain.member import Member
from reservation.domain.places import place_of

MEDIA_TYPE = "text/calendar; charset=utf-8"
REMINDED = timedelta(hours=1)
_GONE = (BookingState.CANCELLED, BookingState.NO_SHOW, BookingState.EXPIRED)


def calendar_file(facility: Facility, booking: Booking, member: Member, now: datetime) -> bytes:
    """The file: one event in the facility's time zone, with a reminder; cancelled if the booking is."""
    gone = booking.state in _GONE
    event = Event()
    event.add("uid", f"{booking.id}@gridstay")
    event.add("sequence", booking.revision)
    event.add("dtstamp", now)
    event.add("dtstart", facility.local(booking.period.start))
    event.add("dtend", facility.local(booking.period.end))
    event.add("summary", wording.title(facility, booking))
    event.add("location", facility.name)
    event.add("description", _told(facility, booking, member))
    event.add("status", "CANCELLED" if gone else "TENTATIVE" if booking.state is BookingState.HELD else "CONFIRMED")
    if not gone:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", -REMINDED)
        alarm.add("description", wording.title(facility, booking))
        event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//gridstay//bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if gone else "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


def _told(facility: Facility, booking: Booking, member: Member) -> str:
    if booking.state in _GONE:
        return wording.given_up("cancelled", facility, booking, member)
    return wording.booked(facility, booking, place_of(facility, booking), member)
