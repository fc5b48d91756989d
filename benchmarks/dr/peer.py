"""The same small fleets in our planner and in FlexMeasures' scheduler, side by side: `python -m benchmarks.dr.peer`.

FlexMeasures (PyPI) is installed into an environment of its own under `--folder` (a temporary one else). Both get the same
cars, slots of 15 minutes, arrival energies, wanted energies at departure (hard), least and most energies (hard), power
limits, efficiencies, one price per slot for energy both ways, and (half of the fleets) a power that is asked of the fleet in
some half hours, each kWh away from it at one price. That is FlexMeasures' cost model: deviations from commitments; our wear
of batteries, rising steps, margins and charging curve are set to nothing. One process each, one solver (HiGHS) each, seconds
of the processor, best of `--times` calls. Of FlexMeasures only its `device_scheduler` is timed, of ours the whole `plan`.
Costs of both are reckoned here from the powers that they gave, after a check that these keep every limit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.dr.fleet import SLOT_S, fleet
from dr_engine.domain.car import HOUR_S, Floats, Physics
from dr_engine.domain.planner.policy import plan
from dr_engine.domain.planner.problem import PlanRules, Problem

PEER = ("flexmeasures==1.0.1", "highspy")
SCRIPT = Path(__file__).with_name("peer_flexmeasures.py")
PHYSICS = Physics(
    upper_pct=90.0, margin_pct=0.0, power_margin=0.0, reserve_s=0.0, taper_from_pct=99.0, charge_efficiency=0.93
)
RULES = PlanRules(missed_price=60.0, wear_price=0.0, wear_steps=(0.0, 0.0, 0.0), time_limit_s=60.0)
PRICES = np.array([22, 20, 19, 19, 20, 24, 29, 33, 31, 24, 17, 12, 10, 10, 13, 18, 26, 34, 38, 36, 33, 29, 26, 23])
TOLERANCE_KWH = 1e-3
STAYS = (1.0, 3.0), (8.0, 16.0)
PEER_LIMIT_S = 600


@dataclass(frozen=True)
class Outcome:
    """Powers in kW (cars x slots), and seconds."""

    power_kw: Floats
    wall_s: float
    cpu_s: float


def main() -> int:
    """Print a row for each fleet; 1 when one of ours costs more or takes longer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dr.peer", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the peer's environment is made, or already is")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--cars", type=int, nargs="+", default=[5, 10, 20])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        python = _environment(given.folder or Path(temporary))
        worse = [_row(problem, name, python, given.times) for name, problem in _problems(given.cars)]
    return 1 if any(worse) else 0


def _environment(folder: Path) -> Path:
    """The Python of the peer's environment, which is made where it is not yet."""
    python = folder / "peer" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "peer", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
    return python


