"""`gridstay station meter-key`."""

from pathlib import Path

from tests.gridstay.cli.conftest import FakeService

KEY = {"evse_id": 1, "public_key": "MFkw", "source": "station", "known_since": "2026-06-03T05:00:00Z"}


def test_X3_keys_of_meters_are_listed_given_and_forgotten(service: FakeService, tmp_path: Path) -> None:
    path = "/api/stations/CP1/meter-keys"
    service.answers_with("GET", path, [KEY])
    assert service.json("station", "meter-key", "list", "CP1") == [KEY]
    shown = service.run("station", "meter-key", "list", "CP1").stdout
    assert [words for words in ("MFkw", "station") if words not in shown] == []
    service.answers_with("PUT", f"{path}/1", [KEY])
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN PUBLIC KEY-----\n")
    service.run("station", "meter-key", "set", "CP1", "1", f"@{file}")
    assert service.last.body == {"public_key": "-----BEGIN PUBLIC KEY-----"}
    service.answers_with("DELETE", f"{path}/1", None, 204)
    assert "forgotten" in service.run("station", "meter-key", "forget", "CP1", "1").stdout
    service.answers_with("DELETE", f"{path}/2", {"detail": "no key is known"}, 404)
    assert service.run("station", "meter-key", "forget", "CP1", "2").exit_code == 1
