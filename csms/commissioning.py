"""Finding out what a charger can really do, before anybody relies on it.

The device model says what it claims. Then, with a car plugged in, it is told to discharge a little for a minute and a
half, in the best way that it may understand, and the meter is watched; then in the next best way. The verdict and its
evidence are kept; only a station that was seen to export may discharge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping

from csms import store
from csms.calls import Calls, NotAnswered, Refusal
from csms.discharge_watch import commissioned
from csms.domain import discharge_watch, profiles, setpoint
from csms.domain.device_model import Attribute, declared, sampling_interval_s
from csms.domain.dialect import (
    TEST_POWER_W,
    TEST_SECONDS,
    Attempt,
    Dialect,
    Verdict,
    exports,
    imports,
    judge,
    rungs,
    why_not,
)
from csms.domain.discharge_watch import Watched
from csms.domain.meter import Sample
from csms.domain.setpoint import Hold
from csms.domain.supply import Supply, supply
from csms.domain.vendor_dialect import VendorDialect
from protocols.ocpp.messages import rfc3339
from protocols.ocpp.names import Version
from runtime.clock import Clock
from runtime.storage.database import Database
from runtime.storage.prepared import Row

REPORT_SECONDS = 60
LOOK_EVERY_S = 5.0
SAMPLING_S = 10


class NotTestable(Exception):
    """The test cannot be made now; the text says what is missing."""


class Commissioning:
    """Driver of commissioning tests."""

    def __init__(self, calls: Calls, database: Database, clock: Clock) -> None:
        self._calls = calls
        self._database = database
        self._clock = clock
        self._under_test: set[str] = set()

    def is_testing(self, station_id: str) -> bool:
        """Whether a test is being made: nobody else commands the station meanwhile."""
        return station_id in self._under_test

    async def test(self, station_id: str, *, discharge: bool = True) -> Verdict:
        """Read the device model, make the metered test rung by rung, keep the verdict and announce it.

        A station that does not claim to discharge is not told to, nor is one where the operator does not let it. Takes up to
        two minutes a rung. Raises NotTestable without a running session or with one that a profile of ours holds, CallError
        when the station is lost.
        """
        if station_id in self._under_test:
            raise NotTestable("a test of this station is under way")
        self._under_test.add(station_id)
        try:
            return await self._test(station_id, discharge=discharge)
        finally:
            self._under_test.remove(station_id)

    async def _test(self, station_id: str, *, discharge: bool) -> Verdict:
        await self._read_device_model(station_id)
        station, model, vendor = await self._database.read(lambda connection: _known(connection, station_id))
        says, version = declared(model), Version.V21 if station["protocol"] == Version.V21 else Version.V201
        ladder = rungs(says, version, has_vendor_dialect=vendor is not None)
        attempts: list[Attempt] = []
        if ladder and discharge:
            session = await self._session_to_test_with(station_id)
            evse_supply = supply(model, session["evse_id"])
            tester = _Tester(self._calls, self._database, self._clock, session, version, vendor, evse_supply)
            attempts = await self._climb(station_id, ladder, tester, sampling_interval_s(model))
        verdict = judge(says, attempts)
        if ladder and not discharge:
            verdict = replace(verdict, reason="the operator did not let it be tested whether it discharges")
        await self._database.write(lambda connection: self._keep(connection, station_id, verdict, attempts))
        return verdict

    async def _session_to_test_with(self, station_id: str) -> RowMapping:
        session = await self._database.read(lambda connection: store.running_session(connection, station_id))
        if session is None or session["evse_id"] is None:
            raise NotTestable("no car is plugged in: plug one in, let it be authorised, and test again")
        if await self._database.read(lambda connection: self._is_held(connection, session)):
            raise NotTestable("the car that is plugged in is a guest's and is being controlled: test with another one")
        return session

    async def _climb(
        self, station_id: str, ladder: Sequence[Dialect], tester: "_Tester", usual_sampling_s: int | None
    ) -> list[Attempt]:
        """Try the rungs from the best down, until the meter shows one."""
        await self._sample_every(station_id, SAMPLING_S)
        attempts: list[Attempt] = []
        for dialect in ladder:
            attempts.append(await tester.attempt(dialect))
            if not why_not(attempts[-1]):
                break
        if usual_sampling_s is not None:
            await self._sample_every(station_id, usual_sampling_s)
        return attempts

    def _is_held(self, connection: Connection, session: RowMapping) -> bool:
        now = self._clock.now()
        held = store.profiles_of(connection, session["station_id"])
        return any(
            row["transaction_id"] == session["transaction_id"] and profiles.in_force(row["profile"], now) for row in held
        )

    async def _read_device_model(self, station_id: str) -> None:
        request_id = int(self._clock.now().timestamp()) % 2**31
        await self._calls.call(station_id, "GetBaseReport", {"requestId": request_id, "reportBase": "FullInventory"})
        deadline = self._clock.monotonic() + REPORT_SECONDS
        while self._clock.monotonic() < deadline:
            if await self._database.read(lambda connection: store.report_complete(connection, station_id, request_id)):
                return
            await self._clock.sleep(1.0)
        raise NotTestable("the station did not report its device model within a minute")

    async def _sample_every(self, station_id: str, seconds: int) -> None:
        await self._calls.call(station_id, "SetVariables", sampling(seconds))

    def _keep(self, connection: Connection, station_id: str, verdict: Verdict, attempts: Sequence[Attempt]) -> None:
        now = self._clock.now()
        store.record_verdict(connection, station_id, verdict, [_evidence(attempt) for attempt in attempts], now)
        store.mailboxes.announce(connection, commissioned(station_id, verdict, now))


@dataclass(frozen=True)
class _Tester:
    """Tells one session's car to discharge and to charge a little, and watches."""

    calls: Calls
    database: Database
    clock: Clock
    session: RowMapping
    version: Version
    vendor: VendorDialect | None
    supply: Supply

    async def attempt(self, dialect: Dialect) -> Attempt:
        """Try one rung; whatever it shows, it is taken back at the end."""
        start = self.clock.now()
        status = await self._tell(dialect, -TEST_POWER_W)
        if status != "Accepted":
            return Attempt(dialect, status)
        composite_w = await self._composite_w(dialect)
        tried = Attempt(dialect, status, composite_w=composite_w)
        if composite_w is None or composite_w < 0:
            tried = replace(tried, seen=await self._watch(start, lambda seen: exports(seen[1:]) or _takes(seen, start)))
        if not why_not(tried):
            tried = replace(tried, charging=await self._charge_a_little(dialect))
        await self.calls.call(self._station_id, *setpoint.releasing(self._hold(0), dialect, self.vendor))
        return tried

    async def _charge_a_little(self, dialect: Dialect) -> list[Sample]:
        start = self.clock.now()
        if await self._tell(dialect, TEST_POWER_W) != "Accepted":
            return []
        return await self._watch(start, imports)

    async def _tell(self, dialect: Dialect, power_w: int) -> str:
        action, payload = setpoint.setting(self._hold(power_w), dialect, self.version, self.vendor)
        result = await self.calls.call(self._station_id, action, payload)
        return f"CALLERROR {result.code}" if isinstance(result, Refusal) else str(result.payload.get("status"))

    async def _composite_w(self, dialect: Dialect) -> float | None:
        """What the station says that it will do; None where it says nothing that can be compared."""
        asked = {"duration": TEST_SECONDS, "evseId": self.session["evse_id"], "chargingRateUnit": self.supply.unit}
        try:
            result = await self.calls.call(self._station_id, "GetCompositeSchedule", asked)
        except NotAnswered:
            return None
        return None if isinstance(result, Refusal) else first_power_w(result.payload, dialect, self.supply)

    async def _watch(self, start: datetime, enough: Callable[[list[Sample]], bool]) -> list[Sample]:
        seen: list[Sample] = []
        deadline = self.clock.monotonic() + TEST_SECONDS - (self.clock.now() - start).total_seconds()
        while self.clock.monotonic() < deadline and not enough(seen):
            await self.clock.sleep(LOOK_EVERY_S)
            seen = await self.database.read(lambda connection: store.samples_of(connection, self.session["id"], start))
        return seen

    def _hold(self, power_w: int) -> Hold:
        now, session = self.clock.now(), self.session
        until = now + timedelta(seconds=TEST_SECONDS)
        return Hold(session["id"], session["transaction_id"], session["evse_id"], power_w, now, until, self.supply)

    @property
    def _station_id(self) -> str:
        return str(self.session["station_id"])


