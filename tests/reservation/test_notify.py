"""What members are told."""

from reservation import notify
from tests.reservation.samples import facility, hours


def test_M3_a_period_is_said_in_the_facilitys_time() -> None:
    assert notify.when(facility(), hours(11, 13)) == "Wednesday 3 June 2026, 11:00 to 13:00"
    assert notify.when(facility(), hours(23, 25)) == "Wednesday 3 June 2026, 23:00 to 4 June 2026, 01:00"
