"""Watches the meter while cars are told to discharge. A station that charges instead is stopped, marked, and given to nobody
as capacity until it was commissioned again."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from contracts.csms import PowerSampled, StationCommissioned
from contracts.ids import StationId
from csms import store
from csms.domain import profiles
from csms.domain.dialect import Dialect, Verdict
from csms.domain.discharge_watch import Watched, disobeys, seen, told
from csms.domain.setpoint import power_of
from protocols.ocpp.messages import rfc3339
from runtime.clock import Clock
from runtime.log import Log
from runtime.storage.database import Database

CLEAR_S = 60.0


class DischargeWatch:
    """Which sessions are to discharge now, and what their meters show."""

    def __init__(self, database: Database, clock: Clock, log: Log) -> None:
        self._database = database
        self._clock = clock
        self._log = log
        self._watched: dict[str, Watched] = {}

    async def restore(self) -> None:
        """Find again what stations were told to discharge before a restart."""
        now = self._clock.now()
        self._watched = await self._database.read(lambda connection: _discharging(connection, now))

    def told(self, session_id: str, station_id: str, power_w: int, until: datetime) -> None:
        """The station has accepted this power for the session."""
        watched = told(self._watched.get(session_id), station_id, power_w, self._clock.now(), until)
        if watched is None:
            self.released(session_id)
        else:
            self._watched[session_id] = watched

    def released(self, session_id: str) -> None:
        """Nothing is asked of the session any more."""
        self._watched.pop(session_id, None)

    async def sampled(self, event: PowerSampled) -> None:
        """Meters were heard."""
        for sample in event.samples:
            if sample.session_id in self._watched and sample.power_w is not None:
                await self._look(sample.session_id, sample.at, sample.power_w)

    async def _look(self, session_id: str, at: datetime, power_w: float) -> None:
        watched = self._watched[session_id] = seen(self._watched[session_id], at, power_w)
        if disobeys(watched):
            del self._watched[session_id]
            self._log.error("charges when told to discharge", station=watched.station_id, session=session_id)
            await self._database.write(lambda connection: self._condemn(connection, session_id, watched))

    def _condemn(self, connection: Connection, session_id: str, watched: Watched) -> None:
        """Stop it and take its right to discharge, in one transaction: the command outlives a crash."""
        now = self._clock.now()
        station = store.station(connection, watched.station_id)
        assert station is not None, "a station that is watched is registered"
        shown_w = watched.wrong[-1].power_w
        reason = f"accepted a discharge of {watched.power_w} W and was metered at {shown_w} W"
        verdict = Verdict(Dialect.CHARGE_ONLY, station["max_charge_w"], 0, reason)
        samples = [msgspec.structs.asdict(sample) | {"at": rfc3339(sample.at)} for sample in watched.wrong]
        evidence = [{"dialect": station["dialect"], "answer": "Accepted", "power_w": watched.power_w, "samples": samples}]
        store.record_verdict(connection, watched.station_id, verdict, evidence, now)
        clear = {"chargingProfileId": profiles.profile_id(session_id)}
        store.commands.add(
            connection, store.commands.Command(watched.station_id, "ClearChargingProfile", clear, now, CLEAR_S)
        )
        store.mailboxes.announce(connection, commissioned(watched.station_id, verdict, now))


def commissioned(station_id: str, verdict: Verdict, now: datetime) -> StationCommissioned:
    """How a verdict is announced."""
    return StationCommissioned(
        at=now,
        station_id=StationId(station_id),
        max_charge_w=verdict.max_charge_w,
        max_discharge_w=verdict.max_discharge_w,
        verdict=verdict.reason,
    )


def _discharging(connection: Connection, now: datetime) -> dict[str, Watched]:
    """The running sessions whose profile asks for a discharge."""
    found: dict[str, Watched] = {}
    for row in store.v2x.held_by_sessions(connection):
        power_w = power_of(row["profile"], store.supply_of(connection, row["station_id"], row["evse_id"]))
        ends = profiles.ends_at(row["profile"])
        if power_w is not None and power_w < 0 and ends is not None and now < ends:
            found[row["session_id"]] = Watched(row["station_id"], now, ends, round(power_w))
    return found
