"""What a hotel's recorded bookings become: `python -m benchmarks.reservation.past HOTEL.csv.gz`.

The whole system runs on files of its own. Each hotel of the book is set up with as many rooms as its busiest night
had guests for, its bookings come in over HTTP, by the rules of its hours, nights and rooms, and the engine learns who comes.
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console

from gridstay import books
from gridstay.compose import Settings, running
from runtime.clock import SystemClock
from runtime.log import quiet

console = Console(highlight=False)
ZONE = ZoneInfo("Europe/Lisbon")
HOTELS = {"Resort Hotel": 200, "City Hotel": 250}
"""By the book's names, with rooms."""
AT_ONCE = 200


@dataclass
class Told:
    """What became of a hotel's lines: by state, by reason of refusal; and what the engine has learned."""

    states: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    no_shows: int = 0
    came: int = 0
    learned: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def no_show_rate(self) -> float:
        """Of those who were expected."""
        return self.no_shows / max(1, self.no_shows + self.came)


def hotel(name: str, rooms: int) -> dict[str, Any]:
    """The hotel as the API takes it: nights from three to noon, each room for a family."""
    return {
        "id": name.split()[0].lower(),
        "name": name,
        "zone": ZONE.key,
        "currency": "EUR",
        "opens": "00:00",
        "closes": "00:00",
        "services": [{"id": "night", "name": "Night", "nights": {"check_in": "15:00", "check_out": "12:00", "longest": 30}}],
        "resources": [{"id": f"room-{number}", "name": f"Room {number}", "capacity": 5} for number in range(1, rooms + 1)],
    }


async def brought_in(api: httpx.AsyncClient, file: Path, name: str, rooms: int, limit: int | None) -> Told:
    """Set the hotel up and bring in its lines of the book, so many at most."""
    answer = await api.post("/facilities", json=hotel(name, rooms))
    answer.raise_for_status()
    place, told, begun = answer.json(), Told(), perf_counter()
    ways = books.Ways(ZONE, {one["id"]: one for one in place["services"]}, {}, None)
    rows = islice(books.read(file, ways, {"hotel": name}), limit)
    for part in _parts(rows):
        told.refused.update(row.fault for row in part if row.body is None)
        bodies = [row.body for row in part if row.body is not None]
        verdicts = (await api.post(f"/facilities/{place['id']}/past", json={"rows": bodies})).raise_for_status().json()
        told.states.update(one["state"] for one in verdicts if one["booking_id"])
        told.refused.update(_reason(one["detail"]) for one in verdicts if not one["booking_id"])
    told.came, told.no_shows = told.states["checked_out"], told.states["no_show"]
    told.seconds = perf_counter() - begun
    return told


def _parts(rows: Iterator[books.Row]) -> Iterator[list[books.Row]]:
    while part := list(islice(rows, AT_ONCE)):
        yield part


def _reason(detail: str) -> str:
    return next(
        (words for words in ("every resource is booked", "no room for", "outside the hours") if words in detail), detail
    )


async def whole(file: Path, folder: Path, limit: int | None = None) -> dict[str, Told]:
    """Both hotels of the book in one system, when the engine has heard of all of it."""
    settings = Settings(data=folder, ocpp_port=0, http_port=0)
    async with running(settings, clock=SystemClock(), log=quiet()) as system:
        headers = {"Authorization": f"Bearer {system.operator_token}"}
        async with httpx.AsyncClient(base_url=f"{system.http_url}/api", headers=headers, timeout=120) as api:
            found = {name: await brought_in(api, file, name, rooms, limit) for name, rooms in HOTELS.items()}
            await system.activity.settled()
            for name, told in found.items():
                query = {"facility_id": name.split()[0].lower()}
                told.learned = (await api.get("/dr/outcomes", params=query)).raise_for_status().json()
    return found


def main() -> None:
    """Bring the book in and print what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, help="so many lines of each hotel at most")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(whole(arguments.file, Path(folder), arguments.limit))
    for name, told in found.items():
        lines = told.states.total() + told.refused.total()
        console.print(f"{name}: {lines:,} lines in {told.seconds:.0f} s, {lines / told.seconds:.0f} a second")
        console.print(f"  {dict(told.states)}, refused {dict(told.refused.most_common(6))}")
        console.print(
            f"  no-shows {100 * told.no_show_rate:.2f} % of those expected; the engine has heard of {told.learned}"
        )


if __name__ == "__main__":
    main()
