"""Runs a scenario through the real system: bookings by HTTP, chargers by OCPP over WebSockets, the grid by OpenADR.

The system is composed as `gridstay serve` composes it; only the clock is another. It stands still while anything is under
way (see `runtime.clock.SimulatedClock`), so that a busy machine makes the day longer and never different.
"""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx

from gridstay import compose, picture
from gridstay.day import findings, guests
from gridstay.day.guests import FACILITY, STAFF_TOKEN, BookedVisit, SetupFailed
from gridstay.day.live import Day
from gridstay.display import Display
from gridstay.report import DayReport
from runtime.activity import Activity
from runtime.clock import SimulatedClock, sleep_until
from runtime.log import logger, open_log
from simulators.aggregator import PROGRAM, Aggregator, AggregatorError, Credentials, Posted, program_id
from simulators.car import CarModel
from simulators.evse import StationSpec
from simulators.scenario import PlannedRequest, Scenario
from simulators.station import SimulatedStation
from simulators.vtn import server
from simulators.vtn.access import Client, Role

BEFORE = timedelta(minutes=10)
AFTER = timedelta(minutes=30)
NOTICE = timedelta(minutes=15)
"""How long before an event the aggregator asks."""
STATEMENT_AFTER = timedelta(minutes=10)
YEN_PER_KWH = 25
POLL_S = 30.0
"""How often the engine looks at the VTN."""
BL, VEN = (Client(role.value, secrets.token_urlsafe(24), role) for role in Role)
CLIENTS = (BL, VEN)
CONVERTER_ERROR = 0.02
TEST_CAR = CarModel("Test car", battery_wh=40_000, max_charge_w=6_000, max_discharge_w=6_000)


class DayFailed(Exception):
    """The day could not be run to its end; the text says what stopped it."""


async def run_day(scenario: Scenario, *, out: Path, display: Display, seed: int) -> DayReport:
    """Run the day and write `day.json`, `day.svg` and `day.log` into `out`. Raises DayFailed when it cannot be run."""
    clock = SimulatedClock(scenario.commissioning_at - BEFORE)
    with open_log(out / "day.log") as file, TemporaryDirectory(prefix="gridstay-day-", dir=_memory()) as folder:
        log = logger(clock, file)
        async with AsyncExitStack() as stack:
            vtn = await stack.enter_async_context(server.running(CLIENTS, clock=clock, activity=Activity(), log=log))
            auth = Credentials(vtn.url, BL.client_id, BL.secret)
            grid = await stack.enter_async_context(httpx.AsyncClient(base_url=vtn.url, auth=auth, timeout=60))
            await program_id(grid)
            system = await stack.enter_async_context(compose.running(_settings(folder, vtn.url), clock=clock, log=log))
            headers = {"Authorization": f"Bearer {system.operator_token}"}
            async with httpx.AsyncClient(base_url=system.http_url, headers=headers, timeout=60) as http:
                aggregator = Aggregator(grid, http, facility_id=FACILITY, yen_per_kwh=YEN_PER_KWH)
                day = Day(scenario, clock, system, http, aggregator, display)
                try:
                    await _run(day, Random(seed))
                except* (SetupFailed, AggregatorError, httpx.HTTPError) as errors:
                    raise DayFailed("; ".join(map(str, _leaves(errors)))) from errors
                report = await findings.report(day)
    (out / "day.json").write_text(findings.as_json(report), "utf-8")
    picture.draw(report, out / "day.svg")
    return report


def _settings(folder: str, vtn_url: str) -> compose.Settings:
    ven = {
        "url": vtn_url,
        "client_id": VEN.client_id,
        "client_secret": VEN.secret,
        "poll_s": POLL_S,
        "programs": [{"name": PROGRAM, "facility": FACILITY}],
        "resources": [{"name": f"{FACILITY}-cars", "facility": FACILITY}],
    }
    given = {"data": folder, "ocpp_port": 0, "http_port": 0, "csms": {"ping_interval_s": None}, "dr": {"ven": ven}}
    return compose.Settings.model_validate(given)


