"""`gridstay dr forecast` against a fake service."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.gridstay.cli.conftest import FakeService

HOUR: dict[str, Any] = {
    "start": "2026-06-03T15:00:00Z",
    "demand_mw": 30_000.0,
    "demand_low_mw": 28_000.0,
    "demand_high_mw": 33_000.0,
    "supply_mw": 35_000.0,
    "use_pct": 85.7,
    "use_low_pct": 80.0,
    "use_high_pct": 95.0,
    "solar_pct": None,
    "price": 12.345,
    "tight": [0.31, 0.02],
    "sunny": [],
    "seen_demand_mw": 31_500.0,
    "seen_use_pct": None,
}
FORECAST: dict[str, Any] = {
    "area": "tokyo",
    "day": "2026-06-04",
    "zone": "Asia/Tokyo",
    "currency": "EUR",
    "made_at": "2026-06-03T09:00:10Z",
    "learned_until": "2026-06-01",
    "lead_h": 6,
    "weather_of_day": False,
    "not_told": ["outlook_peak_mw"],
    "hours": [HOUR, HOUR | {"start": "2026-06-03T16:00:00Z", "demand_low_mw": None, "seen_demand_mw": None, "tight": []}],
    "windows": [
        {
            "start": "2026-06-04T14:00:00Z",
            "end": "2026-06-04T15:00:00Z",
            "direction": "up",
            "cause": "tight",
            "incentive_minor": 1234,
            "chance": 0.31,
        }
    ],
    "record": {
        "days": 7,
        "hours": 168,
        "mape": 2.5,
        "week_before_mape": 8.1,
        "in_band": 0.79,
        "tight_came": 4,
        "tight_told": 6,
        "tight_hit": 3,
    },
}
PATH = "/api/dr/areas/tokyo/forecast"


def test_F7A_a_forecast_hour_by_hour_with_its_windows_and_its_record(service: FakeService) -> None:
    service.answers_with("GET", PATH, FORECAST)
    shown = service.run("dr", "forecast", "show", "--area", "tokyo").stdout
    for text in (
        "2026-06-04 00:00",
        "30,000",
        "31,500",
        "85.7",
        "12.35",
        "31% 2%",
        "▒",
        "◆",
        "12.34 EUR",
        "outlook_peak_mw",
    ):
        assert text in shown
    for text in ("2.50 % off over 7 days", "79% inside the band", "3 of 4 tight hours told, 6 told in all"):
        assert text in shown
    assert service.last.query == {}
    assert service.json("dr", "forecast", "show", "--area", "tokyo", "--day", "2026-06-04") == FORECAST
    assert service.last.query == {"day": "2026-06-04"}


def test_F7A_a_forecast_is_drawn(service: FakeService, tmp_path: Path) -> None:
    service.answers_with("GET", PATH, FORECAST)
    drawn = tmp_path / "day.svg"
    assert service.run("dr", "forecast", "show", "--area", "tokyo", "--svg", str(drawn)).exit_code == 0
    content = drawn.read_text()
    assert content.lstrip().startswith("<?xml")
    assert "<svg" in content
    refused = service.run("dr", "forecast", "show", "--area", "tokyo", "--svg", str(tmp_path / "no" / "day.svg"))
    assert refused.exit_code == 1
    assert "No such file" in refused.stderr


def test_a_day_is_forecast_on_demand(service: FakeService) -> None:
    service.answers_with("POST", PATH, FORECAST)
    assert "Paid windows" in service.run("dr", "forecast", "run", "--area", "tokyo", "--learn").stdout
    assert service.last.body == {"day": None, "anew": True}
    wrong = service.run("dr", "forecast", "run", "--area", "tokyo", "--day", "tomorrow")
    assert wrong.exit_code == 2
    assert "is no day" in wrong.stderr


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_loaded(service: FakeService, tmp_path: Path, packed: bool) -> None:
    service.answers_with(
        "POST", "/api/dr/areas/tokyo/data", {"rows": 2, "values": {"price": 1}, "faults": ["p: no number in 1 row (line 3)"]}
    )
    content = "at,p\n2026-06-03 00:00,5\n2026-06-03 01:00,x\n"
    file = tmp_path / ("prices.csv.gz" if packed else "prices.csv")
    file.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    command = (
        "dr",
        "forecast",
        "load",
        str(file),
        "--area",
        "tokyo",
        "--time",
        "at",
        "--column",
        "price=p",
        "--shift",
        "-1",
    )
    shown = service.run(*command).stdout
    assert "left out: p: no number in 1 row (line 3)" in shown
    assert service.last.body == {"csv": content, "time": "at", "columns": {"price": "p"}, "shift": -1}


@pytest.mark.parametrize(
    ("name", "content", "column", "status", "complaint"),
    [
        ("none.csv", None, "price=p", 1, "No such file"),
        ("latin.csv", b"\xff\xfe", "price=p", 1, "not UTF-8"),
        ("broken.csv.gz", b"no gzip", "price=p", 1, "broken.csv.gz"),
        ("good.csv", b"at,p\n", "price", 2, "is not SERIES=COLUMN"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    service: FakeService, tmp_path: Path, name: str, content: bytes | None, column: str, status: int, complaint: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused = service.run("dr", "forecast", "load", str(tmp_path / name), "--area", "tokyo", "--column", column)
    assert refused.exit_code == status
    assert complaint in refused.stderr
    assert service.asked == []


def test_areas_and_what_is_known_of_them(service: FakeService) -> None:
    service.answers_with("GET", "/api/dr/areas", [])
    assert "No area is set up" in service.run("dr", "forecast", "areas").stdout
    settings = {"zone": "Asia/Tokyo", "country": "JP", "currency": "JPY", "forecast_at": "18:00:00", "facilities": ["salon"]}
    data = [{"series": "price", "count": 1440, "first": "2026-04-01T00:00:00Z", "last": "2026-05-30T23:00:00Z"}]
    service.answers_with("GET", "/api/dr/areas", [{"area": "tokyo", "settings": settings, "data": data}])
    shown = service.run("dr", "forecast", "areas").stdout
    for text in ("tokyo", "Asia/Tokyo", "salon", "1,440"):
        assert text in shown
