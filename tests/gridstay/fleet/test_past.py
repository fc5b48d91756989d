"""What was learned by the morning of a day."""

import pytest

from dr_engine.domain.availability import Experience
from gridstay.fleet.day import mornings_of, visits_of
from gridstay.fleet.options import FleetOptions
from gridstay.fleet.past import FACILITY, GUEST, LEAD_S, outcomes
from simulators.fleet.records import records

OWN = records(None, None)
OPTIONS = FleetOptions(bays=12, days=3, no_show=0.3, early=0.2, stuck=0.1, past_days=20)


def test_S300_the_engine_knows_only_the_days_before() -> None:
    one, other, last = mornings_of(OPTIONS, OWN)
    past = Experience(one for day in range(-20, 0) for one in outcomes(visits_of(day, OPTIONS, OWN), day))
    for learned in (past, one):
        assert learned.shows(FACILITY, GUEST, LEAD_S) == pytest.approx(0.7, abs=0.08)
        assert learned.follows(FACILITY) == pytest.approx(0.9, abs=0.06)
        assert learned.stays(FACILITY, 1.0) == pytest.approx(1 - 0.2 / 0.7, abs=0.08)
    assert one.stays(FACILITY, 0.6) == past.stays(FACILITY, 0.6)
    assert len({learned.stays(FACILITY, 1.0) for learned in (one, other, last)}) == 3


def test_S300_outcomes_are_those_of_the_visits() -> None:
    visits = visits_of(0, OPTIONS, OWN)
    found = list(outcomes(visits, 0))
    assert len(found) == visits.count
    assert [one.came for one in found] == visits.came.tolist()
    gone = [one for one, early in zip(found, visits.left_early, strict=True) if early]
    assert gone
    assert all(one.plugged_out_at is not None and one.plugged_out_at < one.end for one in gone)
