"""Where the site counts."""

import pytest

from dr_engine.domain.metering import Energy, Quality
from dr_engine.domain.settlement import Delivered, RequestInterval
from dr_engine.domain.site import SiteCheck, SiteInterval, SiteReading, borne_out, energy_wh, site_interval
from tests.dr_engine.domain.strategies import NOW, later

HALF_HOURS = [SiteReading(later(1800 * n), later(1800 * (n + 1)), 1_000 * n, 100) for n in range(3)]


@pytest.mark.parametrize(
    ("start", "end", "energy"),
    [(0, 1800, -100), (1800, 5400, 2_800), (900, 2700, -50 + 450), (0, 5401, None), (-1, 1800, None), (9000, 9900, None)],
)
def test_S402_the_sites_energy_in_a_period(start: float, end: float, energy: float | None) -> None:
    assert energy_wh(HALF_HOURS, later(start), later(end)) == (None if energy is None else pytest.approx(energy))


def test_S402_a_gap_in_the_sites_meter_is_not_bridged() -> None:
    assert energy_wh([HALF_HOURS[0], HALF_HOURS[2]], NOW, later(5400)) is None


@pytest.mark.parametrize(
    ("power_w", "baseline", "actual", "credited", "factor"),
    [
        (-9_000, 5_000, 1_000, 4_000, 1),
        (-9_000, 5_000, 0, 4_000, 1),
        (-9_000, 5_000, 2_000, 4_000, 0.75),
        (-9_000, 5_000, 6_000, 4_000, 0),
        (9_000, 5_000, 8_000, 4_000, 0.75),
        (-9_000, 5_000, 5_000, 0, 1),
        (-9_000, 5_000, None, 4_000, 0),
        (-9_000, None, 5_000, 4_000, 0),
    ],
)
def test_S402_credit_is_what_the_site_bears_out(
    power_w: int, baseline: float | None, actual: float | None, credited: float, factor: float
) -> None:
    found = site_interval(RequestInterval(NOW, later(1800), power_w), baseline, actual, 0.0, credited)
    assert found.factor == factor


def test_S402_all_cars_are_scaled_alike() -> None:
    def part(credit: float) -> Delivered:
        return Delivered(Energy(0, Quality.GOOD), 0, 0, credit, 7)

    check = SiteCheck((SiteInterval(0, 0, 0, 0.75), SiteInterval(0, 0, 0, 1)))
    found = borne_out({"ann": [part(400), part(400)], "ben": [part(100), part(0)]}, check)
    assert {name: [one.credit_wh for one in own] for name, own in found.items()} == {"ann": [300, 400], "ben": [75, 0]}
    assert found["ann"][0].available_wh == 7
