"""Cars at a VTN's call: from its event to the discharge, the report, the statement and the money; and what may go wrong between."""

import asyncio
from typing import Any

import pytest
from openadr3_client import BlClient

from tests.dr_engine.bench import at
from tests.dr_engine.ven.conftest import ASKS, BL, Grid, Listening, statement

pytestmark = pytest.mark.acceptance


def first_values(report: Any) -> list[float]:
    """The first payload of each interval, over the resources."""
    return [interval["payloads"][0]["values"][0] for resource in report["resources"] for interval in resource["intervals"]]


async def test_X5_S304_S400_from_the_vtn_s_event_to_the_money(moving: Listening, grid: Grid) -> None:
    bench = moving.bench
    program = grid.program()
    for number in range(3):
        await bench.arrive(number)
    await bench.until(at(3))
    event = grid.ask(program, (at(6), at(16), -12), (at(16), at(21), -9), eventName="up", reportDescriptors=ASKS)
    await bench.until(at(4))
    (request,) = await moving.requests()
    assert (request["id"], request["program"], request["state"]) == (event["id"], "flex", "scheduled")
    assert [one["power_w"] for one in request["intervals"]] == [-12_000, -9_000]
    await bench.until(at(24))
    result = await bench.event(event["id"])
    assert result["intervals"][0]["delivered_wh"] < -1_900
    reports = {one["reportName"]: one for one in grid.all("reports")}
    assert list(reports) == ["up 0.0", "up 1.0"]
    whole, each = reports["up 0.0"], reports["up 1.0"]
    assert [one["resourceName"] for one in whole["resources"]] == ["AGGREGATED_REPORT"]
    assert [one["resourceName"] for one in each["resources"]] == ["CP0-1", "CP1-1", "CP2-1"]
    metered = [1000 * value for value in first_values(whole)]
    expected = [one["delivered_wh"] - one["baseline_wh"] for one in result["intervals"]]
    assert metered == pytest.approx(expected, abs=2)
    assert sum(first_values(each)) == pytest.approx(sum(first_values(whole)), abs=0.01)
    assert whole["resources"][0]["intervals"][0]["payloads"][-1] == {"type": "DATA_QUALITY", "values": ["OK"]}
    shown = await moving.shown(event["id"])
    assert [one["power_w"] for one in shown["timeline"]] == [-12_000, -9_000]
    assert all(one["sent_at"] for one in shown["reports"])

    stated = grid.create("events", **statement(program, event["id"], 1000))
    await bench.until(at(25))
    (allocated,) = bench.allocated
    assert (allocated.statement_id, allocated.total_minor) == ("st-1", 1000)
    assert sum(share.amount_minor for share in allocated.shares) == 1000
    grid.update("events", stated["id"], **statement(program, event["id"], 1200, revision=1))
    await bench.until(at(26))
    assert [(one.revision, one.total_minor) for one in bench.allocated] == [(0, 1000), (1, 1200)]


async def test_X5_an_independent_business_logic_asks_the_cars_and_reads_what_they_gave(
    moving: Listening, grid: Grid
) -> None:
    """By python-oa3-client, which shares nothing with us but the VTN between."""
    bench = moving.bench
    assert grid.vtn is not None
    logic = BlClient(url=grid.vtn.url, client_id=BL.client_id, client_secret=BL.secret)
    await asyncio.to_thread(logic.start)
    try:
        program = (await asyncio.to_thread(logic.create_program, {"programName": "flex"})).json()
        for number in range(2):
            await bench.arrive(number)
        body = grid.event_body(program["id"], [(at(5), at(10), -8)], eventName="up", reportDescriptors=ASKS)
        event = (await asyncio.to_thread(logic.create_event, body)).json()
        await bench.until(at(13))
        reports = await asyncio.to_thread(lambda: logic.reports(eventID=event["id"]))
        vens = await asyncio.to_thread(logic.vens)
        resources = await asyncio.to_thread(logic.resources)
    finally:
        await asyncio.to_thread(logic.stop)
    assert [one.ven_name for one in vens] == ["store-042"]
    assert [one.resource_name for one in resources] == ["hall-cars"]
    whole, each = sorted(reports, key=lambda one: one.report_name or "")
    assert [one.resource_name for one in whole.resources] == ["AGGREGATED_REPORT"]
    assert [one.resource_name for one in each.resources] == ["CP0-1", "CP1-1"]
    (interval,) = whole.resources[0].intervals
    delta = next(one.values[0] for one in interval.payloads if one.type == "DELTA_USAGE")
    result = await bench.event(event["id"])
    delivered_wh = result["intervals"][0]["delivered_wh"] - result["intervals"][0]["baseline_wh"]
    assert float(delta) == pytest.approx(delivered_wh / 1000, abs=0.002)
    assert interval.interval_period is not None
    assert interval.interval_period.start == at(5)


