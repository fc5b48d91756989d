"""A request refers to the awards that it calls."""

from typing import Any

import pytest

from tests.dr_engine.bench import FACILITY, Bench, at, booking, text, willing

pytestmark = pytest.mark.acceptance


async def asked(bench: Bench, start: float, end: float, power_w: int, **more: Any) -> list[dict[str, Any]]:
    """Ask, and give what is said of awards."""
    interval = {"start": text(at(start)), "end": text(at(end)), "power_w": power_w}
    answer = await bench.http.post("/api/dr/events", json={"facility_id": FACILITY, "intervals": [interval]} | more)
    assert answer.status_code == 201, answer.text
    found: list[dict[str, Any]] = answer.json()["awards"]
    return found


async def sold(bench: Bench) -> None:
    """Two half hours up and one down."""
    await bench.host.bus.publish(booking("ann", wish=willing(soc=50)))
    await bench.sell(30, 90, 10, baseline_w=3_000)
    await bench.sell(90, 120, 6, "jp-ra-down", baseline_w=1_000)


async def test_S302_S304_a_request_says_which_awards_it_calls_and_what_is_left(bench: Bench) -> None:
    await sold(bench)
    first, second = await asked(bench, 30, 75, -5_000, id="e1", program="jp-ra-up")
    assert (first["bid_id"], first["product"], first["direction"]) == ("jp-ra-up-30", "jp-ra-up", "up")
    assert (first["start"], first["awarded_kw"], first["baseline_kw"]) == ("2026-06-03T00:30:00Z", 10, 3)
    assert (first["called_kw"], first["called_kwh"], first["left_kwh"]) == (8, 4, 1)
    assert (second["called_kwh"], second["left_kwh"]) == (2, 3)
    (rest,) = await asked(bench, 75, 90, -9_000, id="e2")
    assert (rest["called_kw"], rest["beyond_kw"], rest["left_kwh"]) == (12, 2, 0)
    shown = (await bench.event("e1"))["awards"]
    assert [one["left_kwh"] for one in shown] == [1, 0]


async def test_S302_S304_a_program_calls_only_its_own_awards(bench: Bench) -> None:
    await sold(bench)
    assert await asked(bench, 30, 40, -5_000, program="jp-ra-down") == []
    (down,) = await asked(bench, 90, 120, 7_000, program="jp-ra-down")
    assert (down["direction"], down["called_kw"], down["left_kwh"]) == ("down", 6, 0)


async def test_S302_S304_what_was_not_sold_is_asked_for_all_the_same_and_a_cancelled_request_calls_nothing(
    bench: Bench,
) -> None:
    await sold(bench)
    assert await asked(bench, 120, 130, -5_000, program="of our own") == []
    assert await asked(bench, 40, 50, -5_000, id="e1") != []
    await bench.http.delete("/api/dr/events/e1")
    assert (await bench.event("e1"))["awards"] == []
    (again,) = await asked(bench, 50, 60, -7_000)
    assert again["left_kwh"] == pytest.approx(5 - 10 / 6, abs=0.001)
