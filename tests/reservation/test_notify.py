"""What members are told."""

from datetime import date

from reservation import notify
from reservation.domain.benefit import Kind
from tests.reservation.samples import facility, hours

POINTS = notify.Worth(Kind.POINTS, "points")


def test_M3_a_period_is_said_in_the_facilitys_time() -> None:
    assert notify.when(facility(), hours(11, 13)) == "Wednesday 3 June 2026, 11:00 to 13:00"
    assert notify.when(facility(), hours(23, 25)) == "Wednesday 3 June 2026, 23:00 to 4 June 2026, 01:00"


def test_S504_thanks_say_what_was_given_and_for_what() -> None:
    day = date(2026, 6, 3)
    assert notify.thanks(facility(), day, 5_240, POINTS, 1_312) == (
        "You helped the grid with 5.2 kWh during your stay at Salon Kanda on 3 June 2026. You receive 1,312 points."
    )
    assert notify.thanks(facility(), day, 0, POINTS, 1).endswith("You receive 1 point.")
