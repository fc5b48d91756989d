"""Runs the days, in one process or several, and gathers them in their order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from gridstay.fleet.day import Day, mornings_of, run_day
from gridstay.fleet.options import FleetOptions
from simulators.fleet.records import Records

CHUNK = 4


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
        yield from map(one, numbers, mornings)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(one, numbers, mornings, chunksize=CHUNK)
