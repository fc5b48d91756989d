"""A program that begins at the corner of another fleet ends at its own optimum, whatever the other was like."""

from random import Random

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dr_engine.domain.planner.frame import Frame, arranged
from dr_engine.domain.planner.highs import exact
from dr_engine.domain.planner.lp import program
from dr_engine.domain.planner.problem import Ints, PlanRules, Problem
from dr_engine.domain.planner.warm import BASIC, likes
from tests.dr_engine.domain.planner.problems import PHYSICS, plain, problem, problems

RULES = PlanRules()
FEW = settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


def frame_of(asked: Problem) -> Frame:
    return arranged(asked, PHYSICS).frame


@FEW
@given(problems(), problems(), st.randoms(use_true_random=False))
def test_the_optimum_is_the_same_from_wherever_it_is_looked_for(one: Problem, other: Problem, chance: Random) -> None:
    frame, known = frame_of(one), frame_of(other)
    if not len(frame.slot) or not len(known.slot):
        return
    like = np.array([chance.randrange(known.cars) for _ in range(frame.cars)])
    corner = exact(known, RULES, 5.0).corner
    begun = exact(frame, RULES, 5.0, start=lambda found: corner.carried(frame, found, like))
    assert begun.relaxed == pytest.approx(exact(frame, RULES, 5.0).relaxed, rel=1e-6, abs=1e-6)


def test_a_fleet_like_it_leaves_every_car_where_it_stood() -> None:
    frame = frame_of(problem(plain(5, soc=70, wanted=60), {8: -30_000, 9: -20_000}))
    corner, same = exact(frame, RULES, 5.0).corner, np.arange(frame.cars)
    carried = corner.carried(frame, program(frame, RULES), same)
    assert carried.columns.tolist() == corner.basis.columns.tolist()
    assert carried.rows.tolist() == corner.basis.rows.tolist()
    assert (carried.columns == BASIC).sum() + (carried.rows == BASIC).sum() == len(carried.rows)


@pytest.mark.parametrize(
    ("known", "new", "places"),
    [([5], [0, 5, 9], [0, 0, 0]), ([8, 2, 5], [0, 3, 4, 7, 9], [1, 1, 2, 0, 0]), ([0, 10], [5, 6], [1, 1])],
)
def test_the_nearest_rank_is_the_like(known: list[int], new: list[int], places: list[int]) -> None:
    def ranked(ranks: list[int]) -> Ints:
        return np.array(ranks, dtype=np.int64)

    assert likes(ranked(known), ranked(new)).tolist() == places
