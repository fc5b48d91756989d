"""What the engine has learned of guests and chargers by the morning of a day: the outcomes of the days before."""

from collections.abc import Iterator
from copy import deepcopy

from dr_engine.domain.availability import Experience, Outcome
from gridstay.fleet.booked import booked
from simulators.fleet.visits import Visits

FACILITY = "fleet"
GUEST = "guest"
"""Nobody comes twice: all are one member, of whom no more is known than of the facility."""
LEAD_S = 86_400.0


def outcomes(visits: Visits, day: int) -> Iterator[Outcome]:
    """What became of a day's bookings."""
    known, came, leaves = booked(visits, day), visits.came, visits.departure_s
    for place in range(visits.count):
        start, end = known.at(visits.booked_start_s[place]), known.at(visits.booked_end_s[place])
        if came[place]:
            plugged = known.at(visits.arrival_s[place]), known.at(leaves[place])
            yield Outcome(FACILITY, GUEST, start, end, LEAD_S, True, *plugged, not visits.ignores_profiles[place])
        else:
            yield Outcome(FACILITY, GUEST, start, end, LEAD_S, came=False)


def mornings(days: Iterator[Visits], past_days: int) -> list[Experience]:
    """What is known on the morning of each day after the first `past_days`."""
    known, found = Experience(), []
    for number, visits in enumerate(days):
        if number >= past_days:
            found.append(deepcopy(known))
        for outcome in outcomes(visits, number - past_days):
            known.learn(outcome)
    return found
