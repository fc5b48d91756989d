"""The HTTP door of sites' meters."""

from typing import Any

import pytest

from tests.dr_engine.bench import FACILITY, Bench, at, booking, text

HALF_HOUR = {"start": text(at(0)), "end": text(at(30)), "import_wh": 5_000.0, "export_wh": 0.0}
WINDOW = {"facility_id": FACILITY, "from": text(at(0)), "to": text(at(120))}


async def test_S402_a_sites_readings_are_loaded_and_shown(bench: Bench) -> None:
    await bench.host.bus.publish(booking("ann"))
    body = {"facility_id": FACILITY, "readings": [HALF_HOUR]}
    for new, known in ((1, 0), (0, 1)):
        loaded = await bench.http.post("/api/dr/site-meter", json=body)
        assert (loaded.status_code, loaded.json()) == (200, {"facility_id": FACILITY, "new": new, "known": known})
    other = {"facility_id": FACILITY, "readings": [HALF_HOUR | {"import_wh": 4_000.0}]}
    assert (await bench.http.post("/api/dr/site-meter", json=other)).status_code == 409
    assert (await bench.http.post("/api/dr/site-meter", json=other | {"replace": True})).json()["new"] == 1
    (shown,) = (await bench.http.get("/api/dr/site-meter", params=WINDOW)).json()
    assert (shown["import_wh"], shown["chargers_wh"]) == (4_000, None)
    assert (await bench.http.get("/api/dr/site-meter", params=WINDOW | {"to": WINDOW["from"]})).status_code == 422


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({"facility_id": "nowhere"}, 404, "no bookings"),
        ({"readings": []}, 422, "at least 1"),
        ({"readings": [HALF_HOUR | {"import_wh": -1}]}, 422, "greater"),
        ({"readings": [HALF_HOUR | {"import_wh": "NaN"}]}, 422, "finite"),
        ({"readings": [HALF_HOUR | {"end": text(at(0))}]}, 422, "ends after its start"),
        ({"readings": [HALF_HOUR | {"end": text(at(90))}]}, 422, "by an hour at most"),
        ({"readings": [HALF_HOUR | {"start": "2026-06-03T00:00:00"}]}, 422, "timezone"),
        ({"readings": [HALF_HOUR, HALF_HOUR | {"start": text(at(29)), "end": text(at(40))}]}, 422, "overlap"),
    ],
)
async def test_S402_bad_readings_are_refused_whole(bench: Bench, changes: dict[str, Any], status: int, why: str) -> None:
    await bench.host.bus.publish(booking("ann"))
    body = {"facility_id": FACILITY, "readings": [HALF_HOUR]} | changes
    refused = await bench.http.post("/api/dr/site-meter", json=body)
    assert (refused.status_code, why in refused.text) == (status, True)
    assert (await bench.http.get("/api/dr/site-meter", params=WINDOW)).json() == []
