"""How fast plans are made, and how far from the exact optimum: `python -m benchmarks.dr.plan [short] [long] [curve]`.

Each fleet is planned as the engine would. `short`: stays of 1-3 h, beside one program of HiGHS on the very same data, for
each seed. `long`: stays of 12-24 h. `curve`: time and memory by the number of cars. Every row has a process of its own, and
says so as soon as it is there. Seconds are of the processor, one thread; "gap" is the cost above the exact optimum, "bound"
above the lower bound that the planner gives itself, "missed" the share of what was asked, "MB" the most memory.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from benchmarks.dr.fleet import fleet
from dr_engine.domain.car import Physics
from dr_engine.domain.planner.frame import arranged
from dr_engine.domain.planner.highs import exact, solve
from dr_engine.domain.planner.policy import plan
from dr_engine.domain.planner.problem import PlanRules, Problem

T = TypeVar("T")
SHORT, LONG = (1.0, 3.0), (12.0, 24.0)
_RULES = PlanRules(time_limit_s=120)
_SECTIONS = ("short", "long", "curve")


@dataclass(frozen=True)
class Case:
    """A fleet, and whether the exact optimum is reckoned beside the plan."""

    cars: int
    stay_h: tuple[float, float]
    load: float
    seed: int
    compared: bool


def cases(sections: list[str], seeds: int) -> list[Case]:
    """The rows of the sections."""
    seeded = range(1, seeds + 1)
    short = [Case(10_000, SHORT, load, seed, True) for load in (0.5, 0.8) for seed in seeded]
    long = [Case(10_000, LONG, load, seed, False) for load in (0.5, 0.8) for seed in seeded]
    curve = [Case(cars, stay, 0.5, 1, False) for stay in (SHORT, LONG) for cars in (100, 1_000, 10_000, 50_000)]
    rows = {"short": short, "long": long, "curve": curve}
    return [case for section in sections for case in rows[section]]


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[*_SECTIONS, []], help="all when none is named")
    parser.add_argument("--seeds", type=int, default=3, help="fleets of each kind [default: 3]")
    given = parser.parse_args()
    sys.stdout.write(
        _line("cars", "stays h", "load", "seed", "how", "plan s", "one LP s", "x", "gap %", "bound %", "missed %", "MB")
    )
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as one:
        for row in one.imap(measured, cases(given.sections or list(_SECTIONS), given.seeds)):
            sys.stdout.write(_line(*row))
            sys.stdout.flush()


def _line(*columns: str) -> str:
    return " ".join(f"{column:>12}" if place == 4 else f"{column:>8}" for place, column in enumerate(columns)) + "\n"


def measured(case: Case) -> list[str]:
    """One row."""
    problem = fleet(case.cars, case.stay_h, case.load, case.seed)
    seconds, made = _timed(lambda: plan(problem, Physics(), _RULES, bounded=False))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    asked_wh = float(np.nansum(np.abs(problem.target_w)) / 4)
    stay = f"{case.stay_h[0]:.0f}-{case.stay_h[1]:.0f}"
    row = [f"{case.cars:,}", stay, f"{case.load:.1f}", str(case.seed), made.method, f"{seconds:.2f}"]
    if case.compared:
        one_s, optimum = _one_program(problem)
        row += [f"{one_s:.2f}", f"{one_s / seconds:.1f}", f"{100 * (made.cost / optimum - 1):.3f}", "-"]
    else:
        bound = plan(problem, Physics(), _RULES).bound
        row += ["-", "-", "-", "-" if bound is None else f"{100 * (made.cost / bound - 1):.2f}"]
    return [*row, f"{100 * made.missed_wh.sum() / asked_wh:.3f}", f"{memory:.0f}"]


def _one_program(problem: Problem) -> tuple[float, float]:
    """Seconds and optimum of one program of all cars, simplex with presolve (the fastest of HiGHS' ways on large ones)."""
    seconds, answer = _timed(
        lambda: exact(
            arranged(problem, Physics()).frame,
            _RULES,
            600.0,
            lambda found, limit_s, basis: solve(found, limit_s, basis, "simplex", "on"),
        )
    )
    return seconds, answer.relaxed


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


if __name__ == "__main__":
    main()
