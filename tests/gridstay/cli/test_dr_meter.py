"""`gridstay dr meter`: a site's readings from a file."""

from pathlib import Path

import pytest

from tests.gridstay.cli.conftest import FakeService

HEAD = "start,end,import_kwh,export_kwh\n"


def test_S402_a_file_of_readings_is_loaded(service: FakeService, tmp_path: Path) -> None:
    file = tmp_path / "site.csv"
    file.write_text(HEAD + "2026-06-03 14:00,2026-06-03 14:30,5.25,\n2026-06-03T05:30:00Z,2026-06-03T06:00:00Z,0,1.5\n")
    service.answers_with("GET", "/api/facilities/salon", {"id": "salon", "zone": "Asia/Tokyo"})
    service.answers_with("POST", "/api/dr/site-meter", {"facility_id": "salon", "new": 2, "known": 0})
    shown = service.run("dr", "meter", "load", str(file), "--facility", "salon", "--replace")
    assert (shown.exit_code, "new readings" in shown.stdout) == (0, True)
    first = {"start": "2026-06-03T05:00:00Z", "end": "2026-06-03T05:30:00Z", "import_wh": 5_250.0, "export_wh": 0.0}
    second = {"start": "2026-06-03T05:30:00Z", "end": "2026-06-03T06:00:00Z", "import_wh": 0.0, "export_wh": 1_500.0}
    assert service.last.body == {"facility_id": "salon", "readings": [first, second], "replace": True}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("from,to\n", "has no column start, end, import_kwh"),
        (HEAD + "2026-06-03 14:00,2026-06-03 14:30,much,0\n", "line 2"),
        (HEAD + "yesterday,2026-06-03 14:30,1,0\n", "line 2"),
        (None, "cannot read"),
    ],
)
def test_a_file_that_cannot_be_meant(service: FakeService, tmp_path: Path, content: str | None, why: str) -> None:
    service.answers_with("GET", "/api/facilities/salon", {"id": "salon", "zone": "Asia/Tokyo"})
    file = tmp_path / "site.csv"
    if content is not None:
        file.write_text(content)
    refused = service.run("dr", "meter", "load", str(file), "--facility", "salon")
    assert refused.exit_code == 2
    assert why in " ".join(refused.stderr.replace("│", " ").split())


def test_S402_the_site_is_shown_beside_its_chargers(service: FakeService) -> None:
    period = {"start": "2026-06-03T05:00:00Z", "end": "2026-06-03T05:30:00Z", "import_wh": 5_000.0, "export_wh": 500.0}
    service.answers_with("GET", "/api/facilities/salon", {"id": "salon", "zone": "Asia/Tokyo"})
    rows = [period | {"chargers_wh": -2_000.0}, period | {"chargers_wh": None}]
    service.answers_with("GET", "/api/dr/site-meter", rows)
    arguments = ("dr", "meter", "show", "--facility", "salon", "--to", "2026-06-03 15:00")
    assert service.json(*arguments) == rows
    assert service.last.query == {"facility_id": "salon", "from": "2026-06-02T06:00:00Z", "to": "2026-06-03T06:00:00Z"}
    shown = service.run(*arguments).stdout
    assert [words for words in ("14:00 - 14:30", "5.000", "0.500", "-2.000", "6.500") if words not in shown] == []