def _memory() -> str | None:
    """A folder in memory, where the machine has one: the day's databases die with it, and need not wait for a disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _leaves(errors: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _run(day: Day, rng: Random) -> None:
    """Let the story and the clock run until both are over."""
    scenario = day.scenario
    story = asyncio.create_task(_story(day, rng), name="story")
    ticking = asyncio.create_task(_show(day), name="display")
    running = asyncio.create_task(day.clock.run_until(scenario.closes + AFTER, day.system.activity.settled))
    failed = asyncio.create_task(day.system.supervisor.failed.wait())
    try:
        await asyncio.wait({story, running, failed}, return_when=asyncio.FIRST_COMPLETED)
        if story.done():
            story.result()
            await running
        elif failed.done():
            raise DayFailed("a part of the system died; the log says which")
        else:
            raise DayFailed("the day ended before its story")
    finally:
        for task in (story, ticking, running, failed):
            task.cancel()
        await asyncio.gather(story, ticking, running, failed, return_exceptions=True)
        for station in day.stations.values():
            await station.stop()


async def _story(day: Day, rng: Random) -> None:
    await day.asking(_prepare(day, rng))
    day.happened(f"{len(day.booked)} stays booked; {len(day.stations)} chargers connected")
    await sleep_until(day.clock, day.scenario.commissioning_at)
    await _commission(day)
    parts = [*(_visit(day, booked) for booked in day.booked), *(_event(day, plan) for plan in day.scenario.requests)]
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(part)


async def _prepare(day: Day, rng: Random) -> None:
    names = guests.station_ids(day.scenario)
    passwords = {station_id: secrets.token_urlsafe(24) for station_id in names}
    await guests.register(day.http, day.scenario, passwords)
    day.booked = await guests.book(day.http, day.scenario)
    for station_id, password in passwords.items():
        spec = StationSpec(converter_error=rng.uniform(-CONVERTER_ERROR, CONVERTER_ERROR))
        station = SimulatedStation(
            station_id,
            f"{day.system.ocpp_url}/ocpp",
            password=password,
            clock=day.clock,
            activity=day.system.activity,
            log=day.system.log,
            spec=spec,
        )
        station.start()
        day.stations[station_id] = station


async def _commission(day: Day) -> None:
    """The opening minutes: a test car at every charger, and a small metered discharge (nobody is believed unseen)."""
    day.happened("Before opening: each charger is tested with a car that discharges a little")
    for station in day.stations.values():
        await station.plug(TEST_CAR, 60, STAFF_TOKEN)
    await day.clock.sleep(30)
    answers = await asyncio.gather(*(day.http.post(f"/api/stations/{name}/commission") for name in day.stations))
    for station in day.stations.values():
        await station.unplug()
    shown = sum(answer.is_success and answer.json()["dialect"] == "negative_limit" for answer in answers)
    day.happened(f"{shown} of {len(day.stations)} chargers were seen to discharge; the others only charge")
    if not shown:
        raise DayFailed(f"no charger passed its test: {answers[0].text}")


async def _visit(day: Day, booked: BookedVisit) -> None:
    visit, station = booked.visit, day.stations[booked.station_id]
    if visit.arrival is None or visit.departure is None:
        await sleep_until(day.clock, visit.booked_start + timedelta(minutes=15))
        day.happened(f"{visit.name} has not come")
        return
    await sleep_until(day.clock, visit.arrival)
    station.ignore_profiles = visit.ignores_profiles
    await station.plug(visit.car, visit.arrival_soc_pct, visit.token)
    day.happened(f"{visit.name} plugs in at {booked.station_id} with {visit.arrival_soc_pct:.0f} %")
    async with asyncio.TaskGroup() as group:
        if visit.loses_network:
            group.create_task(_outage(day, booked, *visit.loses_network))
        await sleep_until(day.clock, visit.departure)
    battery = await station.unplug()
    station.ignore_profiles = False
    day.left_with_pct[booked.booking_id] = battery.soc_pct
    early = " early" if visit.early else ""
    day.happened(f"{visit.name} leaves{early} with {battery.soc_pct:.0f} % (wanted {visit.wanted_soc_pct} %)")


async def _outage(day: Day, booked: BookedVisit, start: datetime, end: datetime) -> None:
    station = day.stations[booked.station_id]
    await sleep_until(day.clock, start)
    station.lose_network()
    day.happened(f"{booked.station_id} loses its network")
    await sleep_until(day.clock, end)
    station.restore_network()
    day.happened(f"{booked.station_id} is back")


async def _event(day: Day, plan: PlannedRequest) -> None:
    await sleep_until(day.clock, plan.start - NOTICE)
    posted: Posted = await day.asking(day.aggregator.request(plan))
    await day.clock.sleep(2 * POLL_S)
    seen = await day.asking(day.get(f"/api/dr/ven/events/{posted.event_id}"))
    if not seen["requests"]:
        raise AggregatorError(f"the engine has not taken the event of {plan.start}: {seen['note']}")
    day.posted.append(posted)
    asked = ", then ".join(f"{part.power_w / 1000:+.1f} kW" for part in posted.intervals)
    day.happened(f"The grid asks for {asked} from {day.local(plan.start)}")
    await sleep_until(day.clock, plan.end + STATEMENT_AFTER)
    total = await day.asking(day.aggregator.pay(posted, f"statement-{plan.start:%Y%m%dT%H%M}"))
    await day.clock.sleep(2 * POLL_S)
    event = await day.asking(day.get(f"/api/dr/events/{posted.event_id}"))
    if event["statement"] is None:
        raise AggregatorError(f"the engine has not taken the statement for the event of {plan.start}")
    day.happened(f"The grid pays {total:,} yen, shared by {len(event['statement']['allocation'])} guests")


async def _show(day: Day) -> None:
    """Every minute of the day: how far it is, and what the cars do against what is asked."""
    start, end = day.clock.now(), day.scenario.closes + AFTER
    while True:
        now = day.clock.now()
        asked = [power for posted in day.posted if (power := posted.power_at(now)) is not None]
        cars = [station.evse.power_w for station in day.stations.values() if station.evse.soc_pct is not None]
        day.display.progress(now, (now - start) / (end - start))
        day.display.fleet(sum(asked) if asked else None, sum(cars), len(cars))
        await day.clock.sleep(20 if asked else 60)
