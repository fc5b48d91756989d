"""A facility joins or changes."""

from datetime import datetime

from sqlalchemy import Connection

from contracts.reservation import FacilityAdded
from reservation.domain.facility import Facility
from reservation.domain.refusal import Conflict
from reservation.store import bookings, facilities, mailboxes


def add(connection: Connection, facility: Facility, now: datetime) -> bool:
    """Keep the facility and announce it (FacilityAdded); False when the very same one is kept already. Raises Conflict for
    another under the same id, and for a bay whose EVSE belongs to another facility."""
    known = facilities.find(connection, facility.id)
    if known == facility:
        return False
    if known is not None:
        raise Conflict(f"facility {facility.id} exists with other content")
    _check_evses(connection, facility)
    facilities.add(connection, facility)
    mailboxes.announce(connection, FacilityAdded(at=now, facility_id=facility.id))
    return True


def put(connection: Connection, facility: Facility, now: datetime) -> bool:
    """Keep the facility as it is given, whether or not there was one; whether it is new. Raises Conflict for a bay whose
    EVSE belongs to another facility, and where a stay that is still to come would lose what is kept for it.

    Stays that were booked by the rules and hours before stand."""
    old = facilities.find(connection, facility.id)
    if old is None:
        return add(connection, facility, now)
    _check_evses(connection, facility)
    _check_kept(connection, old, facility, now)
    facilities.replace(connection, facility)
    return False


def _check_evses(connection: Connection, facility: Facility) -> None:
    for bay in facility.bays:
        owner = facilities.owner_of_evse(connection, bay.station_id, bay.evse_id)
        if owner not in (None, facility.id):
            raise Conflict(f"station {bay.station_id} EVSE {bay.evse_id} is a bay of facility {owner}")


def _check_kept(connection: Connection, old: Facility, new: Facility, now: datetime) -> None:
    """A resource may change its name, and a bay its powers, at any time; what stays rest on may not go while they do."""
    for booking in bookings.standing(connection, old.id, now):
        resource, bay = new.resource(booking.resource_id), new.bay(booking.bay_id)
        if resource is None:
            raise Conflict(
                f"resource {booking.resource_id} is booked until {booking.period.end:%F %H:%M} UTC ({booking.id})"
            )
        was = old.bay(booking.bay_id)
        if was and (bay is None or (was.station_id, was.evse_id) != (bay.station_id, bay.evse_id)):
            raise Conflict(f"bay {was.id} is booked until {booking.period.end:%F %H:%M} UTC ({booking.id})")
