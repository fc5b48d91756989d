"""Finding what a request names. Each raises Unknown when it is not there."""

from sqlalchemy import Connection

from reservation.domain.booking import Booking
from reservation.domain.car_model import CarModel
from reservation.domain.facility import Facility
from reservation.domain.grant import Grant
from reservation.domain.member import Member
from reservation.domain.refusal import Unknown
from reservation.store import bookings, car_models, facilities, grants, members


def facility(connection: Connection, facility_id: str) -> Facility:
    """The facility by id."""
    if (found := facilities.find(connection, facility_id)) is None:
        raise Unknown(f"no facility {facility_id!r}")
    return found


def member(connection: Connection, identity: str) -> Member:
    """The member by id, number or phone (S200)."""
    if (found := members.find(connection, identity)) is None:
        raise Unknown(f"no member with id, number or phone {identity!r}")
    return found


def car_model(connection: Connection, model_id: str) -> CarModel:
    """The car model by id."""
    if (found := car_models.find(connection, model_id)) is None:
        raise Unknown(f"no car model {model_id!r}; search for one at car-models, or give the car's own figures")
    return found


def grant(connection: Connection, grant_id: str) -> Grant:
    """The benefit by id."""
    if (found := grants.find(connection, grant_id)) is None:
        raise Unknown(f"no benefit {grant_id!r}")
    return found


def booking(connection: Connection, booking_id: str) -> Booking:
    """The booking by id."""
    if (found := bookings.find(connection, booking_id)) is None:
        raise Unknown(f"no booking {booking_id!r}")
    return found
