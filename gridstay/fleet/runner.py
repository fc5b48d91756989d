"""Runs the days, in one process or several, and gathers them in their order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np

from gridstay.fleet.day import Day, mornings_of, run_day
from gridstay.fleet.options import FleetOptions
from simulators.fleet.records import Records

CHUNK = 4
_LARGE = 4_000_000


def run_days(options: FleetOptions, records: Records, jobs: int, told: Callable[[int], None]) -> list[Day]:
    """All days; `told` hears how many are done. The number of jobs changes nothing but the time it takes."""
    days: list[Day] = []
    for day in each_day(options, records, jobs, range(options.days)):
        days.append(day)
        told(len(days))
    return days


def each_day(options: FleetOptions, records: Records, jobs: int, numbers: Sequence[int]) -> Iterator[Day]:
    """The days of these numbers, each as soon as it and those before it are there."""
    one, known = partial(run_day, options=options, records=records), mornings_of(options, records)
    mornings = [known[number] for number in numbers]
    if jobs == 1 or len(numbers) <= 1:
        _keep_what_is_freed()
        yield from map(one, numbers, mornings)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _keep_what_is_freed) as pool:
        yield from pool.map(one, numbers, mornings, chunksize=CHUNK)


def _keep_what_is_freed() -> None:
    """Until a process has once freed an array of that size, glibc gives freed ones back to the system: half of the time of a
    large fleet's days would be page faults."""
    np.zeros(_LARGE)
