"""FlexMeasures' side of `benchmarks.dr.peer`: run by that command in an environment of its own, one process.

Its `device_scheduler` (what StorageScheduler hands its problem to) is called directly: that needs no database and no server,
only a Flask context with the name of its solver. A problem comes as JSON, the schedule and the seconds go out as JSON.
"""

import json
import sys
import time
from typing import Any

import flask
import pandas as pd
from flexmeasures.data.models.planning import FlowCommitment
from flexmeasures.data.models.planning.linear_optimization import device_scheduler

Asked = dict[str, Any]
SOLVER = "highspy"
"""Its default, and its fastest: HiGHS without Pyomo."""


def main() -> None:
    """Schedule as often as asked, and tell the fastest."""
    asked = json.load(sys.stdin)
    app = flask.Flask("peer")
    app.config.update(FLEXMEASURES_LP_SOLVER=SOLVER, LOGGING_LEVEL="INFO")
    with app.app_context():
        sys.stdout.write(json.dumps(scheduled(asked)) + "\n")


def scheduled(asked: Asked) -> dict[str, Any]:
    """Powers in kW (cars x slots), and seconds of the processor and of the wall of the best of `times` calls."""
    index = pd.date_range("2026-06-03", periods=asked["slots"], freq=f"{asked['slot_s']}s", tz="UTC")
    hours = asked["slot_s"] / 3600
    best = (float("inf"), float("inf"))
    for _ in range(asked["times"]):
        devices = [device(car, index, hours) for car in asked["cars"]]
        limits = pd.DataFrame({"derivative max": asked["import_kw"], "derivative min": -asked["export_kw"]}, index=index)
        stocks = [car["energy_kwh"] / hours for car in asked["cars"]]
        began, began_cpu = time.perf_counter(), time.process_time()
        powers, _, results, _ = device_scheduler(
            devices, limits, commitments=commitments(asked, index, hours), initial_stock=stocks
        )
        took = time.perf_counter() - began, time.process_time() - began_cpu
        best = min(best, took)
    return {
        "power_kw": [series.tolist() for series in powers],
        "wall_s": best[0],
        "cpu_s": best[1],
        "status": str(results.solver.termination_condition),
    }


def device(car: Asked, index: pd.DatetimeIndex, hours: float) -> pd.DataFrame:
    """One car: stocks are in kW times slots, above what it comes with."""
    first, last = car["first"], car["last"]
    there = pd.Series(False, index=index)
    there.iloc[first : last + 1] = True
    frame = pd.DataFrame(index=index)
    frame["derivative max"] = there * car["charge_kw"]
    frame["derivative min"] = there * -car["discharge_kw"]
    frame["derivative up efficiency"] = car["charge_efficiency"]
    frame["derivative down efficiency"] = car["discharge_efficiency"]
    frame["max"] = (car["most_kwh"] - car["energy_kwh"]) / hours
    frame["min"] = (car["least_kwh"] - car["energy_kwh"]) / hours
    frame.iloc[last, frame.columns.get_loc("min")] = (car["wanted_kwh"] - car["energy_kwh"]) / hours
    frame["equals"] = float("nan")
    frame["derivative equals"] = float("nan")
    frame["efficiency"] = 1.0
    frame["stock delta"] = 0.0
    return frame


def commitments(asked: Asked, index: pd.DatetimeIndex, hours: float) -> list[FlowCommitment]:
    """Energy at its price both ways, and the penalty for being away from what is asked."""
    price = pd.Series(asked["price"], index=index) * hours
    energy = FlowCommitment(
        name="energy", index=index, quantity=0, upwards_deviation_price=price, downwards_deviation_price=price
    )
    target = pd.Series(asked["target_kw"], index=index, dtype=float)
    if target.isna().all():
        return [energy]
    missed = target.notna() * asked["missed_price"] * hours
    request = FlowCommitment(
        name="request",
        index=index,
        quantity=target.fillna(0.0),
        upwards_deviation_price=missed,
        downwards_deviation_price=-missed,
    )
    return [energy, request]


if __name__ == "__main__":
    main()
