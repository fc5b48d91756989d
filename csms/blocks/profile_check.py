"""Block K: after a start of ours stations are asked which profiles of ours they hold (K09), and what we believe follows.

While we were away a station may have booted and lost them. Each at which one was in force is asked once, when it comes back.
What it does not hold any more, or holds otherwise, is forgotten, and whoever controls the session is told: it is free.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from contracts.csms import SetpointLost
from contracts.ids import SessionId, StationId
from csms import store
from csms.domain import profiles
from csms.domain.charging_report import OURS, differing
from csms.domain.charging_rules import Known
from csms.router import Exchange

QUERY = "GetChargingProfiles"
KEY = "profiles after a start"
ASK_WITHIN_S = 3_600.0
"""How long the question waits for the station: by then all setpoints have ended."""
ANSWER_S = 10.0
"""How long setpoints may wait behind a station that does not answer it."""


def stations(connection: Connection, now: datetime) -> set[str]:
    """The stations at which a profile of ours is in force."""
    return {row["station_id"] for row in store.all_profiles(connection) if profiles.in_force(row["profile"], now)}


def ask(connection: Connection, station_id: str, now: datetime) -> None:
    """The station has come back: queue the question."""
    numbers = (row["payload"]["requestId"] for row in store.commands.of_action(connection, station_id, QUERY))
    request_id = max(numbers, default=0) % profiles.MAX_INT + 1
    payload = {"requestId": request_id, "chargingProfile": {"chargingLimitSource": [OURS]}}
    command = store.commands.Command(station_id, QUERY, payload, now, ASK_WITHIN_S, timeout_s=ANSWER_S, key=KEY)
    store.commands.add(connection, command)


def answered(exchange: Exchange, request_id: int, reported: Iterable[Mapping[str, Any]]) -> None:
    """The station has said all that it holds. Nothing follows unless it is the answer to our question."""
    sent = store.commands.of_action(exchange.connection, exchange.station_id, QUERY)
    if not any(row["payload"].get("requestId") == request_id and row["key"] == KEY for row in sent):
        return
    rows = store.profiles_of(exchange.connection, exchange.station_id)
    ours = [Known(row["profile"], row["evse_id"]) for row in rows if profiles.in_force(row["profile"], exchange.now)]
    lost = differing(ours, reported)
    for number in lost:
        store.forget_profiles(exchange.connection, exchange.station_id, profile_id=number)
    for session in store.running_at(exchange.connection, exchange.station_id):
        if profiles.profile_id(session["id"]) in lost:
            store.mailboxes.announce(
                exchange.connection,
                SetpointLost(
                    at=exchange.now, session_id=SessionId(session["id"]), station_id=StationId(exchange.station_id)
                ),
            )
