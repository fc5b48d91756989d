"""The last plan of a facility is kept whole, and only the last."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from dr_engine.store import plans
from dr_engine.store.errors import Unknown
from dr_engine.store.plans import KeptCar, KeptPlan, KeptSlot
from tests.dr_engine.bench import START, at

SLOT = KeptSlot(at(0), at(15), -30_000, 3_000, -29_500, 2, 0, 12, 8.25)
QUIET = replace(SLOT, start=at(15), end=at(30), target_w=None, band_w=0)
CAR = KeptCar("b1", "s1", "free", 1, [-15_000, 7_000], [30_000, 31_500])
ABSENT = KeptCar("b2", None, "unknown_soc", 0, [], [])
PLAN = KeptPlan("salon", START, "whole", "", 12.5, 12.25, [SLOT, QUIET], [CAR, ABSENT])


def test_a_plan_comes_back_as_it_was_kept(connection: Connection) -> None:
    plans.put(connection, PLAN)
    assert plans.get(connection, "salon") == PLAN


def test_a_new_plan_takes_the_place_of_the_last_one_of_its_facility_alone(connection: Connection) -> None:
    elsewhere = replace(PLAN, facility_id="hall", bound=None)
    newer = replace(PLAN, made_at=START + timedelta(minutes=5), cars=[], method="default", reason="the solver failed")
    for plan in (PLAN, elsewhere, newer):
        plans.put(connection, plan)
    assert plans.get(connection, "salon") == newer
    assert sorted(plans.all_plans(connection), key=lambda one: one.facility_id) == [elsewhere, newer]


def test_of_a_facility_without_a_plan_it_is_said_why(connection: Connection) -> None:
    with pytest.raises(Unknown, match="no plan of facility salon: no willing guest"):
        plans.get(connection, "salon")
    assert plans.all_plans(connection) == []
