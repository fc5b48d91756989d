"""When a VTN of 2.0b is a matter for a person."""

from datetime import timedelta

from dr_engine.ven.status2b import LOST, Status2b
from tests.conftest import START


def test_X5_a_2_0b_vtn_of_which_nothing_is_heard_becomes_a_concern_and_is_none_when_it_is_back() -> None:
    status, second = Status2b(START), timedelta(seconds=1)
    assert status.concern(START + LOST) == ""
    assert "since 2026-06-03 00:00 UTC" in status.concern(START + LOST + second)
    status.heard_at = START + LOST
    assert status.concern(START + LOST + second) == ""
    assert "since 2026-06-03 00:10 UTC" in status.concern(START + 3 * LOST)