def first_power_w(answer: dict[str, Any], dialect: Dialect, supply: Supply) -> float | None:
    """What the first period of a GetCompositeSchedule's answer asks for, in W. A limit says nothing of a setpoint."""
    match answer:
        case {
            "schedule": {"chargingRateUnit": unit, "chargingSchedulePeriod": [{"setpoint": float() | int() as amount}, *_]}
        }:
            return supply.watts(amount, unit)
        case {"schedule": {"chargingRateUnit": unit, "chargingSchedulePeriod": [{"limit": float() | int() as amount}, *_]}}:
            return supply.watts(amount, unit) if dialect is Dialect.NEGATIVE_LIMIT else None
    return None


def _takes(seen: Sequence[Sample], start: datetime) -> bool:
    """Whether the car is charged instead: there is no need to go on with that."""
    watched = Watched("", start, start + timedelta(seconds=TEST_SECONDS), -TEST_POWER_W)
    for sample in seen:
        if sample.power_w is not None:
            watched = discharge_watch.seen(watched, sample.at, sample.power_w)
    return discharge_watch.disobeys(watched)


def _evidence(attempt: Attempt) -> dict[str, Any]:
    return {
        "dialect": attempt.dialect,
        "power_w": -TEST_POWER_W,
        "answer": attempt.answer,
        "composite_w": attempt.composite_w,
        "samples": [msgspec.structs.asdict(sample) | {"at": rfc3339(sample.at)} for sample in attempt.seen],
        "charging": [msgspec.structs.asdict(sample) | {"at": rfc3339(sample.at)} for sample in attempt.charging],
        "against_it": why_not(attempt),
    }


def _known(connection: Connection, station_id: str) -> tuple[Row, list[Attribute], VendorDialect | None]:
    station = store.station(connection, station_id)
    if station is None:
        raise NotTestable(f"no station {station_id} is registered")
    vendor = store.v2x.dialect_of(connection, station["vendor"], station["model"])
    return station, store.device_model(connection, station_id), vendor


def sampling(seconds: int) -> dict[str, object]:
    """The SetVariables payload that makes a station sample every so many seconds while a transaction runs."""
    return {
        "setVariableData": [
            {
                "component": {"name": "SampledDataCtrlr"},
                "variable": {"name": "TxUpdatedInterval"},
                "attributeValue": str(seconds),
            }
        ]
    }
