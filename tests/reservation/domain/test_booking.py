"""What a booking is, what can become of it, and what a guest says of the car."""

from dataclasses import replace

import pytest

from reservation.domain.booking import MOVES, Asked, BookingState, Deed, charging_wish, moved
from reservation.domain.member import Preferences
from reservation.domain.refusal import Conflict, Invalid
from tests.reservation.samples import booking, hours, member


@pytest.mark.parametrize("state", BookingState)
@pytest.mark.parametrize("deed", Deed)
def test_what_is_not_in_the_table_cannot_be_done(state: BookingState, deed: Deed) -> None:
    made = replace(booking(hours(11, 12)), state=state)
    if (state, deed) in MOVES:
        assert moved(made, deed) is MOVES[state, deed]
        return
    with pytest.raises(Conflict, match=made.id):
        moved(made, deed)


@pytest.mark.parametrize(
    ("state", "deed", "words"),
    [
        (BookingState.CANCELLED, Deed.CANCEL, "is cancelled already"),
        (BookingState.NO_SHOW, Deed.CANCEL, "is no show and cannot be cancelled"),
        (BookingState.CHECKED_IN, Deed.CHECK_IN, "is checked in already"),
        (BookingState.BOOKED, Deed.CHECK_OUT, "is booked and cannot be checked out"),
    ],
)
def test_a_refusal_says_how_it_stands(state: BookingState, deed: Deed, words: str) -> None:
    with pytest.raises(Conflict, match=words):
        moved(replace(booking(hours(11, 12)), state=state), deed)


def test_S200_the_wish_is_the_request_on_top_of_the_preferences() -> None:
    guest = member(preferences=Preferences(dr=True, discharge=True, wanted_soc_pct=70, floor_soc_pct=30))
    found = charging_wish(guest, Asked(wanted_soc_pct=90, soc_pct=50, distance_km=3))
    assert found is not None
    assert (found.dr, found.discharge, found.wanted_soc_pct, found.floor_soc_pct) == (True, True, 90, 30)
    assert (found.soc_pct, found.distance_km) == (50, 3)


def test_X1_who_takes_no_part_is_not_discharged() -> None:
    guest = member(preferences=Preferences(dr=True, discharge=True))
    found = charging_wish(guest, Asked(dr=False))
    assert found is not None
    assert not found.discharge


@pytest.mark.parametrize("asked", [Asked(wanted_soc_pct=10), Asked(floor_soc_pct=90)])
def test_X1_the_floor_is_at_most_what_is_wanted(asked: Asked) -> None:
    with pytest.raises(Invalid, match="floor"):
        charging_wish(member(), asked)


def test_S200_a_guest_comes_by_car_when_there_is_one() -> None:
    assert charging_wish(member(), Asked()) is not None
    assert charging_wish(member(), Asked(by_car=False)) is None
    assert charging_wish(member(car=None), Asked()) is None
    with pytest.raises(Invalid, match="has no car"):
        charging_wish(member(car=None), Asked(by_car=True))
