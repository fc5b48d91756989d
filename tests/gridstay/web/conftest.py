"""The whole system in this process, and browsers without a screen: cookies, links and forms, by HTTP."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridstay import compose
from runtime.clock import SystemClock
from runtime.log import quiet

FACILITY: dict[str, Any] = {
    "id": "salon",
    "name": "Salon <b>",
    "zone": "Asia/Tokyo",
    "opens": "00:00",
    "closes": "00:00",
    "services": [
        {"id": "cut", "name": "Cut", "minutes": [60], "every_min": 30},
        {"id": "spa", "name": "Spa", "minutes": [45, 90]},
    ],
    "resources": [{"id": "chair-1", "name": "Chair 1"}],
    "bays": [{"id": "bay-1", "station_id": "CP1", "evse_id": 1, "max_charge_w": 6_000, "max_discharge_w": 6_000}],
}
JOINING = {"name": "Hanako", "phone": "090 1111 2222", "data": "1", "wanted_soc_pct": "80", "floor_soc_pct": "30"}
CAR = {
    "battery_kwh": "60",
    "charge_kw": "6",
    "discharge_kw": "6",
    "dr": "1",
    "discharge": "1",
    "card": "CARD-1",
    "charging": "1",
}


@dataclass
class Browser:
    """Somebody's browser at the pages: it follows no redirection by itself."""

    http: httpx.AsyncClient
    seen: str = ""

    async def get(self, path: str, **more: Any) -> httpx.Response:
        answer = await self.http.get(path, **more)
        self.seen = answer.text
        return answer

    async def send(self, path: str, fields: dict[str, str], *, page: str | None = None) -> httpx.Response:
        """Send a form with what is hidden in the forms of the page that was seen last, or of `page`."""
        if page:
            await self.get(page)
        hidden = dict(re.findall(r'<input type="hidden" name="(token|key|hold|text_version)" value="([^"]*)"', self.seen))
        answer = await self.http.post(path, data={**hidden, **fields})
        self.seen = answer.text or self.seen
        return answer

    async def join(self, **more: str) -> httpx.Response:
        return await self.send("/join", {**JOINING, **more}, page="/join")

    @property
    def text(self) -> str:
        """What stands on the page, without its tags."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.seen)).split())


@dataclass
class House:
    system: compose.System
    api: httpx.AsyncClient
    browsers: list[httpx.AsyncClient]

    def browser(self, **headers: str) -> Browser:
        """One more, which lives as long as the house."""
        self.browsers.append(httpx.AsyncClient(base_url=self.system.http_url, headers=headers, timeout=30))
        return Browser(self.browsers[-1])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    settings = compose.Settings(data=tmp_path, ocpp_port=0, http_port=0, min_free_mb=0)
    async with compose.running(settings, clock=SystemClock(), log=quiet()) as system:
        operator = {"Authorization": f"Bearer {system.operator_token}"}
        async with httpx.AsyncClient(base_url=f"{system.http_url}/api", headers=operator, timeout=30) as api:
            added = await api.post("/facilities", json=FACILITY)
            assert added.status_code == 201, added.text
            made = House(system, api, [])
            yield made
            for browser in made.browsers:
                await browser.aclose()
