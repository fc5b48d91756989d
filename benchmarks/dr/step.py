"""How long one dispatch step takes: `python -m benchmarks.dr.step [--cars N ...] [--repeat 30]`.

A fleet of random cars and stays from a seed, at sites of fifty with limits, in an event that asks for half of what it could
give; samples 2 to 12 s old, converters some percent off, one car in fifty silent, one in a hundred not following. Timed is
all that happens between what is known and what is sent: the event's cars are taken from the arrays of all sessions, the step
is made, its conclusions are put back. `begin`: nobody has a setpoint yet, everybody is told one; `hold`: seven ticks later,
the next samples are judged and some profiles are renewed; `turn`: the request changes, all is shared anew; `limits`: as
`turn`, with every site at its limit; `least`: as `turn`, with a least power of 1.4 kW; `ahead`: as `turn`, in a step that
looks at what can be held to the end, beside a block that is sold for the hour after it. Milliseconds of the processor, one
thread: the least, the median and the most of all repetitions.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from contracts.dr import Direction
from dr_engine.domain.board import Board, DispatchRules
from dr_engine.domain.car import Cars, Floats, Physics, Places
from dr_engine.domain.controls import Controls
from dr_engine.domain.dispatch import State, Step, step
from dr_engine.domain.keeping import kept
from dr_engine.domain.lasting import NOBODY, Rest
from dr_engine.domain.offer import Hold
from dr_engine.domain.sharing import Caps

NOW = datetime(2026, 6, 3, 9, 0, tzinfo=UTC)
END = NOW + timedelta(hours=1)
TICK_S, SITE_CARS = 5.0, 50
RULES, PHYSICS = DispatchRules(), Physics()
CASES = ("begin", "hold", "turn", "limits", "least", "ahead")


@dataclass(frozen=True)
class Fleet:
    """All sessions, and which of them are the event's."""

    board: Board
    controls: Controls
    places: Places
    converter: Floats
    sold: tuple[Hold, ...] = ()


def fleet(cars: int, seed: int = 1) -> Fleet:
    """The cars a moment before the event begins."""
    chance = np.random.default_rng(seed)
    depart = NOW.timestamp() + chance.uniform(1_800, 6 * 3600, cars)
    now_s = NOW.timestamp()
    heard = np.where(chance.random(cars) < 0.02, now_s - 100, now_s - chance.uniform(2, 12, cars))
    controls = Controls.fresh(cars, RULES.follow.response_s)
    board = Board(
        now_s=now_s,
        cars=Cars(
            battery_wh=chance.uniform(40_000, 80_000, cars),
            charge_w=chance.choice([6_000.0, 11_000.0], cars),
            discharge_w=np.where(chance.random(cars) < 0.1, 0.0, chance.choice([6_000.0, 10_000.0], cars)),
            wanted_pct=chance.uniform(50, 80, cars),
            floor_pct=np.full(cars, 20.0),
            depart_s=depart,
        ),
        soc_pct=chance.uniform(45, 90, cars),
        sample_w=np.zeros(cars),
        sample_s=heard,
        heard_s=heard,
        reachable=chance.random(cars) > 0.005,
        in_flight_w=np.full(cars, np.nan),
        planned_w=np.full(cars, np.nan),
        step_w=np.zeros(cars),
        controls=controls,
        caps=_caps(cars, np.inf),
    )
    return Fleet(board, controls, np.arange(cars), np.clip(chance.normal(1, 0.02, cars), 0.95, 1.05))


def _caps(cars: int, limit_w: float) -> Caps:
    site = np.arange(cars) // SITE_CARS
    wide = np.full(int(site[-1]) + 1, limit_w)
    return Caps(site, -wide, wide)


