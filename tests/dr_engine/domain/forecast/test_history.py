"""Series on an area's own clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dr_engine.domain.forecast.history import Calendar, arranged

BERLIN = Calendar(ZoneInfo("Europe/Berlin"), "DE")


def test_the_hour_that_the_clocks_skip_is_none_and_the_doubled_one_is_its_first() -> None:
    spring, autumn = BERLIN.hour_starts(date(2026, 3, 29)), BERLIN.hour_starts(date(2026, 10, 25))
    assert spring[2] is None
    assert spring[3] == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert autumn[1:4] == [
        datetime(2026, 10, 24, 23, tzinfo=UTC),
        *(datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 2)),
    ]


def test_values_stand_at_their_local_day_and_hour_and_shares_are_made() -> None:
    at = [datetime(2026, 6, 1, 22, tzinfo=UTC), datetime(2026, 6, 2, 10, tzinfo=UTC), datetime(2026, 6, 9, tzinfo=UTC)]
    series = {"demand_mw": (at, [80.0, 60.0, 1.0]), "supply_mw": (at, [100.0, 0.0, 1.0]), "solar_mw": (at, [0.0, 30.0, 1.0])}
    found = arranged(BERLIN, date(2026, 6, 1), date(2026, 6, 2), series, {"outlook_peak_mw": {date(2026, 6, 2): 90.0}})
    assert found.of("demand_mw")[1, 0] == 80.0
    assert found.of("use_pct")[1, 0] == 80.0
    assert np.isnan(found.of("use_pct")[1, 12]), "a supply of zero is no supply that was published"
    assert found.of("solar_pct")[1, 12] == 50.0
    assert np.isfinite(found.of("demand_mw")).sum() == 2
    assert found.of("outlook_peak_mw")[1].tolist() == [90.0] * 24
    assert np.isnan(found.of("price")).all()


@pytest.mark.parametrize("row", [-1, 0, 5])
def test_rows_and_days_name_each_other(row: int) -> None:
    found = arranged(BERLIN, date(2026, 6, 1), date(2026, 6, 2), {}, {})
    assert found.row(found.day(row)) == row