def _problems(sizes: list[int]) -> list[tuple[str, Problem]]:
    sys.stdout.write(_line("fleet", "our cost", "its cost", "ours s", "its s", "times faster"))
    found = []
    for cars in sizes:
        for stay in STAYS:
            asked = fleet(cars, stay, 0.5, seed=cars)
            priced = replace(
                asked, price=np.repeat(PRICES, int(HOUR_S) // SLOT_S).astype(np.float64), band_w=0 * asked.band_w
            )
            free = replace(priced, target_w=np.full_like(priced.target_w, np.nan))
            name = f"{cars} cars, {stay[0]:.0f}-{stay[1]:.0f} h"
            found += [(f"{name}, prices", free), (f"{name}, prices and requests", priced)]
    return found


def _line(*columns: str) -> str:
    return " ".join(f"{column:<40}" if place == 0 else f"{column:>13}" for place, column in enumerate(columns)) + "\n"


def _row(problem: Problem, name: str, python: Path, times: int) -> bool:
    """Print a fleet's row; whether ours is worse."""
    ours, peers = _ours(problem, times), _peers(problem, python, times)
    costs = [_cost(problem, one.power_kw) for one in (ours, peers)]
    seconds = f"{ours.cpu_s:.4f}", f"{peers.cpu_s:.4f}", f"{peers.cpu_s / ours.cpu_s:.1f}"
    sys.stdout.write(_line(name, f"{costs[0]:.3f}", f"{costs[1]:.3f}", *seconds))
    sys.stdout.flush()
    return costs[0] > costs[1] + 1e-4 * max(1.0, abs(costs[1])) or ours.cpu_s > peers.cpu_s


def _ours(problem: Problem, times: int) -> Outcome:
    best = (np.inf, np.inf)
    for _ in range(times):
        began, began_cpu = time.perf_counter(), time.process_time()
        found = plan(problem, PHYSICS, RULES, bounded=False)
        best = min(best, (time.perf_counter() - began, time.process_time() - began_cpu))
    power = np.zeros((len(problem.arrive_s), len(problem.price)))
    power[found.car, found.slot] = found.power_w / 1000
    return Outcome(power, *best)


def _peers(problem: Problem, python: Path, times: int) -> Outcome:
    told = subprocess.run(
        [python, SCRIPT],
        input=json.dumps(_told(problem) | {"times": times}),
        capture_output=True,
        text=True,
        check=True,
        timeout=PEER_LIMIT_S,
    ).stdout
    found = json.loads(told.splitlines()[-1])
    if found["status"] != "optimal":
        raise SystemExit(f"FlexMeasures did not solve it: {found['status']}")
    return Outcome(np.array(found["power_kw"]), found["wall_s"], found["cpu_s"])


def _told(problem: Problem) -> dict[str, object]:
    """The problem as JSON, in kW and kWh."""
    cars, first, last = problem.cars, _slot(problem, problem.arrive_s), _slot(problem, problem.cars.depart_s) - 1
    most = np.maximum(PHYSICS.upper_pct, cars.wanted_pct)
    return {
        "slots": len(problem.price),
        "slot_s": SLOT_S,
        "price": problem.price.tolist(),
        "target_kw": [None if np.isnan(one) else one / 1000 for one in problem.target_w],
        "missed_price": RULES.missed_price,
        "import_kw": float(problem.import_w[0, 0] / 1000),
        "export_kw": float(problem.export_w[0, 0] / 1000),
        "cars": [
            {
                "first": int(first[one]),
                "last": int(last[one]),
                "charge_kw": cars.charge_w[one] / 1000,
                "discharge_kw": cars.discharge_w[one] / 1000,
                "energy_kwh": problem.energy_wh[one] / 1000,
                "wanted_kwh": cars.wh(cars.wanted_pct)[one] / 1000,
                "least_kwh": cars.wh(cars.floor_pct)[one] / 1000,
                "most_kwh": cars.wh(most)[one] / 1000,
                "charge_efficiency": PHYSICS.charge_efficiency,
                "discharge_efficiency": PHYSICS.discharge_efficiency,
            }
            for one in range(len(first))
        ],
    }


def _slot(problem: Problem, instant_s: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    slots: np.ndarray[tuple[int], np.dtype[np.int64]] = np.rint((instant_s - problem.edges_s[0]) / SLOT_S).astype(np.int64)
    return slots


def _cost(problem: Problem, power_kw: Floats) -> float:
    """Energy at its price, and what was missed; SystemExit where a limit is broken."""
    hours, cars = SLOT_S / HOUR_S, problem.cars
    gain = np.where(power_kw > 0, power_kw * PHYSICS.charge_efficiency, power_kw / PHYSICS.discharge_efficiency) * hours
    energy = (problem.energy_wh / 1000)[:, None] + np.cumsum(gain, axis=1)
    least, most = cars.wh(cars.floor_pct) / 1000, cars.wh(np.maximum(PHYSICS.upper_pct, cars.wanted_pct)) / 1000
    kept = energy[:, -1] >= cars.wh(cars.wanted_pct) / 1000 - TOLERANCE_KWH
    inside = (energy >= least[:, None] - TOLERANCE_KWH) & (energy <= most[:, None] + TOLERANCE_KWH)
    powers = (power_kw <= cars.charge_w[:, None] / 1000 + 1e-6) & (power_kw >= -cars.discharge_w[:, None] / 1000 - 1e-6)
    if not (kept.all() and inside.all() and powers.all()):
        raise SystemExit("a plan breaks a limit: the two cannot be compared")
    net, target = power_kw.sum(axis=0), problem.target_w / 1000
    missed = float(np.nansum(np.abs(net - target))) * hours
    return float(problem.price @ net) * hours + RULES.missed_price * missed


if __name__ == "__main__":
    sys.exit(main())