async def test_X5_S400_money_that_is_added_to_the_event_itself_pays_for_it(moving: Listening, grid: Grid) -> None:
    bench = moving.bench
    program = grid.program()
    for number in range(2):
        await bench.arrive(number)
    body = grid.event_body(program, [(at(5), at(9), -8)], eventName="up", reportDescriptors=ASKS)
    event = grid.create("events", **body)
    await bench.until(at(7))
    values = {"X_STATEMENT": "st-9", "X_STATEMENT_TOTAL": 1000, "X_STATEMENT_CAPACITY": 400}
    payloads = [{"type": name, "values": [value]} for name, value in values.items()]
    body["intervals"][0]["payloads"] += payloads
    body["payloadDescriptors"] = [*body["payloadDescriptors"], {"payloadType": "X_STATEMENT_TOTAL", "currency": "JPY"}]
    grid.update("events", event["id"], **body)
    await bench.until(at(8))
    assert bench.csms.chargers["CP0"].plant.power_w < 0, "it is carried out all the same"
    assert "is not over" in (await moving.shown(event["id"]))["note"]
    await bench.until(at(13))
    assert (await moving.shown(event["id"]))["note"] == "settled"
    (allocated,) = bench.allocated
    assert (allocated.statement_id, allocated.event_id, allocated.total_minor) == ("st-9", event["id"], 1000)
    (revision,) = (await bench.http.get("/api/dr/statements/st-9")).json()
    assert (revision["total_minor"], revision["capacity_minor"]) == (1000, 400)
    assert len(grid.all("reports")) == 2


async def test_X5_a_vtn_that_is_down_for_ten_minutes_stops_nothing_and_gets_its_reports(
    moving: Listening, grid: Grid
) -> None:
    bench = moving.bench
    program = grid.program()
    for number in range(3):
        await bench.arrive(number)
    each = [{"payloadType": "DELTA_USAGE", "aggregate": True, "startInterval": 0, "numIntervals": 1, "repeat": -1}]
    parts = [(at(5), at(10), -12.0), (at(10), at(15), -11.0), (at(15), at(20), -12.0)]
    event = grid.ask(program, *parts, eventName="up", reportDescriptors=each)
    await bench.until(at(8))
    await grid.down()
    await bench.until(at(18))
    assert grid.all("reports") == []
    assert (await moving.status())["failure"]
    await grid.up()
    await bench.until(at(24))
    result = await bench.event(event["id"])
    assert [one["delivered_wh"] < -800 for one in result["intervals"]] == [True] * 3
    assert all(one["measured_w"] == pytest.approx(one["requested_w"], rel=0.1) for one in result["minutes"][2:])
    assert [one["reportName"] for one in grid.all("reports")] == ["up 0.0", "up 0.1", "up 0.2"]
    assert (await moving.status())["failure"] == ""


async def test_X5_an_event_deleted_while_it_runs_lets_the_cars_go_within_one_poll(moving: Listening, grid: Grid) -> None:
    bench = moving.bench
    program = grid.program()
    await bench.arrive(0, soc_pct=55)
    event = grid.ask(program, (at(5), at(25), -8))
    await bench.until(at(8))
    assert bench.csms.chargers["CP0"].plant.power_w < -7_000
    grid.delete("events", event["id"])
    await bench.until(at(8 + 25 / 60))
    assert bench.csms.chargers["CP0"].plant.profile is None
    await bench.until(at(10))
    assert bench.csms.chargers["CP0"].plant.power_w > 0
    result = await bench.event(event["id"])
    assert result["state"] == "ended", "what was delivered can be paid for"
    assert result["delivered_wh"] > 300
    assert (await moving.shown(event["id"]))["gone_at"] is not None
