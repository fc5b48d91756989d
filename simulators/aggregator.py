"""The upper aggregator: business logic at a VTN (OpenADR 3.1). It looks at what the engine offers, asks for some of it by an
event, and pays by a statement for what is reported to it.

It reads what can be asked for at the engine's HTTP door, as a forecast says what each interval can do by itself and not all
in a row; everything else goes through the VTN.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx

from protocols.openadr.durations import Duration, rfc3339
from simulators.scenario import PlannedRequest

PROGRAM: Final = "flex"


class AggregatorError(Exception):
    """The VTN or the engine refused, or has nothing to offer; the text says what."""


@dataclass(frozen=True)
class Interval:
    """One interval of a request: signed fleet power in W."""

    start: datetime
    end: datetime
    power_w: int


@dataclass(frozen=True)
class Posted:
    """A request that the VTN has taken."""

    event_id: str
    intervals: tuple[Interval, ...]

    def power_at(self, when: datetime) -> int | None:
        """What is asked for at an instant, in W."""
        return next((part.power_w for part in self.intervals if part.start <= when < part.end), None)


class Credentials(httpx.Auth):
    """A token by client credentials, fetched when there is none and again when it is refused."""

    requires_response_body = True

    def __init__(self, vtn_url: str, client_id: str, secret: str) -> None:
        self._url = f"{vtn_url}/auth/token"
        self._basic = httpx.BasicAuth(client_id, secret)
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """As httpx asks for it."""
        for _ in range(2):
            if self._token is None:
                answer = yield self._asking()
                if not answer.is_success:
                    return  # that is the answer
                self._token = answer.json()["access_token"]
            request.headers["Authorization"] = f"Bearer {self._token}"
            answer = yield request
            if answer.status_code != 401:
                return
            self._token = None

    def _asking(self) -> httpx.Request:
        asking = httpx.Request("POST", self._url, data={"grant_type": "client_credentials"})
        return next(self._basic.auth_flow(asking))


class Aggregator:
    """One counterparty of one facility. `grid` speaks to the VTN as business logic, `engine` to the engine's API, both
    authenticated; prices are yen per kWh."""

    def __init__(self, grid: httpx.AsyncClient, engine: httpx.AsyncClient, *, facility_id: str, yen_per_kwh: int) -> None:
        self._grid = grid
        self._engine = engine
        self._facility_id = facility_id
        self._yen_per_kwh = yen_per_kwh

    async def request(self, plan: PlannedRequest) -> Posted:
        """Ask for the planned shares of what the engine now offers for each interval (S304)."""
        edges = [plan.start + number * plan.interval for number in range(plan.intervals + 1)]
        blocks = await self._offered(plan)
        intervals = [
            Interval(start, end, int(round(share * _weakest(blocks, plan.direction, start, end), -2)))
            for start, end, share in zip(edges, edges[1:], plan.shares, strict=False)
        ]
        event = {
            "programID": await program_id(self._grid),
            "eventName": f"{plan.direction} {plan.start:%Y-%m-%d %H:%M}",
            "priority": 0,
            "intervalPeriod": {"start": rfc3339(plan.start), "duration": str(Duration(exact=plan.interval))},
            "payloadDescriptors": [
                _descriptor("DISPATCH_SETPOINT", units="KW"),
                _descriptor("X_INCENTIVE", units="KWH", currency="JPY"),
            ],
            "reportDescriptors": [{"payloadType": "DELTA_USAGE", "units": "KWH", "aggregate": True}],
            "intervals": [
                _interval(number, DISPATCH_SETPOINT=part.power_w / 1000, X_INCENTIVE=self._yen_per_kwh)
                for number, part in enumerate(intervals)
            ],
        }
        made = await _send(self._grid, "POST", "/events", json=event)
        return Posted(made["id"], tuple(intervals))

    async def pay(self, posted: Posted, statement_id: str) -> int:
        """Pay for what was reported to have been delivered in an event (S400); the yen."""
        total = round(await self._reported_kwh(posted) * self._yen_per_kwh)
        statement = {
            "programID": await program_id(self._grid),
            "eventName": f"statement {statement_id}",
            "intervalPeriod": {"start": rfc3339(posted.intervals[-1].end), "duration": "PT1M"},
            "payloadDescriptors": [_descriptor("X_STATEMENT_TOTAL", currency="JPY")],
            "intervals": [
                _interval(0, X_STATEMENT=statement_id, X_STATEMENT_EVENT=posted.event_id, X_STATEMENT_TOTAL=total)
            ],
        }
        await _send(self._grid, "POST", "/events", json=statement)
        return total

    async def reports(self, event_id: str) -> list[dict[str, Any]]:
        """What was reported about an event."""
        found: list[dict[str, Any]] = await _send(self._grid, "GET", "/reports", params={"eventID": event_id})
        return found

    async def _reported_kwh(self, posted: Posted) -> float:
        """The help that was reported, interval by interval; harm is not taken off."""
        found = [one for report in await self.reports(posted.event_id) for one in report["resources"]]
        if not found:
            raise AggregatorError(f"nothing was reported about event {posted.event_id}")
        help_kwh = 0.0
        for part, interval in zip(posted.intervals, found[0]["intervals"], strict=True):
            delta = next(one["values"][0] for one in interval["payloads"] if one["type"] == "DELTA_USAGE")
            help_kwh += max(0.0, -delta if part.power_w < 0 else delta)
        return help_kwh

    async def _offered(self, plan: PlannedRequest) -> list[dict[str, Any]]:
        """The blocks of the event as they can be used one after the other."""
        query = {
            "facility_id": self._facility_id,
            "from": plan.start.isoformat(),
            "to": plan.end.isoformat(),
            "together": True,
        }
        blocks: list[dict[str, Any]] = await _send(self._engine, "GET", "/api/dr/capacity", params=query)
        return blocks


async def program_id(grid: httpx.AsyncClient) -> str:
    """The programme at the VTN, made when it is not there."""
    found = await _send(grid, "GET", "/programs", params={"programName": PROGRAM})
    known = next((one for one in found if one["programName"] == PROGRAM), None)
    program = known or await _send(grid, "POST", "/programs", json={"programName": PROGRAM})
    return str(program["id"])


def _descriptor(payload_type: str, **more: str) -> dict[str, str]:
    return {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": payload_type, **more}


def _interval(number: int, **values: float | str) -> dict[str, Any]:
    return {"id": number, "payloads": [{"type": name, "values": [value]} for name, value in values.items()]}


async def _send(http: httpx.AsyncClient, method: str, path: str, **more: Any) -> Any:
    answer = await http.request(method, path, **more)
    if answer.is_error:
        raise AggregatorError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def _weakest(blocks: list[dict[str, Any]], direction: str, start: datetime, end: datetime) -> float:
    """What can be held in every block that an interval touches, in W. Raises AggregatorError when that is nothing."""
    name = "min_power_w" if direction == "discharge" else "max_power_w"
    touched = [
        block[name]
        for block in blocks
        if datetime.fromisoformat(block["start"]) < end and start < datetime.fromisoformat(block["end"])
    ]
    if not touched or 0 in touched:
        raise AggregatorError(f"nothing is offered between {start} and {end}")
    return float(min(touched, key=abs))
