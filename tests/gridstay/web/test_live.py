"""What a car has earned so far, before the grid has paid."""

from datetime import UTC, datetime, timedelta

from gridstay.web.guest.live import about_earned
from gridstay.web.guest.times import Paid

MINUTE = timedelta(minutes=1)


def test_M6_what_a_car_has_earned_so_far_is_reckoned_by_its_paid_period() -> None:
    start = datetime(2026, 11, 27, 3, tzinfo=UTC)
    paid = [Paid(start, start + 60 * MINUTE, minor_per_kwh=30), Paid(start + 60 * MINUTE, start + 90 * MINUTE, 90)]
    event = {"start": start.isoformat(), "end": (start + 30 * MINUTE).isoformat(), "delivered_wh": 1_500}
    assert about_earned([event], paid) == 45
    assert about_earned([event | {"start": (start - 90 * MINUTE).isoformat(), "end": start.isoformat()}], paid) == 0
    assert about_earned([], paid) == 0
