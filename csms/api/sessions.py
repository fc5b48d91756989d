"""Charging sessions: their events as the station told them, their meter values, what is missing and what they cost."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import Connection

from contracts.units import money
from csms import store
from csms.api.doors import Doors, Limit
from csms.domain.meter import faults
from csms.domain.signed import signed_values
from csms.domain.transaction import missing
from runtime.storage.prepared import Row

T = TypeVar("T")
EvseId = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


def router(doors: Doors) -> APIRouter:
    """The routes."""
    api = APIRouter(tags=["sessions"])

    async def of_session(session: str, work: Callable[[Connection, Row], T]) -> T:
        """What the function makes of the session's row. Raises 404."""

        def read(connection: Connection) -> T | None:
            row = store.session_row(connection, session)
            return work(connection, row) if row else None

        found = await doors.database.read(read)
        if found is None:
            raise HTTPException(404, f"no session {session}")
        return found

    @api.get("/sessions")
    async def list_sessions(
        station_id: str | None = None, phase: Literal["running", "ended"] | None = None, limit: Limit = 200
    ) -> list[dict[str, Any]]:
        """Sessions, the newest first. `missing` counts events that are known not to have come."""

        def read(connection: Connection) -> list[dict[str, Any]]:
            rows = store.list_sessions(connection, station_id=station_id, phase=phase, limit=limit)
            return [_session(connection, row) for row in rows]

        return await doors.database.read(read)

    @api.get("/sessions/{session}")
    async def show_session(session: str) -> dict[str, Any]:
        """One session with its samples, what in them cannot be, and what its station said when asked about it."""
        return await of_session(session, _whole)

    @api.get("/sessions/{session}/events")
    async def list_events(session: str) -> list[dict[str, Any]]:
        """Every event of a session as it was on the wire, in the order in which they happened."""
        return await of_session(session, _events)

    @api.get("/sessions/{session}/signed-values")
    async def list_signed_values(session: str) -> list[dict[str, Any]]:
        """The session's signed meter values, byte for byte as the station sent them, with the event that brought each."""
        return await of_session(session, _signed)

    @api.get("/stations/{station_id}/transaction-statuses")
    async def list_statuses(station_id: str) -> list[dict[str, Any]]:
        """What the station was asked about its transactions and said; "" stands for its queue as a whole."""
        name = (await doors.known(station_id))["id"]
        rows = await doors.database.read(lambda connection: store.transaction_statuses.of_station(connection, name))
        return [dict(row) for row in rows]

    @api.get("/stations/{station_id}/meter-values")
    async def list_meter_values(station_id: str, evse_id: EvseId = None, limit: Limit = 100) -> list[dict[str, Any]]:
        """What the station's meters said outside its transactions, newest last; EVSE 0 is the station's own meter."""
        name = (await doors.known(station_id))["id"]
        rows = await doors.database.read(lambda connection: store.meter_values.of_station(connection, name, limit, evse_id))
        return [dict(row) for row in rows]

    return api


def _whole(connection: Connection, row: Row) -> dict[str, Any]:
    series = store.samples_of(connection, row["id"])
    asked = store.transaction_statuses.of_transaction(connection, row["station_id"], row["transaction_id"])
    return _session(connection, row) | {
        "samples": [msgspec.structs.asdict(entry) for entry in series],
        "meter_faults": [asdict(fault) for fault in faults(series)],
        "status": dict(asked) if asked else None,
    }


def _events(connection: Connection, row: Row) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in event.items() if name not in ("payload", "digest", "session_id")}
        | {"payload": store.parsed(event["payload"])}
        for event in store.list_events(connection, row["id"])
    ]


def _signed(connection: Connection, row: Row) -> list[dict[str, Any]]:
    in_events = [
        {"seq_no": event["seq_no"], "event_type": event["event_type"], **value}
        for event in store.list_events(connection, row["id"])
        for value in signed_values(store.parsed(event["payload"]).get("meterValue", ()))
    ]
    beside = [
        {"seq_no": None, "event_type": None, **value}
        for values in store.meter_values.of_session(connection, row["id"])
        for value in signed_values([{"timestamp": values["at"], "sampledValue": values["sampled"]}])
    ]
    return in_events + beside


_HIDDEN = {"last_digest", "last_event_at", "last_seq_no", "pricing_untold"}


def _session(connection: Connection, row: Row) -> dict[str, Any]:
    energy = store.energy_of(connection, row["id"])
    newest = store.newest_sample(connection, row["id"])
    chosen = store.v2x.of_session(connection, row["id"])
    state = store.state_of(connection, row)
    shown: dict[str, Any] = {name: value for name, value in row.items() if name not in _HIDDEN}
    return (
        shown
        | dict(energy)
        | {
            "events": state.events,
            "missing": missing(state),
            "is_complete": state.is_complete,
            "price": None if row["cost"] is None else money(row["cost"], row["currency"]),
            "power_w": newest.power_w if newest else None,
            "soc_pct": newest.soc_pct if newest else None,
            "metered_at": newest.at if newest else None,
            "allowed_energy_transfer": chosen["allowed_energy_transfer"] if chosen else None,
            "priority": bool(chosen and chosen["priority"]),
        }
    )
