"""Charge by default, then wait (F7C)."""

import numpy as np
import pytest

from dr_engine.domain.car import Cars, Physics
from dr_engine.domain.controls import Controls
from dr_engine.domain.default_plan import default_plan
from tests.dr_engine.domain.boards import control, told
from tests.dr_engine.domain.strategies import NOW, car

CAR = car(wanted=70)
NO_CONTROL, HELD, USED = control(), told(0, until_s=7_200, since_s=-60), told(-5_000, until_s=0, since_s=-60)


def plan(soc: float | None, controls: Controls, *, after_s: float = 0, preparing: bool = False) -> str:
    stored = np.array([np.nan if soc is None else soc])
    now_s = NOW.timestamp() + after_s
    found = default_plan(Cars.of([CAR]), stored, controls, now_s, Physics(), np.array([preparing]))
    assert not (found.hold & found.release).any()
    return "hold" if found.hold[0] else "release" if found.release[0] else ""


@pytest.mark.parametrize(
    ("soc", "controls", "expected"),
    [
        (60, NO_CONTROL, ""),
        (70.5, NO_CONTROL, ""),
        (71, NO_CONTROL, "hold"),
        (71, HELD, ""),
        (70.2, HELD, ""),
        (69.9, HELD, "release"),
        (60, USED, "release"),
        (80, USED, "hold"),
        (None, NO_CONTROL, ""),
        (None, USED, "release"),
    ],
)
def test_F7C_what_a_car_is_told_outside_events(soc: float | None, controls: Controls, expected: str) -> None:
    assert plan(soc, controls) == expected


def test_nothing_is_held_after_the_control_period() -> None:
    assert plan(90, HELD, after_s=7_201) == "release"


@pytest.mark.parametrize(
    ("soc", "controls", "expected"),
    [
        (71, NO_CONTROL, ""),
        (71, HELD, "release"),
        (91.9, NO_CONTROL, ""),
        (92, NO_CONTROL, "hold"),
        (91.5, HELD, ""),
        (90.9, HELD, "release"),
    ],
)
def test_X2_cars_charge_on_while_a_request_to_discharge_is_awaited(soc: float, controls: Controls, expected: str) -> None:
    assert plan(soc, controls, preparing=True) == expected