def decided(known: Fleet, request_w: float, state: State) -> Step:
    """One step as the engine makes it: take, decide, put back."""
    board, rest = replace(known.board, controls=known.controls.take(known.places)), None
    if known.sold:
        board = replace(board, kept=kept(board.cars, board.soc_pct, END.timestamp(), known.sold, NOBODY, PHYSICS))
        rest = Rest(request_w, END.timestamp())
    done = step(board, request_w, END, state, RULES, PHYSICS, rest)
    known.controls.conclude(known.places, done.controls)
    return done


def obeyed(known: Fleet, done: Step) -> Fleet:
    """The same fleet a tick later: the stations took the orders, and half of the cars were sampled since."""
    known.controls.accept(done.orders.who, done.orders.power_w, done.orders.until_s, known.board.now_s)
    now_s = known.board.now_s + TICK_S
    told = np.nan_to_num(known.controls.told_w) * known.converter
    ignoring = np.arange(len(told)) % 100 == 7
    half = (np.arange(len(told)) % 2 == int(now_s / TICK_S) % 2) & (known.board.heard_s > known.board.now_s - 60)
    sample_s = np.where(half, now_s - 2, known.board.sample_s)
    board = replace(
        known.board,
        now_s=now_s,
        sample_w=np.where(half, np.where(ignoring, known.board.cars.charge_w, told), known.board.sample_w),
        sample_s=sample_s,
        heard_s=sample_s,
    )
    return replace(known, board=board)


def _timed(make: Callable[[], tuple[Fleet, float, State]], repeat: int) -> tuple[float, float, float]:
    """Least, median and most milliseconds of a step from that situation, made anew each time."""
    taken = []
    for _ in range(repeat):
        known, request_w, state = make()
        began = time.process_time()
        decided(known, request_w, state)
        taken.append(1000 * (time.process_time() - began))
    return min(taken), float(np.median(taken)), max(taken)


def situations(cars: int) -> dict[str, Callable[[], tuple[Fleet, float, State]]]:
    """How to get to each of the timed moments."""
    start = fleet(cars)
    request_w = -0.5 * float(np.minimum(start.board.cars.discharge_w, 6_000).sum())
    first = replace(start, controls=start.controls.take(start.places))
    done = decided(first, request_w, State())
    running, state = obeyed(first, done), done.state
    for _ in range(6):
        done = decided(running, request_w, state)
        running, state = obeyed(running, done), done.state
    at_limit = replace(running, board=replace(running.board, caps=_caps(cars, 0.6 * abs(request_w) / cars * SITE_CARS)))
    sold = Hold(END, END + timedelta(hours=1), Direction.UP, round(-0.2 * request_w / 1000))
    stepped = replace(running, board=replace(running.board, step_w=np.full(cars, 1_400.0)))

    def again(known: Fleet, power_w: float, then: State) -> Callable[[], tuple[Fleet, float, State]]:
        return lambda: (replace(known, controls=known.controls.take(known.places)), power_w, then)

    return {
        "begin": again(start, request_w, State()),
        "hold": again(running, request_w, state),
        "turn": again(running, 0.6 * request_w, state),
        "limits": again(at_limit, 0.6 * request_w, state),
        "least": again(stepped, 0.1 * request_w, state),
        "ahead": again(replace(running, sold=(sold,)), 0.6 * request_w, state),
    }


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cars", type=int, nargs="+", default=[100, 1_000, 10_000, 50_000])
    parser.add_argument("--repeat", type=int, default=30, help="steps of each kind [default: 30]")
    given = parser.parse_args()
    sys.stdout.write(f"{'cars':>8}" + "".join(f"{case:>24}" for case in CASES) + "\n")
    np.zeros(4_000_000)  # once a process has freed that much, as the planner has, glibc keeps what it frees: no page faults
    for cars in given.cars:
        made = situations(cars)
        cells = [_timed(made[case], given.repeat) for case in CASES]
        sys.stdout.write(
            f"{cars:>8,}" + "".join(f"{least:>10.2f} {middle:>6.2f} {most:>6.2f}" for least, middle, most in cells) + "\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
