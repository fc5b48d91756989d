"""The engine keeps a plan for each facility: on booking, arrival, request, and every five minutes."""

from typing import Any

import pytest

from dr_engine.domain.planner.highs import Unsolved
from dr_engine.domain.planner.policy import plan as made_plan
from dr_engine.domain.planner.problem import Plan
from dr_engine.planning import Planning
from dr_engine.roster import roster
from dr_engine.settings import DrSettings, SiteLimits
from dr_engine.store import plans
from tests.dr_engine.bench import FACILITY, Bench, at, booking, willing
from tests.dr_engine.plant import Plant


async def shown(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = (
        (await bench.http.get("/api/dr/plan", params={"facility_id": FACILITY})).raise_for_status().json()
    )
    return found


async def test_S306_a_request_is_planned_ahead(bench: Bench) -> None:
    for number in range(3):
        await bench.arrive(number)
    assert (await bench.request([(30, 60, -15_000)])).status_code == 201
    await bench.until(at(1))
    found = await shown(bench)
    asked = [slot for slot in found["slots"] if slot["target_w"] is not None]
    assert [slot["start"] for slot in asked] == ["2026-06-03T00:30:00Z", "2026-06-03T00:45:00Z"]
    assert all(abs(slot["planned_w"] + 15_000) <= slot["band_w"] + 1 for slot in asked)
    assert {car["standing"] for car in found["cars"]} == {"free"}
    assert found["reason"] == ""
    assert found["bound"] <= found["cost"] + 0.01


async def test_it_is_planned_anew_when_a_car_comes_goes_or_time_passes(bench: Bench) -> None:
    await bench.host.bus.publish(booking("ann", wish=willing(soc=50)))
    await bench.until(at(1))
    before = await shown(bench)
    assert [(car["session_id"], car["energy_wh"][0] > 0) for car in before["cars"]] == [(None, True)]
    await bench.csms.commission("CP1")
    charger = await bench.csms.plug("CP1", "ann", Plant(60_000, 81.0))
    await bench.until(at(2))
    here = (await shown(bench))["cars"]
    assert [car["session_id"] for car in here] == [charger.session]
    assert here[0]["energy_wh"][0] == pytest.approx(0.81 * 60_000, abs=2_000)  # the true SOC, not the one that was told
    await bench.until(at(8))
    later = await shown(bench)
    assert later["made_at"] > "2026-06-03T00:05:00Z"
    await bench.csms.unplug("CP1", "ann")
    await bench.until(at(9))
    assert (await shown(bench))["cars"] == []


async def test_nothing_is_planned_where_nobody_is_booked(bench: Bench) -> None:
    await bench.until(at(1))
    refused = await bench.http.get("/api/dr/plan", params={"facility_id": "nowhere"})
    assert refused.status_code == 404
    assert "nowhere" in refused.json()["detail"]
    assert (await bench.http.get("/api/dr/plan")).status_code == 422


async def test_the_dispatcher_can_ask_what_is_planned_also_after_a_restart(bench: Bench) -> None:
    charger = await bench.arrive(1)
    await bench.request([(30, 60, -5_000)])
    await bench.until(at(1))
    again = Planning(DrSettings(), bench.database, bench.host, bench.service._telemetry)
    again._remember(await bench.database.read(plans.all_plans))
    assert again.planned_w(charger.session, at(40)) == pytest.approx(-5_000, abs=501)
    assert again.planned_w("b-guest1", at(40)) == again.planned_w(charger.session, at(40))
    assert again.planned_w(charger.session, at(400)) is None
    assert again.planned_w("nobody", at(40)) is None


async def test_no_solver_the_last_plan_goes_on(bench: Bench) -> None:
    await bench.arrive(1)
    await bench.request([(30, 60, -5_000)])
    await bench.until(at(1))

    def fails(*_: object) -> Any:
        raise Unsolved("the solver ended with: Time limit reached")

    def planner(*given: Any, **named: Any) -> Plan:
        return made_plan(*given, **named, solver=fails)

    planning = Planning(DrSettings(), bench.database, bench.host, bench.service._telemetry, planner)
    planning._remember(await bench.database.read(plans.all_plans))
    await planning._plan_all()
    found = await shown(bench)
    assert (found["method"], found["reason"]) == ("last plan", "the solver ended with: Time limit reached")
    asked = [slot for slot in found["slots"] if slot["target_w"] is not None]
    assert all(slot["missed_wh"] == 0 for slot in asked)


async def test_a_site_keeps_its_limits_beside_its_own_load(bench: Bench) -> None:
    for number in range(2):
        await bench.arrive(number, soc_pct=40.0)
    await bench.until(at(1))
    load = tuple(10_000.0 if hour == 0 else 2_000.0 for hour in range(24))
    limits = DrSettings(sites={FACILITY: SiteLimits(import_w=18_000, export_w=0, load_w=load)})
    found = await bench.database.read(
        lambda connection: roster(connection, FACILITY, at(1), bench.service._telemetry, limits.physics())
    )
    made = made_plan(found.problem(at(1), limits, 1.0), limits.physics(), limits.plan_rules())
    first_hour = made.planned_w[:4]
    assert first_hour.max() <= 8_001
    assert made.planned_w.max() <= 16_001
    assert made.planned_w.min() >= -1


async def test_S302_what_is_sold_is_planned_as_if_it_were_called_and_done_only_then(bench: Bench) -> None:
    charger = await bench.arrive(1, soc_pct=30, wish=willing(wanted=32))
    await bench.sell(120, 150, 8)
    await bench.request([(170, 175, -1_000)])
    await bench.until(at(6))
    found = await shown(bench)
    sold = [slot for slot in found["slots"] if slot["sold"]]
    assert [slot["start"] for slot in sold] == ["2026-06-03T02:00:00Z", "2026-06-03T02:15:00Z"]
    assert all(abs(slot["planned_w"] + 8_000) < 900 and slot["target_w"] is None for slot in sold)
    planned = bench.service._planning
    assert planned is not None
    assert planned.planned_w(charger.session, at(130)) is None
    assert planned.planned_w(charger.session, at(172)) is not None
