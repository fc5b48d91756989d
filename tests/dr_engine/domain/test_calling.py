"""What a request calls of a sold block."""

import pytest

from contracts.dr import Direction
from dr_engine.domain.calling import Call, SoldBlock, called
from dr_engine.domain.settlement import RequestInterval
from tests.dr_engine.domain.strategies import later

HALF = 1800


def block(direction: Direction = Direction.UP, baseline_w: int | None = 6_000) -> SoldBlock:
    return SoldBlock(later(0), later(HALF), direction, 10, baseline_w)


def asks(power_w: int, start_s: float = 0, end_s: float = HALF) -> RequestInterval:
    return RequestInterval(later(start_s), later(end_s), power_w)


@pytest.mark.parametrize(
    ("sold", "power_w", "most_w"),
    [
        (block(), -4_000, 10_000),
        (block(), 2_000, 4_000),
        (block(), 8_000, 0),
        (block(Direction.DOWN), 11_000, 5_000),
        (block(Direction.DOWN), 5_000, 0),
        (block(baseline_w=None), -1, 10_000),
        (block(baseline_w=None), 1, 0),
        (block(Direction.DOWN, None), 1, 10_000),
    ],
)
def test_S302_S304_a_call_is_the_change_from_what_was_registered(sold: SoldBlock, power_w: int, most_w: float) -> None:
    assert called(sold, [asks(power_w)]) == Call(most_w, most_w / 2)


def test_S302_S304_only_the_block_s_own_time_is_called() -> None:
    spread = [asks(-4_000, -900, 600), asks(1_000, 600, 1_200), asks(-4_000, HALF, 2 * HALF)]
    found = called(block(), spread)
    assert found.most_w == 10_000
    assert found.energy_wh == pytest.approx(10_000 / 6 + 5_000 / 6)
