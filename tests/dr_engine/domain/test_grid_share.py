"""One power asked of several facilities: by room, in sum just what was asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_engine.domain.grid_share import Room, shared_w

HALL, SPA, NOBODY = Room(10_000, -20_000, 30_000), Room(0, -10_000, 5_000), Room(0, 0, 0)


@pytest.mark.parametrize(
    ("total_w", "rooms", "expected"),
    [
        (10_000, {"hall": HALL, "spa": SPA}, {"hall": 10_000, "spa": 0}),
        (-10_000, {"hall": HALL, "spa": SPA}, {"hall": -5_000, "spa": -5_000}),
        (20_000, {"hall": HALL, "spa": SPA}, {"hall": 18_000, "spa": 2_000}),
        (-70_000, {"hall": HALL, "spa": SPA}, {"hall": -50_000, "spa": -20_000}),
        (-10_000, {"hall": HALL, "none": NOBODY}, {"hall": -10_000, "none": 0}),
        (-10_000, {"a": NOBODY, "b": NOBODY}, {"a": -5_000, "b": -5_000}),
        (-7_000, {"hall": HALL}, {"hall": -7_000}),
    ],
)
def test_X5_a_power_is_shared_by_what_each_can_change(
    total_w: float, rooms: dict[str, Room], expected: dict[str, float]
) -> None:
    assert shared_w(total_w, rooms) == pytest.approx(expected)


WATTS = st.floats(-1e6, 1e6)
ROOMS = st.dictionaries(st.text(min_size=1, max_size=3), st.builds(Room, WATTS, WATTS, WATTS), min_size=1, max_size=6)


@given(WATTS, ROOMS)
def test_X5_the_parts_are_the_whole_and_nobody_goes_the_other_way(total_w: float, rooms: dict[str, Room]) -> None:
    parts = shared_w(total_w, rooms)
    assert sum(parts.values()) == pytest.approx(total_w, abs=1e-3)
    change_w = total_w - sum(room.baseline_w for room in rooms.values())
    assert all((parts[name] - room.baseline_w) * change_w >= -1e-3 for name, room in rooms.items())
