"""How far it is to drive from where the car is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.domain.booking import Asked, charging_wish
from reservation.domain.position import DETOUR, Position, drive_km
from reservation.domain.refusal import Invalid
from tests.reservation.samples import member

TOKYO, OSAKA = Position(35.6812, 139.7671), Position(34.7025, 135.4959)
positions = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))


def test_S200_the_way_is_the_great_circle_with_a_detour() -> None:
    assert drive_km(TOKYO, OSAKA) == pytest.approx(403 * DETOUR, rel=0.01)  # 403 km as the crow flies
    assert drive_km(Position(0, 179.9), Position(0, -179.9)) == pytest.approx(22.2 * DETOUR, rel=0.01)
    assert drive_km(TOKYO, TOKYO) == 0


@given(positions, positions)
def test_S200_no_way_is_longer_than_half_around_the_earth_and_back_is_as_far(one: Position, other: Position) -> None:
    assert 0 <= drive_km(one, other) <= 20_016 * DETOUR
    assert drive_km(one, other) == pytest.approx(drive_km(other, one), abs=0.2)


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (0, 181), (-90.1, 0), (float("nan"), 0)])
def test_what_is_not_on_the_earth_is_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="latitude is from"):
        Position(latitude, longitude)


def test_S200_M1_a_position_becomes_the_way_unless_the_way_is_told() -> None:
    found = charging_wish(member(), Asked(position=OSAKA), TOKYO)
    assert found is not None
    assert found.distance_km == drive_km(OSAKA, TOKYO)
    told = charging_wish(member(), Asked(position=OSAKA, distance_km=5), TOKYO)
    assert told is not None
    assert told.distance_km == 5
    with pytest.raises(Invalid, match="has not said where it is"):
        charging_wish(member(), Asked(position=OSAKA))
    with pytest.raises(Invalid, match="the longest way"):
        charging_wish(member(), Asked(position=Position(-35, -58)), TOKYO)
